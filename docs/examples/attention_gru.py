import keras
from keras import layers

from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import ModelTags


class AttentionGRU(KerasPlugin):
    """A GRU whose outputs are averaged over time, each step with a weight that the model finds itself."""

    tags = ModelTags(accepts=("sequence",), default_dataset="mnist1d", framework="keras")

    def suggest_params(self, trial, data):
        return {
            "units": trial.suggest_categorical("units", [16, 32, 48]),
            "dropout": trial.suggest_float("dropout", 0.0, 0.4),
            "learning_rate": trial.suggest_float("learning_rate", 2e-3, 2e-2, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64]),
        }

    def default_params(self, data):
        return {"units": 32, "dropout": 0.1, "learning_rate": 5e-3, "batch_size": 64}

    def build(self, params, data):
        inputs = keras.Input(data.sample_shape)
        steps = layers.GRU(params["units"], return_sequences=True)(inputs)
        weights = layers.Softmax(axis=1)(layers.Dense(1)(layers.Dense(16, activation="tanh")(steps)))
        summary = layers.Flatten()(layers.Dot(axes=1)([weights, steps]))
        summary = layers.Dropout(params["dropout"])(summary)
        return keras.Model(inputs, layers.Dense(data.n_classes, activation="softmax")(summary))
