import keras
import numpy as np
import pytest
import tensorflow as tf

from nncompare.frameworks.keras_adam import FusedAdam


def path_of(optimizer, gradient_of):
    """Return a weight after each of 20 steps of noisy gradients, in a graph."""
    random = np.random.default_rng(0)
    weight = keras.Variable(random.normal(size=(4, 3)).astype(np.float32))
    optimizer.build([weight])

    @tf.function
    def apply(noise):
        optimizer.apply([gradient_of(noise)], [weight])

    path = []
    for _ in range(20):
        apply(tf.constant(random.normal(size=(4, 3)), tf.float32))
        optimizer.learning_rate = float(optimizer.learning_rate) * 0.9
        path.append(weight.numpy())
    return np.array(path)


OPTIONS = [{}, {"beta_1": 0.5, "epsilon": 0.1}, {"weight_decay": 0.1}, {"amsgrad": True}]


@pytest.mark.parametrize("options", OPTIONS)
def test_fused_adam_follows_the_adam_of_keras(options):
    ours = path_of(FusedAdam(0.1, **options), lambda noise: noise)
    theirs = path_of(keras.optimizers.Adam(0.1, **options), lambda noise: noise)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert np.abs(np.diff(ours, axis=0)).max() > 1e-2


@pytest.mark.parametrize("options", OPTIONS)
def test_fused_adam_sums_the_slices_of_an_embedding(options):
    def slices(noise):
        return tf.IndexedSlices(noise[:3], [1, 3, 1], (4, 3))

    ours = path_of(FusedAdam(0.1, **options), slices)
    theirs = path_of(keras.optimizers.Adam(0.1, **options), lambda noise: tf.convert_to_tensor(slices(noise)))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert np.abs(np.diff(ours, axis=0)).max() > 1e-2
