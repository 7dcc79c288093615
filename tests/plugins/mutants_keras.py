"""Keras plugins, each wrong in one way; see `mutants`. The right ones are in docs/examples."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers

from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import ModelTags


class Dense(KerasPlugin):
    """One hidden layer; the faults lie in what comes behind it."""

    tags = ModelTags(accepts=("tabular",), framework="keras")

    def suggest_params(self, trial, data):
        return {
            "units": trial.suggest_categorical("units", [16, 32]),
            "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64]),
        }

    def default_params(self, data):
        return {"units": 16, "learning_rate": 2e-2, "batch_size": 32}

    def build(self, params, data):
        inputs = keras.Input(data.sample_shape)
        x = self.hidden(layers.Dense(params["units"], activation="relu")(inputs))
        return keras.Model(inputs, layers.Dense(data.n_classes, activation="softmax")(x))

    def hidden(self, x):
        return x


@keras.saving.register_keras_serializable(package="mutants")
class Centred(layers.Layer):
    """Takes the mean of the batch away, when it predicts, too."""

    def call(self, x):
        return x - tf.reduce_mean(x, axis=0, keepdims=True)


class UsesTheBatch(Dense):
    def hidden(self, x):
        return Centred()(x)


@keras.saving.register_keras_serializable(package="mutants")
class Shaken(layers.Layer):
    """Adds noise, when it predicts, too."""

    def call(self, x):
        return x + tf.random.normal(tf.shape(x), stddev=0.3)


class IsNoisyWhilePredicting(Dense):
    def hidden(self, x):
        return Shaken()(x)


class Unknown(layers.Layer):
    """Nobody has registered it, so that no other process can load it."""

    def call(self, x):
        return 2 * x


class ForgetsToRegister(Dense):
    def hidden(self, x):
        return Unknown()(x)
