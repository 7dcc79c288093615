"""Optuna's sampler and pruner as a study uses them, and how one value is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna

from nncompare.data.seeds import derive_seed
from nncompare.execution.supervisor import RefusedError
from nncompare.plan import PlannedStudy

__all__ = ["make_pruner", "make_sampler", "suggest"]


def suggest(trial: optuna.Trial, distribution: str, name: str, arguments: Mapping[str, Any]) -> Any:
    """Draw one value.

    Raises
    ------
    RefusedError
        Optuna does not accept the arguments; the child gets the sentence.
    """
    draw = getattr(trial, f"suggest_{distribution}")
    try:
        return draw(name, **arguments)
    except (TypeError, ValueError) as error:
        raise RefusedError(f"suggest_{distribution}({name!r}, {dict(arguments)!r}): {error}") from error


def make_sampler(study: PlannedStudy, seed: int, number: int) -> optuna.samplers.BaseSampler:
    """Return the sampler of one trial; every argument is given, because Optuna's defaults change.

    Its seed holds the trial's number, so that a run that was stopped goes on as if it had not been.
    """
    return optuna.samplers.TPESampler(
        n_startup_trials=n_startup_trials(study),
        n_ei_candidates=24,
        multivariate=True,
        group=True,
        constant_liar=True,
        seed=derive_seed(seed, study.model, study.dataset, "sampler", number),
    )


def make_pruner(study: PlannedStudy) -> optuna.pruners.BasePruner:
    """Return the pruner of a study: a trial ends when it is behind the median of the earlier ones."""
    return optuna.pruners.MedianPruner(
        n_startup_trials=n_startup_trials(study),
        n_warmup_steps=max(1, study.max_epochs // 8),
        interval_steps=1,
        n_min_trials=1,
    )


def n_startup_trials(study: PlannedStudy) -> int:
    """Return how many trials are drawn at random before TPE and the pruner begin."""
    return min(10, study.n_trials // 4 + 1)
