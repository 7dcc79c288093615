import warnings

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neural_network import MLPClassifier

from nncompare.exceptions import DivergedError, PluginError
from nncompare.frameworks.sklearn import SklearnModel, SklearnPlugin
from nncompare.plugin import Data, DataSpec, FitContext, ModelTags


def data(n=60, n_classes=3, seed=0):
    random = np.random.default_rng(seed)
    y = random.integers(0, n_classes, n)
    X = (random.normal(size=(n, 4)) + y[:, None]).astype(np.float32)
    X.setflags(write=False)
    names = tuple(map(str, range(n_classes)))
    return Data(X, y, DataSpec(name="toy", view="tabular", n_classes=n_classes, class_names=names,
                               sample_shape=(4,), n_train=n))  # fmt: skip


class Given(SklearnPlugin):
    tags = ModelTags(accepts=("tabular",))

    def __init__(self, estimator):
        self.estimator = estimator

    def suggest_params(self, trial, data):
        return {}

    def default_params(self, data):
        return {}

    def build(self, params, data, seed):
        if "random_state" in self.estimator.get_params():
            self.estimator.set_params(random_state=seed)
        return self.estimator


def fit(estimator, train, valid=None, *, seed=0, max_epochs=3, plugin=Given):
    context = FitContext(seed=seed, max_epochs=max_epochs)
    return plugin(estimator).fit({}, train, valid, context), context


class Recorded(MLPClassifier):
    """Notes the seed of each call of ``partial_fit``."""

    seeds = None

    @property
    def partial_fit(self):
        def call(X, y, classes=None):
            type(self).seeds.append(self.random_state)
            return MLPClassifier.partial_fit.__get__(self)(X, y, classes=classes)

        return call


def test_partial_fit_is_called_once_per_epoch_with_a_new_order_each_time(monkeypatch):
    monkeypatch.setattr(Recorded, "seeds", [])
    _, context = fit(Recorded((4,)), data(), data(seed=1), max_epochs=5)
    assert [r.epoch for r in context.history] == [1, 2, 3, 4, 5]
    assert len(Recorded.seeds) == len(set(Recorded.seeds)) == 5
    assert context.first_batch_s > 0


def test_fit_keeps_the_best_epoch():
    valid = data(seed=1)
    model, context = fit(MLPClassifier((64,), learning_rate_init=0.3), data(n=30), valid, max_epochs=30)
    best = min(r.valid_loss for r in context.history)
    assert best < context.history[-1].valid_loss
    chosen = model.predict_proba(valid.X)[np.arange(len(valid)), valid.y]
    assert -np.log(np.maximum(chosen, np.finfo(np.float32).eps)).mean() == pytest.approx(best, rel=1e-5)


def test_estimator_without_partial_fit_reports_once():
    _, context = fit(LogisticRegression(), data(), data(seed=1), max_epochs=9)
    (report,) = context.history
    assert report.train_loss is None
    assert report.valid_accuracy > 0.5


@pytest.mark.parametrize("estimator", [LogisticRegression(), MLPClassifier((4,))], ids=["fit", "partial_fit"])
def test_predict_proba_has_a_column_for_a_class_never_seen(estimator):
    train = data(n_classes=4)
    seen = train.y != 1
    model, _ = fit(estimator, Data(train.X[seen], train.y[seen], train.spec))
    probabilities = model.predict_proba(train.X[:5])
    assert probabilities.shape == (5, 4)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert probabilities[:, 1].max() < 0.5


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (MLPClassifier((5,)), 4 * 5 + 5 + 5 * 3 + 3),
        (LogisticRegression(), 3 * 4 + 3),
        (SGDClassifier(loss="log_loss"), 3 * 4 + 3),
    ],
    ids=["mlp", "logistic", "sgd"],
)
def test_n_parameters_counts_weights_and_intercepts(estimator, expected):
    assert fit(estimator, data())[0].n_parameters == expected


@pytest.mark.parametrize("estimator", [LogisticRegression(), MLPClassifier((4,))], ids=["logistic", "mlp"])
def test_saved_model_predicts_the_same(estimator, tmp_path):
    model, _ = fit(estimator, data(), data(seed=1))
    model.save(tmp_path)
    X = data(seed=2).X
    np.testing.assert_array_equal(SklearnModel.load(tmp_path).predict_proba(X), model.predict_proba(X))


def test_save_refuses_types_that_could_not_be_loaded(tmp_path):
    model, _ = fit(RandomForestClassifier(n_estimators=2), data())
    with pytest.raises(PluginError, match=r"RandomForestClassifier.*sklearn\.tree\._tree\.Tree"):
        model.save(tmp_path)
    assert not list(tmp_path.iterdir())


class Forest(SklearnModel):
    trusted_types = ("sklearn.tree._tree.Tree",)


def test_types_that_the_author_trusts_are_saved_and_loaded(tmp_path):
    model, _ = fit(RandomForestClassifier(n_estimators=2), data())
    Forest(model.estimator, model.n_classes).save(tmp_path)
    X = data(seed=2).X
    np.testing.assert_array_equal(Forest.load(tmp_path).predict_proba(X), model.predict_proba(X))
    with pytest.raises(PluginError, match=r"estimator\.skops.*Tree.*trusted_types of a subclass"):
        SklearnModel.load(tmp_path)


def test_types_that_the_author_trusts_are_no_others(tmp_path):
    class Other(SklearnModel):
        trusted_types = ("sklearn.tree._tree.Leaf",)

    model, _ = fit(RandomForestClassifier(n_estimators=2), data())
    with pytest.raises(PluginError, match=r"does not trust sklearn\.tree\._tree\.Tree\."):
        Other(model.estimator, model.n_classes).save(tmp_path)


def test_load_refuses_types_that_are_not_trusted(tmp_path):
    import skops.io

    model, _ = fit(MLPClassifier((4,)), data())
    model.save(tmp_path)
    skops.io.dump(RandomForestClassifier(n_estimators=2).fit(data().X, data().y), tmp_path / "estimator.skops")
    with pytest.raises(PluginError, match=r"estimator\.skops.*Tree"):
        SklearnModel.load(tmp_path)


def test_overflowing_weights_are_a_divergence():
    with pytest.raises(DivergedError):
        fit(
            MLPClassifier((4,), solver="sgd", activation="identity", learning_rate_init=1e30),
            data(),
            max_epochs=20,
        )


def test_unusable_data_is_not_called_a_divergence():
    train = data()
    with pytest.raises(ValueError, match="Unknown label type"):
        fit(LogisticRegression(), Data(train.X, train.y + 0.5, train.spec))


class Hurried(Given):
    expected_warnings = (ConvergenceWarning,)


def test_expected_warnings_are_silenced_in_the_fit_alone():
    hurried = LogisticRegression(max_iter=1)
    with pytest.warns(ConvergenceWarning):
        fit(hurried, data())
    fit(hurried, data(), plugin=Hurried)
    with pytest.warns(ConvergenceWarning):
        warnings.warn("still heard", ConvergenceWarning, stacklevel=1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MLPClassifier((5,), random_state=0),
        lambda: LogisticRegression(),
        lambda: SGDClassifier(loss="log_loss", random_state=0),
    ],
)
def test_equal_weights_are_saved_as_equal_files(tmp_path, make):
    files, models = [], []
    for name in "ab":
        model, _ = fit(make(), data())
        models.append(model)  # kept: the next one's arrays must lie at other addresses
        (tmp_path / name).mkdir()
        model.save(tmp_path / name)
        files.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
        X = data(seed=1).X
        np.testing.assert_array_equal(SklearnModel.load(tmp_path / name).predict_proba(X), model.predict_proba(X))
    assert files[0] == files[1]
