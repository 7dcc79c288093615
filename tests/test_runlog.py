"""run.log: which events leave a line."""

from datetime import datetime

from nncompare.events import EpochFinished, FinalFinished, Notice, StudyStarted, TrialChosen
from nncompare.results import Failure, FinalRecord
from nncompare.runlog import RunLog, describe


def test_run_log_keeps_a_notice_on_one_line_after_its_time(tmp_path):
    log = RunLog(tmp_path / "run.log")
    for text in ("First.\n\x1b  Second.", "Third."):
        log.write(Notice(level="warning", text=text))
    lines = (tmp_path / "run.log").read_text().splitlines()
    stamps, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    assert texts == ("warning: First. \x1b Second.", "warning: Third.")
    assert all(datetime.fromisoformat(stamp).tzinfo for stamp in stamps)


def test_run_log_tells_of_finals_and_their_choice():
    finals = (FinalRecord(trial=4, failure=Failure(category="oom", message="no\nmemory")), FinalRecord(trial=0))
    assert describe(FinalFinished("m", "d", finals[0], 1, 2)) == "final m d 4: log loss - (oom: no memory)"
    best = finals[1].model_copy(update={"valid_log_loss": 0.25})
    assert describe(FinalFinished("m", "d", best, 2, 2)) == "final m d 0: log loss 0.2500"
    chosen = TrialChosen("m", "d", (finals[0], best), 900)
    assert describe(chosen) == "chosen m d: trial 0 is best on all 900 rows (0.2500; trial 4 failed)"
    budget = "study m d: 9 trials of at most 5 epochs, 3 finals, 2 refits"
    assert describe(StudyStarted("m", "d", 9, 5, 2, 3)) == budget


def test_run_log_leaves_epochs_out():
    event = EpochFinished("mlp", "digits", "trial", number=0, epoch=1, max_epochs=2, valid_loss=None)
    assert describe(event) is None
