"""The environment of servers and children."""

import subprocess
import sys

import pytest

from nncompare.execution.launch import child_environment


@pytest.mark.parametrize(("given", "expected"), [(None, "1"), ("0", "0"), ("1", "1")])
def test_child_environment_turns_onednn_on_unless_the_user_has_set_it(monkeypatch, given, expected):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if given is not None:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", given)
    assert child_environment()["TF_ENABLE_ONEDNN_OPTS"] == expected


def test_child_environment_leaves_one_thread_beside_pyarrow():
    """Pandas imports it where it is installed, scikit-learn imports pandas, and a fork server has one thread."""
    pytest.importorskip("pyarrow")
    count = "import pyarrow, psutil; print(psutil.Process().num_threads())"
    done = subprocess.run(
        [sys.executable, "-c", count], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
