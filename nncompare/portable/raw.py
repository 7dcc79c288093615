"""Samples in their native form as a user has them: a table's columns under their names, categories as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nncompare.data.native import Native
from nncompare.data.ragged import FIRST_WORD, Ragged
from nncompare.data.records import Array, Column, Samples

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_frame", "column_inputs", "random_samples"]

MISSING_SHARE = 0.1


def column_inputs(columns: Sequence[Column], X: Array) -> dict[str, Array]:
    """Return each column as an array of shape (n_samples, 1) under its name.

    Parameters
    ----------
    columns : sequence of Column
    X : ndarray of shape (n_samples, len(columns)), float64
        Categories are codes; NaN is a missing value.

    Returns
    -------
    dict of str to ndarray
        float64 with NaN for numbers; object, of str, for categories, empty where one is missing.
    """
    return {
        column.name: (
            np.asarray(X[:, [k]], dtype=np.float64)
            if column.categories is None
            else np.array([[_text(column.categories, code)] for code in X[:, k]], dtype=object)
        )
        for k, column in enumerate(columns)
    }


def as_frame(columns: Sequence[Column], X: Array) -> pd.DataFrame:
    """Return the same as a DataFrame, in which a missing category is NaN."""
    import pandas as pd  # trial children import nothing of it

    found = {name: values[:, 0] for name, values in column_inputs(columns, X).items()}
    return pd.DataFrame(
        {
            name: values if values.dtype != object else np.where(values == "", np.nan, values).astype(object)
            for name, values in found.items()
        }
    )


def random_samples(native: Native, n_samples: int) -> Samples:
    """Return samples of the form of a data set whose own are gone; equal calls, equal samples."""
    random = np.random.default_rng(0)
    if native.sample_shape is None:
        lengths = random.integers(1, 50, n_samples)
        return Ragged.from_rows([random.integers(1, 10 * FIRST_WORD + 100, length).tolist() for length in lengths])
    if native.columns:
        X = random.normal(size=(n_samples, len(native.columns)))
        for k, column in enumerate(native.columns):
            if column.categories is not None:
                X[:, k] = random.integers(0, len(column.categories), n_samples)
        X[random.random(X.shape) < MISSING_SHARE] = np.nan
        return X
    shape = (n_samples, *native.sample_shape)
    if native.dtype == "uint8":
        return random.integers(0, 256, shape, dtype=np.uint8)
    return random.normal(size=shape).astype(native.dtype)


def _text(categories: Sequence[str], code: float) -> str:
    return "" if np.isnan(code) else categories[int(code)]
