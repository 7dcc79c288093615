"""Columns that no network can learn from as they stand: dates, durations, lists; each with what to do instead."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ADVICE", "DATES", "are_dates", "refused_kind"]

DATES = "dates"
_DURATIONS, _NESTED, _BYTES = "durations", "lists or records", "bytes"
ADVICE = {
    DATES: "add columns of numbers such as their year, month, weekday or age in days",
    _DURATIONS: "add a column with their number of days or seconds",
    _NESTED: "give each of their elements a column",
    _BYTES: "decode them to text or numbers",
}
"""What to do about a kind of column that is left out."""


MOSTLY_DATES = 0.8
_MONTH, _DAY, _YEAR = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])", r"[12]\d{3}"
_TIME = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)?"
_DATE = re.compile(
    rf"(?:{_YEAR}(?P<a>[-/.]){_MONTH}(?P=a){_DAY}|{_DAY}(?P<b>[-/.]){_MONTH}(?P=b){_YEAR}"
    rf"|{_MONTH}(?P<c>[-/.]){_DAY}(?P=c){_YEAR}){_TIME}"
)
"""2024-12-31, 2024/12/31, 31.12.2024 and 12/31/2024, with a time of day behind or without."""
_CONTAINERS = (list, tuple, dict, set, np.ndarray)


def are_dates(texts: Collection[str]) -> bool:
    """Tell whether most of the texts are dates."""
    n_dates = sum(_DATE.fullmatch(text) is not None for text in texts)
    return n_dates > 0 and n_dates >= MOSTLY_DATES * len(texts)


def refused_kind(series: pd.Series[Any]) -> str:
    """Return what a column holds that is no feature, as dtype or objects tell; empty where it may be one."""
    if series.dtype.kind == "M" or str(series.dtype).startswith("period"):
        return DATES
    if series.dtype.kind == "m":
        return _DURATIONS
    if series.dtype.kind == "O" and series.dtype != "str":
        is_categorical = str(series.dtype) == "category"
        values = series.cat.categories.tolist() if is_categorical else series[series.notna()].tolist()
        if any(isinstance(value, _CONTAINERS) for value in values):
            return _NESTED
        if any(isinstance(value, bytes | bytearray) for value in values):
            return _BYTES
        if values and all(isinstance(value, date) for value in values):
            return DATES
    return ""
