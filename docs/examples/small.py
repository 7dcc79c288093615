from sklearn.neural_network import MLPClassifier

from nncompare.frameworks.sklearn import SklearnPlugin
from nncompare.plugin import ModelTags


class Small(SklearnPlugin):
    tags = ModelTags(accepts=("tabular",), default_dataset="digits", framework="sklearn")

    def suggest_params(self, trial, data):
        return {"units": trial.suggest_int("units", 8, 128, log=True)}

    def default_params(self, data):
        return {"units": 32}

    def build(self, params, data, seed):
        return MLPClassifier((params["units"],), random_state=seed)
