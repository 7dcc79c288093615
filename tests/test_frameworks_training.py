import numpy as np
import pytest
from sklearn.metrics import log_loss

from nncompare.exceptions import DivergedError, PluginError, TrialPruned
from nncompare.frameworks.training import score, train
from nncompare.plugin import Data, DataSpec, FitContext

SPEC = DataSpec(name="toy", view="tabular", n_classes=2, class_names=("a", "b"), sample_shape=(1,), n_train=4)
VALID = Data(np.zeros((4, 1), np.float32), np.array([0, 1, 0, 1]), SPEC)


class Scripted:
    """A learner whose probability of the true class follows a script; its state is the epoch."""

    def __init__(self, confidences, train_loss=0.5):
        self.confidences, self.train_loss, self.epoch, self.n_scored = confidences, train_loss, 0, 0

    def train_epoch(self, epoch):
        self.epoch = epoch
        return self.train_loss

    def predict_proba(self, X):
        self.n_scored += 1
        right = np.eye(2, dtype=np.float32)[VALID.y]
        p = self.confidences[self.epoch - 1]
        return (right * p + (1 - right) * (1 - p)).astype(np.float32)

    def snapshot(self):
        return self.epoch

    def restore(self, state):
        self.epoch = state


def test_train_stops_after_patience_and_restores_the_best_epoch():
    learner, context = Scripted([0.6, 0.8, 0.7, 0.7, 0.9]), FitContext(seed=0, max_epochs=8)
    train(learner, VALID, context, patience=2, max_epochs=8)
    assert [r.epoch for r in context.history] == [1, 2, 3, 4]
    assert learner.epoch == 2 == context.best_epoch()


def test_train_waits_for_a_quarter_of_a_short_training_and_one_epoch_at_least():
    for max_epochs, n_trained in ((3, 3), (5, 3), (8, 4), (16, 6), (100, 10)):
        learner, context = Scripted([0.6, 0.8] + [0.7] * 98), FitContext(seed=0, max_epochs=max_epochs)
        train(learner, VALID, context, patience=8, max_epochs=max_epochs)
        assert len(context.history) == n_trained


def test_train_keeps_the_earlier_of_two_equal_epochs():
    learner, context = Scripted([0.8, 0.8]), FitContext(seed=0, max_epochs=2)
    train(learner, VALID, context, patience=5, max_epochs=2)
    assert learner.epoch == 1


def test_train_without_validation_runs_every_epoch_and_scores_nothing():
    learner, context = Scripted([]), FitContext(seed=0, max_epochs=7)
    train(learner, None, context, patience=1, max_epochs=7)
    assert (learner.epoch, len(context.history), learner.n_scored) == (7, 7, 0)


def test_train_lets_pruning_pass():
    context = FitContext(seed=0, max_epochs=5, on_report=lambda report: report.epoch < 2)
    with pytest.raises(TrialPruned):
        train(Scripted([0.6] * 5), VALID, context, patience=5, max_epochs=5)
    assert len(context.history) == 2


@pytest.mark.parametrize("valid", [VALID, None])
def test_train_ends_with_diverged_when_the_loss_is_nan(valid):
    with pytest.raises(DivergedError, match="train_loss is nan"):
        train(Scripted([0.5], float("nan")), valid, FitContext(seed=0, max_epochs=1), patience=1, max_epochs=1)


def test_score_equals_scikit_learn():
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 50)
    probabilities = random.dirichlet([0.1] * 3, 50).astype(np.float32)
    loss, accuracy = score(probabilities, y)
    assert loss == pytest.approx(log_loss(y, probabilities, labels=[0, 1, 2]), rel=1e-5)
    assert accuracy == (probabilities.argmax(1) == y).mean()


def test_score_of_a_certain_mistake_is_finite():
    loss, accuracy = score(np.array([[1.0, 0.0]], np.float32), np.array([1]))
    assert loss == pytest.approx(-np.log(np.finfo(np.float32).eps))
    assert accuracy == 0.0


def test_score_refuses_nan():
    with pytest.raises(DivergedError, match="not finite"):
        score(np.array([[np.nan, np.nan]], np.float32), np.array([0]))


def test_score_refuses_rows_that_do_not_sum_to_one():
    with pytest.raises(PluginError, match=r"sum to 1\.5"):
        score(np.array([[1.0, 0.5]], np.float32), np.array([0]))
