"""Goes on with a run that was stopped, or asks more of one that is complete."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from nncompare.comparison import load_results
from nncompare.events import Listener, Notice
from nncompare.exceptions import ResultsError, UsageError
from nncompare.execution.runner import LocalRunner
from nncompare.layout import RESULTS
from nncompare.plan import Plan, PlannedDataset
from nncompare.planning import make_plan
from nncompare.results import Results
from nncompare.runfile import RunFile, hold, read_run_file
from nncompare.settings import STORAGE_VARIABLE, RunConfig

__all__ = ["plan_rest"]


def plan_rest(
    folder: Path,
    runner: LocalRunner,
    listener: Listener | None = None,
    *,
    n_trials: int | None = None,
    timeout_s: float | None = None,
    jobs: int | None = None,
    storage: str | None = None,
) -> Plan | None:
    """Make the plan of what a run still lacks; None where it is complete and no more is asked of it.

    Parameters
    ----------
    folder : Path
        The run directory.
    runner : LocalRunner
    listener : callable, optional
        Receives notices and the progress of downloads.
    n_trials : int, optional
        Trials of each study in all, those that are finished included.
    timeout_s, jobs : optional
        In place of what the run was started with.
    storage : str, optional
        The address of the database, where it holds a password: that is not kept in the run directory.

    Raises
    ------
    ResultsError
        The run directory is damaged or of an older version, or the data are not those of the run.
    UsageError
        Fewer trials are asked for than the run has, or the storage's address is missing.
    BusyError
        Another process holds the run directory.
    """
    with hold(folder):  # whether it is free is known before anything is loaded
        run_file = read_run_file(folder)
    earlier = _results(folder)
    config = _config(run_file, n_trials=n_trials, timeout_s=timeout_s, jobs=jobs, storage=storage)
    if earlier is not None:
        asks_more = _asks_more(earlier, n_trials)
        if earlier.state == "complete" and not asks_more:
            return None
    plan = make_plan(replace(config, out=folder.parent), runner, listener)
    for dataset in plan.datasets:
        _check_data(dataset, run_file, folder)
    _tell_versions(plan, run_file, listener)
    return replace(
        plan,
        run_id=run_file.run_id,
        folder=folder,
        created_at=datetime.fromisoformat(run_file.created_at),
        study_prefix=run_file.study_prefix,
        earlier=earlier or _nothing(run_file, config),
    )


def _results(folder: Path) -> Results | None:
    """Return what the earlier part wrote last; None where it was killed before it wrote anything."""
    return load_results(folder) if (folder / RESULTS).exists() else None


def _nothing(run_file: RunFile, config: RunConfig) -> Results:
    return Results(
        run_id=run_file.run_id,
        state="interrupted",
        created_at=run_file.created_at,
        seed=config.seed,
        preset=config.preset,
    )


def _config(
    run_file: RunFile,
    *,
    n_trials: int | None,
    timeout_s: float | None,
    jobs: int | None,
    storage: str | None,
) -> RunConfig:
    """Return the settings of the run with those that were given now."""
    try:
        config = run_file.run_config()
    except (KeyError, TypeError) as error:
        raise ResultsError(f"run.json of '{run_file.run_id}' is damaged: {error}.") from error
    if config.storage is None and storage is not None:
        raise UsageError(f"The trials of '{run_file.run_id}' are in its study.db, so --storage cannot be given.")
    if run_file.has_password and storage is None:
        raise UsageError(
            f"The trials of '{run_file.run_id}' are in {config.storage}, whose password is not kept. "
            f"Give the whole address with --storage, or in {STORAGE_VARIABLE}."
        )
    return replace(
        config,
        n_trials=n_trials or config.n_trials,
        timeout_s=timeout_s or config.timeout_s,
        jobs=jobs or config.jobs,
        storage=storage or config.storage,
    )


def _asks_more(earlier: Results, n_trials: int | None) -> bool:
    """Tell whether more trials are asked for than the run was given; refuse fewer."""
    most = max((study.budget.n_trials for study in earlier.studies if study.budget is not None), default=0)
    if n_trials is not None and n_trials < most:
        raise UsageError(
            f"The run '{earlier.run_id}' has {most} trials per study; --trials {n_trials} would be fewer. "
            "A finished trial cannot be taken back."
        )
    return n_trials is not None and n_trials > most


def _check_data(dataset: PlannedDataset, run_file: RunFile, folder: Path) -> None:
    """Refuse to mix trials on different data."""
    known = run_file.datasets.get(dataset.name)
    if known is None:
        return
    if dataset.stored is None or dataset.split is None:
        reason = dataset.failure.message if dataset.failure is not None else "no reason given."
        raise ResultsError(f"The data set '{dataset.name}' of the run cannot be had now: {reason}")
    found = (dataset.stored.fingerprint, dataset.stored.test_fingerprint, dataset.split.fingerprint)
    if found != (known.fingerprint, known.test_fingerprint, known.split_fingerprint):
        raise ResultsError(
            f"The data set '{dataset.name}' is not the one of the run in '{folder}' any more: its fingerprint is "
            f"{found[0][:12]} and was {known.fingerprint[:12]}. Bring the old data back, or start a new run."
        )


def _tell_versions(plan: Plan, run_file: RunFile, listener: Listener | None) -> None:
    """Say which models come from another version than the earlier trials."""
    if listener is None:
        return
    now = {study.model: study.ref.owner for study in plan.studies if study.ref is not None}
    for model, owner in now.items():
        before = run_file.plugins.get(model, owner)
        if before != owner:
            listener(Notice(f"{model} now comes from {owner}; the earlier trials are of {before}.", "warning"))
