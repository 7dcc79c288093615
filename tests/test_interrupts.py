"""Ctrl-C and SIGTERM: the run ends well, a script ends by the signal, nothing is left behind."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from nncompare.comparison import load_results
from nncompare.events import Stopping
from nncompare.execution.runner import LocalRunner
from nncompare.interrupts import Interrupts, terminable

from .children import dataset, fault, processes_with, wait_until

SCRIPT = """
from pathlib import Path
from nncompare import compare
compare([{model!r}], [{data!r}], out=Path({out!r}), n_trials=50, max_epochs=1000, jobs=2, estimate={estimate})
"""


class Stopped:
    def __init__(self):
        self.calls = []

    def stop(self):
        self.calls.append("stop")

    def kill(self):
        self.calls.append("kill")


def test_interrupts_first_stops_second_kills():
    runner, stop = Stopped(), threading.Event()
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts(stop, runner) as interrupts:
        assert (interrupts.signum, stop.is_set()) == (None, False)
        signal.raise_signal(signal.SIGTERM)
        assert (interrupts.signum, stop.is_set(), runner.calls) == (signal.SIGTERM, True, ["stop"])
        signal.raise_signal(signal.SIGINT)
        assert (interrupts.signum, runner.calls) == (signal.SIGTERM, ["stop", "kill"])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_interrupts_tell_that_the_run_stops_once_and_from_another_thread():
    heard = queue.Queue()

    def tell(event):
        heard.put((event, threading.current_thread() is threading.main_thread()))

    with Interrupts(threading.Event(), Stopped(), tell):
        signal.raise_signal(signal.SIGINT)
        assert heard.get(timeout=60) == (Stopping(10.0), False)
        signal.raise_signal(signal.SIGINT)
    assert heard.empty()


def test_interrupts_outside_of_the_main_thread_do_nothing():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with Interrupts(threading.Event(), Stopped()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_terminable_ends_a_block_by_an_exception_and_gives_the_signal_back():
    closed = []

    def plan():
        with terminable():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                closed.append(True)

    with pytest.raises(SystemExit) as raised:
        plan()
    assert (raised.value.code, closed) == (143, [True])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_terminable_leaves_a_handler_of_the_caller():
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append(True))
    try:
        with terminable():
            signal.raise_signal(signal.SIGTERM)
        assert seen == [True]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_terminable_outside_of_the_main_thread_does_nothing():
    seen = []

    def work():
        with terminable():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


PLAN = """
import sys, tempfile, time
from nncompare.interrupts import terminable
with terminable(), tempfile.TemporaryDirectory(dir=sys.argv[1]):
    print("ready", flush=True)
    time.sleep(600)
"""


def test_terminable_process_leaves_no_temporary_folder(tmp_path):
    with subprocess.Popen([sys.executable, "-c", PLAN, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(20) == 143
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def started(tmp_path):
    """Start a run in a session of its own; whatever is left of it is killed at the end."""
    marker = f"nncompare-interrupt-{os.getpid()}-{tmp_path.name}"
    processes = []

    def start(model="Slow", data="digits", command=False, estimate=False):
        out = tmp_path / "out"
        (tmp_path / "script.py").write_text(
            SCRIPT.format(model=fault(model), data=data, out=str(out), estimate=estimate)
        )
        arguments = [str(tmp_path / "script.py")]
        if command:
            code = "from nncompare.cli import main; main()"
            options = ["--out", str(out), "--trials", "50", "--epochs", "1000", "--jobs", "2"]
            arguments = ["-c", code, "run", "-m", fault(model), "-d", data, *options]
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, "NNCOMPARE_TEST_MARKER": marker},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        processes.append(process)
        return SimpleNamespace(process=process, out=out, marker=marker)

    yield start
    for process in [*processes, *processes_with(marker)]:
        process.kill()
    for process in processes:
        process.communicate()


def at_work(run, words="0001.log"):
    """Wait until trials run, and return the run directory."""
    assert wait_until(lambda: list(run.out.glob(f"*/trials/*/{words}")), 180)
    return next(run.out.iterdir())


def check_left(run, folder):
    results = load_results(folder)
    assert results.state == "interrupted"
    assert [study.status for study in results.studies] == ["interrupted"]
    assert (folder / "report.html").read_text().rstrip().endswith("</html>")
    assert wait_until(lambda: not processes_with(run.marker))
    return results


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "signum", "code"),
    [
        # Python ends itself by SIGINT for KeyboardInterrupt, as a shell expects, which then shows 130.
        (False, signal.SIGINT, -signal.SIGINT),
        (False, signal.SIGTERM, 143),
        (True, signal.SIGINT, 130),
        (True, signal.SIGTERM, 143),
    ],
    ids=["script-SIGINT", "script-SIGTERM", "command-SIGINT", "command-SIGTERM"],
)
def test_interrupted_run_leaves_a_partial_report_and_no_process(started, command, signum, code):
    run = started(command=command)
    folder = at_work(run)
    run.process.send_signal(signum)
    output, _ = run.process.communicate(timeout=180)
    assert run.process.returncode == code, output
    results = check_left(run, folder)
    assert any(trial.failure.category == "interrupted" for trial in results.studies[0].trials)
    if command or signum == signal.SIGINT:  # a script that is ended by SIGTERM is silent, as without us
        assert str(folder / "report.html") in output.replace("\n", "")
    assert ("Traceback" in output) is (not command and signum == signal.SIGINT)


@pytest.mark.slow
def test_interrupted_twice_kills_at_once(started):
    run = started("SleepsForEver")
    folder = at_work(run)
    run.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        run.process.wait(1.5)
    run.process.send_signal(signal.SIGINT)
    output, _ = run.process.communicate(timeout=8)
    assert run.process.returncode == -signal.SIGINT, output
    check_left(run, folder)


@pytest.mark.slow
def test_interrupted_child_that_does_not_listen_is_killed_after_ten_seconds(started):
    run = started("SleepsForEver")
    folder = at_work(run)
    run.process.send_signal(signal.SIGINT)
    run.process.communicate(timeout=180)
    check_left(run, folder)


@pytest.mark.slow
def test_interrupted_while_the_time_is_estimated(started):
    run = started("SleepsForEver", estimate=True)
    assert wait_until(lambda: len(processes_with(run.marker)) > 2, 180)
    time.sleep(2)
    run.process.send_signal(signal.SIGINT)
    output, _ = run.process.communicate(timeout=180)
    assert run.process.returncode == -signal.SIGINT, output
    assert not run.out.exists()
    assert wait_until(lambda: not processes_with(run.marker))


@pytest.mark.slow
def test_interrupted_while_data_load(started):
    run = started(data=dataset("Hangs"))
    assert wait_until(lambda: len(processes_with(run.marker)) >= 4, 180)
    run.process.send_signal(signal.SIGINT)
    run.process.communicate(timeout=180)
    assert run.process.returncode == -signal.SIGINT
    assert wait_until(lambda: not processes_with(run.marker))
    assert not run.out.exists()


def test_interrupts_reach_a_runner():
    """The names that Interrupts calls are those of the real runner."""
    with LocalRunner() as runner, Interrupts(threading.Event(), runner):
        signal.raise_signal(signal.SIGINT)
        assert runner.stopping
