"""A disk that is full stops a run with one sentence and exit code 74; with room again, the run goes on."""

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from nncompare import room
from nncompare.comparison import load_results
from nncompare.exceptions import StorageError
from nncompare.execution.specs import FitAnswer
from nncompare.results import Failure
from nncompare.room import GuardedRunner, free_bytes, is_no_room

from .children import fault, fit_spec
from .run_processes import command, committed, finished_trials, rows, states

N_TRIALS = 12
OPTIONS = ("--trials", str(N_TRIALS), "--epochs", "2", "--seeds", "2", "--jobs", "2", "--no-estimate")
SIZE = 24_000_000


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of a few megabytes in memory, where that is permitted, and return its folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux":
        pytest.skip("small file systems are mounted on Linux only")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


FILLS = """
import importlib.util
from pathlib import Path
spec = importlib.util.spec_from_file_location("faults", {faults!r})
faults = importlib.util.module_from_spec(spec)
spec.loader.exec_module(faults)
DISK, STEP = Path({disk!r}), {step!r}


def fill():
    with (DISK / "ballast").open("ab", buffering=0) as file:
        for n_bytes in (1 << 16, 1 << 9, 1):
            try:
                while True:
                    file.write(bytes(n_bytes))
            except OSError:
                continue


class Model(faults.Nearest):
    def fit(self, params, train, valid, context):
        model = super().fit(params, train, valid, context)
        if not (DISK / "ballast").exists() and (STEP == "refit") is (valid is None):
            if STEP == "refit" or len(list(DISK.glob("*/trials/Model--*/*.record.json"))) >= 4:
                fill()
        return model
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", ["trial", "refit"])
def test_run_on_a_full_disk_ends_with_74_and_goes_on_with_room(small_disk, tmp_path, step):
    plugin = tmp_path / "fills.py"
    plugin.write_text(FILLS.format(faults=fault("")[:-1], disk=str(small_disk), step=step))
    done = command("run", "-m", f"{plugin}:Model", "-d", "digits", *OPTIONS, "--out", str(small_disk))
    assert done.returncode == StorageError.exit_code, done.stderr
    folder = next(path.parent for path in small_disk.glob("*/run.json"))
    words = " ".join(done.stderr.split())
    assert "Traceback" not in words
    assert f"The run in '{folder}' stopped, because it could not write." in words
    assert "No space left on device" in words or "disk is full" in words or "requested and" in words
    assert "MB are free there now. What finished is kept" in words
    assert f"nncompare resume {folder}" in words
    kept, told = committed(folder), finished_trials(folder)
    assert len(kept) >= (4 if step == "trial" else N_TRIALS)
    (small_disk / "ballast").write_bytes(b"")  # the file stays: the plugin fills the disk once
    done = command("resume", str(folder))
    assert done.returncode == 0, done.stderr
    check_complete(folder, kept, told)


def check_complete(folder, kept, told):
    results = load_results(folder)
    (study,) = results.studies
    assert (results.state, study.status, len(study.refits)) == ("complete", "complete", 2)
    assert [trial.number for trial in study.trials] == list(range(N_TRIALS))
    assert not [trial for trial in study.trials if trial.state == "failed"]  # a full disk is no trial's fault
    assert {state for _, _, state in states(folder)} <= {"COMPLETE", "PRUNED"}
    now, heard = committed(folder), finished_trials(folder)
    trials = {key: content for key, content in kept.items() if key[0] == "trial"}
    assert {key: now.get(key) for key in trials} == trials
    assert {number: heard.get(number) for number in told} == told
    assert rows(folder, "SELECT count(*) FROM trials") == [(N_TRIALS,)]


@pytest.mark.parametrize(
    ("text", "free", "expected"),
    [
        ("OSError: No space left on device", 9e9, True),
        ("OSError: [Errno 122] Disk quota exceeded", 9e9, True),
        ("(sqlite3.OperationalError) database or disk is full", 9e9, True),
        ("OSError: 6400 requested and 512 written", 9e9, True),
        ("(sqlite3.OperationalError) disk I/O error", 9e9, False),
        ("(sqlite3.OperationalError) disk I/O error", 1e5, True),
        ("OSError: too many open files", 0.0, False),
        ("PermissionError: Permission denied", 0.0, False),
    ],
)
def test_full_disk_is_known_by_its_words(monkeypatch, text, free, expected):
    monkeypatch.setattr(room, "free_bytes", lambda _folder: free)
    assert is_no_room(text, Path()) is expected


def test_free_bytes_of_a_folder_that_is_not_there_yet_are_those_above_it(tmp_path):
    assert free_bytes(tmp_path / "a" / "b") > 0


def answering(*answers):
    """Return a runner that gives or raises one answer after the other, and remembers whether it was stopped."""
    left, calls = list(answers), []

    def run(_spec, _handler):
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(run=run, stop=lambda: calls.append("stop"), calls=calls)


LACKS = Failure(category="plugin", message="OSError: 9 requested and 0 written")
ENDS = [FitAnswer(status="failed", failure=LACKS), OSError(28, "No space left on device")]


@pytest.mark.parametrize("end", ENDS, ids=["answer", "error"])
def test_guarded_runner_stops_the_run_and_forgets_the_failure(monkeypatch, tmp_path, end):
    monkeypatch.setattr(room, "free_bytes", lambda _folder: 9e6)
    stop, runner, spec = threading.Event(), answering(end), fit_spec(tmp_path)
    spec.result.parent.mkdir()
    spec.result.write_text("{}")
    guard = GuardedRunner(runner, tmp_path, stop)
    answer = guard.run(spec, None)
    assert answer.failure.category == "interrupted"
    assert (stop.is_set(), runner.calls, spec.result.exists()) == (True, ["stop"], False)
    with pytest.raises(StorageError, match=r"could not write\. .* MB are free there now\. .* nncompare resume "):
        guard.check()


def test_guarded_runner_leaves_other_failures_and_errors_alone(tmp_path):
    failure = Failure(category="plugin", message="ValueError: no")
    runner = answering(FitAnswer(status="failed", failure=failure), ZeroDivisionError("no"))
    stop = threading.Event()
    guard = GuardedRunner(runner, tmp_path, stop)
    assert guard.run(fit_spec(tmp_path), None).failure == failure
    with pytest.raises(ZeroDivisionError):
        guard.run(fit_spec(tmp_path), None)
    guard.check()
    assert (stop.is_set(), runner.calls) == (False, [])


@pytest.mark.parametrize(
    ("text", "free", "halts"),
    [
        ("OSError: [Errno 28] No space left on device: '/dev/shm/x'", 9e9, False),
        ("OSError: 9 requested and 0 written", 9e9, False),
        ("OSError: [Errno 28] No space left on device: '{folder}/models/x'", 9e9, True),
        ("OSError: [Errno 28] No space left on device: '/dev/shm/x'", 9e6, True),
        ("OSError: [Errno 122] Disk quota exceeded", 9e9, True),
    ],
)
def test_child_that_filled_another_disk_is_one_failure_and_stops_nothing(monkeypatch, tmp_path, text, free, halts):
    monkeypatch.setattr(room, "free_bytes", lambda _folder: free)
    failure = Failure(category="plugin", message=text.format(folder=tmp_path))
    stop, spec = threading.Event(), fit_spec(tmp_path)
    spec.result.parent.mkdir()
    spec.result.write_text("{}")
    guard = GuardedRunner(answering(FitAnswer(status="failed", failure=failure)), tmp_path, stop)
    found = guard.run(spec, None).failure
    assert (stop.is_set(), guard.reason is not None, not spec.result.exists()) == (halts, halts, halts)
    assert found.category == ("interrupted" if halts else "disk")
    assert halts or found.message == failure.message
