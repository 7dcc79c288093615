"""What is left to do of a run."""

from nncompare.events import Notice
from nncompare.remaining import without_known
from nncompare.results import Check, DatasetRecord, Results, VerdictRecord

REPEATS = Check(code="repeats", level="warning", text="2 rows are equal.")


def test_what_was_found_in_the_data_is_not_told_again_and_all_else_is():
    data = DatasetRecord(
        name="wine",
        kind="tabular",
        n_train=10,
        n_valid=2,
        n_test=3,
        class_names=["a", "b"],
        fingerprint="f",
        data_checks=[REPEATS],
        verdict=VerdictRecord(state="none", text=""),
    )
    earlier = Results(run_id="r", state="complete", created_at="", seed=1, preset="quick", datasets=[data])
    heard = []
    known = Notice(f"wine: {REPEATS.text}", "warning")
    new = [
        Notice(f"beer: {REPEATS.text}", "warning"),
        Notice("wine: 3 rows are equal.", "warning"),
        Notice("wine: 15 rows"),
    ]
    for listener in (without_known(heard.append, earlier), without_known(heard.append, None)):
        for event in (known, *new):
            listener(event)
    assert heard == [*new, known, *new]
    assert without_known(None, earlier) is None
