"""Settings that name columns of own tables: one for all tables, or one for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from nncompare.exceptions import UsageError

__all__ = ["COLUMNS", "EVERY", "Columns", "checked_columns", "column_of", "column_texts"]

Columns: TypeAlias = str | Mapping[str, str] | None
"""A column of every own table, or columns by the names of data sets, where ``"*"`` stands for all others."""

COLUMNS = ("target", "text", "group", "time")
"""The settings that name columns of own tables."""
EVERY = "*"


def column_of(columns: Columns, names: Iterable[str]) -> str | None:
    """Return the column that is meant in one table, which is known by any of ``names``; None where none is."""
    if not isinstance(columns, Mapping):
        return columns
    return next((columns[name] for name in (*names, EVERY) if name in columns), None)


def checked_columns(name: str, columns: object) -> Columns:
    """Return what names columns; a mapping as a copy of its own."""
    if not isinstance(columns, Mapping):
        if not isinstance(columns, str | None):
            raise UsageError(f"{name} is {columns!r}; a text is expected.")
        return columns
    for key, column in columns.items():
        if not (isinstance(key, str) and isinstance(column, str)):
            form = f"{name}={{'wine': 'class'}}"
            raise UsageError(f"{name} has {key!r}: {column!r}; columns by data set are expected, as in {form}.")
    return dict(columns)


def column_texts(columns: Columns) -> Iterable[str]:
    """Return all texts in what names columns."""
    if isinstance(columns, Mapping):
        return (*columns, *columns.values())
    return () if columns is None else (columns,)
