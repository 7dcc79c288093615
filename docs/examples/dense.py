import keras

from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import ModelTags


class Dense(KerasPlugin):
    """One hidden layer of rectified linear units."""

    tags = ModelTags(accepts=("tabular",), default_dataset="digits", framework="keras")

    def suggest_params(self, trial, data):
        return {
            "units": trial.suggest_int("units", 16, 128, log=True),
            "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64]),
        }

    def default_params(self, data):
        return {"units": 64, "learning_rate": 1e-3, "batch_size": 32}

    def build(self, params, data):
        return keras.Sequential(
            [
                keras.Input(data.sample_shape),
                keras.layers.Dense(params["units"], activation="relu"),
                keras.layers.Dense(data.n_classes, activation="softmax"),
            ]
        )
