"""Confidence intervals of scores and paired differences, over seeds and test items together.

A score of K refits on n test items is uncertain twice: another seed gives another network, another draw of the
test set other items. Both variances enter each interval; Welch-Satterthwaite degrees of freedom make up for
the few seeds. Where items come in groups, such as rows of one patient, the groups count in place of the items.
Where the items tell no variance, because they agree or lie in one group, the seeds' alone is never taken for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nncompare.bounds import agreeing_bounds, exact_bounds, half_width, widened
from nncompare.clusters import (
    Groups,
    Spread,
    effective_number,
    group_sums,
    spread_of_mean,
)
from nncompare.results import Interval, PairState

Correct: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]

SINGLE_SEED = "single seed: differences may be noise"
MARGIN = 0.005
LARGEST_LOG_LOSS = float(-np.log(np.finfo(np.float32).eps))
# A standard deviation below this share of the mean is float32's rounding in the bootstraps.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The difference in accuracy of two models on the same test items, as a fraction.

    ``state`` is "better" when the interval excludes 0 (the sign of ``difference`` says for whom; see
    :func:`paired_difference` for what else it needs without a variance over seeds), else "equal" when it lies
    inside ± the margin, else "undecided"; ``within_margin`` says the second also of a "better" pair.
    ``mcnemar_p`` is exact and two-sided, given only where both sides have one seed; with groups it is the p of the
    sign test over them. ``n_groups`` is their number, None where items are counted.
    """

    difference: float
    low: float
    high: float
    state: PairState
    within_margin: bool
    method: str
    mcnemar_p: float | None = None
    n_groups: int | None = None


def accuracy_interval(correct: Correct, level: float = 0.95, groups: Groups | None = None) -> Interval:
    """Return the mean accuracy over seeds and items with its t interval, clipped to [0, 1].

    SE² = s²_seeds / K + s²_items / n, where s²_items is the variance over items of the seed-averaged
    correctness; one seed leaves the item term alone. Where the variance is zero or undefined (everything right,
    everything wrong, one item) the interval is that of Clopper and Pearson (1934) over the n items, so
    360 of 360 right reads 0.990 to 1 and not 1 to 1.

    Parameters
    ----------
    correct : ndarray of shape (n_seeds, n_items), bool
    level : float
    groups : ndarray of shape (n_items,), int64, optional
        Items of equal numbers depend on each other; then the item term is that of
        :func:`~nncompare.clusters.spread_of_mean`, and n the effective number of groups.

    Raises
    ------
    ValueError
        ``correct`` is empty or not two-dimensional.
    """
    values = _checked(correct)
    spread = spread_of_mean(values.mean(axis=0), groups)
    scores = values.mean(axis=1)
    return score_interval(scores, spread.variance, spread.n_units, df=spread.df, level=level, is_fraction=True)


def score_interval(
    scores: Floats,
    item_variance: float,
    n_items: float,
    *,
    df: float | None = None,
    level: float = 0.95,
    is_fraction: bool = False,
    highest: float = LARGEST_LOG_LOSS,
) -> Interval:
    """Return the mean of K seeds' scores with its t interval, clipped to what the score can be.

    One item says nothing of the spread over items, and neither do items that all agree: there the item's part is
    not taken from the variances but is the widest that n agreeing items allow (Clopper and Pearson's for a
    fraction, :func:`~nncompare.bounds.agreeing_bounds` for a loss), which for one item is almost everything.

    Parameters
    ----------
    scores : ndarray of shape (n_seeds,)
        One score per seed.
    item_variance : float
        Variance of the seed-averaged score under a new draw of the n items: s²_items / n, or from
        :func:`~nncompare.bootstraps.bootstrap_variances`. NaN where it is undefined.
    n_items : float
        Of items in groups the effective number of groups.
    df : float, optional
        Degrees of freedom of ``item_variance``; n − 1 unless given.
    level : float
    is_fraction : bool
        The score lies between 0 and 1; otherwise it is a loss from 0 to ``highest``.
    highest : float
        The largest value of a loss: of the log loss, whose probabilities are clipped at float32's epsilon,
        15.94 nats; of the Brier score 2.
    """
    mean, alpha = float(np.mean(scores)), 1 - level
    seeds = (_variance_of_mean(scores), len(scores) - 1)
    if n_items > 1 and item_variance > (_ROUNDING * mean) ** 2:
        half = half_width([seeds, (item_variance, n_items - 1 if df is None else df)], alpha)
        low, high = mean - half, mean + half
    else:
        agreed = (
            exact_bounds(mean, n_items, alpha)
            if is_fraction
            else agreeing_bounds(mean, 0.0, highest, n_items, alpha)
        )
        low, high = widened(mean, agreed, half_width([seeds], alpha))
    top = 1.0 if is_fraction else highest
    return Interval(mean=mean, low=min(max(low, 0.0), mean), high=max(min(high, top), mean))


def paired_difference(
    correct_a: Correct,
    correct_b: Correct,
    *,
    n_pairs: int,
    margin: float = MARGIN,
    deterministic_a: bool = False,
    deterministic_b: bool = False,
    groups: Groups | None = None,
) -> PairedDifference:
    """Compare two models on the same test items: d ± t(1 − 0.05 / (2 m)) · SE.

    SE² = s²_A / K_A + s²_B / K_B + s²_items / n, with the variance over items of the seed-averaged paired
    difference and Welch-Satterthwaite degrees of freedom; Bonferroni over the m pairs of a data set. One seed
    has no seed term. Where s²_items is 0, all items agree on one difference d; n such items bound the share of
    others by q = 1 − (0.05 / (2 m))^(1/n) (Clopper and Pearson), and those could lie at −1 or 1: the interval is
    d − q (1 + d) to d + q (1 − d), and wider by what the seeds vary. For d = ±1 of one seed it excludes 0 exactly
    when the sign test does, so never for one item.

    Where neither side's accuracy varies over its seeds (one seed, or seeds that agree), a few items that all speak
    for one side make the t interval exclude 0 too early: there "better" also needs the exact sign test on the
    items that differ, at 0.05 / m.

    Parameters
    ----------
    correct_a, correct_b : ndarray of shape (n_seeds_a, n_items) and (n_seeds_b, n_items), bool
        The same items in the same order; the seeds need not be equally many.
    n_pairs : int
        All pairs that the data set's verdict reads (m).
    margin : float
        Half the width of practical equality, as a fraction.
    deterministic_a, deterministic_b : bool
        That side has no seed (a reference), so one row of it is the whole truth about its seed variance.
    groups : ndarray of shape (n_items,), int64, optional
        Items of equal numbers depend on each other: the sign test then counts groups, the item term is that of
        :func:`~nncompare.clusters.spread_of_mean`, and n the effective number of groups. One group is never enough
        for "better".

    Raises
    ------
    ValueError
        The numbers of items differ, or an array is empty or not two-dimensional.
    """
    a, b = _checked(correct_a), _checked(correct_b)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"a pair needs the same test items: {a.shape[1]} and {b.shape[1]} were given")
    alpha = 0.05 / n_pairs
    items = a.mean(axis=0) - b.mean(axis=0)
    spread = spread_of_mean(items, groups)
    low, high = _difference_interval(a, b, float(items.mean()), spread, alpha)
    # Whole numbers: the means' rounding would count as a sign where two sides are equal.
    signs = group_sums(a.sum(axis=0) * len(b) - b.sum(axis=0) * len(a), groups)
    within_margin = bool(-margin <= low and high <= margin)
    is_better = (low > 0 or high < 0) and (_seeds_vary(a, b) or _sign_test_p(signs) <= alpha)
    return PairedDifference(
        difference=float(items.mean()),
        low=low,
        high=high,
        state="better" if is_better else "equal" if within_margin else "undecided",
        within_margin=within_margin,
        method=_method(a, b, n_pairs, deterministic_a, deterministic_b, groups),
        mcnemar_p=_sign_test_p(signs) if len(a) == len(b) == 1 else None,
        n_groups=None if groups is None else len(signs),
    )


def _difference_interval(
    a: Floats, b: Floats, difference: float, spread: Spread, alpha: float
) -> tuple[float, float]:
    """Return the interval of the difference, of which ``spread`` is that over items or groups."""
    seeds = [(_seed_variance(side), len(side) - 1) for side in (a, b)]
    if spread.variance > 0:
        half = half_width([*seeds, (spread.variance, spread.df)], alpha)
        low, high = difference - half, difference + half
    else:
        agreed = agreeing_bounds(difference, -1.0, 1.0, spread.n_units, alpha)
        low, high = widened(difference, agreed, half_width(seeds, alpha))
    return max(low, -1.0), min(high, 1.0)


def _seed_variance(correct: Floats) -> float:
    return _variance_of_mean(correct.mean(axis=1))


def _seeds_vary(a: Floats, b: Floats) -> bool:
    return _seed_variance(a) > 0 or _seed_variance(b) > 0


def _checked(correct: Correct) -> Floats:
    if correct.ndim != 2 or correct.size == 0:
        raise ValueError(f"correctness must have the shape (n_seeds, n_items), both positive; got {correct.shape}")
    return np.asarray(correct, dtype=np.float64)


def _variance_of_mean(values: Floats) -> float:
    """Return s² / n, 0 for a single value and for values that differ by rounding only."""
    if len(values) < 2 or np.ptp(values) < 1e-12:
        return 0.0
    return float(np.var(values, ddof=1)) / len(values)


def _sign_test_p(items: Floats) -> float:
    """Return the exact two-sided p of the sign test on paired differences; of one seed each, it is McNemar's."""
    only_a, only_b = int(np.sum(items > 0)), int(np.sum(items < 0))
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def _method(
    a: Floats, b: Floats, n_pairs: int, deterministic_a: bool, deterministic_b: bool, groups: Groups | None
) -> str:
    """Say in words how the interval was made."""
    seeds = [
        "no seed (deterministic)" if fixed else f"{len(side)} seed{'s' * (len(side) > 1)}"
        for side, fixed in ((a, deterministic_a), (b, deterministic_b))
    ]
    over = seeds[0] if seeds[0] == seeds[1] else f"{seeds[0]} against {seeds[1]}"
    pairs = f"{n_pairs} pair{'s' * (n_pairs > 1)}"
    of = "" if groups is None else _in_groups(groups)
    text = f"paired t interval, {over}, {a.shape[1]:,} test items{of}, Bonferroni over {pairs}"
    is_single = (len(a) == 1 and not deterministic_a) or (len(b) == 1 and not deterministic_b)
    return f"{text}; {SINGLE_SEED}" if is_single else text


def _in_groups(groups: Groups) -> str:
    """Say how many groups there are, and how many equal ones say as much."""
    n_groups, effective = len(np.unique(groups)), effective_number(groups)
    if n_groups == 1:
        return " in 1 group, which tells nothing of others"
    as_much = f" of unequal sizes, which count as {effective:.1f}" if effective < n_groups - 0.05 else ""
    return f" in {n_groups:,} groups{as_much}"
