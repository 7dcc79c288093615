"""Which texts of unequal length share a batch: those of about the same length, so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

POOL_BATCHES = 32
"""Batches whose texts are sorted together; more would pad less and shuffle less."""

PREDICT_TOKENS = 2**15
PREDICT_ROWS = 512

Rows: TypeAlias = npt.NDArray[np.int64]
Lengths: TypeAlias = npt.NDArray[Any]


def bucketed_batches(lengths: Lengths, batch_size: int, random: np.random.Generator) -> list[Rows]:
    """Return the batches of one epoch: of similar lengths within, in random order.

    All rows are shuffled and cut into pools of ``POOL_BATCHES`` batches. Each pool is sorted by length and cut
    into batches, and the batches of all pools are shuffled. Which rows meet in a batch thus changes from epoch to
    epoch.

    Parameters
    ----------
    lengths : ndarray of shape (n_samples,), integer
        What counts after truncation.
    batch_size : int
    random : numpy.random.Generator
        Moves on with each call: each epoch has another order.

    Returns
    -------
    list of ndarray of shape (batch_size,), int64
        Every row exactly once. One batch of all is smaller where ``batch_size`` does not divide ``n_samples``.
    """
    order = random.permutation(len(lengths))
    batches: list[Rows] = []
    for start in range(0, len(order), POOL_BATCHES * batch_size):
        pool = order[start : start + POOL_BATCHES * batch_size]
        by_length = pool[np.argsort(lengths[pool], kind="stable")]
        batches += np.split(by_length, range(batch_size, len(pool), batch_size))
    return [batches[i] for i in random.permutation(len(batches))]


def prediction_batches(lengths: Lengths) -> Iterator[Rows]:
    """Yield all rows, the longest first, in batches of bounded memory.

    Parameters
    ----------
    lengths : ndarray of shape (n_samples,), integer
        What counts after truncation.

    Yields
    ------
    ndarray of int64
        At most ``PREDICT_ROWS`` rows, at most ``PREDICT_TOKENS`` tokens with padding, at least one row.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        width = max(1, int(lengths[order[start]]))
        end = start + min(PREDICT_ROWS, max(1, PREDICT_TOKENS // width))
        yield order[start:end]
        start = end
