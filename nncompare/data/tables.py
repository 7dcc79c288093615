"""Tables of the user: what each column holds, as the training part tells."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nncompare.data.column_kinds import ADVICE, DATES, are_dates, refused_kind
from nncompare.data.encoding import check_size, numbers_in, text_among_numbers, texts
from nncompare.data.records import Array, Column
from nncompare.data.source import Source, listed
from nncompare.data.texts import is_long
from nncompare.exceptions import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "NUMBERS_ROWS",
    "Recognised",
    "check_apart",
    "check_names",
    "column_names",
    "find_column",
    "find_target",
    "is_frame",
    "recognise",
]

MOSTLY_NUMBERS = 0.8
MOST_DISTINCT_TEXTS = 50
FEWEST_SHUFFLED = 50
"""Rows from which whole numbers in any order, each once and no wider, are taken for numbers of the rows."""
NUMBERS_ROWS = "numbers the rows"
LIKE_IDENTIFIERS = "integers that differ by less than a float can tell, as identifiers do"
_TARGET_NAMES = ("target", "class", "label", "species", "y")
_SIMILAR = 0.7
_AT_AN_END = 5
_INTEGER = re.compile(r"[-+]?\d+")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")


@dataclass(slots=True)
class Recognised:
    """What the columns of a table hold.

    Parameters
    ----------
    columns : list of Column
        Those that are kept.
    left_out : list of (name, reason)
    n_gaps : int
        Missing values in what is kept.
    texts : list of str
        Those of ``left_out`` that hold texts of several words, which could be read instead.
    """

    columns: list[Column] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    n_gaps: int = 0
    texts: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """Return what was recognised: ``12 numeric and 2 categorical columns, 31 missing values``."""
        n_categorical = sum(column.categories is not None for column in self.columns)
        kinds = [(len(self.columns) - n_categorical, "numeric"), (n_categorical, "categorical")]
        text = " and ".join(f"{n} {kind}" for n, kind in kinds if n)
        last = n_categorical or len(self.columns)
        text = f"{text} column{'s' if last > 1 else ''}"
        return (
            text if not self.n_gaps else f"{text}, {self.n_gaps:,} missing value{'s' if self.n_gaps > 1 else ''}"
        )

    def describe_left_out(self) -> str:
        """Return which columns are left out and why, to append to a sentence; empty where none is."""
        reasons = [f"'{name}' ({reason})" for name, reason in self.left_out]
        return "; ".join(["", f"left out: {listed(reasons)}", *self.advice()]) if reasons else ""

    def advice(self) -> list[str]:
        """Return what can be made of columns that are left out."""
        kinds = dict.fromkeys(reason for _, reason in self.left_out if reason in ADVICE)
        of_kinds = [f"to use {kind}, {ADVICE[kind]}" for kind in kinds]
        return [*of_kinds, *map(_how_to_read, self.texts[:1])]


def is_frame(value: object) -> bool:
    """Tell whether ``value`` is a pandas DataFrame, without importing pandas."""
    return type(value).__module__.partition(".")[0] == "pandas" and type(value).__name__ == "DataFrame"


def column_names(frame: pd.DataFrame) -> list[str]:
    """Return the names of a DataFrame's columns as text; those of several levels as Python writes them."""
    return [str(name) for name in frame.columns]


def check_names(names: Sequence[str], source: Source) -> None:
    """Check that each column has a name of its own.

    Raises
    ------
    DataError
        A name is empty, or two columns have the same.
    """
    for k, name in enumerate(names):
        if not name:
            raise source.fault(f"column {k + 1} has no name", "Name it in the header, or delete the column")
    check_apart(names, source)


def check_apart(names: Sequence[str], source: Source) -> None:
    """Check that no two columns that have a name have the same one.

    Raises
    ------
    DataError
        Two have; the message says which.
    """
    for k, name in enumerate(names):
        if name and names.index(name) != k:
            raise source.fault(
                f"columns {names.index(name) + 1} and {k + 1} are both called '{name}'", "Rename one of them"
            )


def _first_and_last(names: Sequence[str]) -> str:
    """Return the names of columns in one line, of many those at both ends: the target is often the last."""
    if len(names) <= 2 * _AT_AN_END:
        return listed(names)
    return f"{listed(names[:_AT_AN_END])}, …, {listed(names[-_AT_AN_END:])} ({len(names):,} in all)"


def find_target(names: Sequence[str], target: str | None, source: Source) -> str:
    """Return the column of classes.

    Raises
    ------
    UsageError
        None was named, or there is none of that name; the message gives the nearest and lists them.
    """
    if target is not None:
        return find_column(names, target, source)
    by_lower = {name.lower(): name for name in names}
    likely = next((by_lower[name] for name in _TARGET_NAMES if name in by_lower), None)
    hint = f"--target {_shell(likely)}" if likely else "--target and its name"
    known = f"Its columns are {_first_and_last(list(names))}"
    raise UsageError(f"{source.name} needs a column of classes. Add {hint} (in Python: target=...). {known}.")


def find_column(names: Sequence[str], name: str, source: Source) -> str:
    """Return the column of this name.

    Raises
    ------
    UsageError
        There is none; the message gives the nearest and lists them.
    """
    if name in names:
        return name
    by_lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=_SIMILAR)
    hint = f"Did you mean '{by_lower[near[0]]}'? " if near else ""
    known = f"Its columns are {_first_and_last(list(names))}"
    raise UsageError(f"{source.name} has no column '{name}'. {hint}{known}.")


def recognise(frame: pd.DataFrame, names: Sequence[str], source: Source, rows: Array | None = None) -> Recognised:
    """Tell what the columns hold, and leave out those that can teach nothing.

    Parameters
    ----------
    frame : DataFrame
        Without the target; text, numbers, bool or categories.
    names : sequence of str
        Of its columns.
    source : Source
    rows : ndarray of int64, optional
        The training part, which alone tells what a column is and whether it is left out. All rows by default.

    Raises
    ------
    DataError
        A column has no values, holds text among numbers or one that is infinite, or none is left.
    """
    found = Recognised()
    rows = np.arange(len(frame)) if rows is None else np.asarray(rows)
    told_by = replace(source, rows=rows)
    for k, name in enumerate(names):
        series = frame.iloc[:, k]
        told = series.iloc[rows]
        if told.isna().all() and not series.isna().all():
            found.left_out.append((name, "no values in the training part"))
            continue
        kind = refused_kind(told)
        if kind:
            found.left_out.append((name, kind))
            continue
        column = _column(name, told, told_by)
        reason = _why_left_out(column, told, rows, len(frame))
        if reason:
            found.left_out.append((name, reason))
            n_distinct = len(column.categories or ())
            found.texts += [name] if n_distinct > MOST_DISTINCT_TEXTS and is_long(texts(told)) else []
        else:
            found.columns.append(_with_all_categories(column, series))
            found.n_gaps += int(series.isna().sum())
    if not found.columns:
        reasons = ", ".join(f"'{name}' {reason}" for name, reason in found.left_out[:5])
        raise source.fault(
            f"no column is left to learn from: {reasons or 'there is but the target'}",
            "; ".join(["Add features", *found.advice()]),
        )
    return found


def _column(name: str, series: pd.Series[Any], source: Source) -> Column:
    """Return what a column holds; numbers written as text are numbers, bool and categories are not."""
    present = series.notna().to_numpy()
    n_present = int(present.sum())
    if n_present == 0:
        raise source.fault(f"column '{name}' has no values at all", "Delete the column, or fill it in")
    if str(series.dtype) == "category" or series.dtype.kind == "b" or _holds_bool(series):
        return Column(name=name, categories=_categories(series))
    numbers = numbers_in(series)
    is_number = present & ~np.isnan(numbers)
    n_numbers = int(is_number.sum())
    if n_numbers == n_present:
        check_size(name, numbers, source)  # a column of nothing else would be left out as the same everywhere
        return Column(name=name)
    if n_numbers >= MOSTLY_NUMBERS * n_present:
        raise text_among_numbers(name, series, int((present & ~is_number).argmax()), source)
    column = Column(name=name, categories=_categories(series))
    with_comma = (k for k, text in enumerate(texts(series)) if text is not None and _DECIMAL_COMMA.fullmatch(text))
    row = next(with_comma, None)
    if row is not None and all(_is_decimal_comma(text) for text in column.categories or ()):
        raise source.fault(
            f"column '{name}' holds numbers with a decimal comma, such as {str(series.iloc[row])!r} in "
            f"{source.place(row)}",
            "Write them with a point",
        )
    return column


def _with_all_categories(column: Column, series: pd.Series[Any]) -> Column:
    """Return a column that names the categories of all rows: what each becomes is fitted on the training rows."""
    return column if column.categories is None else replace(column, categories=_categories(series))


def _why_left_out(column: Column, series: pd.Series[Any], rows: Array, n_rows: int) -> str:
    """Return why a column, known in these ``rows`` of ``n_rows``, can teach nothing; empty where it may."""
    has_gaps = bool(series.isna().any())
    if column.categories is not None:
        if are_dates(column.categories):
            return DATES
        n_distinct = len(column.categories)
        if n_distinct > MOST_DISTINCT_TEXTS and 2 * n_distinct > len(series):
            return f"{n_distinct:,} different texts"
        return "the same everywhere" if n_distinct == 1 and not has_gaps else ""
    if has_gaps:
        return ""
    values = numbers_in(series)
    if (values == values[0]).all():
        return LIKE_IDENTIFIERS if _differ_as_integers(series) else "the same everywhere"
    if (values != np.floor(values)).any():
        return ""
    in_order = bool((values - rows == values[0] - rows[0]).all())
    each_once = len(np.unique(values)) == len(values) and np.ptp(values) < n_rows
    return NUMBERS_ROWS if in_order or (n_rows >= FEWEST_SHUFFLED and each_once) else ""


def _is_decimal_comma(text: str) -> bool:
    """Tell whether a text is a number with a decimal comma, or a whole one beside such."""
    return _DECIMAL_COMMA.fullmatch(text) is not None or _INTEGER.fullmatch(text) is not None


def _differ_as_integers(series: pd.Series[Any]) -> bool:
    """Tell whether whole numbers that are equal as floats, as 2**63 and 2**63 + 1 are, differ as they stand."""
    whole = {int(text) for text in texts(series) if text is not None and _INTEGER.fullmatch(text)}
    return len(whole) > 1


def _categories(series: pd.Series[Any]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts(series) if text is not None}))


def _holds_bool(series: pd.Series[Any]) -> bool:
    return series.dtype == object and any(isinstance(value, bool | np.bool_) for value in series)


def _how_to_read(name: str) -> str:
    in_python = f"in Python: text={name!r}, or X=X[{name!r}] and view='tokens'"
    return f"--text {_shell(name)} reads the texts of that column instead ({in_python})"


def _shell(name: str) -> str:
    return f"'{name}'" if re.search(r"[^\w.-]", name) else name
