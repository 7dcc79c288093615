"""Scores against scikit-learn's, refusals of wrong probabilities, intervals of the bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from nncompare.exceptions import PluginError
from nncompare.metrics import check_probabilities, reference_scores, refit_scores
from nncompare.metrics import test_scores as score_on_test
from nncompare.results import RefitRecord
from nncompare.weighted import SCORE_NAMES, confidence_bins, weighted_scores

NAMES = ["ant", "bee", "cat", "dog"]


def predictions(seed, n_items=200, n_classes=4, n_refits=1, skill=1.5):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n_items) % n_classes)
    logits = rng.normal(size=(n_refits, n_items, n_classes)) + skill * np.eye(n_classes)[y]
    proba = np.exp(logits)
    return y, list(proba / proba.sum(axis=2, keepdims=True))


def good():
    return np.array([[0.5, 0.5], [0.9, 0.1], [0.0, 1.0]])


def with_row(row):
    proba = good()
    proba[1] = row
    return proba


def test_check_probabilities_accepts_and_renormalises_float32():
    proba = (good() * 1.0005).clip(0, 1).astype(np.float32)
    checked = check_probabilities(proba, 3, 2)
    assert checked.dtype == np.float64
    assert checked.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-12)


@pytest.mark.parametrize(
    ("proba", "words"),
    [
        (good()[:2], r"shape \(2, 2\), not \(3, 2\)"),
        (good()[:, 0], r"shape \(3,\)"),
        (None, r"shape \(\)"),
        (np.array([[1, 0], [0, 1], [1, 0]]), "dtype int64"),
        (np.array([["a", "b"]] * 3), "dtype <U1"),
        (with_row([np.nan, 0.5]), "NaN or infinity in 1 rows"),
        (with_row([np.inf, 0.5]), "NaN or infinity"),
        (with_row([1.2, -0.2]), r"outside 0 to 1 \(from -0.2 to 1.2\)"),
        (with_row([0.5, 0.4]), r"do not sum to 1 in row 1 \(sum 0.9\)"),
        (with_row([0.0, 0.0]), "do not sum to 1"),
    ],
)
def test_check_probabilities_refuses_in_one_sentence(proba, words):
    with pytest.raises(PluginError, match=words) as caught:
        check_probabilities(proba, 3, 2)
    assert str(caught.value).startswith("The probabilities that predict_proba returned ")
    assert str(caught.value).count("\n") == 0


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(6, 60))
def test_refit_scores_equal_classification_report_exactly(seed, n_classes, n_items):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n_items)
    proba = rng.dirichlet(np.ones(n_classes), n_items)
    names = [f"class {k}" for k in range(n_classes)]
    scores = refit_scores(y, proba, names)
    report = sk.classification_report(
        y,
        proba.argmax(axis=1),
        labels=range(n_classes),
        target_names=names,
        output_dict=True,
        zero_division=0,
    )
    for row in scores["per_class"]:
        expected = report[row.name]
        assert (row.precision, row.recall, row.f1) == (
            expected["precision"],
            expected["recall"],
            expected["f1-score"],
        )
        assert row.support == expected["support"]
    assert scores["macro_f1"] == pytest.approx(report["macro avg"]["f1-score"], abs=1e-15)
    assert scores["test_accuracy"] == np.mean(proba.argmax(axis=1) == y)
    assert np.sum(scores["confusion_matrix"]) == n_items


def test_refit_scores_fill_a_refit_record():
    y, (proba,) = predictions(1)
    record = RefitRecord(seed=1, **refit_scores(y, proba, NAMES))
    assert record.confusion_matrix == sk.confusion_matrix(y, proba.argmax(axis=1)).tolist()
    assert record.log_loss == pytest.approx(sk.log_loss(y, proba))


def test_scores_on_test_are_means_of_scikit_learns():
    y, probas = predictions(2, n_refits=3)
    scores = score_on_test(y, probas, NAMES, 0)
    found = [proba.argmax(axis=1) for proba in probas]
    expected = {
        "accuracy": [sk.accuracy_score(y, one) for one in found],
        "balanced_accuracy": [sk.balanced_accuracy_score(y, one) for one in found],
        "macro_f1": [sk.f1_score(y, one, average="macro") for one in found],
        "weighted_f1": [sk.f1_score(y, one, average="weighted") for one in found],
        "log_loss": [sk.log_loss(y, proba) for proba in probas],
        "brier": [sk.brier_score_loss(y, proba, scale_by_half=False) for proba in probas],
        "roc_auc": [sk.roc_auc_score(y, proba, multi_class="ovr") for proba in probas],
        "average_precision": [sk.average_precision_score(np.eye(4)[y], proba) for proba in probas],
    }
    for name, values in expected.items():
        interval = getattr(scores, name)
        assert interval.mean == pytest.approx(np.mean(values)), name
        assert interval.low < interval.mean < interval.high, name
    assert np.sum(scores.confusion_matrix) == pytest.approx(200)
    assert scores.confusion_matrix == np.mean([sk.confusion_matrix(y, one) for one in found], axis=0).tolist()
    assert [row.f1 for row in scores.per_class] == pytest.approx(
        np.mean([sk.f1_score(y, one, average=None) for one in found], axis=0)
    )
    assert all(row.f1_low < row.f1 < row.f1_high for row in scores.per_class)


def test_scores_on_test_without_a_class_leave_rankings_and_its_interval_out():
    y, probas = predictions(3, n_refits=2)
    keep = y != 2
    scores = score_on_test(y[keep], [proba[keep] for proba in probas], NAMES, 0)
    assert scores.roc_auc is scores.average_precision is None
    assert (scores.per_class[2].support, scores.per_class[2].f1_low) == (0, None)
    assert scores.balanced_accuracy.mean == pytest.approx(
        np.mean(
            [sk.recall_score(y[keep], p[keep].argmax(axis=1), labels=[0, 1, 3], average="macro") for p in probas]
        )
    )


def test_scores_on_test_of_a_perfect_model_stay_honest():
    y = np.arange(40) % 4
    scores = score_on_test(y, [np.eye(4)[y]], NAMES, 0)
    assert scores.macro_f1.mean == scores.macro_f1.high == 1
    assert 0.9 < scores.macro_f1.low < 1
    assert scores.per_class[0].f1_low == pytest.approx(0.025 ** (1 / 10))


def test_scores_on_test_intervals_hold_seed_and_item_terms():
    y, (one,) = predictions(4)
    other = np.roll(one, 1, axis=1) * 0.45 + one * 0.55
    same = score_on_test(y, [one, one, one], NAMES, 0).macro_f1
    varied = score_on_test(y, [one, other, one], NAMES, 0).macro_f1
    assert score_on_test(y, [one], NAMES, 0).macro_f1 == same
    assert varied.high - varied.low > same.high - same.low > 0


def test_scores_on_test_repeat_with_their_seed():
    y, probas = predictions(5)
    assert score_on_test(y, probas, NAMES, 1) == score_on_test(y, probas, NAMES, 1)
    assert score_on_test(y, probas, NAMES, 1) != score_on_test(y, probas, NAMES, 2)


def test_calibration_pools_the_refits_and_weighs_bins_by_count():
    y = np.array([0, 0, 0, 0])
    sure, unsure = np.tile([0.9, 0.1], (4, 1)), np.tile([0.4, 0.6], (4, 1))
    calibration = score_on_test(y, [sure, unsure], ["a", "b"], 0).calibration
    assert calibration.count == [4, 4]
    assert calibration.confidence == pytest.approx([0.6, 0.9])
    assert calibration.accuracy == [0, 1]
    assert calibration.ece == pytest.approx((0.6 + 0.1) / 2)


def test_confidence_bins_close_at_their_upper_edge():
    assert confidence_bins(np.array([0.0, 1 / 15, 1 / 15 + 1e-9, 1.0])).tolist() == [0, 0, 1, 14]


def test_reference_scores_are_those_of_one_refit():
    y, (proba,) = predictions(6)
    scores, full = reference_scores(y, proba, 7), score_on_test(y, [proba], NAMES, 7)
    assert scores == {"test_accuracy": full.accuracy, "macro_f1": full.macro_f1, "log_loss": full.log_loss}


@pytest.mark.parametrize("n_classes", [2, 4])
def test_weighted_scores_equal_scikit_learn_on_repeated_items(n_classes):
    y, (proba,) = predictions(8, n_items=60, n_classes=n_classes)
    weights = np.random.default_rng(9).multinomial(60, np.ones(60) / 60, size=5).T.astype(np.float32)
    columns = weighted_scores(y, proba)(weights)
    for column, weight in zip(columns.T, weights.T, strict=True):
        again = np.repeat(np.arange(60), weight.astype(int))
        full = score_on_test(y[again], [proba[again]], NAMES[:n_classes], 0)
        expected = [getattr(full, name).mean for name in SCORE_NAMES] + [row.f1 for row in full.per_class]
        assert column == pytest.approx(expected, rel=1e-5)


def test_losses_of_equal_items_have_an_interval_inside_their_range():
    found = score_on_test(np.array([0, 1] * 2), [np.full((4, 2), 0.5)], ["a", "b"], seed=0)
    assert found.log_loss.low < found.log_loss.mean < found.log_loss.high < 16
    assert 0 < found.brier.low < found.brier.mean < found.brier.high < 2


def test_losses_of_few_items_are_never_negative():
    proba = np.array([[0.999, 0.001], [0.9, 0.1], [0.98, 0.02], [0.3, 0.7]])
    found = score_on_test(np.array([0, 0, 0, 0]), [proba], ["a", "b"], seed=0)
    assert found.log_loss.low == found.brier.low == 0


def test_f1_of_a_class_with_one_item_is_almost_unknown_whatever_the_seeds():
    y = np.array([0] * 20 + [1])
    probas = [np.tile([0.9, 0.1], (21, 1)) for _ in range(3)]
    for k, proba in enumerate(probas):
        proba[[20, *range(k)]] = [0.1, 0.9]
    rare = score_on_test(y, probas, ["a", "b"], seed=0).per_class[1]
    assert rare.f1_low < 0.1
    assert rare.f1_high > 0.95
