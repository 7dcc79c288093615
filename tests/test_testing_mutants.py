"""The kit against a bank of faults: each plugin fails the checks that name its fault, and no other."""

import inspect

import pytest

from nncompare.plugin import DatasetPlugin, ModelPlugin
from nncompare.testing.catalog import DATASET_CHECKS, MODEL_CHECKS
from nncompare.testing.dataset_subject import DatasetSubject
from nncompare.testing.running import run_check
from nncompare.testing.subject import ModelSubject

from .plugins import dataset_mutants, mutants, mutants_more, right_alone, right_sklearn


def results_of(cls, runner):
    subject = ModelSubject(cls, run_fresh=runner.run)
    return [run_check(check, subject) for check in MODEL_CHECKS]


def dataset_results_of(cls, runner, cache):
    subject = DatasetSubject(cls, cache, run_fresh=runner.run)
    return [run_check(check, subject) for check in DATASET_CHECKS]


RIGHT = [*mutants.RIGHT, *right_sklearn.RIGHT, *right_alone.RIGHT]


@pytest.mark.parametrize("cls", RIGHT, ids=lambda cls: cls.__name__)
def test_kit_finds_nothing_in_what_is_right(cls, runner):
    results = results_of(cls, runner)
    assert failed(results) == {}
    expected = {r.name for r in results if r.status == "expected_failure"}
    assert expected == set(cls.expected_failures)


@pytest.mark.parametrize("cls", mutants.FAULTS, ids=lambda cls: cls.__name__)
def test_kit_finds_the_fault_and_no_other(cls, runner):
    results = results_of(cls, runner)
    assert failed(results).keys() == mutants.FAULTS[cls]
    for message in failed(results).values():
        assert message.endswith((".", "?"))
        assert "\n" not in message
        assert ".." not in message.replace("...", "")
    assert {r.status for r in results if not r.ok} == {"failed"}


def failed(results):
    return {r.name: r.message for r in results if not r.ok}


@pytest.mark.parametrize("cls", dataset_mutants.RIGHT, ids=lambda cls: cls.__name__)
def test_kit_finds_nothing_in_a_data_set_that_is_right(cls, tmp_path, runner):
    assert failed(dataset_results_of(cls, runner, tmp_path)) == {}


def test_kit_skips_what_a_data_set_that_cannot_be_had_would_show(tmp_path, runner):
    by_name = {r.name: r for r in dataset_results_of(dataset_mutants.NotHere, runner, tmp_path)}
    assert by_name["check_fingerprint_is_stable"].status == "skipped"
    assert "The clouds are away" in by_name["check_fingerprint_is_stable"].message
    assert by_name["check_works_without_a_network"].status == "passed"


@pytest.mark.parametrize("cls", dataset_mutants.FAULTS, ids=lambda cls: cls.__name__)
def test_kit_finds_the_fault_of_a_data_set_and_no_other(cls, tmp_path, runner):
    found = failed(dataset_results_of(cls, runner, tmp_path))
    assert found.keys() == dataset_mutants.FAULTS[cls]
    for message in found.values():
        assert message.endswith((".", "?"))
        assert ".." not in message.replace("...", "")


@pytest.mark.parametrize(
    ("bank", "base", "checks"),
    [(mutants, ModelPlugin, MODEL_CHECKS), (dataset_mutants, DatasetPlugin, DATASET_CHECKS)],
)
def test_kit_banks_hold_every_mutant_and_every_check(bank, base, checks):
    defined = {
        cls
        for _, cls in inspect.getmembers(bank, inspect.isclass)
        if issubclass(cls, base) and cls.__module__ == bank.__name__
    }
    assert defined - {dataset_mutants.CrashesInLoad} == {*bank.RIGHT, *bank.FAULTS}
    faults = [*bank.FAULTS.values(), *(mutants_more.FAULTS.values() if bank is mutants else [])]
    assert set().union(*faults) == {check.__name__ for check in checks}
