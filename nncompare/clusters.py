"""Test items that come in groups, such as several rows of one patient: what counts is the number of groups."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Groups",
    "Spread",
    "Weights",
    "drawn_weights",
    "effective_df",
    "effective_number",
    "group_sums",
    "spread_of_mean",
]

Floats: TypeAlias = NDArray[np.float64]
Groups: TypeAlias = NDArray[np.int64]
Weights: TypeAlias = NDArray[np.float32]

_ROUNDING = 1e-12
"""Means that differ by less are one and the same."""


class Spread(NamedTuple):
    """How far a mean over items may lie from that over endless ones.

    ``variance`` is that of the mean, 0 where all items or groups agree or there is one alone; ``df`` its degrees
    of freedom; ``n_units`` the number of items, or of equal groups that say as much as those given.
    """

    variance: float
    df: float
    n_units: float


def spread_of_mean(items: Floats, groups: Groups | None) -> Spread:
    """Return the variance of the mean of items, and what is known of that variance.

    Without groups it is s² / n with n − 1 degrees of freedom. With groups it is the jackknife that leaves out one
    group at a time, (G − 1) / G · Σ_g (d − d₋g)², known as CR3 (Bell and McCaffrey 2002; MacKinnon, Nielsen and
    Webb 2023). Where all groups are of one size that is the cluster-robust variance of Liang and Zeger (1986). The
    latter is far too small where one group holds most items: the mean is nearly that group's own, which therefore
    never lies far from it. Degrees of freedom: :func:`effective_df`.

    Parameters
    ----------
    items : ndarray of shape (n_items,), float64
    groups : ndarray of shape (n_items,), int64, or None
        Items of equal numbers depend on each other; None where none does.
    """
    n_items = len(items)
    if groups is None:
        agree = n_items < 2 or np.ptp(items) < _ROUNDING
        return Spread(0.0 if agree else float(np.var(items, ddof=1)) / n_items, n_items - 1, n_items)
    sizes = _sizes(groups)
    if len(sizes) == 1:
        return Spread(0.0, 0.0, 1.0)
    moved = group_sums(items - items.mean(), groups) / (n_items - sizes)
    agree = np.abs(moved).max() < _ROUNDING
    variance = 0.0 if agree else float((1 - 1 / len(sizes)) * (moved @ moved))
    return Spread(variance, effective_df(groups), effective_number(groups))


def effective_number(groups: Groups) -> float:
    """Return how many groups of equal size say as much as these: n² / Σ n_g² (Kish 1965), at least 1."""
    sizes = _sizes(groups)
    return float(sizes.sum() ** 2 / (sizes @ sizes))


def effective_df(groups: Groups) -> float:
    """Return the degrees of freedom of the jackknife's variance of a mean over items in groups.

    They are the effective number of groups minus 1, as Carter, Schnepel and Steigerwald (2017) put such a number
    in place of that of the groups, but 1 at least, which one difference of two groups has; for a single group 0.
    """
    if len(_sizes(groups)) == 1:
        return 0.0
    return max(1.0, effective_number(groups) - 1)


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


def _sizes(groups: Groups) -> Floats:
    return np.unique(groups, return_counts=True)[1].astype(np.float64)
