import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from nncompare_plugins.cnn import CNN
from nncompare_plugins.lstm import LSTM
from nncompare_plugins.tokens import MaskedConv1D, MaskedMaxPooling1D, MaskedMeanPooling1D, RareAsUnknown

from nncompare.frameworks.keras import KerasModel
from nncompare.plugin import Data, DataSpec, FitContext, Ragged

PLUGINS = [pytest.param(CNN, id="cnn"), pytest.param(LSTM, id="lstm")]
SMALL = {
    CNN: {"filters": 16, "dense_units": 8},
    LSTM: {"units": 8},
}


def texts(n=64, seed=0, n_words=12):
    """Return texts of up to 12 words, of two vocabularies that decide the class."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, n)
    rows = [[1, *random.integers(4, 14, random.integers(0, n_words + 1)) + 10 * label] for label in y]
    spec = DataSpec(name="toy", view="tokens", n_classes=2, class_names=("a", "b"), sample_shape=None,
                    dtype="int32", n_train=n, vocabulary_size=24)  # fmt: skip
    return Data(Ragged.from_rows(rows), y, spec)


def fit(plugin, train, valid=None, *, max_epochs=1, **params):
    context = FitContext(seed=0, max_epochs=max_epochs)
    defaults = {**plugin().default_params(train.spec), **SMALL[plugin], "embedding_dim": 8, "max_length": 10}
    chosen = {**defaults, "batch_size": 8, "learning_rate": 0.02, **params}
    return plugin().fit(chosen, train, valid, context), context


@pytest.mark.parametrize("plugin", PLUGINS)
def test_texts_are_learnt(plugin):
    train = texts(256)
    model, context = fit(plugin, train, texts(seed=1), max_epochs=3)
    assert context.history[-1].valid_accuracy > 0.85
    assert model.n_parameters > 24 * 8


@pytest.mark.parametrize(
    ("plugin", "params"),
    [
        pytest.param(CNN, {"n_blocks": 2, "kernel_size": 7}, id="cnn"),
        *(
            pytest.param(LSTM, {"readout": readout}, id=f"lstm-{readout}")
            for readout in ("max", "max_mean", "last")
        ),
        pytest.param(LSTM, {"n_stacked": 1, "readout": "last"}, id="lstm-word-by-word"),
        pytest.param(LSTM, {"cell": "gru", "readout": "last"}, id="gru-last", marks=pytest.mark.slow),
        pytest.param(LSTM, {"cell": "simple_rnn"}, id="simple_rnn-max", marks=pytest.mark.slow),
        pytest.param(LSTM, {"n_layers": 2}, id="two-layers", marks=pytest.mark.slow),
    ],
)
def test_predictions_do_not_depend_on_what_else_is_in_the_batch(plugin, params):
    train = texts()
    model, _ = fit(plugin, train, **params)
    together = model.predict_proba(train.X)
    alone = np.concatenate([model.predict_proba(train.X[i : i + 1]) for i in range(len(train))])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert together.std(axis=0).min() > 1e-3


@pytest.mark.parametrize("plugin", PLUGINS)
def test_words_beyond_the_vocabulary_and_empty_texts_are_predicted(plugin):
    train = texts()
    model, _ = fit(plugin, train, vocabulary_size=20)
    rows = Ragged.from_rows([[1, 5, 90_000, 20], [1, 5, 2, 2], [], [0, 0], [1]])
    probabilities = model.predict_proba(rows)
    np.testing.assert_allclose(probabilities[0], probabilities[1], atol=1e-6)
    np.testing.assert_allclose(probabilities[2], probabilities[3], atol=1e-6)
    assert np.isfinite(probabilities).all()


@pytest.mark.slow
@pytest.mark.parametrize("plugin", PLUGINS)
def test_saved_model_predicts_the_same_in_a_fresh_process(plugin, tmp_path):
    train = texts()
    model, _ = fit(plugin, train)
    model.save(tmp_path)
    np.savez(tmp_path / "X.npz", values=train.X.values, offsets=train.X.offsets)
    code = (
        f"import sys, pathlib, numpy as np; import {plugin.__module__}; from nncompare.plugin import Ragged;"
        "from nncompare.frameworks.keras import KerasModel; folder = pathlib.Path(sys.argv[1]);"
        "X = Ragged(**np.load(folder / 'X.npz'));"
        "np.save(folder / 'p.npy', KerasModel.load(folder).predict_proba(X))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), model.predict_proba(train.X), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("params", [{"cell": "gru"}, {"cell": "simple_rnn"}])
def test_saved_model_of_another_cell_is_loaded(params, tmp_path):
    train = texts()
    model, _ = fit(LSTM, train, **params)
    model.save(tmp_path)
    np.testing.assert_allclose(
        KerasModel.load(tmp_path).predict_proba(train.X), model.predict_proba(train.X), atol=1e-6
    )


def test_rare_words_become_unknown():
    assert RareAsUnknown(6)(tf.constant([[1, 5, 6, 99, 0]])).numpy().tolist() == [[1, 5, 2, 2, 0]]


@pytest.mark.parametrize(
    ("layer", "shown", "gradient", "unmasked"),
    [(MaskedMaxPooling1D, -1.0, [1, 0, 0], [10.0, 3.0]), (MaskedMeanPooling1D, -2.0, [0.5, 0.5, 0], [2.0, 2.0])],
)
def test_masked_pooling_leaves_padding_out(layer, shown, gradient, unmasked):
    x = tf.Variable([[[-1.0], [-3.0], [10.0]], [[1.0], [2.0], [3.0]]])
    mask = tf.constant([[True, True, False], [False, False, False]])
    with tf.GradientTape() as tape:
        pooled = layer()(x, mask=mask)
    assert pooled.numpy().tolist() == [[shown], [0.0]]
    assert tape.gradient(pooled, x).numpy()[..., 0].tolist() == [gradient, [0, 0, 0]]
    assert layer()(x).numpy().ravel().tolist() == unmasked


def test_masked_convolution_takes_padding_for_the_end():
    x = np.random.default_rng(0).normal(size=(1, 6, 2)).astype(np.float32)
    layer = MaskedConv1D(3, 5)
    masked = layer(x, mask=tf.constant([[True] * 4 + [False] * 2]))
    np.testing.assert_allclose(masked[:, :4], layer(x[:, :4]), atol=1e-6)
    plain = keras.layers.Conv1D.from_config({**layer.get_config(), "name": "plain"})
    plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x), plain(x), atol=1e-6)
