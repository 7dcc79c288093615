"""A model plugin whose trials cost nothing: its losses follow from its parameters."""

import math

import numpy as np

from nncompare.plugin import FittedModel, ModelPlugin, ModelTags

N_EPOCHS = 5


def losses(params):
    """Return the validation losses of all epochs."""
    distance = abs(math.log10(params["learning_rate"]) + 2.5) + abs(params["units"] - 64) / 256 + params["dropout"]
    return [1 + distance + 1 / epoch for epoch in range(1, N_EPOCHS + 1)]


class Even(FittedModel):
    """Holds all classes for equally probable."""

    n_parameters = 1

    def __init__(self, n_classes):
        self.n_classes = n_classes

    def predict_proba(self, X):
        return np.full((len(X), self.n_classes), 1 / self.n_classes, dtype=np.float32)

    def save(self, folder):
        (folder / "n_classes.txt").write_text(str(self.n_classes))

    @classmethod
    def load(cls, folder):
        return cls(int((folder / "n_classes.txt").read_text()))


class Trivial(ModelPlugin):
    """Asks for five parameters, reports five epochs, trains nothing."""

    tags = ModelTags(accepts=("tabular",))

    def suggest_params(self, trial, data):
        return {
            "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
            "units": trial.suggest_int("units", 8, 256, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "activation": trial.suggest_categorical("activation", ["relu", "tanh", "gelu"]),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128]),
        }

    def default_params(self, data):
        return {"learning_rate": 1e-2, "units": 32, "dropout": 0.1, "activation": "relu", "batch_size": 32}

    def fit(self, params, train, valid, context):
        for epoch, loss in enumerate(losses(params), 1):
            context.report(epoch, valid_loss=loss)
        return Even(train.spec.n_classes)
