"""Intervals of losses on test parts that leave little to go by."""

import numpy as np

from nncompare.metrics import test_scores as scores_of


def test_losses_of_equal_items_have_an_interval_inside_their_range():
    found = scores_of(np.array([0, 1] * 20), [np.full((40, 2), 0.5)], ["a", "b"], seed=0)
    assert found.log_loss.low < found.log_loss.mean < found.log_loss.high < 16
    assert 0 < found.brier.low < found.brier.mean < found.brier.high < 2


def test_losses_of_few_items_are_never_negative():
    proba = np.array([[0.999, 0.001], [0.9, 0.1], [0.98, 0.02], [0.3, 0.7]])
    found = scores_of(np.array([0, 0, 0, 0]), [proba], ["a", "b"], seed=0)
    assert found.log_loss.low == found.brier.low == 0


def test_f1_of_a_class_with_one_item_is_almost_unknown_whatever_the_seeds():
    y = np.array([0] * 20 + [1])
    probas = [np.tile([0.9, 0.1], (21, 1)) for _ in range(3)]
    for k, proba in enumerate(probas):
        proba[[20, *range(k)]] = [0.1, 0.9]
    rare = scores_of(y, probas, ["a", "b"], seed=0).per_class[1]
    assert rare.f1_low < 0.1
    assert rare.f1_high > 0.95
