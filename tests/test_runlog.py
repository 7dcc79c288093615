"""run.log: which events leave a line."""

import pytest

from nncompare.events import DownloadProgress
from nncompare.runlog import RunLog


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("receiving", None),
        ("waiting", "download mnist.npz mnist: waiting"),
        ("done", "download mnist.npz mnist: done"),
        ("failed", "download mnist.npz mnist: failed"),
    ],
)
def test_run_log_of_a_download_has_no_bytes(tmp_path, state, line):
    event = DownloadProgress(
        dataset="mnist", file="mnist.npz", source="home", received_bytes=1, total_bytes=2, state=state
    )
    path = tmp_path / "run.log"
    path.touch()
    RunLog(path).write(event)
    assert [text.partition(" ")[2] for text in path.read_text().splitlines()] == [line] * (line is not None)
