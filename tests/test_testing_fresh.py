"""What the kit does in fresh processes, and what it says of a plugin that does otherwise there."""

import tempfile
from types import SimpleNamespace

import pytest

from nncompare.registry import DATASETS, MODELS, find
from nncompare.testing import isolated
from nncompare.testing.dataset_checks import check_fingerprint_is_stable
from nncompare.testing.dataset_subject import DatasetSubject
from nncompare.testing.isolated import check_isolated
from nncompare.testing.running import run_check
from nncompare.testing.subject import ModelSubject
from nncompare.testing.training_checks import check_fits_are_independent

from .plugins import dataset_mutants, elsewhere, mutants, unruly


def check_independence(cls, runner):
    return run_check(check_fits_are_independent, ModelSubject(cls, run_fresh=runner.run))


def check_fingerprint(cls, runner, folder):
    return run_check(check_fingerprint_is_stable, DatasetSubject(cls, folder, run_fresh=runner.run))


@pytest.fixture
def here(monkeypatch):
    """Return a function that says to a plugin of this process that it is none of a fresh one."""
    return lambda cls: monkeypatch.setattr(cls, "here", True) or cls


def test_training_that_raises_in_a_fresh_process_says_why(runner, here):
    result = check_independence(here(elsewhere.RaisesElsewhere), runner)
    assert result.status == "failed"
    assert result.message.startswith(
        "In a fresh process it failed: fit() on 160 rows of view 'tabular' with 3 classes raised "
        "ValueError: no card was found (elsewhere.py:"
    )


def test_training_that_raises_in_the_third_process_says_why(runner, here):
    result = check_independence(here(elsewhere.RaisesAfterAnother), runner)
    assert result.status == "failed"
    assert "raised ValueError: the first class is too frequent (elsewhere.py:" in result.message
    assert result.message.startswith("In a fresh process it failed: fit() on 160 rows")


def counted(runner, told):
    def run(spec):
        told.append(spec.arguments["after_another"])
        return runner.run(spec)

    return SimpleNamespace(run=run)


@pytest.mark.parametrize(
    ("cls", "started", "words"),
    [
        (mutants.Softmax, [False], ""),
        (mutants.TrainsOtherwiseHere, [False, False, True], ""),
        (mutants.DrawsOncePerProcess, [False, False], "The same training in two fresh processes differs by "),
        (mutants.KeepsItsScale, [False, False, True], "A training in a fresh process differs by "),
    ],
)
def test_what_a_session_does_otherwise_is_told_from_what_a_process_keeps_or_draws(
    cls, started, words, runner, monkeypatch
):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    told = []
    result = check_independence(cls, counted(runner, told))
    assert told == started
    assert result.status == ("failed" if words else "passed")
    assert result.message.startswith(words)


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (elsewhere.LoadsHereAlone, "load() raised ValueError: the sky is closed (elsewhere.py:"),
        (elsewhere.IsEmptyElsewhere, "DataError: "),
    ],
)
def test_load_that_fails_in_a_fresh_process_says_why(cls, words, runner, here, tmp_path):
    result = check_fingerprint(here(cls), runner, tmp_path)
    assert result.status == "failed"
    assert result.message.startswith(f"In a fresh process it failed: {words}")
    assert "builds on" not in result.message


def test_data_that_cannot_be_had_in_a_fresh_process_skip_the_check(runner, here, tmp_path):
    result = check_fingerprint(here(elsewhere.IsAwayElsewhere), runner, tmp_path)
    assert (result.status, result.message) == (
        "skipped",
        "In a fresh process: The data cannot be had now: The clouds are away.",
    )


@pytest.mark.parametrize(
    ("name", "fault"),
    [("TakesTheOrderOfASet", True), ("DrawsOncePerProcess", True), ("LoadsOtherwiseHere", False)],
)
def test_verdict_on_data_of_other_processes_is_the_same_at_each_door(name, fault, runner, tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    here = check_fingerprint(getattr(dataset_mutants, name), runner, tmp_path)
    ref = find(f"{dataset_mutants.__file__}:{name}", DATASETS)
    (alone,) = check_isolated(ref, checks=["check_fingerprint_is_stable"]).results
    assert (here.status, here.message) == (alone.status, alone.message)
    assert here.message.startswith("In another process load() gave another fingerprint for the training") is fault


def test_data_that_have_the_other_order_of_a_set_here_by_chance_are_found_all_the_same(tmp_path, monkeypatch):
    subject = DatasetSubject(dataset_mutants.Clouds, tmp_path)
    here = subject.stored().fingerprint, subject.stored().test_fingerprint
    monkeypatch.setattr(subject, "fingerprints_elsewhere", lambda seed=None: here if seed else ("0", here[1]))
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    assert run_check(check_fingerprint_is_stable, subject).status == "failed"
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    assert run_check(check_fingerprint_is_stable, subject).status == "passed"


def unruly_alone(name, check, **options):
    (result,) = check_isolated(find(f"{unruly.__name__}:{name}", MODELS), checks=[check], **options).results
    return result


def test_temporary_files_of_a_killed_process_are_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = unruly_alone("HangsInSave", "check_saves_and_loads_in_a_fresh_process", timeout_s=4)
    assert (result.status, result.category) == ("error", "timeout")
    assert list(tmp_path.iterdir()) == []


def test_fresh_process_that_takes_too_much_memory_is_an_error(monkeypatch):
    monkeypatch.setattr(isolated, "memory_share_mb", lambda: 300.0)
    result = unruly_alone("GrowsInLoad", "check_saves_and_loads_in_a_fresh_process")
    assert (result.status, result.category) == ("error", "oom")
    assert result.message.startswith("In a fresh process: Killed: its memory grew by ")
