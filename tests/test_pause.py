"""A run whose processes are paused, one or all, goes on where it was: a pause is no time-out."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from nncompare.comparison import load_results

from .children import fault, wait_until
from .run_processes import kill_with_children
from .whole_runs import compare_with, differing

BUDGET = {"n_trials": 6, "max_epochs": 3, "n_refits": 1, "jobs": 1}
OPTIONS = ("--trials", "6", "--epochs", "3", "--seeds", "1", "--jobs", "1", "--no-estimate")
IMPATIENT = """
import sys
from nncompare.execution import launch, supervisor
launch.FORK_S = launch.CLOSE_S = 0.3
supervisor.GRACE_S = supervisor.LONGEST_STEP_S = 0.3
from nncompare.cli import main
main(sys.argv[1:])
"""
PAUSE_S = 3.0
"""Ten times each of those time-outs."""


@pytest.fixture(scope="module")
def whole(runner, tmp_path_factory):
    """Return the results of a run that nothing pauses."""
    return compare_with(runner, tmp_path_factory.mktemp("whole"), ("Slow",), **BUDGET)[0]


@pytest.fixture
def started(tmp_path):
    """Start a run with short time-outs; return its process and a function that finds its run directory."""
    arguments = ["run", "-m", fault("Slow"), "-d", "digits", *OPTIONS, "--trial-timeout", "20", "--out"]
    process = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, *arguments, str(tmp_path / "out")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    if process.poll() is None:
        kill_with_children(process)
    process.communicate()


def family(process):
    """Return the coordinator, its warm servers, and the child that trains; None until one does."""
    coordinator = psutil.Process(process.pid)
    servers = coordinator.children()
    children = [child for server in servers for child in server.children()]
    return ([coordinator], servers, children) if children else None


@pytest.mark.slow
@pytest.mark.parametrize("who", ["coordinator", "server", "child", "all"])
def test_run_that_is_paused_for_longer_than_its_time_outs_loses_nothing(started, whole, tmp_path, who):
    assert wait_until(lambda: len(list(tmp_path.glob("out/*/trials/*/*.record.json"))) >= 2, 120)
    found = wait_until(lambda: family(started), 60)
    by_name = dict(zip(("coordinator", "server", "child"), found, strict=True))
    chosen = [process for name, group in by_name.items() if who in (name, "all") for process in group]
    for process in chosen:
        send(process, signal.SIGSTOP)
    time.sleep(PAUSE_S)
    for process in reversed(chosen):
        send(process, signal.SIGCONT)
    _, errors = started.communicate(timeout=120)
    assert started.returncode == 0, errors
    assert differing(load_results(next((tmp_path / "out").iterdir())), whole) == []


def send(process, number):
    with suppress(ProcessLookupError):  # a trial that has just ended
        os.kill(process.pid, number)
