"""Runs that were stopped go on: nothing finished is repeated or lost, and the end is that of a whole run."""

import os
import random
import signal

import pytest

from nncompare.comparison import load_results, run
from nncompare.events import TrialFinished
from nncompare.exceptions import BusyError, ResultsError, UsageError
from nncompare.report import render_html
from nncompare.resuming import plan_rest
from nncompare.runfile import hold

from .children import fault, wait_until
from .run_processes import COMMITTED, command, committed, is_alive, kill_with_children, start, states
from .whole_runs import compare_with, differing

SMALL = {"n_trials": 6, "max_epochs": 3, "n_refits": 2, "jobs": 1}


class StopAfter:
    """Stops a run, as Ctrl-C does, once so many trials ended, or other things of one kind."""

    def __init__(self, n, kind=TrialFinished):
        self.left, self._kind = n, kind

    def __call__(self, event):
        if isinstance(event, self._kind):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGINT)  # it is the main thread that has to hear it


def stopped(runner_class, out, n_trials=3, **settings):
    """Run two models, stop in the middle, return the run directory."""
    with runner_class() as runner, pytest.raises(KeyboardInterrupt):
        compare_with(runner, out, ("Slow",), listener=StopAfter(n_trials), **(SMALL | settings))
    return next(out.iterdir())


def resumed(runner, folder, **more):
    plan = plan_rest(folder, runner, **more)
    return run(plan, runner)


@pytest.fixture
def runner_class():
    from nncompare.execution.runner import LocalRunner

    return LocalRunner


@pytest.mark.slow
def test_resume_ends_as_a_run_that_was_never_stopped(runner_class, tmp_path):
    with runner_class() as runner:
        whole, _ = compare_with(runner, tmp_path / "whole", ("Slow",), **SMALL)
    folder = stopped(runner_class, tmp_path / "parts")
    before = load_results(folder)
    assert before.state == "interrupted"
    kept = {file.name: file.read_bytes() for file in folder.glob("trials/Slow--digits/*.record.json")}
    assert len(kept) in {3, 4}  # the one that ran at the signal may have ended in time
    with runner_class() as runner:
        results = resumed(runner, folder)
    assert results.state == "complete"
    assert len(results.resumed_at) == 1
    assert results.duration_s > before.duration_s
    assert {name: (folder / "trials" / "Slow--digits" / name).read_bytes() for name in kept} == kept
    assert differing(results, whole) == []
    assert [state for _, _, state in states(folder)].count("RUNNING") == 0


@pytest.mark.slow
def test_resume_with_more_trials_goes_on_with_those_that_are_there(runner_class, tmp_path):
    with runner_class() as runner:
        first, folder = compare_with(runner, tmp_path, ("Nearest",), **(SMALL | {"n_trials": 3}))
        assert plan_rest(folder, runner) is None
        with pytest.raises(UsageError, match=r"has 3 trials per study; --trials 2 would be fewer"):
            plan_rest(folder, runner, n_trials=2)
        results = resumed(runner, folder, n_trials=6)
    study = results.studies[0]
    assert [trial.number for trial in study.trials] == list(range(6))
    assert study.trials[:3] == first.studies[0].trials
    assert study.budget.n_trials == 6
    assert results.state == "complete"
    assert [state for _, _, state in states(folder)] != []


@pytest.mark.slow
def test_resume_refuses_data_that_changed(runner_class, tmp_path):
    table = tmp_path / "table.csv"
    rows = [f"{i % 7},{i % 5}.5,{'ab'[i % 2]}" for i in range(60)]
    table.write_text("\n".join(["x,y,kind", *rows]) + "\n")
    out = tmp_path / "reports"
    settings = {"datasets": (str(table),), "target": "kind"}
    folder = stopped(runner_class, out, 2, **settings)
    before = (folder / "results.json").read_bytes()
    table.write_text("\n".join(["x,y,kind", *rows, "9,9.5,a"]) + "\n")
    with runner_class() as runner, pytest.raises(ResultsError, match=r"'table' is not the one of the run"):
        plan_rest(folder, runner)
    assert (folder / "results.json").read_bytes() == before
    table.write_text("\n".join(["x,y,kind", *rows]) + "\n")
    with runner_class() as runner:
        assert resumed(runner, folder).state == "complete"


@pytest.mark.slow
def test_resume_of_a_run_directory_that_is_held_names_the_holder(runner_class, tmp_path):
    folder = stopped(runner_class, tmp_path)
    with hold(folder):
        done = command("resume", str(folder))
    assert done.returncode == BusyError.exit_code
    assert f"is held by process {os.getpid()} on" in done.stderr
    assert command("resume", str(folder), "--no-strict").returncode == 0


def test_resume_without_run_file_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(ResultsError, match=r"it has no run.json, which older versions did not write\."):
        plan_rest(tmp_path, None)


def progress(folder, kind):
    """Return how far a run is: how many trials or refits it committed, or which results.json it wrote last."""
    if kind != "save":
        return len(list(folder.glob(COMMITTED[kind])))
    file = folder / "results.json"
    return file.stat().st_mtime_ns if file.exists() else 0


@pytest.mark.slow
def test_resume_after_kills_at_random_events_loses_and_repeats_nothing(tmp_path):
    chance = random.Random(7)
    moments = [("trial", chance.randint(1, 4)) for _ in range(3)] + [("save", 1)]
    chance.shuffle(moments)
    budget = ["--trials", "14", "--epochs", "3", "--seeds", "3", "--jobs", "2"]
    models = ["-m", fault("Slow"), "-m", fault("Nearest")]
    arguments = ["run", *models, "-d", "digits", *budget, "--no-estimate", "--out", str(tmp_path)]
    seen = {}
    for part, (kind, n) in enumerate([*moments, ("refit", 1)]):
        folder = next(tmp_path.iterdir(), None)
        before = progress(folder, kind) if folder is not None else 0
        process = start(*arguments)
        folder = wait_until(lambda: next((path.parent for path in tmp_path.glob("*/run.json")), None), 120)
        assert folder is not None
        assert wait_until(lambda: progress(folder, kind) >= before + n, 120), kind  # noqa: B023 - at once
        assert process.poll() is None, f"it ended before the kill at {kind} {n}"
        family = kill_with_children(process)
        assert wait_until(lambda: not any(map(is_alive, family)))  # noqa: B023 - at once
        results = load_results(folder)
        assert len(results.resumed_at) == part  # each part but the first one took the run up
        assert "<html" in render_html(results)
        now = committed(folder)
        assert kind == "save" or len(now) >= len(seen) + n
        assert {key: now.get(key) for key in seen} == seen  # what was finished is neither lost nor run again
        seen = now
        arguments = ["resume", str(folder)]
    done = command("resume", str(folder))
    assert done.returncode == 0, done.stderr
    results = load_results(folder)
    assert [[trial.number for trial in study.trials] for study in results.studies] == [list(range(14))] * 2
    assert [(study.status, len(study.refits)) for study in results.studies] == [("complete", 3)] * 2
    rows = states(folder)
    assert len(rows) == len(set(rows)) == 28
    assert {state for _, _, state in rows} <= {"COMPLETE", "PRUNED", "FAIL"}
    now = committed(folder)
    assert {key: now.get(key) for key in seen} == seen


@pytest.mark.slow
def test_timeout_ends_the_searches_and_marks_the_run(runner_class, tmp_path):
    with runner_class() as runner:
        results, _ = compare_with(runner, tmp_path, ("Slow",), n_trials=50, timeout_s=1.5, max_epochs=3)
    study = results.studies[0]
    assert 1 <= len(study.trials) < 50
    assert study.status == "complete"
    assert results.repeatable is False
    assert results.settings.timeout_s == 1.5
