"""Optuna's sampler, pruner and importance as a study uses them, and how one value is drawn."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna

from nncompare.data.seeds import derive_seed
from nncompare.execution.supervisor import RefusedError
from nncompare.plan import PlannedStudy

__all__ = ["importance", "make_pruner", "make_sampler", "quiet_optuna", "suggest"]

LARGEST_BOUND = 1e18  # beyond it whole numbers are no longer exact
CALLERS = r"(optuna|nncompare)\."
"""Who Optuna's advice is said to come from: itself, and since Python 3.12 whoever called it."""


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Silence Optuna's advice for a block of the main thread: filters belong to the process, not to a thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module=CALLERS)
        yield


def suggest(trial: optuna.Trial, distribution: str, name: str, arguments: Mapping[str, Any]) -> Any:
    """Draw one value.

    Raises
    ------
    RefusedError
        Optuna does not accept the arguments, or a bound is too large; the child gets the sentence.
    """
    if any(abs(arguments.get(bound, 0)) > LARGEST_BOUND for bound in ("low", "high")):
        raise RefusedError(f"The range of '{name}' goes beyond {LARGEST_BOUND:g}.")
    draw = getattr(trial, f"suggest_{distribution}")
    try:
        return draw(name, **arguments)
    except (TypeError, ValueError) as error:
        raise RefusedError(f"suggest_{distribution}({name!r}, {dict(arguments)!r}): {error}") from error


def make_sampler(
    study: PlannedStudy, seed: int, number: int, *, constant_liar: bool = True
) -> optuna.samplers.BaseSampler:
    """Return the sampler of one trial; every argument is given, because Optuna's defaults change.

    Its seed holds the trial's number, so that a run that was stopped goes on as if it had not been. The constant
    liar keeps it away from trials that run.
    """
    return optuna.samplers.TPESampler(
        n_startup_trials=n_startup_trials(study),
        n_ei_candidates=24,
        multivariate=True,
        group=True,
        constant_liar=constant_liar,
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


def importance(study: optuna.Study) -> dict[str, float]:
    """Return the share of each parameter in the differences between trials (PED-ANOVA)."""
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(
        target_quantile=0.1, region_quantile=1.0, evaluate_on_local=True
    )
    try:
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    except (RuntimeError, ValueError):  # too few complete trials, or trials that are all alike
        return {}
    return {name: round(float(share), 4) for name, share in found.items()}
