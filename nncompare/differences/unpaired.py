"""The difference of two scores where the test items cannot be paired: from their two intervals alone."""

from __future__ import annotations

import math

from scipy import stats

from nncompare.differences.records import ScoreDifference, ScoreState
from nncompare.results import Interval

__all__ = ["stretched", "unpaired_difference"]

ALPHA = 0.05


def unpaired_difference(
    a: Interval,
    b: Interval,
    *,
    n_seeds: tuple[int, int],
    n_pairs: int,
    margin: float,
    reason: str,
    is_grouped: bool = False,
) -> ScoreDifference:
    """Return what the two intervals say: the distances of their bounds add up as squares (Zou and Donner 2008).

    Parameters
    ----------
    a, b : Interval
        The accuracies in both runs, with 95 % bounds.
    n_seeds : tuple of int
        How many refits each of them is the mean of.
    n_pairs : int
        Models that are compared between the two runs on this data set (Bonferroni).
    margin : float
        Differences inside ± this fraction are equal in practice.
    reason : str
        Why the items cannot be paired.
    is_grouped : bool
        The intervals count groups of items.
    """
    wide_a, wide_b = (
        stretched(one, seeds, n_pairs, is_grouped=is_grouped) for one, seeds in zip((a, b), n_seeds, strict=True)
    )
    difference = b.mean - a.mean
    low = difference - math.hypot(b.mean - wide_b.low, wide_a.high - a.mean)
    high = difference + math.hypot(wide_b.high - b.mean, a.mean - wide_a.low)
    state: ScoreState = "undecided"
    if low > 0 or high < 0:
        state = "better" if low > 0 else "worse"
    elif -margin <= low and high <= margin:
        state = "equal"
    pairs = f"{n_pairs} pair{'s' * (n_pairs > 1)}"
    method = (
        "unpaired: from the intervals of the two accuracies (Zou and Donner 2008), "
        f"wider than a comparison item by item, Bonferroni over {pairs}"
    )
    interval = {"difference": difference, "low": low, "high": high}
    return ScoreDifference(state=state, a=a, b=b, **interval, method=method, reason=reason)


def stretched(interval: Interval, n_seeds: int, n_pairs: int, *, is_grouped: bool = False) -> Interval:
    """Return an interval of level 1 − 0.05 / m that is made from the 95 % bounds of a fraction.

    Each bound moves away from the mean by the factor t(1 − 0.05 / (2 m), K − 1) / t(1 − 0.05 / 2, K − 1) of K
    seeds, and of the normal quantiles for a single seed, whose interval holds the test items alone, many of them.
    The degrees of freedom of a stored interval are not known; they are never fewer than K − 1, and the factor
    falls as they grow, so the result is as wide as it has to be or wider. Of groups, which may be few, they are at
    least 1 (:func:`nncompare.clusters.effective_df`), and 1 is taken. Where everything is right or wrong, the
    bound is that of Clopper and Pearson, whose distance grows by log(0.05 / (2 m)) / log(0.05 / 2) at most.

    Parameters
    ----------
    interval : Interval
    n_seeds : int
        K.
    n_pairs : int
        m.
    is_grouped : bool
        The interval counts groups of items.
    """
    df: float = 1 if is_grouped else n_seeds - 1 if n_seeds > 1 else math.inf
    factor = float(stats.t.ppf(1 - ALPHA / (2 * n_pairs), df) / stats.t.ppf(1 - ALPHA / 2, df))
    if interval.mean in (0.0, 1.0):
        factor = max(factor, math.log(ALPHA / (2 * n_pairs)) / math.log(ALPHA / 2))
    below, above = factor * (interval.mean - interval.low), factor * (interval.high - interval.mean)
    low, high = max(interval.mean - below, 0.0), min(interval.mean + above, 1.0)
    return Interval(mean=interval.mean, low=min(low, interval.low), high=max(high, interval.high))
