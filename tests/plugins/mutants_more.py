"""More plugins, each wrong in one way: what Keras models and what their parameters can be wrong in; see `mutants`.

``FAULTS`` says of each which of ``CHECKS`` it has to fail: these, and no other of them.
"""

from __future__ import annotations

import keras
from keras import layers

from .mutants import Softmax
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


class IgnoresUnits(Dense):
    def build(self, params, data):
        return super().build({**params, "units": 16}, data)


class IgnoresRate(Softmax):
    def epoch(self, model, params, train, random):
        super().epoch(model, {"batch_size": params["batch_size"], "rate": 0.3}, train, random)


class SearchesMore(Softmax):
    """Asks for one more parameter and for another only where that is on; uses both."""

    def suggest_params(self, trial, data):
        params = super().suggest_params(trial, data) | {"heavy": trial.suggest_categorical("heavy", [False, True])}
        return params | ({"factor": trial.suggest_int("factor", 2, 4)} if params["heavy"] else {})

    def default_params(self, data):
        return {**super().default_params(data), "heavy": False}

    def fit(self, params, train, valid, context):
        return super().fit({**params, "rate": params["rate"] * params.get("factor", 1)}, train, valid, context)


class DecaysWeights(Dense):
    """Its layers are the same for all values; the base trains as the optimizer says."""

    def suggest_params(self, trial, data):
        return super().suggest_params(trial, data) | {"decay": trial.suggest_float("decay", 1e-6, 1e-2, log=True)}

    def default_params(self, data):
        return {**super().default_params(data), "decay": 1e-3}

    def optimizer(self, params):
        return keras.optimizers.AdamW(params["learning_rate"], weight_decay=params["decay"])


RIGHT = [Dense, SearchesMore, DecaysWeights]

FAULTS = {
    SeedsInBuild: {"check_initial_weights_follow_the_seed"},
    SeedsItsInitializers: {"check_initial_weights_follow_the_seed"},
    IgnoresUnits: {"check_every_parameter_matters"},
    IgnoresRate: {"check_every_parameter_matters"},
}

CHECKS = ["check_every_parameter_matters", "check_initial_weights_follow_the_seed"]
