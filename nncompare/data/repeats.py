"""Rows that are equal: in both parts, within the training part, and with different classes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from nncompare.data.arrays import chunks
from nncompare.data.ragged import Ragged
from nncompare.data.records import Array, Labels, Samples
from nncompare.data.samples import count_samples

__all__ = ["Repeats", "find_repeats"]

DIGEST_BYTES = 16
MOST_ROWS, MOST_VALUES = 1_000, 1 << 24
"""Rows that tell how frequent the values of columns are, and values that are read for it."""
NEVER = 1e-6
"""Expected number of equal rows below which no further column is looked at."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """Equal rows, by their positions in the parts.

    Parameters
    ----------
    n_shared : int
        Test rows that stand in the training part too.
    shared : tuple of int or None
        The first of them, and the first training row that it equals.
    n_repeated : int
        Training rows that equal an earlier one.
    repeated : tuple of int or None
        The first of them, and the row that it equals.
    n_conflicting : int
        Training rows whose class is not the most frequent one of the rows that they equal.
    conflicting : tuple of int or None
        Two training rows that are equal and of different classes.
    by_chance : float
        Share of the rows that would equal a training row if the columns of a table were independent: near 1 where
        they can hold few values. Of texts the share of those without words, all of which are equal; 0 of all else.
    """

    n_shared: int
    shared: tuple[int, int] | None
    n_repeated: int
    repeated: tuple[int, int] | None
    n_conflicting: int
    conflicting: tuple[int, int] | None
    by_chance: float = 0.0


def find_repeats(X_train: Samples, y_train: Labels, X_test: Samples) -> Repeats:
    """Compare all rows with each other, by a digest of each. Zeros of either sign are equal, and so are all NaN.

    Parameters
    ----------
    X_train, X_test : ndarray, ChosenRows or Ragged
    y_train : ndarray of shape (n_train,), int64
    """
    known, first, number = np.unique(_row_digests(X_train), return_index=True, return_inverse=True)
    group = first[number]
    tested = _row_digests(X_test)
    place = np.minimum(np.searchsorted(known, tested), len(known) - 1)
    in_both = np.flatnonzero(known[place] == tested)
    repeated = np.flatnonzero(group != np.arange(len(group)))
    other_class = np.flatnonzero(y_train != y_train[group])
    return Repeats(
        n_shared=len(in_both),
        shared=(int(in_both[0]), int(first[place[in_both[0]]])) if len(in_both) else None,
        n_repeated=len(repeated),
        repeated=_pair(repeated, group),
        n_conflicting=_n_in_minority(group, y_train) if len(other_class) else 0,
        conflicting=_pair(other_class, group),
        by_chance=_by_chance(X_train) if len(in_both) or len(repeated) else 0.0,
    )


def _pair(rows: Array, group: Array) -> tuple[int, int] | None:
    return (int(rows[0]), int(group[rows[0]])) if len(rows) else None


def _n_in_minority(group: Array, y: Labels) -> int:
    """Return how many rows are left when each group of equal rows keeps its most frequent class alone."""
    n_classes = int(y.max()) + 1
    cells, counts = np.unique(group * n_classes + y, return_counts=True)
    _, start = np.unique(cells // n_classes, return_index=True)
    return int(len(y) - np.maximum.reduceat(counts, start).sum())


def _by_chance(X: Samples) -> float:
    """Return the share of rows that would equal one of ``X`` by what their cells can hold."""
    n = count_samples(X)
    if isinstance(X, Ragged):
        return float((X.lengths <= 1).mean())  # nothing but the start
    if X.ndim != 2 or n < 2:
        return 0.0
    some = np.unique(np.linspace(0, n - 1, min(MOST_ROWS, max(2, MOST_VALUES // X.shape[1]))).astype(np.int64))
    pair = 1.0
    for values in np.asarray(X[some]).T:
        counts = np.unique(values, return_counts=True)[1]
        pair *= (counts * (counts - 1)).sum() / (len(some) * (len(some) - 1))
        if pair * n < NEVER:
            return 0.0
    return float(1 - (1 - pair) ** n)


def _row_digests(X: Samples) -> Array:
    """Return a digest of each row as a text of bytes: NumPy sorts these, and a row takes 16 bytes."""
    digests = np.empty(count_samples(X), dtype=f"S{DIGEST_BYTES}")
    if isinstance(X, Ragged):  # of ids, which have one form each
        digests[:] = [_digest(X[row]) for row in range(len(X))]
        return digests
    for rows, chunk in chunks(X):
        digests[rows] = [_digest(row) for row in _canonical(chunk).reshape(len(chunk), -1)]
    return digests


def _canonical(chunk: Array) -> Array:
    """Return values of which equal ones have equal bytes."""
    if chunk.dtype.kind == "f":
        chunk = np.where(np.isnan(chunk), chunk.dtype.type(np.nan), chunk + chunk.dtype.type(0))
    return np.ascontiguousarray(chunk)


def _digest(row: Array) -> bytes:
    return hashlib.blake2b(row.tobytes(), digest_size=DIGEST_BYTES).digest()
