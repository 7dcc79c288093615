"""The user's own series: a table with a row for each step becomes a data set of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nncompare.data.labels import coded_labels, describe_classes
from nncompare.data.own_tables import class_labels
from nncompare.data.records import Array, Dataset, DatasetInfo, SeriesColumns
from nncompare.data.series import Series, as_array, read_features, sort_series
from nncompare.data.source import Source
from nncompare.data.split_columns import SplitColumn
from nncompare.data.splits import split_off_test
from nncompare.data.table_files import TableFile, name_first, read_table_file
from nncompare.data.tables import Recognised, check_names, find_target, recognise
from nncompare.exceptions import UsageError

__all__ = ["read_series"]


def read_series(
    path: Path, target: str | None, by: tuple[str, str], encoding: str | None, name: str
) -> tuple[DatasetInfo, Dataset]:
    """Read a table with a row for each step.

    Parameters
    ----------
    path : Path
    target : str or None
        The column of classes, which is the same in all rows of a series.
    by : tuple of str
        The column that tells which series a row belongs to, and the one that orders its steps.
    encoding : str or None
    name : str
        Of the data set.

    Returns
    -------
    info : DatasetInfo
        Of the view "sequence".
    dataset : Dataset
        Series of unequal length are padded, as :class:`~nncompare.data.records.SeriesColumns` says, to the longest
        one of the training part.

    Raises
    ------
    DataError
        It cannot be used.
    UsageError
        There is no column of these names, or two of them are one.
    """
    table = read_table_file(path, encoding)
    names, source = name_first(table.names), table.source
    check_names(names, source)
    target = find_target(names, target, source)
    series = _series(table, names, target, by)
    labels = series.one_each(class_labels(table, names, target), target, source)
    classes, y = coded_labels(labels, f"column '{target}'", source, unit="series")
    train = split_off_test(y)[0]
    index = names[:1] if table.has_index() else []
    others = [other for other in names if other not in {target, *by, *index}]
    found, values = _features(table, names, others, np.sort(series.rows_of(train)))
    n_steps = int(series.lengths[train].max())
    is_padded = bool((series.lengths != n_steps).any())
    features = tuple(column.name for column in found.columns)
    columns = SeriesColumns(group=by[0], time=by[1], features=features, is_padded=is_padded)
    told = f"target '{target}' with {describe_classes(classes)}{found.describe_left_out()}"
    info = DatasetInfo(
        name=name,
        view="sequence",
        n_train=len(y),
        n_test=0,
        class_names=classes,
        description=f"{_describe(series, columns, n_steps)}; {told}",
    )
    X = as_array(series, values, n_steps, is_padded=is_padded)
    return info, Dataset(X, y, target=target, left_out=found.left_out, series=columns)


def _series(table: TableFile, names: list[str], target: str, by: tuple[str, str]) -> Series:
    """Return the rows of a table sorted into series of two steps or more."""
    if by[0] == by[1]:
        raise UsageError(f"--group and --time both name the column '{by[0]}'. Name two columns.")
    group = SplitColumn("group", by[0]).position(names, target, table.source)
    time = SplitColumn("time", by[1]).position(names, target, table.source)
    series = sort_series(table.column(group), table.column(time), by, table.source)
    _check_lengths(series, by[0], table.source)
    return series


def _features(table: TableFile, names: list[str], features: list[str], rows: Array) -> tuple[Recognised, Array]:
    """Return which columns of numbers can teach something, as the training ``rows`` tell, and their values."""
    import pandas as pd  # trial children import this package and must start at once

    values = pd.DataFrame(read_features(table.frame(), names, features, table.source), columns=features)
    found = recognise(values, features, table.source, rows)
    return found, values[[column.name for column in found.columns]].to_numpy()


def _check_lengths(series: Series, group: str, source: Source) -> None:
    """Refuse series of one step: the column that tells series is likely another one."""
    alone = np.flatnonzero(series.lengths == 1)
    if len(alone):
        where = f"such as '{series.ids[alone[0]]}' in {source.place(int(series.first_rows[alone[0]]))}"
        what = f"{len(alone):,} of {len(series):,} series {_have(len(alone))} one step only, {where}"
        raise source.fault(what, f"Leave such series out, or check the column '{group}' (--group)")


def _have(n: int) -> str:
    return "has" if n == 1 else "have"


def _describe(series: Series, columns: SeriesColumns, n_steps: int) -> str:
    """Return what was recognised: ``360 series (by column 'take') of 20 to 29 steps (by 'frame'), 9 features``."""
    lengths: Sequence[int] = sorted({int(series.lengths.min()), int(series.lengths.max())})
    steps = " to ".join(f"{length:,}" for length in lengths)
    n_features = len(columns.features)
    text = (
        f"{len(series):,} series (by column '{columns.group}') of {steps} steps (by '{columns.time}'), "
        f"{n_features:,} feature{'s' * (n_features != 1)}"
    )
    return f"{text}, brought to {n_steps:,} steps" if columns.is_padded else text
