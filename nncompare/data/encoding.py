"""Columns of a table as numbers, with NaN for what is missing: the same for the training and for new samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nncompare.data.records import Array, Column
from nncompare.data.source import Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_size", "encode", "numbers_in", "text_among_numbers", "texts", "without_fraction"]

_WHOLE = re.compile(r"(-?\d+)\.0+")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def encode(frame: pd.DataFrame, names: Sequence[str], columns: Sequence[Column], source: Source) -> Array:
    """Return the named columns as numbers.

    Parameters
    ----------
    frame : DataFrame
        Any columns, in any order, of these ``names``.
    names : sequence of str
    columns : sequence of Column
        What is wanted. Categories that are none of a column's have the code behind its last one: what the training
        part lacks is no missing value. ``1`` and ``1.0`` are the same one, unless the column tells them apart.
    source : Source

    Returns
    -------
    ndarray of shape (n_samples, len(columns)), float64

    Raises
    ------
    DataError
        A column of numbers holds text or an infinite value.
    """
    X = np.empty((len(frame), len(columns)))
    for k, column in enumerate(columns):
        series = frame.iloc[:, list(names).index(column.name)]
        if column.categories is None:
            X[:, k] = _encode_numbers(column.name, series, source)
        else:
            X[:, k] = _encode_categories(column.categories, series)
    return X


def numbers_in(series: pd.Series[Any]) -> Array:
    """Return a column as float64, NaN for what is missing and for what is no number."""
    import pandas as pd  # trial children import this package and must start at once

    if pd.api.types.is_numeric_dtype(series.dtype) and series.dtype.kind in "iufb":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    values = series.astype(object)
    numbers = np.array(pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
    unread, objects = np.flatnonzero(np.isnan(numbers)), values.to_numpy()
    numbers[unread] = [_number(objects[row]) for row in unread]
    return numbers


def text_among_numbers(name: str, series: pd.Series[Any], row: int, source: Source) -> Exception:
    """Return the error that names a text in a column of numbers."""
    text = str(series.iloc[row])
    fault = "is too large a number" if _NUMBER.fullmatch(text.strip()) else "is text in a numeric column"
    what = f"column '{name}', {source.place(row)}: {text[:60]!r} {fault}"
    return source.fault(what, "Correct it, or leave the cell empty where the value is missing")


def texts(series: pd.Series[Any]) -> list[str | None]:
    """Return each value as text, whole numbers without a fraction; None for what is missing."""
    present = series.notna().to_numpy()
    return [_text(value) if there else None for value, there in zip(series, present, strict=True)]


def without_fraction(text: str) -> str:
    """Return ``1`` for ``1.0`` and ``1.00``, and any other text as it is, such as ``01``."""
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text


def _encode_categories(categories: Sequence[str], series: pd.Series[Any]) -> list[float]:
    """Return codes; a whole number may be written with a fraction here and without one there."""
    exact = {name: code for code, name in enumerate(categories)}
    number = {without_fraction(name): code for name, code in exact.items()}
    none_of_them = len(categories)
    return [
        np.nan if text is None else exact.get(text, number.get(without_fraction(text), none_of_them))
        for text in texts(series)
    ]


def _number(value: object) -> float:
    """Return a number that pandas does not read for the no-break space beside it; NaN for all else."""
    if not (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        return np.nan
    number = float(value)
    return number if np.isfinite(number) else np.nan  # thousands of digits are text, such as an identifier


def _encode_numbers(name: str, series: pd.Series[Any], source: Source) -> Array:
    values = numbers_in(series)
    bad = np.isnan(values) & series.notna().to_numpy()
    if bad.any():
        raise text_among_numbers(name, series, int(bad.argmax()), source)
    check_size(name, values, source)
    return values


def check_size(name: str, values: Array, source: Source) -> None:
    """Check that a column of numbers holds none that is infinite, or that float32 cannot hold.

    Raises
    ------
    DataError
        One is; the message names its row.
    """
    bad = np.abs(values) > np.finfo(np.float32).max
    if bad.any():
        row = int(bad.argmax())
        what = f"column '{name}', {source.place(row)}: {values[row]:g} is infinite or too large"
        raise source.fault(what, "Correct it, or leave the cell empty")


def _text(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
