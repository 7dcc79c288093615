"""``--deterministic``: equal weights in fresh processes; searches that do not depend on ``--jobs`` or on kills."""

import os
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress

import psutil
import pytest

from nncompare.comparison import load_results
from nncompare.execution.runner import LocalRunner
from nncompare.execution.specs import FitAnswer
from nncompare.lagged import LAG, failures_in_a_row
from nncompare.results import Failure, TrialRecord

from .children import fault, processes_with, wait_until
from .test_search import Children, complete, searching  # noqa: F401 - a fixture
from .whole_runs import compare_with, files_of, repeated

N_TRIALS = 14


class Overtaking(Children):
    """Children that take their time, some of them long, and say which had ended when each began."""

    def __init__(self, order):
        super().__init__(
            lambda number, params: complete(params, abs(params["rate"] - 0.02) + params["width"] / 1e4)
        )
        self.wait = random.Random(order)
        self.ended, self.ended_before = set(), {}

    def run(self, spec, handler):
        with self.lock:
            self.ended_before[spec.number] = set(self.ended)
            seconds = self.wait.choice([0, 0, 0.05])
        time.sleep(seconds)
        answer = super().run(spec, handler)
        with self.lock:
            self.ended.add(spec.number)
        return answer


def seen(found, study):
    """Return what must be equal: the records without their times, the ranges, and what the database has."""
    trials = study.get_trials(deepcopy=False)
    database = [(t.number, t.state, t.params, t.value, t.intermediate_values) for t in trials]
    return [repeated(trial.model_dump()) for trial in found.trials], found.space, found.importance, database


def test_lagged_search_does_not_depend_on_jobs(searching):  # noqa: F811
    runs = []
    for jobs in (1, 2, 4):
        children = Overtaking(jobs)
        fields = {"model": "m", "deterministic": True, "database": f"{jobs}.db"}
        runs.append(seen(*searching.go(children, N_TRIALS, jobs, **fields)))
    assert runs[0] == runs[1] == runs[2]
    assert {record["state"] for record in runs[0][0]} == {"complete"}


def test_lagged_trial_starts_when_all_up_to_four_before_it_have_ended(searching):  # noqa: F811
    side_by_side = threading.Barrier(LAG, timeout=30)

    class Meeting(Overtaking):
        def run(self, spec, handler):
            if spec.number < LAG:
                side_by_side.wait()  # broken where not all four run at a time
            return super().run(spec, handler)

    children = Meeting(0)
    searching.go(children, N_TRIALS, 8, deterministic=True)
    assert not side_by_side.broken
    assert sorted(children.ended_before) == list(range(N_TRIALS))
    for number, ended in children.ended_before.items():
        assert set(range(number - LAG + 1)) <= ended


def test_lagged_search_prunes_against_those_alone_that_were_known(searching):  # noqa: F811
    """Trials 4 to 7 know trials 0 to 3 at most, so each one's pruning is decided alike, whoever ends first."""
    told, lock = [], threading.Lock()

    class Reports(Overtaking):
        def run(self, spec, handler):
            answer = super().run(spec, handler)
            goes_on = [handler("report", {"epoch": e, "valid_loss": answer.valid_log_loss}) for e in range(2, 6)]
            with lock:
                told.append((spec.number, goes_on))
            if all(goes_on):
                return answer
            loss = answer.valid_log_loss
            return FitAnswer(status="pruned", params=answer.params, epochs=2, valid_log_loss=loss)

    runs = []
    for jobs in (1, 4):
        told.clear()
        fields = {"model": "m", "deterministic": True, "database": f"{jobs}.db"}
        runs.append((seen(*searching.go(Reports(jobs), N_TRIALS, jobs, **fields)), sorted(told)))
    assert runs[0] == runs[1]
    assert "pruned" in {record["state"] for record in runs[0][0][0]}


@pytest.mark.parametrize("jobs", [1, 4])
def test_lagged_search_that_only_fails_ends_at_the_same_trial(searching, jobs):  # noqa: F811
    broken = Failure(category="plugin", message="broken")
    found, _ = searching.go(
        Children(lambda number, params: FitAnswer(status="failed", failure=broken)), 20, jobs, deterministic=True
    )
    assert [trial.number for trial in found.trials] == list(range(5 + LAG - 1))


def test_failures_are_counted_in_the_order_of_the_trials():
    states = ["failed", "complete", "failed", "failed", "complete", "failed"]
    records = {n: TrialRecord(number=n, state=state, params={}) for n, state in enumerate(states)}
    assert [failures_in_a_row(records, n + LAG) for n in range(6)] == [1, 0, 1, 2, 0, 1]
    assert failures_in_a_row({}, 0) == 0


NNCOMPARE = (sys.executable, "-c", "from nncompare.cli import main; main()")
BUDGET = {"n_trials": 12, "max_epochs": 3, "n_refits": 1, "deterministic": True}
ARGUMENTS = ["--trials", "12", "--epochs", "3", "--seeds", "1", "--deterministic", "--no-estimate"]
WHOLE = {"jobs", "command", "resumed_at", "notes"}


def without_the_way(results):
    """Return what a run found, without how it came there and without sentences that name CPU seconds."""
    found = repeated(results)
    found["settings"].pop("jobs")
    for data in found["datasets"]:
        del data["verdict"]["text"], data["verdict"]["checks"]
    return {name: value for name, value in found.items() if name not in WHOLE}


@pytest.mark.slow
def test_deterministic_run_is_the_same_with_two_jobs_and_after_a_kill(runner, tmp_path):
    one, folder = compare_with(runner, tmp_path / "one", ("Uneven",), jobs=1, **BUDGET)
    two, _ = compare_with(runner, tmp_path / "two", ("Uneven",), jobs=2, **BUDGET)
    assert one.repeatable
    assert two.repeatable
    assert without_the_way(one) == without_the_way(two)
    assert {trial.state for trial in one.studies[0].trials} == {"complete", "pruned"}
    marker = f"{tmp_path.name}-{time.time_ns()}"
    out = tmp_path / "killed"
    arguments = ["-m", fault("Uneven"), "-d", "digits", "--jobs", "2", *ARGUMENTS, "--out", str(out)]
    environment = {**os.environ, "NNCOMPARE_TEST_MARK": marker}
    process = subprocess.Popen([*NNCOMPARE, "run", *arguments, "--quiet"], env=environment, start_new_session=True)
    assert wait_until(lambda: len(list(out.glob("*/trials/*/*.record.json"))) >= 6, 120)
    assert process.poll() is None
    for one_of_them in processes_with(marker):
        with suppress(psutil.Error):
            one_of_them.kill()
    process.wait()
    assert wait_until(lambda: not processes_with(marker), 10)
    killed = next(out.iterdir())
    assert len(list(killed.glob("trials/*/*.record.json"))) < 12
    subprocess.run([*NNCOMPARE, "resume", str(killed), "--quiet"], check=True, timeout=180)
    three = load_results(killed)
    assert len(three.resumed_at) == 1
    assert without_the_way(one) == without_the_way(three)
    assert saved(folder) == saved(killed)


@pytest.mark.slow
def test_deterministic_runs_of_the_built_in_models_have_equal_weights(tmp_path):
    budget = {"n_trials": 1, "max_epochs": 2, "n_refits": 1, "deterministic": True}
    runs = []
    for jobs in (1, 2):
        with LocalRunner() as fresh:
            runs.append(compare_with(fresh, tmp_path / str(jobs), ("mlp", "cnn", "lstm"), jobs=jobs, **budget))
    (one, first), (two, second) = runs
    assert {study.model for study in one.studies if study.test is not None} == {"mlp", "cnn", "lstm"}
    assert without_the_way(one) == without_the_way(two)
    digests = [[refit.manifest_sha256 for study in run.studies for refit in study.refits] for run in (one, two)]
    assert digests[0] == digests[1]
    assert saved(first) == saved(second)
    assert len([path for path, _ in saved(first) if path.endswith((".keras", ".skops"))]) == 5  # two references


def saved(folder):
    """Return the saved models and predictions, byte for byte."""
    files = [*files_of(folder / "models"), *files_of(folder / "predictions")]
    return [(str(path.relative_to(folder)), path.read_bytes()) for path in files]
