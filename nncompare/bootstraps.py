"""Variances of any score over bootstraps of the test items, or of their groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nncompare.clusters import Groups, Weights, drawn_weights

__all__ = ["WeightedScores", "bootstrap_variances"]

Floats: TypeAlias = NDArray[np.float64]
WeightedScores: TypeAlias = Callable[[Weights], Floats]

# Items times bootstraps of one batch: small enough for the processor's cache, twice as fast as all at once.
_BATCH_CELLS = 2_000_000


def bootstrap_variances(
    refits: Sequence[WeightedScores],
    n_items: int,
    *,
    n_bootstraps: int = 1000,
    seed: int = 0,
    groups: Groups | None = None,
) -> Floats:
    """Return the variance of seed-averaged scores over bootstraps of the test items.

    The seeds of one bootstrap see the same items, so that what they have in common stays in the variance. The mean
    of a bootstrap of n units varies (n − 1) / n times as much as that of a new draw (Efron and Tibshirani 1993,
    chapter 5), half as much for two groups: the variance is divided by that.

    Parameters
    ----------
    refits : sequence of callables, one per seed
        Each maps item weights of shape (n_items, n_batch), float32 counts, to scores of shape
        (n_scores, n_batch). A NaN leaves its bootstrap out.
    n_items : int
    n_bootstraps : int
    seed : int
    groups : ndarray of shape (n_items,), int64, optional
        Groups are drawn in place of items.

    Returns
    -------
    ndarray of shape (n_scores,)
    """
    rng = np.random.default_rng(seed)
    batch = max(1, min(n_bootstraps, _BATCH_CELLS // n_items))
    sizes = [min(batch, n_bootstraps - start) for start in range(0, n_bootstraps, batch)]
    replicates = []
    for size in sizes:
        weights = drawn_weights(rng, n_items, size, groups)
        replicates.append(np.mean([refit(weights) for refit in refits], axis=0))
    known = np.ma.masked_invalid(np.concatenate(replicates, axis=1))
    n_units = n_items if groups is None else len(np.unique(groups))
    unbiased = known.var(axis=1, ddof=1) * (n_units / max(n_units - 1, 1))
    return np.asarray(np.ma.filled(unbiased, 0.0), dtype=np.float64)
