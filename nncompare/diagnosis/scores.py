"""Whether the values of results.json can be, and whether the report shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import isclose
from statistics import fmean
from typing import Any

from nncompare.choice import chosen_trial
from nncompare.diagnosis.records import Finding
from nncompare.diagnosis.subject import Subject
from nncompare.exceptions import ResultsError
from nncompare.layout import REPORT, RESULTS
from nncompare.report import results_in
from nncompare.results import Results, was_interrupted

__all__ = ["check_report", "check_values", "contradictions"]

_FRACTIONS = {
    "accuracy", "average_precision", "balanced_accuracy", "ece", "f1", "macro_f1", "precision", "probability",
    "recall", "roc_auc", "test_accuracy", "valid_accuracy", "weighted_f1",
}  # fmt: skip
_LOSSES = {"brier", "log_loss", "valid_log_loss"}
_COUNTED = ("n_", "trials_")
_MEASURED = ("_s", "_mb", "_ms", "_bytes", "_used", "_samples", "epochs", "support")
_FREE = {
    "best_params", "curve", "environment", "importance", "params", "pinned", "pins", "row", "series", "space",
    "suggested",
}  # fmt: skip
"""What plugins, machines and data say, which may be any number."""
_MOST = 5


def check_values(subject: Subject) -> Iterator[Finding]:
    """Tell of values that cannot be, each with its place, and of records that make no report."""
    if subject.results is None:
        return
    path = subject.folder / RESULTS
    wrong = list(_out_of_range(subject.results.model_dump(mode="json"), ""))
    remedy = "It was edited or damaged: restore it from a copy, or run again."
    for where, value, expected in wrong[:_MOST]:
        yield subject.finding(
            "results-range", path, f"{where} is {value!r}, where {expected} is expected.", remedy
        )
    if wrong[_MOST:]:
        what = f"{len(wrong) - _MOST} more values of it cannot be."
        yield subject.finding("results-range", path, what, remedy)
    found = contradictions(subject.results)
    for what in found[:_MOST]:
        yield subject.finding("results-contradict", path, what, remedy)
    if not found and isinstance(error := subject.page, Exception):
        reason = f"{type(error).__name__}: {error}"
        yield subject.finding("results-contradict", path, f"No report can be made of it: {reason}.", remedy)


def check_report(subject: Subject) -> Iterator[Finding]:
    """Tell whether the report is there and shows what results.json says."""
    if subject.results is None:
        return
    path, remedy = subject.folder / REPORT, f"Write it again: {subject.resume.replace('resume', 'report', 1)}"
    try:
        page = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        yield subject.finding("report-missing", path, f"There is no {REPORT}.", remedy)
        return
    except (OSError, UnicodeDecodeError) as error:
        what = f"It cannot be read: {type(error).__name__}: {error}."
        yield subject.finding("report-old", path, what, remedy)
        return
    try:
        shown = results_in(page)
    except (ResultsError, ValueError, TypeError, LookupError) as error:
        yield subject.finding(
            "report-old", path, f"It holds no results that can be read: {str(error).rstrip('.')}.", remedy
        )
        return
    if isinstance(subject.page, str) and shown != results_in(subject.page):
        what = f"It is older than {RESULTS}, or of another version of nncompare: it shows other results."
        yield subject.finding("report-old", path, what, remedy)


def contradictions(results: Results) -> list[str]:
    """Return a sentence for each record that stands there twice, and each value that does not follow from others.

    These are the means over refits, and the finals and their choice.
    """
    return [*_twice(results), *_other_means(results), *_other_finals(results), *_other_choices(results)]


def _other_finals(results: Results) -> list[str]:
    """Tell of finals of trials that cannot have had one, and of as many as the ledger does not count."""
    sentences = []
    for study in results.studies:
        name = f"{study.model} on {study.dataset}"
        complete = {trial.number for trial in study.trials if trial.state == "complete"}
        others = sorted({final.trial for final in study.finals} - complete)
        sentences += [
            f"{name} has a final of trial {other}, which is no complete trial of it." for other in others
        ]
        ended = sum(not was_interrupted(final) for final in study.finals)
        if study.budget is not None and study.budget.finals_run != ended:
            sentences.append(
                f"{name} has {ended} finals that ended, and budget.finals_run is {study.budget.finals_run}."
            )
    return sentences


def _other_choices(results: Results) -> list[str]:
    return [
        f"best_trial of {study.model} on {study.dataset} is {study.best_trial}, and its finals chose {chosen}."
        for study in results.studies
        if (chosen := chosen_trial(study.finals)) not in (None, study.best_trial)
    ]


def _other_means(results: Results) -> list[str]:
    sentences = []
    for study in results.studies:
        for name, value in (("accuracy", "test_accuracy"), ("macro_f1", "macro_f1")):
            scores = [score for refit in study.refits if (score := getattr(refit, value)) is not None]
            if study.test is None or not scores:
                continue
            told, mean = getattr(study.test, name).mean, fmean(scores)
            if not isclose(told, mean, abs_tol=1e-9):
                sentences.append(
                    f"test.{name} of {study.model} on {study.dataset} is {told:.6g}, and the mean of its refits' "
                    f"{value} is {mean:.6g}."
                )
    return sentences


def _twice(results: Results) -> list[str]:
    pairs = Counter((study.model, study.dataset) for study in results.studies)
    sentences = [f"{model} on {dataset} stands there {n} times." for (model, dataset), n in pairs.items() if n > 1]
    for study in results.studies:
        numbers = Counter(trial.number for trial in study.trials)
        sentences += [
            f"Trial {number} of {study.model} on {study.dataset} stands there {n} times."
            for number, n in numbers.items()
            if n > 1
        ]
        finals = Counter(final.trial for final in study.finals)
        sentences += [
            f"The final of trial {number} of {study.model} on {study.dataset} stands there {n} times."
            for number, n in finals.items()
            if n > 1
        ]
    return sentences


def _out_of_range(value: Any, where: str, name: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yield the place of each number that cannot be, with the number and what is expected."""
    if isinstance(value, dict):
        if {"mean", "low", "high"} <= value.keys() and not value["low"] <= value["mean"] <= value["high"]:
            yield where, [value["low"], value["mean"], value["high"]], "an interval around its mean"
        for key, item in value.items():
            if key not in _FREE:
                inner = name if key in {"mean", "low", "high"} else key
                yield from _out_of_range(item, f"{where}.{key}" if where else key, inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _out_of_range(item, f"{where}.{index}", name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if name in _FRACTIONS and not 0 <= value <= 1:
            yield where, value, "a number from 0 to 1"
        elif value < 0 and _is_measured(name):
            yield where, value, "a number from 0"


def _is_measured(name: str) -> bool:
    return name in _LOSSES or name.startswith(_COUNTED) or name.endswith(_MEASURED)
