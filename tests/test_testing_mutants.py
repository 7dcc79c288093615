"""The kit against a bank of faults: each plugin fails the checks that name its fault, and no other."""

import inspect

import pytest

from nncompare.plugin import ModelPlugin
from nncompare.testing.catalog import MODEL_CHECKS
from nncompare.testing.running import run_check
from nncompare.testing.subject import ModelSubject

from .plugins import mutants


def results_of(cls, runner):
    subject = ModelSubject(cls, reload=runner.run)
    return [run_check(check, subject) for check in MODEL_CHECKS]


@pytest.mark.parametrize("cls", mutants.RIGHT, ids=lambda cls: cls.__name__)
def test_kit_finds_nothing_in_what_is_right(cls, runner):
    results = results_of(cls, runner)
    assert {r.name: r.message for r in results if not r.ok} == {}
    expected = {r.name for r in results if r.status == "expected_failure"}
    assert expected == set(cls.expected_failures)


@pytest.mark.parametrize("cls", mutants.FAULTS, ids=lambda cls: cls.__name__)
def test_kit_finds_the_fault_and_no_other(cls, runner):
    results = results_of(cls, runner)
    assert {r.name: r.message for r in results if not r.ok}.keys() == mutants.FAULTS[cls]
    assert {r.status for r in results if not r.ok} == {"failed"}


def test_kit_bank_holds_every_mutant_and_every_check():
    defined = {
        cls
        for _, cls in inspect.getmembers(mutants, inspect.isclass)
        if issubclass(cls, ModelPlugin) and cls.__module__ == mutants.__name__
    }
    assert defined == {*mutants.RIGHT, *mutants.FAULTS}
    assert {name for names in mutants.FAULTS.values() for name in names} == {c.__name__ for c in MODEL_CHECKS}
