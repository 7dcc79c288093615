"""What stands in results.json while a run goes on: nothing that was complete gives way to less."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from nncompare.comparison import exit_code
from nncompare.estimate import Estimate
from nncompare.parts import BEFORE, earlier_notes, in_whole
from nncompare.results import (
    Budget,
    DatasetRecord,
    Failure,
    Results,
    Settings,
    StudyRecord,
    TrialRecord,
    VerdictRecord,
)

GONE = Failure(category="disk", message="No room.")


def study(model, n_trials, status="complete", dataset="d", failure=None):
    trials = [TrialRecord(number=k, state="complete", params={}) for k in range(n_trials)]
    budget = Budget(
        n_trials=9,
        max_epochs=1,
        n_refits=1,
        search_samples=1,
        refit_samples=1,
        refit_data="train",
        trials_complete=n_trials,
    )
    return StudyRecord(
        model=model, dataset=dataset, status=status, failure=failure, trials=trials, budget=budget, estimate_s=3.0
    )


def results(studies, state="complete", text="new", **fields):
    names = dict.fromkeys(study.dataset for study in studies)
    datasets = [
        DatasetRecord(
            name=name,
            kind="tabular",
            n_train=1,
            n_valid=1,
            n_test=1,
            class_names=["a", "b"],
            fingerprint="f",
            verdict=VerdictRecord(state="single", text=text),
        )
        for name in names
    ]
    return Results(
        run_id="r",
        state=state,
        created_at="2026-01-01T00:00:00+00:00",
        seed=1,
        preset="quick",
        studies=studies,
        datasets=datasets,
        **{"duration_s": 2.0} | fields,
    )


def shown(now, before):
    plan = SimpleNamespace(earlier=before)
    whole = in_whole(now, plan, [datetime.now().astimezone().isoformat()], None)
    return whole, {(s.model, s.dataset): (s.status, len(s.trials)) for s in whole.studies}


def test_extension_shows_the_results_of_before_until_all_of_the_data_set_is_complete():
    before = results([study("a", 2), study("b", 2)], text="old")
    started = results([study("a", 0, "interrupted"), study("b", 0, "interrupted")], "running")
    half = results([study("a", 5), study("b", 3, "interrupted")], "interrupted")
    for now in (started, half):
        whole, found = shown(now, before)
        assert found == {("a", "d"): ("complete", 2), ("b", "d"): ("complete", 2)}
        assert whole.datasets == before.datasets
        assert whole.state == now.state
        assert whole.notes == [
            f"{BEFORE} on d: more is asked for, and not complete yet. Go on with: nncompare resume r"
        ]
    whole, found = shown(results([study("a", 5), study("b", 5)]), before)
    assert found == {("a", "d"): ("complete", 5), ("b", "d"): ("complete", 5)}
    assert (whole.datasets[0].verdict.text, whole.notes, whole.state) == ("new", [], "complete")


def test_extension_of_one_data_set_does_not_wait_for_another():
    before = results([study("a", 2), study("a", 2, dataset="e")], text="old")
    now = results([study("a", 5), study("a", 3, "interrupted", dataset="e")], "interrupted")
    whole, found = shown(now, before)
    assert found == {("a", "d"): ("complete", 5), ("a", "e"): ("complete", 2)}
    assert [dataset.verdict.text for dataset in whole.datasets] == ["new", "old"]


def test_extension_that_fails_leaves_the_results_of_before_and_says_so():
    before = results([study("a", 2)], text="old")
    whole, found = shown(results([study("a", 5, "failed", failure=GONE)]), before)
    assert found == {("a", "d"): ("complete", 2)}
    assert whole.notes == [f"{BEFORE} on d: a failed when more was asked for. No room."]
    assert (whole.state, whole.repeatable, exit_code(whole)) == ("interrupted", False, 3)


def test_resumed_run_shows_what_the_earlier_part_found_until_it_goes_on():
    before = results([study("a", 2, "interrupted"), study("b", 0, "failed", failure=GONE)], "interrupted")
    now = results([study("a", 0, "interrupted"), study("b", 0, "interrupted")], "running")
    assert shown(now, before)[1] == {("a", "d"): ("interrupted", 2), ("b", "d"): ("failed", 0)}
    now = results([study("a", 4, "interrupted"), study("b", 3)], "interrupted")
    assert shown(now, before)[1] == {("a", "d"): ("interrupted", 4), ("b", "d"): ("complete", 3)}


def test_notes_on_results_of_before_do_not_outlast_their_part():
    before = results([study("a", 2)], notes=["kept", f"{BEFORE} on d: and so on"])
    assert earlier_notes(SimpleNamespace(earlier=before)) == ["kept"]


@pytest.mark.parametrize(
    ("changed", "estimate_s"),
    [({}, 3.0), ({"n_trials": 60}, None), ({"timeout_s": 60.0}, None), ({"jobs": 2}, None)],
)
def test_estimate_of_before_holds_only_where_the_same_is_asked(changed, estimate_s):
    before = results([study("a", 2, "interrupted")], "interrupted", estimate_s=3.0, settings=Settings())
    now = results([study("a", 5)], settings=Settings(**changed))
    whole, _ = shown(now, before)
    assert (whole.estimate_s, whole.studies[0].estimate_s) == (estimate_s, estimate_s)
    assert whole.duration_s == 4.0


def test_first_part_is_left_as_it_is_but_for_its_estimate():
    now, plan = results([study("a", 2)]), SimpleNamespace(earlier=None)
    assert in_whole(now, plan, [], None) is now
    estimate = Estimate(seconds=7.0, studies={("a", "d"): 6.0})
    whole = in_whole(now, plan, [], estimate)
    assert (whole.estimate_s, whole.studies[0].estimate_s, whole.duration_s) == (7.0, 6.0, 2.0)
