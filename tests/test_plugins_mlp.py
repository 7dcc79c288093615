"""The multi-layer perceptron and the references on a sparse table, as texts become one."""

import numpy as np
import pytest
from nncompare_plugins.mlp import MLP

from nncompare.data.ragged import Ragged
from nncompare.data.samples import open_samples, write_samples
from nncompare.data.tfidf import TfIdf
from nncompare.frameworks.references import LogisticRegression, MajorityClass
from nncompare.plugin import Data, DataSpec, FitContext

N = 60


@pytest.fixture
def texts(tmp_path):
    """Return texts whose class follows from one word, as TF-IDF on read-only memory maps."""
    random = np.random.default_rng(0)
    y = np.arange(N) % 2
    rows = Ragged.from_rows([[1, 4 + label, *random.integers(6, 40, 8)] for label in y])
    X = open_samples(write_samples(tmp_path, "X", TfIdf.fit(rows, np.arange(N)).transform(rows, np.arange(N))))
    spec = DataSpec(
        name="texts",
        view="tabular",
        n_classes=2,
        class_names=("no", "yes"),
        sample_shape=X.shape[1:],
        n_train=N,
        sparse=True,
    )
    return Data(X, y, spec)


@pytest.mark.parametrize("plugin", [MLP(), LogisticRegression()], ids=["mlp", "logistic_regression"])
def test_sparse_table_is_learned_saved_and_loaded(texts, plugin, tmp_path):
    params = plugin.default_params(texts.spec) | ({"learning_rate": 1e-2} if isinstance(plugin, MLP) else {})
    model = plugin.fit(params, texts, texts, FitContext(seed=0, max_epochs=30))
    probabilities = model.predict_proba(texts.X)
    assert (probabilities.argmax(1) == texts.y).all()
    np.testing.assert_allclose(model.predict_proba(texts.X[3:4]), probabilities[3:4], atol=1e-6)
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(type(model).load(tmp_path / "model").predict_proba(texts.X), probabilities)


@pytest.mark.parametrize("plugin", [MLP(), LogisticRegression(), MajorityClass()])
def test_sparse_table_is_accepted(plugin):
    assert plugin.tags.sparse


def test_sparse_table_gets_narrower_layers_by_default(texts):
    assert MLP().default_params(texts.spec)["width_1"] == 64
