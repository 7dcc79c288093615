"""Confidence intervals of scores and paired differences, over seeds and test items together.

A score of K refits on n test items is uncertain twice: another seed gives another network, another draw of the
test set other items. Both variances enter each interval; Welch-Satterthwaite degrees of freedom make up for
the few seeds. Where items come in groups, such as rows of one patient, the groups count in place of the items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nncompare.clusters import Groups, Weights, drawn_weights, group_sums, units_of
from nncompare.results import Interval, PairState

Correct: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
WeightedScores: TypeAlias = Callable[[Weights], Floats]

SINGLE_SEED = "single seed: differences may be noise"
MARGIN = 0.005
LARGEST_LOG_LOSS = float(-np.log(np.finfo(np.float32).eps))
# Items times bootstraps of one batch: small enough for the processor's cache, twice as fast as all at once.
_BATCH_CELLS = 2_000_000
# A standard deviation below this share of the mean is float32's rounding in the bootstraps.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The difference in accuracy of two models on the same test items, as a fraction.

    ``state`` is "better" when the interval excludes 0 (the sign of ``difference`` says for whom; see
    :func:`paired_difference` for what else it needs without a variance over seeds), else "equal" when it lies
    inside ± the margin, else "undecided"; ``within_margin`` says the second also of a "better" pair.
    ``mcnemar_p`` is exact and two-sided, given only where both sides have one seed.
    """

    difference: float
    low: float
    high: float
    state: PairState
    within_margin: bool
    method: str
    mcnemar_p: float | None = None


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
        Items of equal numbers depend on each other; then n is the number of groups.

    Raises
    ------
    ValueError
        ``correct`` is empty or not two-dimensional.
    """
    values = _checked(correct)
    units = units_of(values.mean(axis=0), groups)
    return score_interval(values.mean(axis=1), _variance_of_mean(units), len(units), level=level, is_fraction=True)


def score_interval(
    scores: Floats,
    item_variance: float,
    n_items: int,
    *,
    level: float = 0.95,
    is_fraction: bool = False,
    highest: float = LARGEST_LOG_LOSS,
) -> Interval:
    """Return the mean of K seeds' scores with its t interval, clipped to what the score can be.

    One item says nothing of the spread over items, and neither do items that all agree: there the interval is
    not taken from the variances but is the widest that n agreeing items allow (Clopper and Pearson's for a
    fraction, :func:`_agreeing_interval` for a loss), which for one item is almost everything.

    Parameters
    ----------
    scores : ndarray of shape (n_seeds,)
        One score per seed.
    item_variance : float
        Variance of the seed-averaged score under a new draw of the n items: s²_items / n, or from
        :func:`bootstrap_variances`. NaN where it is undefined.
    n_items : int
    level : float
    is_fraction : bool
        The score lies between 0 and 1; otherwise it is a loss from 0 to ``highest``.
    highest : float
        The largest value of a loss: of the log loss, whose probabilities are clipped at float32's epsilon,
        15.94 nats; of the Brier score 2.
    """
    mean, alpha = float(np.mean(scores)), 1 - level
    is_known = n_items > 1 and item_variance > (_ROUNDING * mean) ** 2
    terms = [(_variance_of_mean(scores), len(scores) - 1), (item_variance if is_known else 0.0, n_items - 1)]
    half = _half_width(terms, alpha) if n_items > 1 else 0.0
    top = 1.0 if is_fraction else highest
    if half:
        low, high = mean - half, mean + half
    elif is_fraction:
        low, high = _exact_interval(mean, n_items, alpha)
    else:
        low, high = _agreeing_interval(mean, 0.0, highest, n_items, alpha)
    return Interval(mean=mean, low=min(max(low, 0.0), mean), high=max(min(high, top), mean))


def bootstrap_variances(
    refits: Sequence[WeightedScores],
    n_items: int,
    *,
    n_bootstraps: int = 1000,
    seed: int = 0,
    groups: Groups | None = None,
) -> Floats:
    """Return the variance of seed-averaged scores over bootstraps of the test items.

    The seeds of one bootstrap see the same items, so that what they have in common stays in the variance.

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
    return np.asarray(np.ma.filled(known.var(axis=1, ddof=1), 0.0), dtype=np.float64)


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
    has no seed term. Where the SE is 0, all items agree on one difference d; n such items bound the share of
    others by q = 1 − (0.05 / (2 m))^(1/n) (Clopper and Pearson), and those could lie at −1 or 1: the interval is
    d − q (1 + d) to d + q (1 − d). For d = ±1 it excludes 0 exactly when the sign test does.

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
        Items of equal numbers depend on each other: n and the sign test then count groups.

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
    low, high = _difference_interval(a, b, units_of(items, groups), alpha)
    signs = group_sums(items, groups)
    within_margin = bool(-margin <= low and high <= margin)
    is_better = (low > 0 or high < 0) and (_seeds_vary(a, b) or _sign_test_p(signs) <= alpha)
    return PairedDifference(
        difference=float(items.mean()),
        low=low,
        high=high,
        state="better" if is_better else "equal" if within_margin else "undecided",
        within_margin=within_margin,
        method=_method(a, b, n_pairs, deterministic_a, deterministic_b, None if groups is None else len(signs)),
        mcnemar_p=_sign_test_p(signs) if len(a) == len(b) == 1 else None,
    )


def _difference_interval(a: Floats, b: Floats, items: Floats, alpha: float) -> tuple[float, float]:
    """Return the interval of the mean of ``items``, the seed-averaged paired differences of items or groups."""
    n_items, d = len(items), float(items.mean())
    terms = [(_seed_variance(side), len(side) - 1) for side in (a, b)]
    half = _half_width([*terms, (_variance_of_mean(items), n_items - 1)], alpha)
    if half:
        return max(d - half, -1.0), min(d + half, 1.0)
    return _agreeing_interval(d, -1.0, 1.0, n_items, alpha)


def _seed_variance(correct: Floats) -> float:
    return _variance_of_mean(correct.mean(axis=1))


def _seeds_vary(a: Floats, b: Floats) -> bool:
    return _seed_variance(a) > 0 or _seed_variance(b) > 0


def _agreeing_interval(
    mean: float, lowest: float, highest: float, n_items: int, alpha: float
) -> tuple[float, float]:
    """Return the interval of n items that all have the same value.

    Clopper and Pearson bound the share of other items by q = 1 − (α / 2)^(1/n); those could lie at either end.
    """
    others = 1 - (alpha / 2) ** (1 / n_items)
    return mean - others * (mean - lowest), mean + others * (highest - mean)


def _checked(correct: Correct) -> Floats:
    if correct.ndim != 2 or correct.size == 0:
        raise ValueError(f"correctness must have the shape (n_seeds, n_items), both positive; got {correct.shape}")
    return np.asarray(correct, dtype=np.float64)


def _variance_of_mean(values: Floats) -> float:
    """Return s² / n, 0 for a single value and for values that differ by rounding only."""
    if len(values) < 2 or np.ptp(values) < 1e-12:
        return 0.0
    return float(np.var(values, ddof=1)) / len(values)


def _half_width(terms: Sequence[tuple[float, int]], alpha: float) -> float:
    """Return t · SE for independent (variance of a mean, degrees of freedom) terms (Welch 1947)."""
    known = [(variance, df) for variance, df in terms if variance > 0 and df > 0]
    total = sum(variance for variance, _ in known)
    if not known:
        return 0.0
    df = total**2 / sum(variance**2 / df for variance, df in known)
    return float(stats.t.ppf(1 - alpha / 2, df) * np.sqrt(total))


def _exact_interval(mean: float, n_items: int, alpha: float) -> tuple[float, float]:
    """Return Clopper and Pearson's interval, for a mean that need not be a whole count of items."""
    right, wrong = mean * n_items, (1 - mean) * n_items
    low = float(stats.beta.ppf(alpha / 2, right, wrong + 1)) if right > 0 else 0.0
    high = float(stats.beta.ppf(1 - alpha / 2, right + 1, wrong)) if wrong > 0 else 1.0
    return low, high


def _sign_test_p(items: Floats) -> float:
    """Return the exact two-sided p of the sign test on paired differences; of one seed each, it is McNemar's."""
    only_a, only_b = int(np.sum(items > 0)), int(np.sum(items < 0))
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def _method(
    a: Floats, b: Floats, n_pairs: int, deterministic_a: bool, deterministic_b: bool, n_groups: int | None
) -> str:
    """Say in words how the interval was made."""
    seeds = [
        "no seed (deterministic)" if fixed else f"{len(side)} seed{'s' * (len(side) > 1)}"
        for side, fixed in ((a, deterministic_a), (b, deterministic_b))
    ]
    over = seeds[0] if seeds[0] == seeds[1] else f"{seeds[0]} against {seeds[1]}"
    pairs = f"{n_pairs} pair{'s' * (n_pairs > 1)}"
    of = "" if n_groups is None else f" in {n_groups:,} groups"
    text = f"paired t interval, {over}, {a.shape[1]:,} test items{of}, Bonferroni over {pairs}"
    is_single = (len(a) == 1 and not deterministic_a) or (len(b) == 1 and not deterministic_b)
    return f"{text}; {SINGLE_SEED}" if is_single else text
