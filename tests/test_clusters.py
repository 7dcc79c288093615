"""Items in groups: what counts is the number of groups."""

import numpy as np
import pytest
from scipy import stats

from nncompare.clusters import drawn_weights, group_sums, units_of
from nncompare.statistics import accuracy_interval, bootstrap_variances, paired_difference

RNG = np.random.default_rng(0)


def test_units_have_the_cluster_robust_variance_of_the_mean():
    items, groups = RNG.normal(size=60), np.sort(RNG.integers(0, 12, 60))
    units = units_of(items, groups)
    n_groups = len(np.unique(groups))
    residual = [items[groups == g].sum() - (groups == g).sum() * items.mean() for g in np.unique(groups)]
    expected = n_groups / (n_groups - 1) * np.sum(np.square(residual)) / 60**2
    assert units.mean() == pytest.approx(items.mean())
    assert units.var(ddof=1) / len(units) == pytest.approx(expected)


def test_groups_of_one_item_are_the_items():
    items = RNG.normal(size=20)
    np.testing.assert_allclose(units_of(items, np.arange(20)), items)
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
