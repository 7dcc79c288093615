"""Items in groups: what counts is the number of groups."""

import numpy as np
import pytest
from scipy import stats

from nncompare.bootstraps import bootstrap_variances
from nncompare.clusters import (
    drawn_weights,
    effective_df,
    effective_number,
    group_sums,
    spread_of_mean,
)
from nncompare.statistics import accuracy_interval, paired_difference

RNG = np.random.default_rng(0)


def uneven(*sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


def test_variance_of_equal_groups_is_the_cluster_robust_one():
    items, groups = RNG.normal(size=60), uneven(*[5] * 12)
    residual = group_sums(items - items.mean(), groups)
    spread = spread_of_mean(items, groups)
    assert spread.variance == pytest.approx(12 / 11 * np.sum(residual**2) / 60**2)
    assert (spread.df, spread.n_units) == pytest.approx((11, 12))


def test_variance_of_unequal_groups_leaves_out_one_at_a_time():
    groups = uneven(30, 1, 4, 9, 9)
    items = RNG.normal(size=len(groups))
    left = np.array([items[groups != g].mean() for g in range(5)])
    assert spread_of_mean(items, groups).variance == pytest.approx(4 / 5 * np.sum((items.mean() - left) ** 2))


def test_groups_of_which_one_holds_most_items_count_as_little_more_than_one():
    groups = uneven(300, *[5] * 11)
    assert effective_number(groups) == pytest.approx(355**2 / (300**2 + 11 * 25))
    assert effective_df(groups) == 1
    assert effective_df(uneven(20, 10, 10)) == pytest.approx(1600 / 600 - 1)
    assert effective_number(uneven(4, 4, 4)) == pytest.approx(3)
    assert spread_of_mean(RNG.normal(size=9), uneven(9)) == (0.0, 0.0, 1.0)


def test_groups_of_one_item_are_the_items():
    items = RNG.normal(size=20)
    assert spread_of_mean(items, np.arange(20)) == pytest.approx(spread_of_mean(items, None))
    np.testing.assert_allclose(group_sums(items, np.arange(20)), items)
    correct = RNG.random((3, 200)) < 0.8
    assert accuracy_interval(correct, groups=np.arange(200)).low == pytest.approx(accuracy_interval(correct).low)


def test_items_repeated_within_groups_say_no_more_than_once():
    once = RNG.random((3, 50)) < 0.7
    other = RNG.random((3, 50)) < 0.5
    groups = np.repeat(np.arange(50), 8)
    repeated, others = np.repeat(once, 8, axis=1), np.repeat(other, 8, axis=1)
    alone, together = accuracy_interval(once), accuracy_interval(repeated, groups=groups)
    assert (together.low, together.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert accuracy_interval(repeated[:1]).high < accuracy_interval(repeated[:1], groups=groups).high
    pair = paired_difference(repeated, others, n_pairs=1, groups=groups)
    assert pair.low == pytest.approx(paired_difference(once, other, n_pairs=1).low)
    assert "400 test items in 50 groups" in pair.method


def test_sign_test_counts_groups():
    a, b = np.ones((1, 40), bool), np.ones((1, 40), bool)
    b[0, :8] = False
    pair = paired_difference(a, b, n_pairs=1, groups=np.arange(40) // 8)
    assert pair.mcnemar_p == 1.0  # one group of five speaks for a
    assert paired_difference(a, b, n_pairs=1).mcnemar_p == pytest.approx(2 * 0.5**8)


def test_groups_that_all_agree_bound_less_than_their_items():
    right = np.ones((3, 40), bool)
    whole, grouped = accuracy_interval(right), accuracy_interval(right, groups=np.arange(40) // 8)
    assert grouped.low == pytest.approx(stats.beta.ppf(0.025, 5, 1))
    assert grouped.low < whole.low


def seeds_of(*rates, n=100):
    """Return seeds that get these shares of n items right, the first ones."""
    return np.array([np.arange(n) < rate * n for rate in rates])


def test_one_group_is_never_better_whatever_the_seeds_say():
    a, b = seeds_of(0.80, 0.82, 0.81), seeds_of(0.70, 0.72, 0.71)
    pair = paired_difference(a, b, n_pairs=1, groups=uneven(100))
    assert (pair.state, pair.n_groups) == ("undecided", 1)
    assert pair.low < -0.9
    assert pair.high > 0.95
    assert "in 1 group, which tells nothing of others" in pair.method
    assert accuracy_interval(a, groups=uneven(100)).high > 0.99


def test_groups_that_agree_leave_the_seeds_not_alone():
    a, b = seeds_of(0.80, 0.82, 0.81), seeds_of(0.70, 0.72, 0.71)
    groups = np.arange(200) // 100
    pair = paired_difference(np.tile(a, 2), np.tile(b, 2), n_pairs=1, groups=groups)
    assert pair.state == "undecided"
    assert pair.high - pair.low > 1
    interval = accuracy_interval(np.tile(a, 2), groups=groups)
    assert interval.low < 0.3


def test_sign_test_over_groups_does_not_count_the_rounding_of_means():
    a, b = np.zeros((3, 40), bool), np.zeros((3, 40), bool)
    for g in range(8):  # in each group three answers of one seed against one of each seed: equal
        a[0, 5 * g : 5 * g + 3] = True
        b[:, 5 * g] = True
    a, b = np.hstack([a, np.ones((3, 1), bool)]), np.hstack([b, np.ones((3, 1), bool)])
    assert np.any(group_sums(a.mean(axis=0) - b.mean(axis=0), np.arange(41) // 5) != 0)
    assert paired_difference(a, b, n_pairs=1, groups=np.arange(41) // 5).state == "undecided"


@pytest.mark.parametrize("sizes", [(300, *[5] * 11), (500, *[5] * 19), (200, *[20] * 9)])
def test_without_a_gap_a_dominating_group_is_seldom_called_better(sizes):
    rng, n_runs, found = np.random.default_rng(2), 150, 0
    groups = uneven(*sizes)
    for _ in range(n_runs):
        margin = rng.standard_normal((2, 3, len(groups)))
        margin += rng.standard_normal((2, 1, len(sizes)))[:, :, groups]
        found += paired_difference(*(margin > -1.8), n_pairs=1, groups=groups).state == "better"
    assert found / n_runs < 0.06


@pytest.mark.parametrize("n_groups", [2, 3, 5])
def test_bootstraps_of_few_groups_vary_as_much_as_new_ones(n_groups):
    by = np.repeat(np.arange(n_groups), 4)
    items = np.repeat(RNG.normal(size=n_groups), 4)

    def mean(w):
        return ((items @ w) / w.sum(axis=0))[np.newaxis]

    found = bootstrap_variances([mean], len(by), n_bootstraps=8000, groups=by)[0]
    assert found == pytest.approx(spread_of_mean(items, by).variance, rel=0.06)


def test_bootstraps_draw_groups():
    groups = np.array([7, 7, 3, 3, 3, 9])
    weights = drawn_weights(np.random.default_rng(0), 6, 400, groups)
    assert (weights[0] == weights[1]).all()
    assert (weights[2] == weights[4]).all()
    assert (weights[0] + weights[2] + weights[5] == 3).all()
    items, by = np.repeat(RNG.normal(size=40), 5), np.repeat(np.arange(40), 5)

    def mean(w):
        return ((items @ w) / w.sum(axis=0))[np.newaxis]

    alone, together = (bootstrap_variances([mean], 200, groups=g)[0] for g in (None, by))
    assert together == pytest.approx(5 * alone, rel=0.3)


def test_without_a_gap_grouped_models_are_seldom_called_better():
    rng, n_runs, found = np.random.default_rng(1), 300, {True: 0, False: 0}
    groups = np.repeat(np.arange(20), 20)
    for _ in range(n_runs):
        margin = rng.standard_normal((2, 3, 400)) + 2 * rng.standard_normal((2, 1, 20))[:, :, groups]
        correct = margin > -1.5
        for grouped in found:
            pair = paired_difference(*correct, n_pairs=1, groups=groups if grouped else None)
            found[grouped] += pair.state == "better"
    assert found[True] / n_runs < 0.09  # 0.05 and two deviations of 300 runs, and some more for 20 groups
    assert found[False] / n_runs > 0.3
