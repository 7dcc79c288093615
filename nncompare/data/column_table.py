"""Tables with named columns: numbers with gaps and categories become numbers, as the training rows alone say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from nncompare.data.native import Native
from nncompare.data.ragged import offsets_of
from nncompare.data.records import Array, View
from nncompare.data.samples import columns_of, write_converted
from nncompare.data.splits import Rows

__all__ = ["MAX_CATEGORIES", "NOWHERE", "ColumnTable"]

MAX_CATEGORIES = 50
BLOCK_BYTES = 1 << 27
"""What the columns that are read together take: a table is read as often as it holds this."""
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class ColumnTable:
    """A table with named columns as a dense one, of which each column may be a step too.

    What scikit-learn's ``ColumnTransformer`` makes of ``SimpleImputer``, ``StandardScaler`` and ``OneHotEncoder``,
    fitted column by column: at once they take ten times the table's memory in passing. Of a column of numbers the
    gaps are filled with the median and all is standardised; where the fitted rows have gaps, a further column,
    behind the numbers, tells them. A column of categories becomes one column for each, with missing as a category
    of its own; of more than 50, the rare ones share one. What the fitted rows lack counts as rare, and is none of
    the categories where none is rare.

    Only the numbers that were fitted are kept: without scikit-learn's classes, other versions of it can read them.

    Parameters
    ----------
    native : Native
        With columns.
    view : {"tabular", "sequence"}
    median : ndarray of shape (n_numbers,), float64
        What fills the gaps of the columns of numbers.
    gaps : ndarray of shape (n_gaps,), int64
        Which of the columns of numbers have a further column for their gaps.
    mean, deviation : ndarray of shape (n_numbers + n_gaps,), float64
        Constant columns have the deviation 1.
    place : ndarray of shape (n_places,), int64
        For all columns of categories, one behind the other: for each category, for what is none of them, and for
        missing, which of the columns behind the numbers is set to 1; -1 for none.
    width : ndarray of shape (1,), int64
        Number of these columns.
    """

    kind: ClassVar[str] = "columns"
    dtype: ClassVar[str] = "float32"
    remaining_scale: ClassVar[float] = 1.0
    vocabulary_size: ClassVar[None] = None
    sparse: ClassVar[bool] = False

    native: Native
    view: View
    median: Array
    gaps: Array
    mean: Array
    deviation: Array
    place: Array
    width: Array

    @classmethod
    def fit(cls, native: Native, view: View, X_train: Array, rows: Rows) -> Self:
        """Return the conversion that is fitted on ``X_train[rows]`` alone."""
        return cls(native, view, **_fit_numbers(native, X_train, rows), **_fit_categories(native, X_train, rows))

    @classmethod
    def from_state(cls, native: Native, view: View, state: Mapping[str, Array]) -> Self:
        """Return the conversion that :meth:`state` was taken of."""
        return cls(native, view, **state)

    def state(self) -> dict[str, Array]:
        """Return what was fitted."""
        names = ("median", "gaps", "mean", "deviation", "place", "width")
        return {name: getattr(self, name) for name in names}

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one converted sample."""
        n_features = len(self.mean) + int(self.width[0])
        return (n_features, 1) if self.view == "sequence" else (n_features,)

    def write(self, folder: Path, X: Array, rows: Rows) -> Path:
        """Write the converted samples of ``rows``, chunk by chunk."""
        return write_converted(folder, X, rows, self._convert, self.sample_shape, self.dtype)

    def _convert(self, chunk: Array) -> Array:
        numbers, categories = _kinds(self.native)
        found = chunk[:, numbers]
        missing = np.isnan(found)
        filled = np.concatenate([np.where(missing, self.median, found), missing[:, self.gaps]], axis=1)
        standardised = (filled - self.mean) / self.deviation
        table = np.zeros((len(chunk), len(self.mean) + int(self.width[0])), dtype=np.float32)
        table[:, : len(self.mean)] = standardised
        rows = np.arange(len(chunk))
        for column, start, n_known in zip(categories, *_starts(self.native), strict=True):
            place = self.place[start + _positions(chunk[:, column], n_known)]
            known = place != NOWHERE
            table[rows[known], len(self.mean) + place[known]] = 1
        return table.reshape(len(chunk), *self.sample_shape)


def _kinds(native: Native) -> tuple[list[int], list[int]]:
    """Return the positions of the columns of numbers and of those of categories."""
    numbers = [i for i, column in enumerate(native.columns) if column.categories is None]
    return numbers, [i for i, column in enumerate(native.columns) if column.categories is not None]


def _starts(native: Native) -> tuple[list[int], list[int]]:
    """Return where in ``place`` each column of categories begins, and its number of categories."""
    sizes = [len(column.categories) for column in native.columns if column.categories is not None]
    return offsets_of(np.array(sizes, dtype=np.int64) + 2)[:-1].tolist(), sizes


def _positions(codes: Array, n_known: int) -> Array:
    """Return the codes of categories, with ``n_known`` for those outside and ``n_known + 1`` for missing."""
    outside = ~((codes >= 0) & (codes < n_known))
    positions = np.where(outside, n_known, codes)
    return np.where(np.isnan(codes), n_known + 1, positions).astype(np.int64)


def _each_column(X: Array, rows: Rows, columns: Sequence[int]) -> Iterator[Array]:
    """Yield columns of shape (n_rows, 1); medians need all rows of one at once, but not all columns."""
    step = max(1, BLOCK_BYTES // max(1, X.itemsize * len(rows)))
    for start in range(0, len(columns), step):
        block = columns_of(X, columns[start : start + step], rows)
        yield from (block[:, [k]] for k in range(block.shape[1]))


def _fit_numbers(native: Native, X: Array, rows: Rows) -> dict[str, Array]:
    """Return what the columns of numbers are filled and standardised with."""
    # Imported here because trial children import this module and must start in 0.1 s.
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    median, gaps, moments, gap_moments = [], [], [], []
    for position, values in enumerate(_each_column(X, rows, _kinds(native)[0])):
        fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        scale = make_pipeline(fill, StandardScaler()).fit(values)[-1]
        median.append(fill.statistics_[0])
        first, *second = zip(scale.mean_, scale.scale_, strict=True)
        moments.append(first)
        gap_moments += second
        gaps += [position] * len(second)
    both = np.array([*moments, *gap_moments], dtype=np.float64).reshape(-1, 2)
    return {
        "median": np.array(median, dtype=np.float64),
        "gaps": np.array(gaps, dtype=np.int64),
        "mean": both[:, 0].copy(),
        "deviation": both[:, 1].copy(),
    }


def _fit_categories(native: Native, X: Array, rows: Rows) -> dict[str, Array]:
    """Return where each category goes: the encoder of each column is asked for all that can occur."""
    from sklearn.preprocessing import OneHotEncoder

    places, width = [np.empty(0, dtype=np.int64)], 0
    for values, n_known in zip(_each_column(X, rows, _kinds(native)[1]), _starts(native)[1], strict=True):
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False
        )
        asked = np.append(np.arange(n_known + 1, dtype=np.float64), np.nan)[:, np.newaxis]
        encoder.fit(values)  # without a transformed copy of the column, which would be wide
        encoded = encoder.transform(asked)
        places.append(np.where(encoded.any(axis=1), width + encoded.argmax(axis=1), NOWHERE))
        width += encoded.shape[1]
    return {"place": np.concatenate(places), "width": np.array([width])}
