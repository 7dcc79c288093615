from sklearn.neural_network import MLPClassifier

from nncompare.frameworks.sklearn import SklearnPlugin
from nncompare.plugin import ModelTags


class Tanh(SklearnPlugin):
    """One hidden layer of tanh units."""

    tags = ModelTags(accepts=("tabular",), default_dataset="digits", framework="sklearn")

    def suggest_params(self, trial, data):
        return {
            "units": trial.suggest_int("units", 16, 128, log=True),
            "alpha": trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
        }

    def default_params(self, data):
        return {"units": 64, "alpha": 1e-4}

    def build(self, params, data, seed):
        units, alpha = params["units"], params["alpha"]
        return MLPClassifier((units,), "tanh", alpha=alpha, random_state=seed)
