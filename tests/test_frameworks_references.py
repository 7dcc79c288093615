import numpy as np
import pytest

from nncompare.frameworks.references import LogisticRegression, MajorityClass
from nncompare.plugin import Data, DataSpec, FitContext

SPEC = DataSpec(name="toy", view="tabular", n_classes=3, class_names=("a", "b", "c"), sample_shape=(2,), n_train=6)
TRAIN = Data(np.arange(12, dtype=np.float32).reshape(6, 2), np.array([0, 0, 0, 1, 1, 2]), SPEC)


def fit(plugin, train=TRAIN):
    context = FitContext(seed=0, max_epochs=40)
    return plugin.fit(plugin.default_params(SPEC), train, None, context), context


def test_majority_class_predicts_the_frequencies():
    model, context = fit(MajorityClass())
    np.testing.assert_allclose(model.predict_proba(TRAIN.X[:2]), [[3 / 6, 2 / 6, 1 / 6]] * 2)
    assert model.n_parameters == 3
    assert len(context.history) == 1


def test_logistic_regression_learns_and_may_stop_before_convergence():
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 200)
    X = (random.normal(size=(200, 2)) * 1e3 + 1e4 * y[:, None]).astype(np.float32)
    model, _ = fit(LogisticRegression(), Data(X, y, SPEC))
    assert (model.predict_proba(X).argmax(1) == y).mean() > 0.9
    assert model.estimator.max_iter == 100


@pytest.mark.parametrize("plugin", [MajorityClass(), LogisticRegression()], ids=["majority", "logistic"])
def test_reference_has_nothing_to_tune(plugin):
    assert plugin.suggest_params(None, SPEC) == plugin.default_params(SPEC) == {}
    assert plugin.tags.accepts == ("tabular",)
