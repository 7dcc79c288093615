import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from nncompare.exceptions import PluginError
from nncompare.frameworks import keras_batches
from nncompare.frameworks.keras import KerasModel, KerasPlugin
from nncompare.frameworks.keras_tokens import RareAsUnknown
from nncompare.plugin import Data, DataSpec, FitContext, ModelTags, Ragged

PARAMS = {"learning_rate": 0.05, "batch_size": 8, "max_length": 6}


def texts(n=50, seed=0):
    """Return texts of 1 to 9 words, whose last word decides the class."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, n)
    rows = [[*random.integers(4, 20, random.integers(0, 9)), 20 + label] for label in y]
    spec = DataSpec(name="toy", view="tokens", n_classes=2, class_names=("a", "b"), sample_shape=None,
                    dtype="int32", n_train=n, vocabulary_size=22)  # fmt: skip
    return Data(Ragged.from_rows(rows), y, spec)


class MeanOfWords(KerasPlugin):
    tags = ModelTags(accepts=("tokens",), framework="keras")

    def suggest_params(self, trial, data):
        return PARAMS

    def default_params(self, data):
        return PARAMS

    def build(self, params, data):
        return keras.Sequential([
            keras.layers.Embedding(data.vocabulary_size, 4, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(data.n_classes, activation="softmax"),
        ])  # fmt: skip


def fit(train, valid=None, *, seed=0, max_epochs=3, params=PARAMS):
    context = FitContext(seed=seed, max_epochs=max_epochs)
    return MeanOfWords().fit(params, train, valid, context), context


def test_fit_learns_from_texts():
    _, context = fit(texts(200), texts(seed=1), max_epochs=8)
    assert context.history[-1].valid_accuracy > 0.9
    assert context.history[-1].train_loss < context.history[0].train_loss
    assert context.first_batch_s > 0


def test_fit_on_texts_repeats_with_the_seed_and_differs_with_another():
    train = texts()
    first, again, other = (fit(train, seed=s)[0].predict_proba(train.X) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4


def test_predictions_keep_the_order_and_do_not_depend_on_the_batch(monkeypatch):
    monkeypatch.setattr(keras_batches, "PREDICT_TOKENS", 16)
    train = texts()
    model, _ = fit(train)
    together = model.predict_proba(train.X)
    alone = np.concatenate([model.predict_proba(train.X[i : i + 1]) for i in range(50)])
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert len(np.unique(together.round(5), axis=0)) > 20


def test_the_end_of_a_long_text_is_read():
    train = texts()
    model, _ = fit(train)
    probabilities = model.predict_proba(train.X)
    ends = Ragged.from_rows([train.X[i][-6:] for i in range(50)])
    np.testing.assert_allclose(model.predict_proba(ends), probabilities, atol=1e-6)
    starts = Ragged.from_rows([train.X[i][-7:] for i in range(50) if len(train.X[i]) > 6])
    assert len(starts) > 5
    np.testing.assert_allclose(model.predict_proba(starts), probabilities[train.X.lengths > 6], atol=1e-6)


def test_saved_model_reads_as_much_of_a_text_as_before(tmp_path):
    train = texts()
    model, _ = fit(train)
    model.save(tmp_path)
    assert json.loads((tmp_path / "tokens.json").read_text()) == {"max_length": 6}
    np.testing.assert_array_equal(KerasModel.load(tmp_path).predict_proba(train.X), model.predict_proba(train.X))


def test_ids_beyond_those_of_training_are_unknown_words(tmp_path):
    model, _ = fit(texts())
    rare = Ragged.from_rows([[1, 5, 22], [1, 10_000_000, 6], [1, 21]])
    unknown = Ragged.from_rows([[1, 5, 2], [1, 2, 6], [1, 21]])
    expected = model.predict_proba(unknown)
    np.testing.assert_array_equal(model.predict_proba(rare), expected)
    model.save(tmp_path)
    np.testing.assert_array_equal(KerasModel.load(tmp_path).predict_proba(rare), expected)


def test_ids_of_training_reach_the_model_as_they_are():
    ids = tf.constant([[1, 5, 2, 21, 22, 99, 0]])
    assert RareAsUnknown(22)(ids).numpy().tolist() == [[1, 5, 2, 21, 2, 2, 0]]


def test_texts_without_a_length_are_refused_with_advice():
    with pytest.raises(PluginError, match=r"'max_length'.*'toy'"):
        fit(texts(), params={"learning_rate": 0.05, "batch_size": 8})
