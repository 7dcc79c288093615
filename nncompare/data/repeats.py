"""Rows that are equal, value for value: in both parts, within the training part, and with different classes."""

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
    """

    n_shared: int
    shared: tuple[int, int] | None
    n_repeated: int
    repeated: tuple[int, int] | None
    n_conflicting: int
    conflicting: tuple[int, int] | None


def find_repeats(X_train: Samples, y_train: Labels, X_test: Samples) -> Repeats:
    """Compare all rows with each other, by a digest of each.

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
    )


def _pair(rows: Array, group: Array) -> tuple[int, int] | None:
    return (int(rows[0]), int(group[rows[0]])) if len(rows) else None


def _n_in_minority(group: Array, y: Labels) -> int:
    """Return how many rows are left when each group of equal rows keeps its most frequent class alone."""
    n_classes = int(y.max()) + 1
    cells, counts = np.unique(group * n_classes + y, return_counts=True)
    _, start = np.unique(cells // n_classes, return_index=True)
    return int(len(y) - np.maximum.reduceat(counts, start).sum())


def _row_digests(X: Samples) -> Array:
    """Return a digest of each row as a text of bytes: NumPy sorts these, and a row takes 16 bytes."""
    digests = np.empty(count_samples(X), dtype=f"S{DIGEST_BYTES}")
    if isinstance(X, Ragged):  # of ids, which have one form each
        digests[:] = [_digest(X[row]) for row in range(len(X))]
        return digests
    for rows, chunk in chunks(X):
        digests[rows] = [_digest(row) for row in _plain(chunk).reshape(len(chunk), -1)]
    return digests


def _plain(chunk: Array) -> Array:
    """Return rows in which equal values have equal bytes: floats have a zero of each sign, and many a NaN."""
    if chunk.dtype.kind != "f":
        return np.ascontiguousarray(chunk)
    plain = np.add(chunk, 0, dtype=chunk.dtype, order="C")
    plain[np.isnan(plain)] = np.nan
    return plain


def _digest(row: Array) -> bytes:
    return hashlib.blake2b(row.tobytes(), digest_size=DIGEST_BYTES).digest()
