import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from nncompare_plugins.recurrent import FusedGRU, FusedLSTM, FusedSimpleRNN, StackedSteps

KINDS = [
    pytest.param(layers.LSTM, FusedLSTM, id="lstm"),
    pytest.param(layers.GRU, FusedGRU, id="gru"),
    pytest.param(layers.SimpleRNN, FusedSimpleRNN, id="simple_rnn"),
]
N, STEPS, FEATURES, UNITS = 4, 7, 2, 5
LENGTHS = [7, 1, 4, 0]


def values(kind, weights, X, mask, target, *, in_graph, bidirectional, **options):
    """Return outputs at real positions, and the gradients of inputs and weights for a loss on them."""
    layer = kind(UNITS, **options)
    layer = layers.Bidirectional(layer) if bidirectional else layer
    layer.build(X.shape)
    layer.set_weights(weights(layer))

    def run(X):
        with tf.GradientTape() as tape:
            tape.watch(X)
            outputs = layer(X, mask=mask)
            if options["return_sequences"]:
                # Alone, Keras returns backward outputs in reverse order: so must the mask be then.
                turned = options.get("go_backwards", False) and not bidirectional
                shown = np.ones((N, STEPS), bool) if mask is None else (mask[:, ::-1] if turned else mask)
                outputs = tf.where(shown[..., None], outputs, 0.0)
            scale = target if options["return_sequences"] else target[:, 0]
            loss = tf.reduce_sum(outputs * scale[..., : outputs.shape[-1]])
        return [outputs, *tape.gradient(loss, [X, *layer.trainable_variables])]

    return tf.function(run, autograph=False)(X) if in_graph else run(X)


@pytest.mark.parametrize("masked", [True, False], ids=["masked", "unmasked"])
@pytest.mark.parametrize("return_sequences", [True, False], ids=["sequences", "last"])
@pytest.mark.parametrize("direction", ["forwards", "backwards", "both"])
@pytest.mark.parametrize(("keras_kind", "kind"), KINDS)
def test_fused_layer_equals_the_one_of_keras(keras_kind, kind, direction, return_sequences, masked):
    random = np.random.default_rng(0)
    X = tf.constant(random.normal(size=(N, STEPS, FEATURES)), tf.float32)
    target = random.normal(size=(N, STEPS, 2 * UNITS)).astype(np.float32)
    mask = np.arange(STEPS) < np.array(LENGTHS)[:, None] if masked else None
    options = {"bidirectional": direction == "both", "return_sequences": return_sequences}
    options["in_graph"] = masked and return_sequences and direction == "both"  # graphs take long to build
    if direction == "backwards":
        options["go_backwards"] = True

    def weights(layer):
        random = np.random.default_rng(1)
        return [random.normal(size=weight.shape) for weight in layer.get_weights()]

    ours, theirs = (values(k, weights, X, mask, target, **options) for k in (kind, keras_kind))
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=2e-5)
    assert np.abs(ours[1]).max() > 0.1


@pytest.mark.parametrize(("keras_kind", "kind"), KINDS)
def test_fused_layer_does_not_see_the_padding(keras_kind, kind):
    random = np.random.default_rng(0)
    X = random.normal(size=(2, 6, 3)).astype(np.float32)
    layer = layers.Bidirectional(kind(UNITS))
    mask = np.arange(6) < np.array([[2], [6]])
    np.testing.assert_allclose(layer(X, mask=mask)[:1], layer(X[:1, :2]), atol=1e-6)


@pytest.mark.parametrize(("keras_kind", "kind"), KINDS)
def test_fused_layer_takes_given_states_as_keras_does(keras_kind, kind):
    random = np.random.default_rng(0)
    X = random.normal(size=(2, 4, 3)).astype(np.float32)
    state = np.ones((2, UNITS), np.float32)
    states = [state, state] if kind is FusedLSTM else state
    ours, theirs = kind(UNITS), keras_kind(UNITS)
    ours.build(X.shape)
    theirs.build(X.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(X, initial_state=states), theirs(X, initial_state=states), atol=1e-6)


@pytest.mark.parametrize(("keras_kind", "kind"), KINDS)
def test_fused_layer_is_loaded_in_safe_mode(keras_kind, kind, tmp_path):
    model = keras.Sequential([keras.Input((None, 3)), layers.Bidirectional(kind(UNITS))])
    file = tmp_path / "model.keras"
    with pytest.warns(DeprecationWarning, match="__array__ implementation"):
        model.save(file)
    X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    loaded = keras.saving.load_model(file, safe_mode=True)
    np.testing.assert_array_equal(loaded(X), model(X))
    assert type(loaded.layers[0].forward_layer) is kind


def test_stacked_steps_are_read_at_once_and_padding_is_zeros():
    x = np.arange(1.0, 11.0, dtype=np.float32).reshape(1, 5, 2)
    layer = StackedSteps(2)
    assert layer(x).numpy().tolist() == [[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 0, 0]]]
    assert layer.compute_output_shape((None, 5, 2)) == (None, 3, 4)
    assert layer.compute_output_shape((None, None, 2)) == (None, None, 4)
    mask = tf.constant([[True, True, True, False, False]])
    assert layer(x, mask=mask).numpy().tolist() == [[[1, 2, 3, 4], [5, 6, 0, 0], [0, 0, 0, 0]]]
    assert layer.compute_mask(x, mask).numpy().tolist() == [[True, True, False]]
    assert StackedSteps.from_config(layer.get_config()).n_stacked == 2
