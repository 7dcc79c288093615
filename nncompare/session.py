"""What all parts of one run share: settings, runner, folders, limits, the wish to stop, who listens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nncompare.data.files import cache_root
from nncompare.data.splits import Rows
from nncompare.data.views import PreparedView, prepare_view
from nncompare.events import Listener
from nncompare.execution.memory import MEMORY_SHARE, available_mb
from nncompare.execution.runner import Runner
from nncompare.execution.specs import FitSpec
from nncompare.layout import trials_folder
from nncompare.plan import Plan, PlannedDataset, PlannedStudy
from nncompare.settings import RunConfig, default_jobs


def memory_limit_mb(config: RunConfig) -> float:
    """Return by how much a child's memory may grow, in MB: the user's limit, else 80 % of what is free, shared."""
    return config.trial_memory_mb or MEMORY_SHARE * available_mb() / (config.jobs or default_jobs())


def search_limit_s(plan: Plan) -> float | None:
    """Return the seconds of wall time that the trials of one study may take together, None without a limit.

    The limit of the run is divided equally among the studies that will run; as many trials at a time as there are
    share it.
    """
    n_studies = sum(study.failure is None for study in plan.studies)
    timeout_s = plan.config.timeout_s
    return None if timeout_s is None or not n_studies else timeout_s * plan.jobs / n_studies


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The surroundings of every study of a run.

    Parameters
    ----------
    config : RunConfig
    runner : Runner
    folder : Path
        The run directory, absolute.
    cache : Path
        The root of cached data.
    jobs : int
        Trials at a time.
    memory_mb : float or None
        A trial is killed when its memory grows by more.
    stop : threading.Event
        Nothing new starts once it is set.
    tell : callable
        Receives the events; safe to call from any thread.
    study_prefix : str
        What the names of Optuna studies begin with.
    search_limit_s : float or None
        Wall time of trials that each study may use, added up.
    halt : callable, optional
        Stops the run for want of room on a disk; hears why.
    """

    config: RunConfig
    runner: Runner
    folder: Path
    cache: Path
    jobs: int
    memory_mb: float | None
    stop: threading.Event
    tell: Listener
    study_prefix: str = ""
    search_limit_s: float | None = None
    halt: Callable[[str], None] = lambda _reason: None

    def trials_folder(self, model: str, dataset: str) -> Path:
        """Return the folder of the result files and logs of one study."""
        return trials_folder(self.folder, model, dataset)

    def search_data(self, study: PlannedStudy, dataset: PlannedDataset) -> PreparedView:
        """Return what the trials of a study see: train and validation, prepared in the cache or found there.

        Raises
        ------
        ValueError
            The study does not run.
        DataError
            The data cannot become the study's view.
        StorageError
            The cache cannot be written.
        """
        return self._prepare(study, dataset, study.search_rows, with_valid=True, with_test=False)

    def final_data(self, study: PlannedStudy, dataset: PlannedDataset) -> PreparedView:
        """Return what the finals of a study see: the rows of its refits and validation, without test.

        Raises
        ------
        ValueError, DataError, StorageError
            As :meth:`search_data`.
        """
        return self._prepare(study, dataset, study.refit_rows, with_valid=True, with_test=False)

    def refit_data(self, study: PlannedStudy, dataset: PlannedDataset) -> PreparedView:
        """Return train and test of the refits, with validation only where they stop early on it.

        Raises
        ------
        ValueError, DataError, StorageError
            As :meth:`search_data`.
        """
        return self._prepare(study, dataset, study.refit_rows, with_valid=study.valid_in_refit, with_test=True)

    def _prepare(
        self,
        study: PlannedStudy,
        dataset: PlannedDataset,
        rows: Rows | None,
        *,
        with_valid: bool,
        with_test: bool,
    ) -> PreparedView:
        if dataset.stored is None or study.view is None or rows is None:
            raise ValueError(f"{study.model} on {study.dataset} does not run")
        valid = dataset.split.valid if dataset.split is not None and with_valid else None
        return prepare_view(dataset.stored, study.view, rows, valid, self.cache, with_test=with_test)

    def fit_spec(self, study: PlannedStudy, data: PreparedView, name: str, **fields: Any) -> FitSpec:
        """Return the request for one training of a study, whose result file and log are called ``name``.

        Parameters
        ----------
        study : PlannedStudy
        data : PreparedView
        name : str
        **fields
            The rest of :class:`~nncompare.execution.specs.FitSpec`: seed, epochs, number, parameters.

        Raises
        ------
        ValueError
            The study has no plugin.
        """
        if study.ref is None:
            raise ValueError(f"{study.model} has no plugin")
        return FitSpec(
            plugin=study.ref.value,
            framework=study.framework,
            **self.child_fields(self.trials_folder(study.model, study.dataset), name),
            data=data.spec,
            train=data.train,
            valid=data.valid,
            conversion=data.conversion,
            deterministic=self.config.deterministic,
            **fields,
        )

    def child_fields(self, folder: Path, name: str) -> dict[str, Any]:
        """Return what all requests of a run have: limits, and where result file and log of ``name`` lie."""
        return {
            "n_threads": self.config.threads,
            "timeout_s": self.config.trial_timeout_s,
            "memory_mb": self.memory_mb,
            "result": folder / f"{name}.json",
            "log": folder / f"{name}.log",
        }


def quiet_session(config: RunConfig, runner: Runner, folder: Path, jobs: int) -> Session:
    """Return surroundings of trainings beside a run, in which nobody listens and nothing stops them."""
    return Session(
        config=config,
        runner=runner,
        folder=folder,
        cache=cache_root(),
        jobs=jobs,
        memory_mb=memory_limit_mb(config),
        stop=threading.Event(),
        tell=lambda _event: None,
    )
