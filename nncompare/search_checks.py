"""What the search and the refits of one study say about how far to believe its scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from nncompare.points import counted
from nncompare.results import Budget, Check, CheckLevel, StudyRecord

__all__ = ["FEW_TRIALS", "n_failed_refits", "search_checks"]

FEW_TRIALS = 10
LATE_SHARE = 0.2
EDGE_SHARE = 0.01
DEFAULT_TRIAL = 0


def search_checks(study: StudyRecord) -> Iterator[Check]:
    """Yield what one study's search says about itself."""
    if study.budget is None:
        return
    yield from _failed_trials(study, study.budget)
    yield from _trial_timeouts(study, study.budget)
    if study.status == "complete":
        yield from _search_ended_early(study, study.budget)
        yield from _failed_finals(study)
        yield from _failed_refits(study)
        yield from _search_still_improving(study, study.budget)
        yield from _still_learning(study, study.budget)
        yield from _param_at_edge(study)


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _failed_trials(study: StudyRecord, budget: Budget) -> Iterator[Check]:
    """Count the trials that failed by themselves; those that the user stopped did not."""
    failures = [trial.failure for trial in study.trials if trial.failure is not None]
    failed = budget.trials_failed - sum(failure.category == "interrupted" for failure in failures)
    if failed > 0:
        level: CheckLevel = "problem" if failed * 2 >= budget.n_trials else "warning"
        text = f"{study.model}: {failed} of {counted(budget.n_trials, 'trial')} failed."
        yield Check(code="failed_trials", level=level, text=text)


def _trial_timeouts(study: StudyRecord, budget: Budget) -> Iterator[Check]:
    """Count the trials that the clock ended: a slow family may have lost its best configurations by it."""
    stopped = sum(trial.failure is not None and trial.failure.category == "timeout" for trial in study.trials)
    if stopped:
        text = (
            f"{study.model}: {stopped} of {counted(budget.n_trials, 'trial')} {_were(stopped)} ended by the time "
            "limit; what slower configurations would have reached is not known (--trial-timeout)."
        )
        yield Check(code="trial_timeouts", level="warning", text=text)


def _search_ended_early(study: StudyRecord, budget: Budget) -> Iterator[Check]:
    missing = budget.n_trials - len(study.trials)
    if study.trials and missing > 0:
        left = f"{missing} of {counted(budget.n_trials, 'trial')} {_were(missing)} not run"
        text = f"{study.model}: the search ended early; {left}."
        yield Check(code="search_ended_early", level="problem", text=text)


def _failed_finals(study: StudyRecord) -> Iterator[Check]:
    """Count the finals without a value; where none has one, the sample alone has chosen."""
    failed = sum(final.failure is not None for final in study.finals)
    if failed:
        last = "the choice is between the others"
        if failed == len(study.finals):
            last = f"trial {study.best_trial}, the best one on the sample, was chosen"
        finals = counted(len(study.finals), "final")
        text = f"{study.model}: {failed} of {finals} on all training rows failed; {last}."
        yield Check(code="failed_finals", level="warning", text=text)


def _failed_refits(study: StudyRecord) -> Iterator[Check]:
    failed = n_failed_refits(study)
    if failed:
        refits = counted(len(study.refits), "refit")
        text = f"{study.model}: {failed} of {refits} failed; the scores are those of the others."
        yield Check(code="failed_refits", level="problem", text=text)


def n_failed_refits(study: StudyRecord) -> int:
    """Return how many seeds of the chosen configuration gave no model."""
    return sum(refit.failure is not None for refit in study.refits)


def _search_still_improving(study: StudyRecord, budget: Budget) -> Iterator[Check]:
    """Look at the best trial of the search, whichever was chosen in the finals."""
    late_from = (1 - LATE_SHARE) * budget.n_trials
    best = study.finals[0].trial if study.finals else study.best_trial
    if best is not None and budget.n_trials >= FEW_TRIALS and best >= late_from:
        text = (
            f"{study.model}: the best trial, number {best}, was among the last of {budget.n_trials}; "
            "more trials may find a better one."
        )
        yield Check(code="search_still_improving", level="warning", text=text)


def _still_learning(study: StudyRecord, budget: Budget) -> Iterator[Check]:
    if study.best_epoch is not None and study.best_epoch >= budget.max_epochs:
        text = (
            f"{study.model}: the chosen trial was best at its last epoch, {budget.max_epochs}; "
            "with more epochs (--epochs) the order of the models may change."
        )
        yield Check(code="still_learning", level="warning", text=text)


def _param_at_edge(study: StudyRecord) -> Iterator[Check]:
    """Name searched numbers that ended at an end of their range; whole numbers often have natural ends.

    The default configuration says nothing: nobody moved its values there. A later trial that has the same value
    was drawn there, or stayed, while better ones may lie beyond.
    """
    if study.best_trial == DEFAULT_TRIAL:
        return
    best = next(
        (trial.suggested or trial.params for trial in study.trials if trial.number == study.best_trial), {}
    )
    for name, entry in study.space.items():
        value = best.get(name, study.best_params.get(name))
        if name in study.pinned or value is None or not _is_at_edge(entry, value):
            continue
        searched = f"{entry['low']:g} to {entry['high']:g}"
        text = f"{study.model}: {name} = {value:.4g} is at an end of the range that was searched, {searched}."
        level: CheckLevel = "warning" if entry["type"] == "float" else "info"
        yield Check(code="param_at_edge", level=level, text=text)


def _is_at_edge(entry: Mapping[str, Any], value: Any) -> bool:
    """Return whether a number lies within 1 % of its range's length from an end, on the scale of the search."""
    if entry.get("type") not in ("float", "int") or not isinstance(value, int | float):
        return False
    if not entry["low"] <= value <= entry["high"] or entry["low"] == entry["high"]:
        return False
    scale = math.log if entry.get("log") else float
    low, high = scale(entry["low"]), scale(entry["high"])
    position = (scale(value) - low) / (high - low)
    return not EDGE_SHARE < position < 1 - EDGE_SHARE
