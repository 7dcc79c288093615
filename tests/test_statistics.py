"""Intervals and paired differences: worked examples, degenerate cases, properties, and the simulation."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from nncompare.bootstraps import bootstrap_variances
from nncompare.statistics import accuracy_interval, paired_difference, score_interval

# Two binomial standard deviations of 1,000 runs at 5 %: what chance may add to a rate of exactly 5 %.
TOLERANCE = 2 * (0.05 * 0.95 / 1000) ** 0.5


def simulation():
    path = Path(__file__).parents[1] / "benchmarks" / "verdict_simulation.py"
    spec = importlib.util.spec_from_file_location("verdict_simulation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def simulate():
    return simulation().simulate


def draw(seed, k, n, p):
    return np.random.default_rng(seed).random((k, n)) < p


def pairs_of_correct(max_items=40):
    n_items = st.integers(1, max_items)
    return n_items.flatmap(lambda n: st.tuples(*(rows_of_correct(n) for _ in range(2))))


def rows_of_correct(n):
    return st.integers(1, 4).flatmap(lambda k: arrays(bool, (k, n)))


def test_accuracy_interval_equals_formula_by_hand():
    correct = draw(1, 3, 500, 0.8)
    seeds, items = correct.mean(axis=1), correct.mean(axis=0)
    a, b = seeds.var(ddof=1) / 3, items.var(ddof=1) / 500
    df = (a + b) ** 2 / (a**2 / 2 + b**2 / 499)
    half = stats.t.ppf(0.975, df) * np.sqrt(a + b)
    interval = accuracy_interval(correct)
    assert interval.mean == pytest.approx(correct.mean())
    assert (interval.low, interval.high) == pytest.approx((correct.mean() - half, correct.mean() + half))


def test_accuracy_interval_of_one_seed_uses_items_alone():
    correct = draw(2, 1, 400, 0.7)
    half = stats.t.ppf(0.975, 399) * correct.std(ddof=1) / 20
    assert accuracy_interval(correct).low == pytest.approx(correct.mean() - half)


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_accuracy_interval_of_all_right_is_clopper_pearson(n_seeds):
    interval = accuracy_interval(np.ones((n_seeds, 360), bool))
    assert interval.mean == interval.high == 1
    assert interval.low == pytest.approx(stats.binomtest(360, 360).proportion_ci().low)
    wrong = accuracy_interval(np.zeros((n_seeds, 360), bool))
    assert (wrong.mean, wrong.low, wrong.high) == pytest.approx((0, 0, 1 - interval.low))


def test_accuracy_interval_of_one_item_is_almost_everything():
    interval = accuracy_interval(np.ones((3, 1), bool))
    assert interval.low == pytest.approx(0.025)


@pytest.mark.parametrize("shape", [(3,), (0, 5), (3, 0)])
def test_accuracy_interval_refuses_empty_and_flat_arrays(shape):
    with pytest.raises(ValueError, match="n_seeds, n_items"):
        accuracy_interval(np.zeros(shape, bool))


@settings(deadline=None)
@given(rows_of_correct(30))
def test_accuracy_interval_holds_mean_and_stays_in_unit_range(correct):
    interval = accuracy_interval(correct)
    assert 0 <= interval.low <= interval.mean <= interval.high <= 1


def test_score_interval_of_a_loss_may_exceed_1_and_is_never_negative():
    found = score_interval(np.array([0.01, 1.99]), 0.1, 50)
    assert found.low == 0.0
    assert found.high > 1.0


def test_score_interval_of_a_loss_never_exceeds_the_highest():
    assert score_interval(np.array([1.9, 0.1]), 0.1, 50, highest=2.0).high == 2.0


def test_score_interval_of_equal_losses_is_not_a_point_and_narrows_with_items():
    few, many = (score_interval(np.array([2.3]), 1e-14, n, highest=36.0) for n in (20, 20_000))
    assert few.high - few.low > 1.0 > many.high - many.low > 0.001
    q = 1 - 0.025 ** (1 / 20)
    assert (few.low, few.high) == pytest.approx((2.3 * (1 - q), 2.3 + q * (36.0 - 2.3)))


@pytest.mark.parametrize("is_fraction", [True, False])
def test_score_interval_of_one_item_is_almost_everything_whatever_the_seeds(is_fraction):
    found = score_interval(np.array([0.66, 0.67, 0.68]), 0.04, 1, is_fraction=is_fraction, highest=2.0)
    assert found.low < 0.05
    assert found.high > (0.95 if is_fraction else 1.9)


def test_bootstrap_variances_of_a_mean_equal_the_analytic_variance():
    values = np.random.default_rng(3).normal(size=(2, 800)).astype(np.float32)
    refits = [lambda weights, row=row: np.stack([row @ weights / 800]) for row in values]
    expected = values.mean(axis=0).var(ddof=1) / 800
    assert bootstrap_variances(refits, 800, n_bootstraps=4000) == pytest.approx([expected], rel=0.1)


def test_bootstrap_variances_repeat_with_a_seed_and_leave_nan_out():
    def refit(weights):
        first = weights[0].astype(float)
        return np.stack([first, np.where(first > 0, first, np.nan), np.full_like(first, np.nan)])

    first, again, other = (bootstrap_variances([refit], 20, n_bootstraps=200, seed=s) for s in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()
    assert first[1] < first[0]
    assert first[2] == 0


def test_paired_difference_equals_formula_by_hand():
    a, b = draw(4, 3, 1000, 0.9), draw(5, 2, 1000, 0.85)
    items = a.mean(axis=0) - b.mean(axis=0)
    terms = [a.mean(axis=1).var(ddof=1) / 3, b.mean(axis=1).var(ddof=1) / 2, items.var(ddof=1) / 1000]
    df = sum(terms) ** 2 / sum(v**2 / d for v, d in zip(terms, (2, 1, 999), strict=True))
    half = stats.t.ppf(1 - 0.05 / 6, df) * np.sqrt(sum(terms))
    pair = paired_difference(a, b, n_pairs=3)
    assert pair.difference == pytest.approx(items.mean())
    assert (pair.low, pair.high) == pytest.approx((items.mean() - half, items.mean() + half))
    assert "3 seeds against 2 seeds" in pair.method
    assert "Bonferroni over 3 pairs" in pair.method


def test_paired_difference_against_a_reference_has_no_seed_term_and_says_so():
    model, reference = draw(6, 3, 500, 0.9), draw(7, 1, 500, 0.8)
    pair = paired_difference(model, reference, n_pairs=1, deterministic_b=True)
    repeated = paired_difference(model, np.repeat(reference, 3, axis=0), n_pairs=1)
    assert (pair.low, pair.high) == pytest.approx((repeated.low, repeated.high))
    assert "3 seeds against no seed (deterministic)" in pair.method
    assert "single seed" not in pair.method
    assert pair.mcnemar_p is None


def test_paired_difference_of_one_seed_says_so_and_gives_mcnemar():
    a, b = np.zeros((1, 50), bool), np.zeros((1, 50), bool)
    a[0, :9], b[0, 9] = True, True
    pair = paired_difference(a, b, n_pairs=1)
    assert pair.method.endswith("single seed: differences may be noise")
    assert pair.mcnemar_p == pytest.approx(stats.binomtest(9, 10).pvalue)
    assert paired_difference(a, a, n_pairs=1).mcnemar_p == 1
    assert "single seed" in paired_difference(np.repeat(a, 3, axis=0), b, n_pairs=1).method


@pytest.mark.parametrize(("n_items", "state"), [(30, "undecided"), (360, "undecided"), (1000, "equal")])
def test_paired_difference_of_equal_answers_depends_on_how_many_there_were(n_items, state):
    same = np.ones((3, n_items), bool)
    pair = paired_difference(same, same, n_pairs=1)
    assert (pair.difference, pair.state) == (0, state)
    assert pair.low == -pair.high < 0


@pytest.mark.parametrize(
    ("n_items", "state"), [(1, "undecided"), (5, "undecided"), (6, "better"), (100, "better")]
)
def test_paired_difference_of_constant_one_agrees_with_sign_test(n_items, state):
    a, b = np.ones((1, n_items), bool), np.zeros((1, n_items), bool)
    pair = paired_difference(a, b, n_pairs=1)
    assert pair.state == state
    assert (pair.mcnemar_p < 0.05) == (state == "better")
    assert pair.high == 1


@pytest.mark.parametrize("n_seeds", [1, 3])
@pytest.mark.parametrize(
    ("n_apart", "n_pairs", "state"), [(5, 1, "undecided"), (6, 1, "better"), (6, 2, "undecided")]
)
def test_paired_difference_of_few_items_without_seed_variance_needs_the_sign_test(
    n_seeds, n_apart, n_pairs, state
):
    a = np.ones((n_seeds, 360), bool)
    b = a.copy()
    b[:, :n_apart] = False
    assert paired_difference(a, b, n_pairs=1).low > 0
    assert paired_difference(a, b, n_pairs=n_pairs).state == state
    assert paired_difference(b, a, n_pairs=n_pairs).state == state


def test_paired_difference_with_seed_variance_follows_the_interval():
    a = np.ones((3, 360), bool)
    b = a.copy()
    b[:, :5] = False
    b[0, 5] = False
    pair = paired_difference(a, b, n_pairs=1)
    assert pair.state == ("better" if pair.low > 0 else "undecided")
    assert pair.low > 0


def test_paired_difference_can_be_better_and_within_margin():
    a = np.ones((3, 100_000), bool)
    b = a.copy()
    b[:, :200] = False
    pair = paired_difference(a, b, n_pairs=1)
    assert (pair.state, pair.within_margin) == ("better", True)
    assert paired_difference(a, b, n_pairs=1, margin=0.001).within_margin is False


def test_paired_difference_refuses_other_items():
    with pytest.raises(ValueError, match="same test items: 3 and 4"):
        paired_difference(np.ones((1, 3), bool), np.ones((1, 4), bool), n_pairs=1)


@settings(deadline=None)
@given(pairs_of_correct())
def test_paired_difference_is_antisymmetric(pair):
    forth, back = paired_difference(*pair, n_pairs=2), paired_difference(*reversed(pair), n_pairs=2)
    assert forth.difference == -back.difference
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))
    assert (forth.state, forth.within_margin, forth.mcnemar_p) == (back.state, back.within_margin, back.mcnemar_p)


@settings(deadline=None)
@given(pairs_of_correct(), st.integers(1, 20))
def test_paired_difference_lies_in_its_interval_and_more_pairs_widen_it(pair, n_pairs):
    few, many = paired_difference(*pair, n_pairs=n_pairs), paired_difference(*pair, n_pairs=n_pairs + 1)
    assert -1 <= many.low <= few.low <= few.difference <= few.high <= many.high <= 1
    assert few.low < few.high


@settings(deadline=None)
@given(st.integers(1, 4).flatmap(lambda k: arrays(bool, (k, 12))), st.integers(1, 9))
def test_paired_difference_of_a_model_with_itself_is_never_better(correct, n_pairs):
    assert paired_difference(correct, correct, n_pairs=n_pairs).state != "better"


@pytest.mark.parametrize("seed_sd", [0.0, 0.010])
@pytest.mark.parametrize("n_items", [360, 1_000])
def test_simulation_small_grid_keeps_its_promises(simulate, n_items, seed_sd):
    cell = simulate(n_items, seed_sd, n_runs=1000, seed=11)
    assert cell.better <= 0.05 + TOLERANCE
    assert cell.coverage >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("seed_sd", [0.0, 0.003, 0.006, 0.010])
@pytest.mark.parametrize("n_items", [360, 1_000, 10_000])
@pytest.mark.parametrize("accuracy", [0.9, 0.98])
def test_simulation_of_false_better_and_coverage(simulate, accuracy, n_items, seed_sd):
    null = simulate(n_items, seed_sd, accuracy=accuracy, n_runs=1000, seed=12)
    real = simulate(n_items, seed_sd, accuracy=accuracy, gap=0.02, n_runs=1000, seed=13)
    assert null.better <= 0.05 + TOLERANCE
    assert null.coverage >= 0.93
    assert real.coverage >= 0.93


def test_simulation_power_for_two_points(simulate):
    assert simulate(10_000, 0.003, gap=0.02, n_runs=200, seed=14).better >= 0.9


def test_simulation_draws_the_accuracy_and_correlation_it_promises():
    rng = np.random.default_rng(15)
    correct = simulation().draw_correct(rng, 200_000, np.array([0.9, 0.88]), 0.0, 2)
    assert correct.mean(axis=(1, 2)) == pytest.approx([0.9, 0.88], abs=0.003)
    within = np.corrcoef(correct[0])[0, 1]
    between = np.corrcoef(correct[0, 0], correct[1, 0])[0, 1]
    assert within > between > 0.2
