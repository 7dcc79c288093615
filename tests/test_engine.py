"""The engine: what is on disk while a run goes on, what comes out when folders or listeners fail."""

import threading

import pytest

from nncompare.comparison import load_results
from nncompare.engine import Engine
from nncompare.environment import describe_environment
from nncompare.events import RefitFinished, RunFinished, StudyFinished, StudyStarted, TrialFinished
from nncompare.exceptions import StorageError
from nncompare.planning import make_plan
from nncompare.settings import RunConfig

from .children import dataset, fault
from .whole_runs import compare_with


def test_engine_results_are_readable_and_complete_all_along(runner, tmp_path):
    seen = []

    def look(event):
        if isinstance(event, TrialFinished | StudyFinished):
            results = load_results(next(tmp_path.iterdir()))
            seen.append((results.state, [(study.model, study.dataset) for study in results.studies]))

    results, _ = compare_with(
        runner, tmp_path, models=("Raises", "Nearest"), datasets=("digits", dataset("Absent")), listener=look
    )
    pairs = [(model, data) for model in ("Raises", "Nearest") for data in ("digits", "Absent")]
    assert len(seen) >= 7
    assert {state for state, _ in seen} == {"running"}
    assert all(found == pairs for _, found in seen)
    assert [(study.model, study.dataset) for study in results.studies] == pairs
    assert results.state == "complete"
    assert [study.status for study in results.studies] == ["failed", "not_run", "complete", "not_run"]


def test_engine_events_come_one_at_a_time_and_in_order(runner, tmp_path):
    events, lock = [], threading.Lock()

    def listen(event):
        assert lock.acquire(blocking=False), "two events at a time"
        events.append(event)
        lock.release()

    compare_with(runner, tmp_path, models=("Nearest", "Slow"), max_epochs=2, jobs=2, listener=listen)
    for model in ("Nearest", "Slow"):
        kinds = [
            type(event)
            for event in events
            if isinstance(event, StudyStarted | TrialFinished | RefitFinished) and event.model == model
        ]
        assert kinds == [StudyStarted, *[TrialFinished] * 3, *[RefitFinished] * 2]
    assert sum(isinstance(event, StudyFinished) for event in events) == 2
    assert isinstance(events[-1], RunFinished)


def test_engine_with_two_jobs_fills_the_slots(runner, tmp_path, monkeypatch):
    monkeypatch.setattr("nncompare.engine.run_references", lambda *_: [])  # they would hold one of the two
    results, _ = compare_with(runner, tmp_path, models=("Slow",), n_trials=4, max_epochs=2, jobs=2)
    trials = results.studies[0].trials
    overlaps = [a for a in trials for b in trials if a.number < b.number and b.started_s < a.finished_s]
    assert overlaps
    assert not results.repeatable


def test_engine_folder_that_cannot_be_made(runner, tmp_path):
    (tmp_path / "file").touch()
    config = RunConfig(models=(fault("Nearest"),), datasets=("digits",), out=tmp_path / "file")
    plan = make_plan(config, runner)
    with pytest.raises(StorageError, match="Choose another"):
        Engine(plan, runner, lambda _event: None).carry_out()


def test_engine_files_stay_inside_of_the_run_directory(runner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, folder = compare_with(runner, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [folder.name]
    assert not [path for path in folder.rglob("*") if path.name.endswith(".tmp")]


def test_environment_names_what_repeats_a_run():
    found = describe_environment()
    assert found["packages"]["nncompare"]
    assert found["packages"]["optuna"].startswith("5.")
    assert found["memory_mb"] > 0
    assert 1 <= found["n_cpus_usable"] <= found["n_cpus"]
