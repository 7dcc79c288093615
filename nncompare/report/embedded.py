"""The results inside the page: packed into columns, gzip, base64; the script of the page and Python unpack them.

They are what the page is drawn from, no more: numbers are rounded so that none on the page changes, and what the
page does not show is left out (`shown` says what). What was taken out of a page renders to the same bytes.

A list is written with a tag in front: ``[0, [name, …], [column, …]]`` for records with the same names, where a
whole number stands for an equal column before; ``[1, d, first, …]`` for numbers with at most ``d`` decimals, as
differences of whole numbers; ``[2, …]`` for anything else. A mapping some of whose names are whole numbers, which
JavaScript would put first, is written as ``[3, [name, value], …]``.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from itertools import accumulate, pairwise
from typing import Any

from nncompare.exceptions import ResultsError
from nncompare.report.mistakes import SHOWN as MISTAKES_SHOWN
from nncompare.report.training import curves
from nncompare.results import Curve, RefitRecord, Results, StudyRecord, TrialRecord

RECORDS, NUMBERS, VALUES, PAIRS = 0, 1, 2, 3
FEWEST_DIGITS, MOST_DIGITS = 4, 9
MOST_DECIMALS = 4
EXACT = 2**53
SHOWN = (".4f", ".2f", ".1f", ".0f", ".4g", ".3g")
NOT_SHOWN_OF_TRIAL: dict[str, Any] = {
    "suggested": {}, "seed": None, "fit_time_s": None, "first_batch_s": None, "peak_memory_mb": None,
    "started_s": None, "finished_s": None,
}  # fmt: skip
NOT_SHOWN_OF_REFIT: dict[str, Any] = {
    "per_class": [], "confusion_matrix": [], "predictions": None, "model": None, "manifest_sha256": None,
    "fit_time_s": None, "first_batch_s": None, "predict_time_s": None,
}  # fmt: skip
NOT_SHOWN_OF_FINAL: dict[str, Any] = {
    "seed": None, "valid_accuracy": None, "best_epoch": None, "fit_time_s": None, "fit_cpu_s": None,
    "peak_memory_mb": None, "curve": Curve(),
}  # fmt: skip
WHOLE = re.compile(r"[0-9]+")
HOLDER = re.compile(r'<template id="results">([A-Za-z0-9+/=]*)</template>')


def shown(results: Results) -> dict[str, Any]:
    """Return the JSON values of results without what the report does not show, with as few digits as it needs.

    Left out are the curves and the mistakes that are not drawn, the accuracy along those that are, the seeds and
    memory of trials, the clock times of trials and refits, all but the losses of finals, the scores by class of
    each single refit, the names of files beside the report, and the fingerprint of the rows of a search. Doing it
    twice changes nothing.
    """
    kept = results.model_copy(update={"studies": [_study(study) for study in results.studies]})
    values: dict[str, Any] = _rounded(kept.model_dump(mode="json"))
    return values


def _study(study: StudyRecord) -> StudyRecord:
    drawn = [run.curve for run in curves(study)]
    trials = [trial.model_copy(update=NOT_SHOWN_OF_TRIAL | _curve(trial, drawn)) for trial in study.trials]
    refits = [refit.model_copy(update=NOT_SHOWN_OF_REFIT | _curve(refit, drawn)) for refit in study.refits]
    finals = [final.model_copy(update=NOT_SHOWN_OF_FINAL) for final in study.finals]
    mistakes = study.mistakes[:MISTAKES_SHOWN]
    update = {"trials": trials, "finals": finals, "refits": refits, "mistakes": mistakes, "search_fingerprint": ""}
    return study.model_copy(update=update)


def _curve(record: TrialRecord | RefitRecord, drawn: list[Curve]) -> dict[str, Any]:
    """Return what leaves the losses of a curve that is drawn, and nothing of any other."""
    if any(record.curve is curve for curve in drawn):
        return {"curve": record.curve.model_copy(update={"valid_accuracy": []})}
    return {"curve": Curve()} | ({"best_epoch": None} if isinstance(record, TrialRecord) else {})


def encode(values: dict[str, Any]) -> str:
    """Return what ``shown`` made as base64 text."""
    text = json.dumps(pack(values), separators=(",", ":"), ensure_ascii=False)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31, 9)
    return base64.b64encode(packer.compress(text.encode("utf-8", "surrogatepass")) + packer.flush()).decode()


def results_in(html: str) -> Results:
    """Return the results that a report holds.

    Raises
    ------
    ResultsError
        The text is not a report of nncompare, or its results are damaged.
    """
    found = HOLDER.search(html)
    if found is None:
        raise ResultsError("This is not a report of nncompare with results inside: it has no element 'results'.")
    try:
        text = zlib.decompress(base64.b64decode(found.group(1)), 31)
    except (ValueError, zlib.error) as error:
        raise ResultsError(f"The results inside the report are damaged: {error}.") from error
    return Results.from_json(json.dumps(unpack(json.loads(text))), "The report")


def _rounded(value: Any) -> Any:
    """Return a JSON value with shorter numbers; a whole one loses its point, as it does in JavaScript."""
    if isinstance(value, float):
        short = value if value.is_integer() else shortest(value)
        return int(short) if short.is_integer() and abs(short) < EXACT else short
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def shortest(value: float) -> float:
    """Return the number with few digits, at least 4, that every format of the report shows alike.

    Rounding twice can take away one more digit, so it goes on until nothing changes: what is short stays as it is.
    """
    while (short := _shorter(value)) != value:
        value = short
    return value


def _shorter(value: float) -> float:
    if float(f"{value:.{FEWEST_DIGITS}g}") == value:
        return value
    said = _said(value)
    tried = (float(f"{value:.{digits}g}") for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1))
    return next((short for short in tried if _said(short) == said), value)


def _said(value: float) -> list[str]:
    return [*(format(value, form) for form in SHOWN), f"{100 * value:.1f}"]


def pack(value: Any) -> Any:
    """Return a JSON value with its lists tagged, records as columns and numbers as differences."""
    if isinstance(value, dict):
        packed = {name: pack(item) for name, item in value.items()}
        return [PAIRS, *map(list, packed.items())] if any(map(WHOLE.fullmatch, packed)) else packed
    if not isinstance(value, list):
        return value
    if len(value) > 1 and all(isinstance(item, dict) and list(item) == list(value[0]) for item in value):
        return [RECORDS, list(value[0]), _columns(value)] if value[0] else [VALUES, *value]
    differences = _differences(value)
    return [VALUES, *map(pack, value)] if differences is None else differences


def _columns(records: list[dict[str, Any]]) -> list[Any]:
    columns = [[record[name] for record in records] for name in records[0]]
    first = [next(k for k, one in enumerate(columns) if _equal(one, column)) for column in columns]
    return [pack(column) if k == at else at for k, (at, column) in enumerate(zip(first, columns, strict=True))]


def _equal(one: list[Any], other: list[Any]) -> bool:
    """Return whether two columns are equal; 1 and True are not."""
    return one == other and json.dumps(one) == json.dumps(other)


def _differences(values: list[Any]) -> list[Any] | None:
    """Return numbers as differences where that gives them back exactly, else None."""
    if len(values) < 3 or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return None
    for decimals in range(MOST_DECIMALS + 1):
        whole = [round(v * 10**decimals) for v in values]
        if all(abs(n) < EXACT and n / 10**decimals == v for n, v in zip(whole, values, strict=True)):
            ascending = all(a <= b for a, b in pairwise(whole))
            steps = [whole[0], *(b - a for a, b in pairwise(whole))]
            return [NUMBERS, decimals, *steps] if decimals or ascending else None
    return None


def unpack(value: Any) -> Any:
    """Return what ``pack`` was given."""
    if isinstance(value, dict):
        return {name: unpack(item) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    tag, *rest = value
    if tag == VALUES:
        return [unpack(item) for item in rest]
    if tag == NUMBERS:
        decimals, *steps = rest
        return [n / 10**decimals if n % 10**decimals else n // 10**decimals for n in accumulate(steps)]
    if tag == PAIRS:
        return {name: unpack(item) for name, item in rest}
    names, packed = rest
    columns: list[list[Any]] = []
    for column in packed:
        columns.append(columns[column] if isinstance(column, int) else unpack(column))
    return [dict(zip(names, items, strict=True)) for items in zip(*columns, strict=True)]
