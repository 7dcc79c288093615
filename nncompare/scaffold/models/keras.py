"""A small dense network in Keras."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import layers
from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import DataSpec, ModelTags, Params, Trial


class MyModel(KerasPlugin):
    """One hidden layer with dropout; nncompare trains it, stops early and saves it.

    Layers of your own are registered: see "Layers of your own" in nncompare's guide to models. Where the default
    configuration is slow to train, override ``test_params``, with which the checks train.
    """

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tabular",), default_dataset="digits", framework="keras")

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for width, dropout, learning rate and batch size; the last two belong to every Keras plugin."""
        return {
            "units": trial.suggest_int("units", 16, 128, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-2, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64]),
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return the configuration of trial 0."""
        return {"units": 64, "dropout": 0.1, "learning_rate": 3e-3, "batch_size": 32}

    def build(self, params: Params, data: DataSpec) -> Any:
        """Return an uncompiled model that ends in a softmax."""
        inputs = keras.Input(data.sample_shape)
        x = layers.Dense(params["units"], activation="relu")(inputs)
        x = layers.Dropout(params["dropout"])(x)
        return keras.Model(inputs, layers.Dense(data.n_classes, activation="softmax")(x))
