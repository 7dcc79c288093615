"""More plugins, each wrong in one way: what Keras models and what their parameters can be wrong in; see `mutants`.

``FAULTS`` says of each which of ``CHECKS`` it has to fail: these, and no other of them.
"""

from __future__ import annotations

import keras
from keras import layers

from .mutants_keras import Dense


class SeedsInBuild(Dense):
    def build(self, params, data):
        keras.utils.set_random_seed(42)
        return super().build(params, data)


class SeedsItsInitializers(Dense):
    def build(self, params, data):
        inputs = keras.Input(data.sample_shape)
        start = keras.initializers.GlorotUniform(seed=0)
        x = layers.Dense(params["units"], kernel_initializer=start)(inputs)
        return keras.Model(inputs, layers.Dense(data.n_classes, "softmax", kernel_initializer=start)(x))


RIGHT = [Dense]

FAULTS = {
    SeedsInBuild: {"check_initial_weights_follow_the_seed"},
    SeedsItsInitializers: {"check_initial_weights_follow_the_seed"},
}

CHECKS = ["check_initial_weights_follow_the_seed"]
