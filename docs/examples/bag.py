import keras

from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import ModelTags


class Bag(KerasPlugin):
    """The mean of the word vectors of a text."""

    tags = ModelTags(accepts=("tokens",), default_dataset="imdb", framework="keras")

    def suggest_params(self, trial, data):
        return {
            "width": trial.suggest_categorical("width", [16, 32]),
            "max_length": trial.suggest_categorical("max_length", [200, 400]),
            "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-2, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64]),
        }

    def default_params(self, data):
        return {"width": 16, "max_length": 400, "learning_rate": 3e-3, "batch_size": 32}

    def build(self, params, data):
        ids = keras.Input((None,), dtype="int32")
        vectors = keras.layers.Embedding(data.vocabulary_size, params["width"], mask_zero=True)(ids)
        mean = keras.layers.GlobalAveragePooling1D()(vectors)
        return keras.Model(ids, keras.layers.Dense(data.n_classes, activation="softmax")(mean))
