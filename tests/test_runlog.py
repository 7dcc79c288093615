"""run.log: which events leave a line."""

from datetime import datetime

from nncompare.events import EpochFinished, Notice
from nncompare.runlog import RunLog, describe


def test_run_log_keeps_a_notice_on_one_line_after_its_time(tmp_path):
    log = RunLog(tmp_path / "run.log")
    for text in ("First.\n\x1b  Second.", "Third."):
        log.write(Notice(level="warning", text=text))
    lines = (tmp_path / "run.log").read_text().splitlines()
    stamps, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    assert texts == ("warning: First. \x1b Second.", "warning: Third.")
    assert all(datetime.fromisoformat(stamp).tzinfo for stamp in stamps)


def test_run_log_leaves_epochs_out():
    event = EpochFinished("mlp", "digits", "trial", number=0, epoch=1, max_epochs=2, valid_loss=None)
    assert describe(event) is None
