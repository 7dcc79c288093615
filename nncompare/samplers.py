"""Optuna's sampler, pruner and importance as a study uses them, and how one value is drawn."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from nncompare.data.seeds import derive_seed
from nncompare.execution.supervisor import RefusedError
from nncompare.plan import PlannedStudy

__all__ = ["RememberingPruner", "importance", "make_pruner", "make_sampler", "quiet_optuna", "suggest"]

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


def make_sampler(study: PlannedStudy, seed: int, *, constant_liar: bool = True) -> optuna.samplers.BaseSampler:
    """Return the sampler of a study, whose draws depend on trial and parameter and not on the draws before.

    So a run that was stopped goes on as if it had not been, be it in the middle of a trial. The constant liar
    keeps a trial away from those that run.
    """
    return _SeededByName(partial(_tpe, study, seed, constant_liar))


def _tpe(study: PlannedStudy, seed: int, constant_liar: bool, *what: str | int) -> optuna.samplers.TPESampler:
    """Return a sampler for one purpose; every argument is given, because Optuna's defaults change."""
    return optuna.samplers.TPESampler(
        n_startup_trials=n_startup_trials(study),
        n_ei_candidates=24,
        multivariate=True,
        group=True,
        constant_liar=constant_liar,
        seed=derive_seed(seed, study.model, study.dataset, "sampler", *what),
    )


class _SeededByName(optuna.samplers.BaseSampler):
    """Draws with a new sampler each time: by the trial's number what is drawn together, else by name too.

    Of a trial that goes on, some parameters are known and are not drawn again; a sampler that went from one draw
    to the next would give the others what the known ones were given.
    """

    def __init__(self, make: Callable[..., optuna.samplers.TPESampler]) -> None:
        self._make = make
        self._inferred: dict[int, optuna.samplers.TPESampler] = {}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        sampler = self._inferred[trial.number] = self._make(trial.number)  # it keeps the groups that it draws from
        return sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        sampler = self._inferred.pop(trial.number)
        return sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        sampler = self._make(trial.number, param_name)
        return sampler.sample_independent(study, trial, param_name, param_distribution)


def make_pruner(study: PlannedStudy) -> optuna.pruners.BasePruner:
    """Return the pruner of a study: a trial ends when it is not among the best third of the complete ones.

    A third is the customary rate of successive halving (Li et al., 2018, JMLR 18 (185)). Here fewer go on as the
    search finds better ones: a trial is compared with those alone that came through.
    """
    return optuna.pruners.PercentilePruner(
        percentile=100 / 3,
        n_startup_trials=n_unpruned_trials(study),
        n_warmup_steps=max(1, study.max_epochs // 8),
        interval_steps=1,
        n_min_trials=1,
    )


class RememberingPruner(optuna.pruners.BasePruner):
    """Prunes by another pruner that looks at complete trials alone, which it keeps in memory.

    Read anew from the database at each report, they took a sixth of this process's time. A complete trial never
    changes, and one process ends all trials of a study: it has to say so.
    """

    def __init__(self, pruner: optuna.pruners.BasePruner) -> None:
        self._pruner = pruner
        self._known = optuna.create_study(direction="minimize")
        self._numbers: set[int] = set()
        self._is_old = True

    def trial_ended(self) -> None:
        """Take in at the next report what has ended."""
        self._is_old = True

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tell whether a trial is to end."""
        if self._is_old:
            complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            self._known.add_trials([other for other in complete if other.number not in self._numbers])
            self._numbers |= {other.number for other in complete}
            self._is_old = False
        return self._pruner.prune(self._known, trial)


def n_startup_trials(study: PlannedStudy) -> int:
    """Return how many trials are drawn at random before TPE begins."""
    return min(10, study.n_trials // 4 + 1)


def n_unpruned_trials(study: PlannedStudy) -> int:
    """Return how many trials have to be complete before the pruner begins."""
    return max(2, min(10, study.n_trials // 5))


def importance(study: optuna.Study) -> dict[str, float]:
    """Return the share of each parameter in the differences between trials (PED-ANOVA).

    The method tells the best tenth from the rest, so pruned trials take part, by their last value: they belong to
    the rest.
    """
    ended = optuna.create_study(direction="minimize")
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)):
        if trial.value is not None:
            ended.add_trial(
                create_trial(params=trial.params, distributions=trial.distributions, value=trial.value)
            )
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(
        target_quantile=0.1, region_quantile=1.0, evaluate_on_local=True
    )
    try:
        found = optuna.importance.get_param_importances(ended, evaluator=evaluator)
    except (RuntimeError, ValueError):  # too few trials, or trials that are all alike
        return {}
    return {name: round(float(share), 4) for name, share in found.items()}
