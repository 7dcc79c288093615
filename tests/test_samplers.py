"""Optuna's advice: kept from users, whoever Python says that it comes from."""

import warnings

import pytest

from nncompare.samplers import quiet_optuna


@pytest.mark.parametrize("module", ["optuna.importance._ped_anova.evaluator", "nncompare.samplers"])
def test_advice_of_optuna_is_silenced_in_its_own_name_and_in_that_of_its_caller(module):
    with quiet_optuna():
        warnings.warn_explicit("Some regimes have less than 2 trials.", UserWarning, "file.py", 1, module=module)


def test_warnings_of_others_are_heard():
    with quiet_optuna(), pytest.raises(UserWarning, match="mine"):
        warnings.warn_explicit("mine", UserWarning, "file.py", 1, module="somebody.else")
