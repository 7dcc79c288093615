"""Bounds of a mean: from the variances of its parts, and where items agree so that there is no variance."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats

__all__ = ["agreeing_bounds", "exact_bounds", "half_width", "widened"]


def half_width(terms: Sequence[tuple[float, float]], alpha: float) -> float:
    """Return t · SE for independent (variance of a mean, degrees of freedom) terms (Welch 1947), 0 without any."""
    known = [(variance, df) for variance, df in terms if variance > 0 and df > 0]
    total = sum(variance for variance, _ in known)
    if not known:
        return 0.0
    df = total**2 / sum(variance**2 / df for variance, df in known)
    return float(stats.t.ppf(1 - alpha / 2, df) * math.sqrt(total))


def exact_bounds(mean: float, n_units: float, alpha: float) -> tuple[float, float]:
    """Return the bounds of Clopper and Pearson (1934) for a fraction of units.

    Parameters
    ----------
    mean : float
        Need not be a whole count of units.
    n_units : float
        An effective number as in Korn and Graubard (1998), where units are groups of unequal sizes.
    alpha : float
        One minus the level.
    """
    right, wrong = mean * n_units, (1 - mean) * n_units
    low = float(stats.beta.ppf(alpha / 2, right, wrong + 1)) if right > 0 else 0.0
    high = float(stats.beta.ppf(1 - alpha / 2, right + 1, wrong)) if wrong > 0 else 1.0
    return low, high


def agreeing_bounds(
    mean: float, lowest: float, highest: float, n_units: float, alpha: float
) -> tuple[float, float]:
    """Return the bounds of n units that all have the same value.

    Clopper and Pearson bound the share of other units by q = 1 − (α / 2)^(1/n); those could lie at either end.
    """
    others = 1 - (alpha / 2) ** (1 / n_units)
    return mean - others * (mean - lowest), mean + others * (highest - mean)


def widened(mean: float, bounds: tuple[float, float], half: float) -> tuple[float, float]:
    """Return bounds that hold for a second, independent source of error too, of which ``half`` is the half width.

    The distances from the mean add up as squares (Zou and Donner 2008).
    """
    low, high = bounds
    return mean - math.hypot(mean - low, half), mean + math.hypot(high - mean, half)
