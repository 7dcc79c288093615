"""Test items that come in groups, such as several rows of one patient: what counts is the number of groups."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Groups", "Weights", "drawn_weights", "group_sums", "units_of"]

Floats: TypeAlias = NDArray[np.float64]
Groups: TypeAlias = NDArray[np.int64]
Weights: TypeAlias = NDArray[np.float32]


def units_of(items: Floats, groups: Groups | None) -> Floats:
    """Return independent values with the mean of the items: the items themselves, or one for each group.

    Group g of G counts as d + (G / n) · Σ (dᵢ − d) over its items. The variance of the mean of these G values is
    the cluster-robust one of the mean d of the n items (Liang and Zeger 1986),
    G / (G − 1) · Σ_g (Σ (dᵢ − d))² / n², with G − 1 degrees of freedom.

    Parameters
    ----------
    items : ndarray of shape (n_items,), float64
    groups : ndarray of shape (n_items,), int64, or None
        Items of equal numbers depend on each other; None where none does.
    """
    if groups is None:
        return items
    mean = items.mean()
    sums = group_sums(items - mean, groups)
    return np.asarray(mean + len(sums) / len(items) * sums)


def group_sums(items: Floats, groups: Groups | None) -> Floats:
    """Return the sum of the items of each group; the items themselves without groups."""
    if groups is None:
        return items
    return np.asarray(np.bincount(np.unique(groups, return_inverse=True)[1], weights=items))


def drawn_weights(rng: np.random.Generator, n_items: int, n_batch: int, groups: Groups | None) -> Weights:
    """Return how often each item, or its group, is drawn in each bootstrap, shape (n_items, n_batch)."""
    if groups is not None:
        known, group = np.unique(groups, return_inverse=True)
        return np.asarray(drawn_weights(rng, len(known), n_batch, None)[group])
    drawn = rng.integers(0, n_items, size=(n_items, n_batch))
    cells = (drawn * n_batch + np.arange(n_batch)).ravel()
    counts = np.bincount(cells, minlength=n_items * n_batch)
    return counts.reshape(n_items, n_batch).astype(np.float32)
