"""How two predictions are compared, and how one is scored."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nncompare.data.records import Array
from nncompare.testing.outcomes import BuildsOn

__all__ = ["SAME", "difference", "matched_accuracy", "usable"]

SAME = 1e-5
"""Probabilities that differ by less are the same: sums in another order."""


def difference(a: Array, b: Array) -> float:
    """Return the largest difference of two predictions, infinite where they cannot be compared."""
    if a.shape != b.shape or a.dtype.kind not in "fiu" or b.dtype.kind not in "fiu" or not a.size:
        return float("inf")
    if np.array_equal(a, b, equal_nan=True):
        return 0.0
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())


def usable(probabilities: Array) -> Array:
    """Return probabilities that can be scored, or skip: others have their own checks."""
    if probabilities.ndim != 2 or probabilities.dtype.kind != "f" or not np.isfinite(probabilities).all():
        raise BuildsOn("check_probabilities_have_shape_and_dtype")
    if np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3:
        raise BuildsOn("check_probabilities_sum_to_one")
    return probabilities


def matched_accuracy(probabilities: Array, y: npt.NDArray[np.int64]) -> float:
    """Return the accuracy under the best assignment of columns to classes: their order has a check of its own."""
    from scipy.optimize import linear_sum_assignment

    if probabilities.ndim != 2 or probabilities.shape[1] <= y.max():
        raise BuildsOn("check_probabilities_have_shape_and_dtype")
    counts = np.zeros((probabilities.shape[1],) * 2)
    np.add.at(counts, (probabilities.argmax(axis=1), y), 1)
    return float(counts[linear_sum_assignment(-counts)].sum() / len(y))
