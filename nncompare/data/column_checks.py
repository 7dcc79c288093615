"""What the columns of a table must be like: as many as features, codes that name categories, nothing infinite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from nncompare.data.arrays import chunks
from nncompare.data.records import Array, Column, Samples

__all__ = ["Fault", "find_column_fault", "find_value_fault"]

Fault: TypeAlias = tuple[str, str]
"""What is wrong, and what to do."""


def find_column_fault(columns: Any) -> Fault | None:
    """Return what is wrong with the columns themselves, whatever the values are; None where nothing is.

    Parameters
    ----------
    columns : object
        As a data set brought it; a sequence of :class:`~nncompare.data.records.Column` is expected.
    """
    if not isinstance(columns, Sequence) or not all(isinstance(column, Column) for column in columns):
        return f"columns is an object of type {type(columns).__name__}", "Give a list of nncompare.plugin.Column"
    names = [column.name for column in columns]
    if not all(_is_text(name) for name in names):
        return "columns holds a name that is no text", "Name each column by a str"
    if len(set(names)) < len(names):
        return "columns holds a name twice", "Give each column a name of its own"
    for column in columns:
        known = column.categories
        if known is None:
            continue
        if not isinstance(known, tuple) or not known or not all(_is_text(name) for name in known):
            return f"the categories of column '{column.name}' are no tuple of texts", "Give a tuple of str"
        if len(set(known)) < len(known):
            return f"the categories of column '{column.name}' hold a name twice", "Name each category once"
    return None


def find_value_fault(columns: Sequence[Column], X: Samples) -> Fault | None:
    """Return the first value that a table with columns cannot hold, or what else is wrong; None where nothing is.

    Parameters
    ----------
    columns : sequence of Column
    X : ndarray or ChosenRows of shape (n_samples, n_features), float64
        NaN is a missing value.
    """
    if X.shape[1] != len(columns):
        return f"{X.shape[1]} features have {len(columns)} columns", "Give one Column per feature"
    found = (
        _value_fault(column, chunk[:, k], rows.start)
        for rows, chunk in chunks(X)
        for k, column in enumerate(columns)
    )
    return next((fault for fault in found if fault is not None), None)


def _value_fault(column: Column, values: Array, first: int) -> Fault | None:
    """Return what is wrong with consecutive values of a column, of which ``first`` is the row of the first."""
    bad = np.isinf(values)
    if bad.any():
        row = first + int(bad.argmax())
        return f"column '{column.name}', row {row}: a value is infinite", "Give a number or NaN"
    if column.categories is None:
        return None
    known = ~np.isnan(values)
    bad = known & ((values < 0) | (values >= len(column.categories)) | (values != np.floor(values)))
    if not bad.any():
        return None
    place = int(bad.argmax())
    what = f"column '{column.name}', row {first + place}: {values[place]:g} is not the position of a category"
    return what, f"Give whole numbers from 0 to {len(column.categories) - 1}, or NaN"


def _is_text(name: object) -> bool:
    """Tell whether ``name`` is a text that UTF-8 can hold."""
    if not isinstance(name, str):
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
