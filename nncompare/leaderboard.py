"""Results as pandas tables: one row per model and reference, one row per trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nncompare.results import DatasetRecord, Interval, ReferenceRecord, Results, StudyRecord, TrialRecord

if TYPE_CHECKING:
    import pandas as pd

# pandas shows both ends of a table that is wide: scores first, and nothing wide at the end.
COLUMNS = {
    "model": "object",
    "test_accuracy": "float64",
    "accuracy_low": "float64",
    "accuracy_high": "float64",
    "dataset": "object",
    "macro_f1": "float64",
    "log_loss": "float64",
    "is_reference": "bool",
    "status": "object",
    "reason": "object",
    "best_params": "object",
    "fit_time_s": "float64",
    "fit_cpu_s": "float64",
    "latency_ms": "float64",
    "n_parameters": "Int64",
    "size_bytes": "Int64",
    "trials_complete": "Int64",
    "trials_pruned": "Int64",
    "trials_failed": "Int64",
    "macro_f1_low": "float64",
    "macro_f1_high": "float64",
    "log_loss_low": "float64",
    "log_loss_high": "float64",
}
TRIAL_COLUMNS = {
    "dataset": "object",
    "model": "object",
    "number": "int64",
    "state": "object",
    "valid_log_loss": "float64",
    "valid_accuracy": "float64",
    "epochs": "int64",
    "best_epoch": "Int64",
    "fit_time_s": "float64",
    "fit_cpu_s": "float64",
    "peak_memory_mb": "float64",
    "params": "object",
    "reason": "object",
}


def leaderboard(results: Results) -> pd.DataFrame:
    """Return the test scores of all studies and references.

    Parameters
    ----------
    results : Results

    Returns
    -------
    pandas.DataFrame
        One row per study and reference, by data set in the order of the run and by falling ``test_accuracy``, rows
        without a score last. ``accuracy_low`` and ``accuracy_high`` bound the 95 % interval, as those of the other
        scores do; scores are fractions, ``log_loss`` is in nats, ``fit_time_s`` and ``fit_cpu_s`` are means over
        the refits. ``best_params`` is a dict. What is not known is NaN, ``<NA>`` or empty, and ``reason`` says why
        a study has no scores.
    """
    rows: list[dict[str, Any]] = []
    for dataset in results.datasets:
        rows += sorted(_rows_of(dataset, results.studies), key=lambda row: -row.get("test_accuracy", -1.0))
    return _frame(rows, COLUMNS)


def trials(results: Results) -> pd.DataFrame:
    """Return every trial of every study, in the order in which they were started.

    Returns
    -------
    pandas.DataFrame
        One row per trial; ``valid_log_loss`` is what the search minimises, ``params`` is a dict, and ``reason``
        says why a trial failed.
    """
    rows = [_trial(study, trial) for study in results.studies for trial in study.trials]
    return _frame(rows, TRIAL_COLUMNS)


def _frame(rows: list[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    data = {name: pd.Series([row.get(name) for row in rows], dtype=dtype) for name, dtype in columns.items()}
    return pd.DataFrame(data)


def _rows_of(dataset: DatasetRecord, studies: Sequence[StudyRecord]) -> Iterator[dict[str, Any]]:
    for study in studies:
        if study.dataset == dataset.name:
            yield _study(study)
    for reference in dataset.references:
        yield {"dataset": dataset.name, **_reference(reference)}


def _study(study: StudyRecord) -> dict[str, Any]:
    budget, test = study.budget, study.test
    row: dict[str, Any] = {
        "dataset": study.dataset,
        "model": study.model,
        "is_reference": False,
        "status": study.status,
        "best_params": study.best_params,
        "reason": study.failure.message if study.failure is not None else "",
    }
    row |= {name: getattr(study, name) for name in ("fit_time_s", "fit_cpu_s", "latency_ms")}
    row |= {name: getattr(study, name) for name in ("n_parameters", "size_bytes")}
    if budget is not None:
        row |= {name: getattr(budget, name) for name in ("trials_complete", "trials_pruned", "trials_failed")}
    return row if test is None else row | _scores(test.accuracy, test.macro_f1, test.log_loss)


def _reference(reference: ReferenceRecord) -> dict[str, Any]:
    return {
        "model": reference.name,
        "is_reference": True,
        "status": "complete" if reference.failure is None else "failed",
        "best_params": {},
        "reason": reference.failure.message if reference.failure is not None else "",
        **_scores(reference.test_accuracy, reference.macro_f1, reference.log_loss),
    }


def _scores(accuracy: Interval | None, macro_f1: Interval | None, log_loss: Interval | None) -> dict[str, float]:
    known = {"accuracy": accuracy, "macro_f1": macro_f1, "log_loss": log_loss}
    found: dict[str, float] = {}
    for name, value in known.items():
        if value is not None:
            mean = "test_accuracy" if name == "accuracy" else name
            found |= {mean: value.mean, f"{name}_low": value.low, f"{name}_high": value.high}
    return found


def _trial(study: StudyRecord, trial: TrialRecord) -> dict[str, Any]:
    reason = trial.failure.message if trial.failure is not None else ""
    known = {name: getattr(trial, name) for name in TRIAL_COLUMNS if hasattr(trial, name)}
    return {**known, "dataset": study.dataset, "model": study.model, "reason": reason}
