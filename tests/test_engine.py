"""The engine: what is on disk while a run goes on, what comes out when folders or listeners fail."""

import sqlite3
import threading

import pytest

from nncompare import assembly, session
from nncompare.comparison import load_results
from nncompare.data.files import cache_root
from nncompare.data.store import store_dataset
from nncompare.engine import Engine
from nncompare.environment import describe_environment
from nncompare.events import Notice, RefitFinished, RunFinished, StudyFinished, StudyStarted, TrialFinished
from nncompare.exceptions import DataError, ResultsError, StorageError
from nncompare.execution.launch import child_environment
from nncompare.execution.saved import load_model
from nncompare.planning import make_plan
from nncompare.registry import load_class
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
    assert found["TF_ENABLE_ONEDNN_OPTS"] == child_environment()["TF_ENABLE_ONEDNN_OPTS"]
    assert 1 <= found["n_cpus_usable"] <= found["n_cpus"]


def test_engine_goes_on_without_a_listener_that_fails(runner, tmp_path):
    def broken(event):
        raise BrokenPipeError("nobody reads")

    results, folder = compare_with(runner, tmp_path, listener=broken)
    assert results.state == load_results(folder).state == "complete"
    assert [study.status for study in results.studies] == ["complete"]
    assert results.notes == ["Progress was no longer shown: BrokenPipeError: nobody reads"]


def test_engine_a_model_that_cannot_be_timed_is_a_note(runner, tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no room")

    monkeypatch.setattr("nncompare.timing.measure", full)
    results, folder = compare_with(runner, tmp_path)
    assert load_results(folder).state == "complete"
    assert results.studies[0].latency_ms is None
    assert results.notes == ["The saved model of Nearest on digits could not be timed: OSError: no room"]


def test_engine_a_reference_that_fails_is_a_record_and_a_check(runner, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "nncompare.refit.REFERENCES", {"majority": "MajorityClass", "logistic_regression": "Nobody"}
    )
    results, _ = compare_with(runner, tmp_path)
    (digits,) = results.datasets
    majority, logistic = digits.references
    assert majority.test_accuracy is not None
    assert logistic.test_accuracy is None
    assert "Nobody" in logistic.failure.message
    (check,) = [check for check in digits.verdict.checks if check.code == "references_missing"]
    assert check.text == "There is no score of logistic regression to compare with."


@pytest.mark.parametrize(
    ("settings", "repeatable"),
    [
        ({}, True),
        ({"jobs": 2}, False),
        ({"threads": 2}, False),
        ({"models": ("KilledFromOutside",)}, False),
        ({"jobs": 2, "deterministic": True}, True),
        ({"jobs": 2, "deterministic": True, "timeout_s": 600.0}, False),
        ({"threads": 2, "deterministic": True}, False),
        ({"models": ("Nearest", "KilledFromOutside"), "deterministic": True}, False),
    ],
)
def test_engine_says_whether_a_run_repeats(runner, tmp_path, settings, repeatable):
    results, _ = compare_with(runner, tmp_path, n_refits=1, **settings)
    assert results.repeatable is repeatable
    assert results.settings.deterministic is settings.get("deterministic", False)
    codes = [check.code for check in results.datasets[0].verdict.checks]
    assert ("not_deterministic" in codes) is (results.settings.deterministic and not repeatable)


def test_engine_a_trial_that_fails_on_this_side_of_the_pipe_is_one_failed_trial(runner, tmp_path, monkeypatch):
    run = runner.run

    def breaks_once(spec, handler=None):
        if getattr(spec, "number", None) == 1 and spec.params is None:
            raise OSError("too many open files")
        return run(spec) if handler is None else run(spec, handler)

    monkeypatch.setattr(runner, "run", breaks_once)
    results, _ = compare_with(runner, tmp_path)
    (study,) = results.studies
    assert study.status == "complete"
    assert [trial.state for trial in study.trials] == ["complete", "failed", "complete"]
    assert study.trials[1].failure.category == "disk"
    assert study.trials[1].failure.message == "OSError: too many open files"


def test_engine_a_saved_model_that_was_changed_is_not_loaded(runner, tmp_path):
    _, folder = compare_with(runner, tmp_path, n_refits=1)
    (model,) = folder.glob("models/Nearest--*")
    assert load_model(model).n_parameters > 0
    with (model / "means.npy").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ResultsError, match="was changed after it was saved, so it is not loaded"):
        load_model(model)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("TrainsTooLong", "fit() trained for epoch 4, and max_epochs is 3."),
        ("AsksTwice", "'sharpness' was asked for twice in one trial"),
        ("AsksForTooMuch", "The range of 'sharpness' goes beyond 1e+18."),
    ],
)
def test_engine_refuses_what_would_be_unequal_or_misreported(runner, tmp_path, model, words):
    results, _ = compare_with(runner, tmp_path, models=(model, "Nearest"), n_trials=1)
    wrong, right = results.studies
    assert (wrong.status, right.status) == ("failed", "complete")
    assert words in wrong.failure.message


def test_engine_keeps_the_results_when_report_and_verdict_cannot_be_made(runner, tmp_path, monkeypatch):
    def fails(*_args, **_kwargs):
        raise OverflowError("too large")

    decide = assembly.decide
    monkeypatch.setattr("nncompare.engine.write_report", fails)
    monkeypatch.setattr("nncompare.assembly.decide", lambda *a, **k: decide(*a, **k) if not a[1] else fails())
    results, folder = compare_with(runner, tmp_path)
    assert load_results(folder).state == results.state == "complete"
    assert results.studies[0].status == "complete"
    assert results.datasets[0].verdict.text == "There is no verdict on digits: OverflowError: too large"
    assert "The report could not be drawn: OverflowError: too large" in results.notes


def test_engine_data_that_cannot_be_prepared_are_the_studys_failure(runner, tmp_path, monkeypatch):
    prepare = session.prepare_view

    def refuses(*arguments, with_test):
        if with_test:
            raise DataError("The refits' rows hold no words.")
        return prepare(*arguments, with_test=with_test)

    monkeypatch.setattr(session, "prepare_view", refuses)
    results, _ = compare_with(runner, tmp_path, n_trials=1, n_refits=1)
    (study,) = results.studies
    assert (study.status, study.failure.category) == ("failed", "data")
    assert study.failure.message == "The refits' rows hold no words."


def test_engine_storage_that_breaks_keeps_the_finished_trials(runner, tmp_path):
    def break_storage(event):
        if isinstance(event, TrialFinished) and event.n_finished == 2:
            with sqlite3.connect(next(tmp_path.iterdir()) / "study.db") as connection:
                connection.execute("DROP TABLE trial_values")

    results, _ = compare_with(runner, tmp_path, n_trials=6, listener=break_storage)
    (study,) = results.studies
    assert study.status == "complete"  # with the best of what was finished
    assert 2 <= len(study.trials) < 6
    text = "The search of Nearest on digits ended early: The storage of the trials: StorageInternalError"
    assert text in results.notes[0]
    assert "search_ended_early" in [check.code for check in results.datasets[0].verdict.checks]


def test_engine_study_that_only_fails_ends_and_the_others_go_on(runner, tmp_path):
    results, _ = compare_with(runner, tmp_path, ("Raises", "Nearest"), n_trials=8, max_epochs=1, n_refits=1)
    fails, works = results.studies
    assert [trial.state for trial in fails.trials] == ["failed"] * 5
    assert (fails.status, works.status, results.state) == ("failed", "complete", "complete")
    assert [trial.number for trial in works.trials] == list(range(8))


@pytest.mark.parametrize("name", ["a?b c", "a#é%20", "plain"])
def test_engine_keeps_study_db_in_the_run_directory_whatever_its_name(runner, tmp_path, name):
    _, folder = compare_with(runner, tmp_path / name, n_trials=1, n_refits=1)
    assert (folder / "study.db").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_engine_notes_that_a_stored_copy_was_used(runner, tmp_path, monkeypatch):
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    info, waves = (load_class(dataset(name)) for name in ("Absent", "Waves"))
    copy = store_dataset(info.info, waves().load(None), cache_root())
    notices = []
    results, folder = compare_with(
        runner, tmp_path / "out", datasets=(dataset("Absent"),), n_trials=1, n_refits=1, listener=notices.append
    )
    (note,) = results.notes
    assert f"(fingerprint {copy.fingerprint[:8]}…)" in note
    assert Notice(note, "warning") in notices
    assert results.studies[0].status == "complete"
    assert note in (folder / "report.md").read_text()
