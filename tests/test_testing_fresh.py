"""What the kit does in fresh processes, and what it says of a plugin that does otherwise there."""

import pytest

from nncompare.testing.dataset_checks import check_fingerprint_is_stable
from nncompare.testing.dataset_subject import DatasetSubject
from nncompare.testing.running import run_check
from nncompare.testing.subject import ModelSubject
from nncompare.testing.training_checks import check_fits_are_independent

from .plugins import elsewhere


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
