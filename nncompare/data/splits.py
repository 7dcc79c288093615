"""Which rows are train, validation and test; protocol.md gives the rules."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nncompare.data.fingerprint import fingerprint
from nncompare.data.keyed_splits import PROBE_SEED, TEST_FRACTION, n_validation_rows, split_by_key
from nncompare.data.records import Labels, SplitBy
from nncompare.data.seeds import derive_seed
from nncompare.exceptions import DataError

__all__ = ["Rows", "Split", "search_sample", "split_off_test", "validation_split"]

Rows = npt.NDArray[np.int64]

TEST_SEED = PROBE_SEED


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows of the training part, sorted: those that ``fit`` sees and those that select.

    Parameters
    ----------
    train, valid : ndarray of shape (n,), int64
        Disjoint; together every row of the training part.
    """

    train: Rows
    valid: Rows

    @property
    def fingerprint(self) -> str:
        """Digest of both parts: scores are comparable only where it agrees."""
        return fingerprint(train=self.train, valid=self.valid)


def split_off_test(y: Labels, by: SplitBy | None = None) -> tuple[Rows, Rows]:
    """Set aside a test part of data that brings none; it never depends on the seed of a run.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), int64
        At least 3 samples of each class, so that 2 stay in the training part.
    by : SplitBy, optional
        Which rows stay together.

    Returns
    -------
    train, test : ndarray of int64
        Sorted rows: those of ``train_test_split(..., test_size=0.2, stratify=y, random_state=42)``, with one
        test row per class where 20 % would be fewer; or a fifth of the groups, or the last fifth by time.

    Raises
    ------
    DataError
        No split by these keys leaves all classes in both parts.
    """
    if by is not None:
        return _by_key(by, y, TEST_FRACTION, TEST_SEED, spare=2)
    return _stratified(y, math.ceil(TEST_FRACTION * len(y)), TEST_SEED)


def validation_split(y_train: Labels, seed: int, by: SplitBy | None = None) -> Split:
    """Split the training part into train and validation, stratified unless keys say which rows stay together.

    Parameters
    ----------
    y_train : ndarray of shape (n_train,), int64
        At least 2 samples of each class that occurs.
    seed : int
        The seed of the run; a split by time does not depend on it.
    by : SplitBy, optional
        Which rows stay together.

    Returns
    -------
    Split
        With 20 % of the rows for validation, at most 5,000; but never fewer than there are classes. By time these
        sizes are met as nearly as equal times allow; of groups this share is taken, or more to hold all classes.

    Raises
    ------
    DataError
        No split by these keys leaves all classes in both parts.
    """
    n_valid = n_validation_rows(len(y_train))
    if by is not None:
        return Split(*_by_key(by, y_train, n_valid / len(y_train), derive_seed(seed, "validation")))
    train, valid = _stratified(y_train, n_valid, derive_seed(seed, "validation"))
    return Split(train=train, valid=valid)


def search_sample(split: Split, y_train: Labels, n_samples: int, seed: int) -> Rows:
    """Return the rows that trials train on: a stratified sample of ``split.train``.

    Parameters
    ----------
    split : Split
    y_train : ndarray of shape (n_train,), int64
        Labels of the entire training part.
    n_samples : int
        Size of the sample, at least 1; all of ``split.train`` where that has no more.
    seed : int
        The seed of the run.

    Returns
    -------
    ndarray of shape (min(n_samples, len(split.train)),), int64
        Sorted rows of the training part.
    """
    if n_samples >= len(split.train):
        return split.train
    from sklearn.utils import resample  # see _stratified

    sample: Rows = resample(
        split.train,
        replace=False,
        n_samples=n_samples,
        stratify=y_train[split.train],
        random_state=derive_seed(seed, "search sample"),
    )
    return np.sort(sample)


def _by_key(by: SplitBy, y: Labels, share: float, random_state: int, spare: int = 1) -> tuple[Rows, Rows]:
    found = split_by_key(by, y, share, random_state, spare)
    if found is None:
        raise DataError(
            f"The rows cannot be split by {by.kind}: no split by '{by.column}' leaves all classes in both parts. "
            f"Leave --{by.kind} out."
        )
    return found


def _stratified(y: Labels, n_held_out: int, random_state: int) -> tuple[Rows, Rows]:
    """Return sorted rows (kept, held out) in the proportions of the classes."""
    # Imported here because trial children import the views, hence this module, and must start in 0.1 s.
    from sklearn.model_selection import train_test_split

    kept, held_out = train_test_split(
        np.arange(len(y), dtype=np.int64),
        test_size=max(n_held_out, len(np.unique(y))),
        stratify=y,
        random_state=random_state,
    )
    return np.sort(kept), np.sort(held_out)
