"""Goes on with a run that was stopped, or asks more of one that is complete."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from nncompare.cleaned import cleaned_sentence, read_cleaned
from nncompare.comparison import load_results
from nncompare.events import Listener, Notice
from nncompare.exceptions import UsageError
from nncompare.execution.runner import LocalRunner
from nncompare.layout import REPORT, RESULTS
from nncompare.plan import Plan
from nncompare.planning import make_plan
from nncompare.remaining import (
    asks_more,
    check_data,
    check_data_folders,
    check_limit,
    check_studies,
    same_studies,
    without_known,
)
from nncompare.report import write_report_again
from nncompare.results import Results
from nncompare.runfile import RunFile, hold, read_run_file, state_digest
from nncompare.settings import STORAGE_VARIABLE, RunConfig
from nncompare.storage import same_database, without_password
from nncompare.superseded import remove_superseded

__all__ = ["plan_rest", "was_strict"]


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

    A complete run that was killed at its very end has its report written and its superseded models removed.

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
        The address of the database, where it holds a password: that is not kept in the run directory. Without it,
        the environment's ``NNCOMPARE_STORAGE`` is used if it names the same database.

    Raises
    ------
    ResultsError
        The run directory is damaged or of an older version, or the data are not those of the run.
    UsageError
        Fewer trials are asked for than the run has, its limit of time leaves nothing to do, or the storage's
        address is missing or that of another.
    PluginError
        A study that has results could not run now.
    BusyError
        Another process holds the run directory.
    """
    with hold(folder):  # whether it is free is known before anything is loaded
        run_file, earlier, digest = read_run_file(folder), _results(folder), state_digest(folder)
    config = _config(run_file, n_trials=n_trials, timeout_s=timeout_s, jobs=jobs, storage=storage)
    if earlier is not None:
        more = asks_more(folder, earlier, run_file.run_config(), n_trials=n_trials, timeout_s=timeout_s)
        if earlier.state == "complete" and not more:
            _end(folder, earlier, digest)
            return None
    if read_cleaned(folder):
        raise UsageError(
            f"The run '{run_file.run_id}' cannot go on. {cleaned_sentence(folder)} Start a new run instead."
        )
    check_data_folders(config)
    plan = make_plan(replace(config, out=folder.parent), runner, without_known(listener, earlier))
    plan = same_studies(plan, earlier)
    plan = replace(
        plan,
        run_id=run_file.run_id,
        folder=folder,
        created_at=datetime.fromisoformat(run_file.created_at),
        study_prefix=run_file.study_prefix,
        earlier=earlier or _nothing(run_file, config),
        earlier_digest=digest,
    )
    for dataset in plan.datasets:
        check_data(dataset, run_file, folder)
    check_studies(plan, earlier, run_file.started_in)
    check_limit(plan, is_complete=earlier is not None and earlier.state == "complete", listener=listener)
    _tell_versions(plan, run_file, listener)
    return plan


def was_strict(folder: Path) -> bool:
    """Tell whether a run was asked to fail when a study cannot run for want of a download."""
    return bool(read_run_file(folder).config.get("strict", False))


def _end(folder: Path, results: Results, digest: str) -> None:
    """Do what a kill kept a complete run from: the report, which is written last, and what then goes."""
    with hold(folder):
        if state_digest(folder) != digest:
            return
        report, written = folder / REPORT, (folder / RESULTS).stat().st_mtime_ns
        if not report.is_file() or report.stat().st_mtime_ns < written:
            write_report_again(results, folder)
        remove_superseded(results, folder)


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
    config = run_file.run_config()
    return replace(
        config,
        n_trials=n_trials or config.n_trials,
        timeout_s=timeout_s or config.timeout_s,
        jobs=jobs or config.jobs,
        storage=_address(run_file, config.storage, storage),
    )


def _address(run_file: RunFile, recorded: str | None, given: str | None) -> str | None:
    """Return the address of the run's database: as given now, as the environment has it, or as it was recorded."""
    if recorded is None and given is None:
        return None  # in study.db, whatever the environment says for other runs
    if recorded is None:
        raise UsageError(
            f"The trials of '{run_file.run_id}' are in its study.db, so --storage (in Python: storage=) cannot be "
            "given."
        )
    if given is not None and not same_database(given, recorded):
        raise UsageError(
            f"The trials of '{run_file.run_id}' are in {recorded}, and --storage (in Python: storage=) names "
            f"another database, {without_password(given)}. Give the address of the run's own."
        )
    variable = os.environ.get(STORAGE_VARIABLE) or None
    if given is None and variable is not None and same_database(variable, recorded):
        given = variable
    if run_file.has_password and given is None:
        raise UsageError(
            f"The trials of '{run_file.run_id}' are in {recorded}, whose password is not kept. Give the whole "
            f"address with --storage (in Python: storage=), or in {STORAGE_VARIABLE}."
        )
    return given or recorded


def _tell_versions(plan: Plan, run_file: RunFile, listener: Listener | None) -> None:
    """Say which models come from another version than the earlier trials."""
    if listener is None:
        return
    now = {study.model: study.ref.owner for study in plan.studies if study.ref is not None}
    for model, owner in now.items():
        before = run_file.plugins.get(model, owner)
        if before != owner:
            listener(Notice(f"{model} now comes from {owner}; the earlier trials are of {before}.", "warning"))
