"""Tables of series, one row for each step: which rows are one series, in which order, and all as one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nncompare.data.encoding import check_size, numbers_in, texts
from nncompare.data.records import Array
from nncompare.data.source import Source
from nncompare.data.split_columns import SplitColumn

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Series", "as_array", "read_features", "sort_series"]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The rows of a table, sorted into series.

    Parameters
    ----------
    ids : list of str
        What tells each series, in the order in which they begin in the table.
    order : ndarray of shape (n_rows,), int64
        The rows, series by series, each in the order of time.
    offsets : ndarray of shape (n_series + 1,), int64
        Series ``i`` has the rows ``order[offsets[i]:offsets[i + 1]]``.
    """

    ids: list[str]
    order: Array
    offsets: Array

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> Array:
        """Number of steps of each series."""
        return np.diff(self.offsets)

    @property
    def first_rows(self) -> Array:
        """The row of the first step of each series."""
        first: Array = self.order[self.offsets[:-1]]
        return first

    def rows_of(self, series: Array) -> Array:
        """Return the rows of some series, of shape (n_rows,), series by series."""
        chosen: Array = self.order[np.repeat(np.isin(np.arange(len(self)), series), self.lengths)]
        return chosen

    def one_each(self, labels: Array, target: str, source: Source) -> Array:
        """Return the label of each series, which is that of all its rows.

        Parameters
        ----------
        labels : ndarray of shape (n_rows,), object
        target : str
            The column that holds them.
        source : Source

        Raises
        ------
        DataError
            A series has two.
        """
        of_series = np.repeat(self.first_rows, self.lengths)
        other = np.flatnonzero(labels[self.order] != labels[of_series])
        if len(other):
            row, first = int(self.order[other[0]]), int(of_series[other[0]])
            place = int(np.searchsorted(self.offsets, other[0], side="right")) - 1
            raise source.fault(
                f"column '{target}' varies within the series '{self.ids[place]}': '{labels[first]}' in "
                f"{source.place(first)} and '{labels[row]}' in {source.place(row)}",
                "With --group and --time together each group is one series, of one class: leave one of the two "
                "out to split rows by the other",
            )
        return np.asarray(labels[self.first_rows])


def sort_series(groups: pd.Series[Any], times: pd.Series[Any], columns: tuple[str, str], source: Source) -> Series:
    """Sort the rows of a table into series.

    Parameters
    ----------
    groups, times : Series of shape (n_rows,)
        Missing values are NaN or None; times are numbers or dates.
    columns : tuple of str
        What the two are called.
    source : Source

    Raises
    ------
    DataError
        A value is missing or no time, or a series has two rows of one time.
    """
    keys = SplitColumn("group", columns[0]).keys(groups, source)
    when = SplitColumn("time", columns[1]).keys(times, source)
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    code = np.argsort(np.argsort(first))[code]
    names = texts(groups)
    order = np.lexsort((when, code))
    twice = np.flatnonzero((np.diff(code[order]) == 0) & (np.diff(when[order]) == 0))
    if len(twice):
        one, other = sorted(order[twice[0] : twice[0] + 2].tolist())
        what = (
            f"the series '{names[one]}' has two rows of one time, in {source.place(one)} and {source.place(other)}"
        )
        columns_of = f"the columns '{columns[0]}' and '{columns[1]}'"
        raise source.fault(what, f"Leave one of the rows out, or check {columns_of}")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(code))])
    return Series([str(names[row]) for row in np.sort(first)], order, offsets)


def read_features(frame: pd.DataFrame, names: Sequence[str], features: Sequence[str], source: Source) -> Array:
    """Return columns of numbers.

    Parameters
    ----------
    frame : DataFrame
        Missing values are NaN or None.
    names : sequence of str
        Of its columns.
    features : sequence of str
        Those that are wanted.
    source : Source

    Returns
    -------
    ndarray of shape (n_rows, n_features), float64

    Raises
    ------
    DataError
        A value is missing, no number, or too large for float32.
    """
    X = np.empty((len(frame), len(features)))
    for k, name in enumerate(features):
        column = frame.iloc[:, list(names).index(name)]
        values = X[:, k] = numbers_in(column)
        bad = np.isnan(values)
        if bad.any():
            row = int(bad.argmax())
            where = f"column '{name}', {source.place(row)}"
            if column.isna().iloc[row]:
                remedy = "Fill it in, such as with the value of the step before, or leave the step out"
                raise source.fault(f"{where} has no value", remedy)
            what = f"{where}: {str(column.iloc[row])[:60]!r} is no number, which all steps of series are made of"
            raise source.fault(what, "Correct it, delete the column, or make numbers of it")
        check_size(name, values, source)
    return X


def as_array(series: Series, values: Array, n_steps: int, *, is_padded: bool) -> Array:
    """Return all series as one array.

    Parameters
    ----------
    series : Series
    values : ndarray of shape (n_rows, n_features), float64
    n_steps : int
        Of longer series the last so many steps are kept; shorter ones repeat their last step.
    is_padded : bool
        Add a feature, behind the others, that is 1 where a step was there and 0 where it was repeated.

    Returns
    -------
    ndarray of shape (n_series, n_steps, n_features), or with one feature more, float32
    """
    kept = np.minimum(series.lengths, n_steps)[:, np.newaxis]
    steps = np.arange(n_steps)
    place = series.offsets[1:, np.newaxis] - kept + np.minimum(steps, kept - 1)
    X = values[series.order[place]].astype(np.float32)
    return np.concatenate([X, (steps < kept)[..., np.newaxis].astype(np.float32)], axis=2) if is_padded else X
