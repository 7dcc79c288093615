"""Searches that do not depend on how many trials run at a time: each trial sees what ended four trials before.

Trial i is chosen, and pruned, by trials 0 … i − 4 alone, and starts when all of these have ended. So up to four
trials of a study run side by side, and however they overtake each other, each knows the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, wait
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from nncompare.plan import PlannedStudy
from nncompare.results import TrialRecord
from nncompare.samplers import make_pruner, make_sampler

__all__ = ["LAG", "in_order", "lagged_study", "wait_for_known"]

LAG = 4


def wait_for_known(number: int, running: Mapping[int, Future[None]]) -> None:
    """Wait until all trials that ``number`` may know have ended; it must hold no slot that they need."""
    wait([future for other, future in running.items() if other <= number - LAG])


def in_order(records: Mapping[int, TrialRecord], number: int | None) -> list[TrialRecord]:
    """Return the records that trial ``number`` may know of, by number; where it is None all, as they ended."""
    if number is None:
        return sorted(records.values(), key=lambda record: record.finished_s or 0.0)
    return [record for other, record in sorted(records.items()) if other <= number - LAG]


def lagged_study(
    storage: optuna.storages.RDBStorage, name: str, planned: PlannedStudy, seed: int, number: int
) -> optuna.Study:
    """Return the study as trial ``number`` sees it; what it suggests and prunes depends on nothing else.

    Parameters
    ----------
    storage : optuna.storages.RDBStorage
    name : str
        Of the study in the storage.
    planned : PlannedStudy
    seed : int
        Of the run.
    number : int
        All trials up to ``number - LAG`` have ended.
    """
    found = optuna.load_study(storage=storage, study_name=name)
    known = optuna.create_study(direction="minimize")
    known.add_trials([trial for trial in found.get_trials(deepcopy=False) if trial.number <= number - LAG])
    found.sampler = _LaggedSampler(make_sampler(planned, seed, constant_liar=False), known)
    found.pruner = _LaggedPruner(make_pruner(planned), known)
    return found


class _LaggedSampler(optuna.samplers.BaseSampler):
    """Suggests by another sampler, from the trials of ``known`` instead of those of the study."""

    def __init__(self, sampler: optuna.samplers.BaseSampler, known: optuna.Study) -> None:
        self._sampler, self._known = sampler, known

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(self._known, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(self._known, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(self._known, trial, param_name, param_distribution)


class _LaggedPruner(optuna.pruners.BasePruner):
    """Prunes by another pruner, against the trials of ``known`` instead of those of the study."""

    def __init__(self, pruner: optuna.pruners.BasePruner, known: optuna.Study) -> None:
        self._pruner, self._known = pruner, known

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        return self._pruner.prune(self._known, trial)
