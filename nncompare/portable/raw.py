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

__all__ = ["as_columns", "as_frame", "random_samples", "user_rows"]

MISSING_SHARE = 0.1
MOST_MADE = 2048


def as_columns(columns: Sequence[Column]) -> dict[str, list[str] | None]:
    """Return the categories of each column by its name, None for numbers."""
    return {column.name: None if column.categories is None else list(column.categories) for column in columns}


def as_frame(columns: Sequence[Column], X: Array) -> pd.DataFrame:
    """Return a table as a DataFrame.

    Parameters
    ----------
    columns : sequence of Column
    X : ndarray of shape (n_samples, len(columns)), float64
        Categories are codes; NaN is a missing value.

    Returns
    -------
    DataFrame
        float64 for numbers; object, of str, for categories. NaN is a missing value; an empty text is a category.
    """
    import pandas as pd  # trial children import nothing of it

    return pd.DataFrame(
        {
            column.name: X[:, k]
            if column.categories is None
            else pd.Series([_category(column.categories, code) for code in X[:, k]], dtype=object)
            for k, column in enumerate(columns)
        }
    )


def user_rows(columns: Sequence[Column], X: Array) -> pd.DataFrame:
    """Return rows as a user may have them: those of a table, and others made of them.

    Into these come gaps, each of the categories, others, and categories with spaces around them or a fraction.
    Equal calls return equal rows.

    Parameters
    ----------
    columns, X
        As in :func:`as_frame`.
    """
    import pandas as pd

    random = np.random.default_rng(0)
    sizes = [len(column.categories) for column in columns if column.categories is not None]
    made = X[np.resize(np.arange(len(X)), min(max(len(X), *(8 * size for size in sizes), 1), MOST_MADE))]
    for k, column in enumerate(columns):
        if column.categories:
            made[:, k] = random.permutation(np.resize(np.arange(len(column.categories)), len(made)))
    made[random.random(made.shape) < MISSING_SHARE] = np.nan
    rows = as_frame(columns, made)
    for column in columns:
        if column.categories is not None:
            ways = random.integers(0, 8, len(made)).tolist()
            texts = [_otherwise(text, way) for text, way in zip(rows[column.name], ways, strict=True)]
            rows[column.name] = pd.Series(texts, dtype=object)
    return pd.concat([as_frame(columns, X), rows], ignore_index=True)


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


def _category(categories: Sequence[str], code: float) -> str | float:
    return np.nan if np.isnan(code) else categories[int(code)]


def _otherwise(text: object, way: int) -> object:
    """Return a category as it may be written otherwise, or one that there was not; most as they are."""
    if not isinstance(text, str):
        return text
    return {0: f" {text} ", 1: f"{text}.0" if text.isdigit() else text, 2: f"not {text}"}.get(way, text)
