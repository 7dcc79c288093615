"""New samples in tables: whether they have the columns of training, or by position where it had no names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nncompare.data.encoding import encode
from nncompare.data.native import Native
from nncompare.data.new_arrays import cast
from nncompare.data.records import Array, Column
from nncompare.data.source import Source, listed
from nncompare.data.tables import check_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["by_position", "check_columns"]


def check_columns(names: list[str], columns: Sequence[Column], source: Source) -> None:
    """Check that a table has the columns of training, each once.

    Raises
    ------
    DataError
        One is missing, or there twice.
    """
    missing = [column.name for column in columns if column.name not in names]
    if missing:
        lacks = "the column" if len(missing) == 1 else "the columns"
        raise source.fault(
            f"it lacks {lacks} {listed(missing, quoted=True)}, from which the model was trained",
            f"Add them; its columns are {listed(names)}",
        )
    needed = {column.name for column in columns}
    check_names([name if name in needed else f"\0{k}" for k, name in enumerate(names)], source)


def by_position(frame: pd.DataFrame, names: list[str], native: Native, source: Source) -> Array:
    """Return a table as numbers, column by column, for a model whose training had no names of columns.

    Raises
    ------
    DataError
        It has more columns or fewer, or a value is missing or no number.
    """
    kept = [k for k, name in enumerate(names) if native.target is None or name != native.target]
    n_features = (native.sample_shape or (0,))[0]
    if len(kept) != n_features:
        what = f"it has {len(kept)} columns, and the model was trained on {n_features} features"
        raise source.fault(what, "Give these, in their order")
    shown = [names[k] or f"{k + 1}" for k in kept]
    unique = [Column(name=name if shown.count(name) == 1 else f"{name}*{k}") for k, name in enumerate(shown)]
    X = encode(frame.iloc[:, kept], [column.name for column in unique], unique, source)
    gaps = np.isnan(X)
    if gaps.any():
        row, k = np.argwhere(gaps)[0]
        what = f"column '{unique[k].name}', {source.place(int(row))} has no value"
        raise source.fault(what, "Fill it in: the model was trained on data without gaps")
    numbers: Array = cast(X, native, source)
    return numbers
