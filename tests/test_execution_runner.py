"""The runner with real children: answers, questions, faults, limits, servers that die."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

import psutil
import pytest

from nncompare.data.store import open_dataset
from nncompare.execution import launch
from nncompare.execution import runner as runner_module
from nncompare.execution.runner import LocalRunner, explain_exit, read_answer
from nncompare.execution.specs import DescribeSpec, LoadSpec
from nncompare.execution.supervisor import LOG_BYTES, RefusedError

from .children import Coordinator, dataset, fault, fit_spec, n_descriptors, processes_with, wait_until
from .documents import DOCS

MARKER = "nncompare-grandchild-of-a-test"


@pytest.fixture
def own_runner():
    """Return a runner of this test alone, which may stop it and kill its servers."""
    with LocalRunner() as runner:
        yield runner


@pytest.fixture
def spawning_runner(monkeypatch):
    monkeypatch.setattr(runner_module, "CAN_FORK", False)
    with LocalRunner() as runner:
        yield runner


def pinned(spec):
    return spec.model_copy(update={"params": {"sharpness": 1.0, "kind": "mean"}})


def without_times(answer):
    return answer.model_dump(exclude={"fit_time_s", "fit_cpu_s", "first_batch_s", "peak_memory_mb"})


# --- answers and questions ---------------------------------------------------------------------------------


def test_runner_trial_asks_reports_and_commits(runner, tmp_path):
    spec, coordinator = fit_spec(tmp_path), Coordinator()
    answer = runner.run(spec, coordinator)
    assert answer.status == "complete"
    assert answer.failure is None
    assert answer.params == {"sharpness": 0.5, "kind": "mean"}
    assert coordinator.kinds() == ["suggest", "suggest", "report", "report", "report"]
    assert (answer.epochs, answer.best_epoch, answer.curve.epoch) == (3, 3, [1, 2, 3])
    assert answer.valid_log_loss == pytest.approx(answer.curve.valid_loss[-1], abs=1e-4)
    assert read_answer(spec) == answer
    assert spec.log.read_text() == ""


def test_runner_committed_answer_is_not_run_again(runner, tmp_path):
    spec = fit_spec(tmp_path)
    first = runner.run(spec, Coordinator())
    again = Coordinator()
    assert runner.run(spec, again) == first
    assert again.messages == []


def test_runner_half_a_result_file_is_run_again(runner, tmp_path):
    spec = fit_spec(tmp_path)
    spec.result.parent.mkdir()
    spec.result.write_text('{"status": "complete", "par')
    assert runner.run(spec, Coordinator()).status == "complete"


def test_runner_suggested_values_reach_the_plugin(runner, tmp_path):
    values = {"sharpness": 3.25, "kind": "median"}
    coordinator = Coordinator(suggest=lambda message: values[message["name"]])
    answer = runner.run(fit_spec(tmp_path), coordinator)
    assert answer.params == values
    asked = dict(coordinator.messages[0][1])
    assert asked == {
        "distribution": "float",
        "name": "sharpness",
        "arguments": {"low": 0.5, "high": 50.0, "step": None, "log": True},
    }


def test_runner_given_params_are_not_asked_for(runner, tmp_path):
    coordinator = Coordinator()
    answer = runner.run(pinned(fit_spec(tmp_path)), coordinator)
    assert answer.params == {"sharpness": 1.0, "kind": "mean"}
    assert set(coordinator.kinds()) == {"report"}


def test_runner_refused_suggestion_is_the_plugins_failure(runner, tmp_path):
    def refuse(message):
        raise RefusedError(f"no value for {message['name']}")

    answer = runner.run(fit_spec(tmp_path), Coordinator(suggest=refuse))
    assert (answer.status, answer.failure.category) == ("failed", "plugin")
    assert "no value for sharpness" in answer.failure.message


def test_runner_pruned_through_the_pipe(runner, tmp_path):
    answer = runner.run(fit_spec(tmp_path), Coordinator(report=lambda message: message["epoch"] < 2))
    assert (answer.status, answer.failure, answer.epochs) == ("pruned", None, 2)
    assert answer.valid_log_loss == pytest.approx(min(answer.curve.valid_loss), abs=1e-4)
    assert answer.n_parameters is None


def test_runner_without_reports_the_model_is_scored(runner, tmp_path):
    answer = runner.run(fit_spec(tmp_path, "NeverReports"), Coordinator())
    assert (answer.status, answer.epochs, answer.best_epoch, answer.curve.epoch) == ("complete", 3, None, [])
    assert 0 < answer.valid_log_loss < 1.2
    assert 0.3 < answer.valid_accuracy <= 1


def test_runner_refit_saves_before_it_hears_of_the_test(runner, tmp_path):
    spec = pinned(fit_spec(tmp_path, save_to=tmp_path / "model"))
    spec = spec.model_copy(update={"valid": None})
    saved = []

    def fitted(_message):
        saved.extend(path.name for path in (tmp_path / "model").iterdir())
        return {"X_test": str(tmp_path / "valid" / "X.npy"), "predictions": str(tmp_path / "p" / "p.npz")}

    coordinator = Coordinator(fitted=fitted)
    answer = runner.run(spec, coordinator)
    assert coordinator.kinds() == ["report", "report", "report", "fitted"]
    assert sorted(saved) == ["means.npy", "nncompare.json", "sharpness.json"]
    assert answer.size_bytes == sum(
        (tmp_path / "model" / n).stat().st_size for n in ("means.npy", "sharpness.json")
    )
    assert (tmp_path / "p" / "p.npz").stat().st_size > 0
    assert "X_test" not in spec.model_dump_json()


def test_runner_describe_walks_the_space(runner, tmp_path):
    spec = fit_spec(tmp_path)
    describe = DescribeSpec(plugin=spec.plugin, result=tmp_path / "d.json", log=tmp_path / "d.log", data=spec.data)
    answer = runner.run(describe)
    assert answer.defaults == {"sharpness": 5.0, "kind": "mean"}
    assert answer.space["kind"] == {"type": "categorical", "choices": ["mean", "median"]}
    assert answer.space["sharpness"] == {"type": "float", "low": 0.5, "high": 50.0, "step": None, "log": True}


def test_runner_request_larger_than_the_channel(runner, tmp_path):
    spec = fit_spec(tmp_path)
    names = tuple(f"class number {number}" for number in range(40_000))
    data = replace(spec.data, class_names=names)
    answers = []

    def run():
        answers.append(runner.run(spec.model_copy(update={"data": data}), Coordinator()))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    assert answers
    assert answers[0].status == "complete"


@pytest.mark.parametrize(("name", "unavailable"), [("Waves", False), ("Absent", True), ("Damaged", False)])
def test_runner_load_tells_absent_from_damaged(runner, tmp_path, name, unavailable):
    spec = LoadSpec(
        plugin=dataset(name),
        framework="sklearn",
        result=tmp_path / "l.json",
        log=tmp_path / "l.log",
        root=tmp_path,
        name=name.lower(),
    )
    answer = runner.run(spec)
    assert answer.unavailable is unavailable
    if name == "Waves":
        assert open_dataset(answer.folder).n_test == 20
    else:
        assert (answer.status, answer.failure.category) == ("failed", "data")


def test_runner_unknown_message_is_refused(runner, tmp_path):
    answer = runner.run(fit_spec(tmp_path))
    assert answer.failure.category == "plugin"
    assert "'suggest' is not answered here" in answer.failure.message


def test_runner_handler_that_fails_ends_the_child(runner, tmp_path):
    pids = []

    def broken(message):
        pids.extend(child.pid for child in psutil.Process().children(recursive=True))
        raise ZeroDivisionError("storage")

    with pytest.raises(ZeroDivisionError):
        runner.run(fit_spec(tmp_path), Coordinator(report=broken))
    servers = {launcher.pid for launcher in runner._launchers.values()}
    assert pids
    assert wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids if pid not in servers))


# --- what a child is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [1, 2])
def test_runner_child_is_detached_and_limited(runner, tmp_path, n_threads):
    answer = runner.run(fit_spec(tmp_path, "Looks", n_threads=n_threads), Coordinator())
    seen = answer.params
    assert seen["session"] == seen["pid"] != os.getsid(0)
    assert seen["stdin"] == "/dev/null"
    assert seen["terminals"] == []
    assert seen["threads"] == n_threads
    assert not seen["folder_first"]
    assert seen["parent"] == runner._launchers["none"].pid


def test_runner_fresh_interpreters_give_equal_results(runner, spawning_runner, tmp_path):
    forked = runner.run(fit_spec(tmp_path / "a"), Coordinator())
    spawned = spawning_runner.run(fit_spec(tmp_path / "b"), Coordinator())
    assert without_times(forked) == without_times(spawned)
    looks = spawning_runner.run(fit_spec(tmp_path / "b", "Looks"), Coordinator()).params
    assert (looks["parent"], looks["stdin"], looks["threads"]) == (os.getpid(), "/dev/null", 1)
    assert looks["session"] == looks["pid"]


def test_runner_leaks_no_descriptors(runner, tmp_path):
    runner.run(fit_spec(tmp_path / "first"), Coordinator())
    before = (n_descriptors(), threading.active_count())
    looks = []
    for number in range(50):
        plugin = ("Nearest", "Raises", "Looks", "Segfaults")[number % 4]
        answer = runner.run(fit_spec(tmp_path / str(number), plugin), Coordinator())
        if plugin == "Looks":
            looks.append(answer.params["descriptors"])
    assert (n_descriptors(), threading.active_count()) == before
    assert len(set(looks)) == 1
    server = psutil.Process(runner._launchers["none"].pid)
    assert wait_until(lambda: server.children() == [])


def test_runner_closed_leaves_nothing(tmp_path):
    before = (n_descriptors(), threading.active_count())
    with LocalRunner() as runner:
        runner.run(fit_spec(tmp_path), Coordinator())
        server = psutil.Process(runner._launchers["none"].pid)
    assert not server.is_running()
    assert (n_descriptors(), threading.active_count()) == before


# --- faults ------------------------------------------------------------------------------------------------

FAULTS = tomllib.loads((DOCS / "reference" / "faults.toml").read_text(encoding="utf-8"))["fault"]
FAST_FAULTS = [row for row in FAULTS if "limits" not in row]
SLOW_FAULTS = [row for row in FAULTS if "limits" in row]


def check_fault(runner, folder, row):
    answer = runner.run(fit_spec(folder, row["plugin"], **row.get("limits", {})), Coordinator())
    assert (answer.status, answer.failure.category) == ("failed", row["category"])
    assert row["words"] in answer.failure.message
    assert "\n" not in answer.failure.message
    after = runner.run(fit_spec(folder / "after"), Coordinator())
    assert after.status == "complete"
    assert runner.fallbacks == {}


@pytest.mark.parametrize("row", FAST_FAULTS, ids=itemgetter("plugin"))
def test_fault_is_categorised_and_the_next_trial_works(runner, tmp_path, row):
    server = runner._launchers.get("none")
    check_fault(runner, tmp_path, row)
    assert server is None or runner._launchers["none"] is server


@pytest.mark.slow
@pytest.mark.parametrize("row", SLOW_FAULTS, ids=itemgetter("plugin"))
def test_fault_over_a_limit_is_ended(runner, tmp_path, row):
    check_fault(runner, tmp_path, row)
    plugin = row["plugin"]
    log = (tmp_path / "trials" / f"{plugin}.log").read_bytes()
    assert len(log) <= LOG_BYTES + 100
    if plugin.startswith("Prints"):
        assert len(log) > LOG_BYTES
        assert log.endswith(b"more bytes were not kept]\n")


def test_fault_in_one_child_leaves_its_neighbour_alone(runner, tmp_path):
    answers = {}

    def train(plugin, epochs):
        spec = fit_spec(tmp_path / plugin, plugin, max_epochs=epochs)
        answers[plugin] = runner.run(spec, Coordinator())

    threads = [threading.Thread(target=train, args=row) for row in (("Slow", 5), ("ClosesItsOutput", 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers["Slow"].status == "complete"
    assert answers["ClosesItsOutput"].status == "failed"


@pytest.mark.parametrize("plugin", ["PredictsNothing", "SavesNothing"])
def test_fault_after_the_fit_is_the_plugins(runner, tmp_path, plugin):
    target = {"X_test": str(tmp_path / "valid" / "X.npy"), "predictions": str(tmp_path / "p.npz")}
    spec = pinned(fit_spec(tmp_path, plugin, save_to=tmp_path / "model"))
    spec = spec.model_copy(update={"valid": None})
    coordinator = Coordinator(fitted=target)
    answer = runner.run(spec, coordinator)
    assert (answer.status, answer.failure.category) == ("failed", "plugin")
    assert ("fitted" in coordinator.kinds()) == (plugin == "PredictsNothing")


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        ("PredictsWide", "returned shape (30, 1000); (30, 3) is expected"),
        ("PredictsIntegers", "int64 values; floats"),
    ],
)
def test_fault_of_predictions_is_seen_before_they_are_written(runner, tmp_path, plugin, words):
    target = {"X_test": str(tmp_path / "valid" / "X.npy"), "predictions": str(tmp_path / "p.npz")}
    spec = pinned(fit_spec(tmp_path, plugin, save_to=tmp_path / "model"))
    answer = runner.run(spec.model_copy(update={"valid": None}), Coordinator(fitted=target))
    assert (answer.status, answer.failure.category) == ("failed", "plugin")
    assert words in answer.failure.message
    assert not (tmp_path / "p.npz").exists()


@pytest.mark.parametrize("plugin", ["ForksAndFails", "ForksAndReports"])
def test_fault_copy_of_a_child_says_nothing(runner, tmp_path, plugin):
    spec, committed = fit_spec(tmp_path, plugin), []

    def report(_message):
        committed.append(spec.result.exists())
        return True

    answer = runner.run(spec, Coordinator(report=report))
    assert (answer.status, committed) == ("complete", [False, False, False])
    assert answer.fit_cpu_s >= 0


def test_fault_copy_of_a_child_saves_and_commits_nothing(runner, tmp_path):
    spec = pinned(fit_spec(tmp_path, "ForksItself", save_to=tmp_path / "model"))
    seen = []

    def fitted(_message):
        seen.append(spec.result.exists())
        return {"X_test": str(tmp_path / "valid" / "X.npy"), "predictions": str(tmp_path / "p.npz")}

    answer = runner.run(spec.model_copy(update={"valid": None}), Coordinator(fitted=fitted))
    assert (answer.status, seen) == ("complete", [False])


def test_runner_threads_of_a_plugin_get_their_own_answers(runner, tmp_path):
    answer = runner.run(fit_spec(tmp_path, "AsksFromThreads"), Coordinator())
    assert answer.params["values"] == list(range(200))


def test_fault_cache_that_cannot_be_written_is_named(runner, tmp_path):
    (tmp_path / "file").touch()
    root = tmp_path / "file"
    spec = LoadSpec(
        plugin=dataset("Waves"), result=tmp_path / "l.json", log=tmp_path / "l.log", root=root, name="waves"
    )
    answer = runner.run(spec)
    assert (answer.status, answer.failure.category) == ("failed", "disk")
    assert f"Cannot write '{root / 'downloads' / 'waves'}'. NotADirectoryError" in answer.failure.message


FULL_DISK = """
import errno, os
from nncompare.plugin import ModelPlugin, ModelTags

def full(descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")

class Model(ModelPlugin):
    tags = ModelTags(accepts=("tabular",))
    def suggest_params(self, trial, data):
        return {}
    def default_params(self, data):
        os.fsync = full
        return {}
    def fit(self, params, train, valid, context): ...
"""


def test_fault_full_disk_under_the_result_is_the_disks(runner, tmp_path):
    (tmp_path / "model.py").write_text(FULL_DISK)
    spec = DescribeSpec(
        plugin=f"{tmp_path / 'model.py'}:Model",
        result=tmp_path / "d.json",
        log=tmp_path / "d.log",
        data=fit_spec(tmp_path).data,
    )
    answer = runner.run(spec)
    assert (answer.status, answer.failure.category) == ("failed", "disk")
    assert f"Cannot write '{spec.result}'" in answer.failure.message
    assert "No space left on device. Free some space there" in answer.failure.message


@pytest.mark.parametrize("end", ["normally", "killed"])
def test_fault_grandchildren_are_ended_too(own_runner, tmp_path, monkeypatch, end):
    monkeypatch.setenv("NNCOMPARE_TEST_MARKER", MARKER)
    assert not processes_with(f"# {MARKER}")
    seen = []

    def report(message):
        seen.append(len(processes_with(f"# {MARKER}")))
        if end == "killed":
            own_runner.kill()
        return True

    answer = own_runner.run(fit_spec(tmp_path, "LeavesGrandchildren"), Coordinator(report=report))
    assert seen[0] == 2
    assert answer.status == ("complete" if end == "normally" else "failed")
    assert wait_until(lambda: not processes_with(f"# {MARKER}"))


def test_fault_grandchildren_of_a_fresh_interpreter(spawning_runner, tmp_path, monkeypatch):
    monkeypatch.setenv("NNCOMPARE_TEST_MARKER", f"{MARKER}-spawned")
    spawning_runner.run(fit_spec(tmp_path, "LeavesGrandchildren"), Coordinator())
    assert wait_until(lambda: not processes_with(f"# {MARKER}-spawned"))


def test_fault_explained_for_an_unknown_signal(tmp_path):
    (tmp_path / "log").write_text("first\nlast words\n")
    failure = explain_exit(-35, tmp_path / "log")
    assert failure.message == "The process crashed with signal 35. Last line of its log: last words"


# --- servers that die, stops -------------------------------------------------------------------------------


def test_runner_replaces_a_killed_server(own_runner, tmp_path):
    own_runner.run(fit_spec(tmp_path / "a"), Coordinator())
    first = own_runner._launchers["none"]
    os.kill(first.pid, signal.SIGKILL)
    assert wait_until(lambda: first._lost is not None)
    before = n_descriptors()
    answer = own_runner.run(fit_spec(tmp_path / "b"), Coordinator())
    assert answer.status == "complete"
    assert own_runner._launchers["none"] is not first
    assert own_runner.fallbacks == {}
    assert not psutil.pid_exists(first.pid)
    assert n_descriptors() == before


def test_runner_server_killed_under_a_trial_costs_that_trial(own_runner, tmp_path):
    def kill(_message):
        os.kill(own_runner._launchers["none"].pid, signal.SIGKILL)
        time.sleep(0.3)
        return True

    answer = own_runner.run(fit_spec(tmp_path / "a"), Coordinator(report=kill))
    assert (answer.status, answer.failure.category) == ("failed", "killed")
    assert own_runner.run(fit_spec(tmp_path / "b"), Coordinator()).status == "complete"
    assert own_runner.fallbacks == {}


def test_runner_server_that_dies_again_and_again_is_given_up(own_runner, tmp_path, monkeypatch):
    monkeypatch.setattr(runner_module, "MAX_RESTARTS", 0)
    own_runner.run(fit_spec(tmp_path / "a"), Coordinator())
    first = own_runner._launchers["none"]
    os.kill(first.pid, signal.SIGKILL)
    assert wait_until(lambda: first._lost is not None)
    assert own_runner.run(fit_spec(tmp_path / "b"), Coordinator()).status == "complete"
    assert own_runner.fallbacks == {"none": "the fork server ended"}


def test_runner_server_that_does_not_answer_is_replaced(own_runner, tmp_path, monkeypatch):
    own_runner.run(fit_spec(tmp_path / "a"), Coordinator())
    first = own_runner._launchers["none"]
    os.kill(first.pid, signal.SIGSTOP)
    monkeypatch.setattr(launch, "FORK_S", 0.5)
    monkeypatch.setattr(launch, "CLOSE_S", 0.5)
    assert own_runner.run(fit_spec(tmp_path / "b"), Coordinator()).status == "complete"
    assert own_runner._launchers["none"] is not first
    assert not psutil.pid_exists(first.pid)


def test_runner_wait_counts_its_own_steps_and_not_the_time():
    """A clock that jumps by an hour, as after a pause, ends no wait."""

    class Paused(threading.Event):
        def __init__(self):
            super().__init__()
            self.steps = 0

        def wait(self, timeout):
            self.steps += 1
            return self.steps == 7

    event = Paused()
    assert launch.wait_in_steps(event, 7 * launch.STEP_S)
    assert not launch.wait_in_steps(Paused(), 6 * launch.STEP_S)


NO_FORK = """
import errno, os, sys
from nncompare.execution import server

def fork():
    os.fork = real
    raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

real, os.fork = os.fork, fork
server.main()
"""


def test_runner_fork_that_fails_costs_one_trial_and_not_the_server(own_runner, tmp_path, monkeypatch):
    (tmp_path / "no_fork.py").write_text(NO_FORK)
    start = launch.start_process

    def start_broken(command, **arguments):
        place = command.index("-m")
        changed = [*command[:place], str(tmp_path / "no_fork.py"), *command[place + 2 :]]
        return start(changed, **arguments)

    monkeypatch.setattr(launch, "start_process", start_broken)
    answer = own_runner.run(fit_spec(tmp_path / "a"), Coordinator())
    server = own_runner._launchers["none"]
    assert (answer.status, answer.failure.category) == ("failed", "internal")
    assert answer.failure.message == (
        "No process could be started for this request. BlockingIOError: Resource temporarily unavailable. "
        "End other programs, raise the limit of processes, or use fewer jobs, and run again."
    )
    assert own_runner.run(fit_spec(tmp_path / "b"), Coordinator()).status == "complete"
    assert own_runner._launchers["none"] is server


@pytest.mark.parametrize("can_fork", [True, False])
def test_runner_interpreter_that_cannot_be_started_is_reported(own_runner, tmp_path, monkeypatch, can_fork):
    def refuse(*_, **__):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(runner_module, "CAN_FORK", can_fork)
    with monkeypatch.context() as patch:
        patch.setattr(launch.subprocess, "Popen", refuse)
        before = n_descriptors()
        own_runner.warm([None])
        answer = own_runner.run(fit_spec(tmp_path), Coordinator())
        assert n_descriptors() == before
    assert (answer.status, answer.failure.category) == ("failed", "internal")
    assert own_runner.run(fit_spec(tmp_path), Coordinator()).status == "complete"


def test_runner_server_that_cannot_import_is_not_used(own_runner, tmp_path):
    spec = fit_spec(tmp_path, framework="no such framework")
    assert own_runner.run(spec, Coordinator()).status == "complete"
    assert own_runner.fallbacks == {"no such framework": "it ended during its imports"}


def test_runner_stopped_ends_a_child_at_its_next_report(own_runner, tmp_path):
    def report(message):
        own_runner.stop()
        return True

    spec = fit_spec(tmp_path, "Slow", max_epochs=100)
    answer = own_runner.run(spec, Coordinator(report=report))
    assert (answer.status, answer.failure.category) == ("failed", "interrupted")
    assert not spec.result.exists()


def test_runner_stopped_starts_nothing_more(own_runner, tmp_path):
    kept = own_runner.run(fit_spec(tmp_path), Coordinator())
    own_runner.stop()
    answer = own_runner.run(fit_spec(tmp_path / "more"), Coordinator())
    assert (answer.status, answer.failure.category) == ("failed", "interrupted")
    assert not (tmp_path / "more" / "trials").exists()
    assert own_runner.run(fit_spec(tmp_path), Coordinator()) == kept


@pytest.mark.slow
def test_runner_stopped_kills_after_ten_seconds(own_runner, tmp_path):
    threading.Timer(0.5, own_runner.stop).start()
    start = time.monotonic()
    answer = own_runner.run(fit_spec(tmp_path, "SleepsForEver"), Coordinator())
    assert answer.failure.category == "interrupted"
    assert time.monotonic() - start > 10


def test_runner_killed_ends_children_at_once(own_runner, tmp_path):
    threading.Timer(0.5, own_runner.kill).start()
    answer = own_runner.run(fit_spec(tmp_path, "SleepsForEver"), Coordinator())
    assert answer.failure.category == "interrupted"


COORDINATOR = """
import sys
from pathlib import Path
from nncompare.execution import runner as module
module.CAN_FORK = sys.argv[3] == "forked"
from nncompare.execution.runner import LocalRunner
from nncompare.execution.specs import FitSpec
with LocalRunner() as runner:
    print("ready", flush=True)
    runner.run(FitSpec.model_validate_json(Path(sys.argv[1]).read_text()), lambda kind, message: True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0, 2])
@pytest.mark.parametrize("how", ["forked", "spawned"])
def test_runner_children_die_with_a_killed_coordinator(tmp_path, how, delay):
    marker = f"nncompare-test-{how}-{os.getpid()}"
    spec = pinned(fit_spec(tmp_path, "SleepsForEver"))
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    coordinator = subprocess.Popen(
        [sys.executable, "-c", COORDINATOR, str(tmp_path / "spec.json"), marker, how],
        env={**os.environ, "NNCOMPARE_TEST_MARKER": marker},
        stdout=subprocess.PIPE,
    )
    at_work = {"forked": 3, "spawned": 2}[how]
    assert coordinator.stdout.readline() == b"ready\n"
    assert wait_until(lambda: len(processes_with(marker)) == at_work, 20)
    time.sleep(delay)
    coordinator.kill()
    coordinator.wait()
    coordinator.stdout.close()
    assert wait_until(lambda: not processes_with(marker))


WARM = """
import sys, threading
from nncompare.execution.runner import LocalRunner
with LocalRunner() as runner:
    starter = threading.Thread(target=runner.warm, args=(["keras"],))
    starter.start()
    starter.join()  # a server outlives the thread that started it
    print(runner._launchers["keras"].pid, flush=True)
    print(runner._launchers["keras"].wait_ready(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.0, 0.5, 2.0])
def test_runner_server_at_its_imports_dies_with_a_killed_coordinator(delay, signum):
    command = [sys.executable, "-c", WARM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as coordinator:
        server = psutil.Process(int(coordinator.stdout.readline()))
        time.sleep(delay)
        assert server.is_running()
        coordinator.send_signal(signum)
        coordinator.wait()
        assert wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.slow
def test_runner_server_that_a_thread_started_outlives_it():
    command = [sys.executable, "-c", WARM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as coordinator:
        server = psutil.Process(int(coordinator.stdout.readline()))
        assert coordinator.stdout.readline() == b"None\n"
        assert server.is_running()
        coordinator.stdin.close()
        coordinator.wait()
    assert not server.is_running()


def test_runner_request_is_json_lines(tmp_path):
    """A spec survives the way to a child and back."""
    spec = fit_spec(tmp_path, params={"a": [1, 2.5, None, True, "x"]}, save_to=Path("x"))
    assert type(spec).model_validate(json.loads(spec.model_dump_json())) == spec
    assert fault("Nearest") == spec.plugin
