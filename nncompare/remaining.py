"""What is left to do of a run, and why it cannot be done: more trials, more time, the same plugins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nncompare.data.own import is_own_file
from nncompare.data.store import is_stored_folder
from nncompare.events import Event, Listener, Notice
from nncompare.exceptions import PluginError, ResultsError, UsageError
from nncompare.layout import trials_folder
from nncompare.plan import Plan, PlannedDataset, PlannedStudy
from nncompare.results import Results, StudyRecord, was_interrupted
from nncompare.runfile import RunFile
from nncompare.session import search_limit_s
from nncompare.settings import RunConfig
from nncompare.trials import kept_numbers, kept_trial

__all__ = [
    "asks_more",
    "check_data",
    "check_data_folders",
    "check_limit",
    "check_studies",
    "same_studies",
    "without_known",
]


def asks_more(
    folder: Path, earlier: Results, config: RunConfig, *, n_trials: int | None, timeout_s: float | None
) -> bool:
    """Tell whether more is asked for than a complete run has: trials, or time for those that its limit cut off.

    Parameters
    ----------
    folder : Path
        The run directory.
    earlier : Results
    config : RunConfig
        What the run was started with.
    n_trials : int, optional
        Trials of each study in all.
    timeout_s : float, optional

    Raises
    ------
    UsageError
        Fewer trials are asked for than there are.
    """
    counts = {(s.model, s.dataset): _n_trials(folder, s) for s in earlier.studies}
    most = max(counts.values(), default=0)
    if n_trials is not None and n_trials < most:
        raise UsageError(
            f"The run '{earlier.run_id}' has {most} trials per study; --trials {n_trials} would be fewer (in "
            "Python: n_trials=). A finished trial cannot be taken back."
        )
    budgets = {(s.model, s.dataset): s.budget.n_trials for s in earlier.studies if s.budget is not None}
    ended = [(s.model, s.dataset) for s in earlier.studies if s.status == "complete" and s.budget is not None]
    if n_trials is not None:
        return n_trials > max(budgets.values(), default=0) or any(counts[pair] < n_trials for pair in ended)
    has_more_time = timeout_s is not None and config.timeout_s is not None and timeout_s > config.timeout_s
    return has_more_time and any(counts[pair] < budgets[pair] for pair in ended)


def check_limit(plan: Plan, *, is_complete: bool, listener: Listener | None) -> None:
    """Tell which searches the limit of time leaves nothing to do, before they end without a trial.

    Parameters
    ----------
    plan : Plan
    is_complete : bool
        The run has all of its results: there is no other reason to go on than more trials.
    listener : callable, optional
        Hears which searches do not go on.

    Raises
    ------
    UsageError
        Not one trial of a complete run could start.
    """
    limit_s = search_limit_s(plan)
    short = [study for study in plan.studies if study.failure is None and _is_short(plan.folder, study)]
    if limit_s is None or not short:
        return
    over = [study for study in short if _seconds(plan.folder, study) >= limit_s]
    why = f"The time limit of the run, {plan.config.timeout_s:g} s for all searches, is used up"
    remedy = "Give a longer one with --timeout (in Python: timeout_s=)."
    if is_complete and len(over) == len(short):
        raise UsageError(f"{why}, so no further trial would start. {remedy}")
    if over and listener is not None:
        names = ", ".join(f"{study.model} on {study.dataset}" for study in over)
        listener(Notice(f"{why} for {names}: there, no further trial starts. {remedy}", "warning"))


def check_studies(plan: Plan, earlier: Results | None, started_in: str) -> None:
    """Refuse to go on where results would be replaced by a failure: a plugin is gone or broken now.

    Parameters
    ----------
    plan : Plan
    earlier : Results or None
    started_in : str
        The folder in which the run was started: packages of that folder are found only there.

    Raises
    ------
    PluginError
        Of a study that has results; nothing was written.
    """
    now = {(study.model, study.dataset): study for study in plan.studies}
    for study in earlier.studies if earlier is not None else ():
        if (study.model, study.dataset) not in now and (study.status == "complete" or study.trials):
            raise PluginError(
                f"The run has results of {study.model} on {study.dataset}, and its plugin is not installed any "
                "more. The run is as it was. Install the plugin again, then resume."
            )
    is_elsewhere = bool(started_in) and started_in != str(Path.cwd())
    elsewhere = (
        f" It was started in '{started_in}': resume it there if a package lies there." if is_elsewhere else ""
    )
    has_results = {(s.model, s.dataset) for s in earlier.studies if s.trials} if earlier is not None else set()
    for pair, planned in now.items():
        if planned.failure is not None and (
            pair in has_results or kept_numbers(trials_folder(plan.folder, *pair))
        ):
            raise PluginError(
                f"The run has results of {planned.model} on {planned.dataset}, which cannot run now. "
                f"{planned.failure.message} The run is as it was. Mend that, then resume.{elsewhere}"
            )


def same_studies(plan: Plan, earlier: Results | None) -> Plan:
    """Leave out what was not part of the run: a model that was installed since."""
    pairs = {(study.model, study.dataset) for study in earlier.studies} if earlier is not None else set()
    studies = tuple(study for study in plan.studies if not pairs or (study.model, study.dataset) in pairs)
    names = {study.dataset for study in studies}
    return replace(plan, studies=studies, datasets=tuple(data for data in plan.datasets if data.name in names))


def without_known(listener: Listener | None, earlier: Results | None) -> Listener | None:
    """Return a listener that does not hear again what was found in the data when the run began."""
    if listener is None or earlier is None:
        return listener
    known = {f"{dataset.name}: {check.text}" for dataset in earlier.datasets for check in dataset.data_checks}

    def hear(event: Event) -> None:
        if not (isinstance(event, Notice) and event.text in known):
            listener(event)

    return hear


def check_data_folders(config: RunConfig) -> None:
    """Refuse where a folder of images is gone, or that of a stored data set, as the user's own arrays become one.

    Raises
    ------
    ResultsError
        The message names the folder.
    """
    for name in config.datasets:
        path = Path(name)
        if path.is_absolute() and ":" not in name and not (is_own_file(name) or path.is_dir()):
            if not is_stored_folder(name):
                raise ResultsError(f"The data of the run are gone: there is no folder '{path}'. Bring it back.")
            raise ResultsError(
                f"The data of the run are gone: they were stored in '{path}', in the cache. Bring that folder "
                "back, or start a new run with the same data."
            )


def check_data(dataset: PlannedDataset, run_file: RunFile, folder: Path) -> None:
    """Refuse to mix trials on different data.

    Raises
    ------
    ResultsError
        The data are not those of the run, or cannot be had.
    """
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


def _n_trials(folder: Path, study: StudyRecord) -> int:
    """Return how many trials of a study ended; results.json may be older than the committed ones."""
    recorded = sum(not was_interrupted(trial) for trial in study.trials)
    return max(recorded, len(kept_numbers(trials_folder(folder, study.model, study.dataset))))


def _is_short(folder: Path, study: PlannedStudy) -> bool:
    return len(kept_numbers(trials_folder(folder, study.model, study.dataset))) < study.n_trials


def _seconds(folder: Path, study: PlannedStudy) -> float:
    """Return the seconds of wall time that the trials of a study took, added up."""
    where = trials_folder(folder, study.model, study.dataset)
    found = (kept_trial(where, number) for number in kept_numbers(where))
    records = [kept.record for kept in found if kept is not None]
    return sum((record.finished_s or 0.0) - (record.started_s or 0.0) for record in records)
