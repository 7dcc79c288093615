"""New series for a trained model: a table with a row for each step, as that of the training was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from nncompare.data.native import Native
from nncompare.data.new_tables import check_columns
from nncompare.data.records import Array, Column, SeriesColumns
from nncompare.data.series import Series, as_array, read_features, sort_series
from nncompare.data.source import Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TakenSeries", "take_series"]


class TakenSeries(NamedTuple):
    """New series, their rows, and in words what of them the model does not see."""

    X: Array
    series: Series
    note: str


def take_series(
    frame: pd.DataFrame, names: list[str], native: Native, columns: SeriesColumns, source: Source
) -> TakenSeries:
    """Return the series of a table in the form of the training.

    Parameters
    ----------
    frame : DataFrame
        Missing values are NaN or None.
    names : list of str
        Of its columns.
    native : Native
    columns : SeriesColumns
        Those of the training, which it must have; others are ignored.
    source : Source

    Raises
    ------
    DataError
        A column is missing, rows are no series, or a series has another length where all of the training had one.
    """
    by = (columns.group, columns.time)
    check_columns(names, [Column(name=name) for name in (*by, *columns.features)], source)
    groups, times = (frame.iloc[:, names.index(name)] for name in by)
    series = sort_series(groups, times, by, source)
    n_steps = (native.sample_shape or (0,))[0]
    if not columns.is_padded:
        _check_lengths(series, n_steps, source)
    values = read_features(frame, names, columns.features, source)
    n_longer = int((series.lengths > n_steps).sum())
    longer = "1 series is" if n_longer == 1 else f"{n_longer:,} series are"
    note = f"{longer} longer than the {n_steps:,} steps of the training: the last ones count." if n_longer else ""
    return TakenSeries(as_array(series, values, n_steps, is_padded=columns.is_padded), series, note)


def _check_lengths(series: Series, n_steps: int, source: Source) -> None:
    lengths: Sequence[int] = series.lengths.tolist()
    other = next((k for k, length in enumerate(lengths) if length != n_steps), None)
    if other is not None:
        have = f"{lengths[other]:,} step{'s' * (lengths[other] != 1)}"
        what = f"the series '{series.ids[other]}' has {have}, and all of the training had {n_steps:,}"
        raise source.fault(what, "Give series of that length")
