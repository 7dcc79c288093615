"""A multi-layer perceptron from scikit-learn."""

from __future__ import annotations

from typing import Any, ClassVar

from nncompare.frameworks.sklearn import SklearnPlugin
from nncompare.plugin import DataSpec, ModelTags, Params, Trial
from sklearn.neural_network import MLPClassifier


class MyModel(SklearnPlugin):
    """One hidden layer; nncompare trains it epoch by epoch, stops early and saves it without pickle."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tabular",), default_dataset="digits", framework="sklearn")

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for width, activation, L2 penalty and learning rate."""
        return {
            "units": trial.suggest_int("units", 16, 128, log=True),
            "activation": trial.suggest_categorical("activation", ["relu", "tanh"]),
            "alpha": trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
            "learning_rate": trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True),
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return the configuration of trial 0."""
        return {"units": 64, "activation": "relu", "alpha": 1e-4, "learning_rate": 1e-3}

    def build(self, params: Params, data: DataSpec, seed: int) -> Any:
        """Return an unfitted classifier with ``predict_proba``."""
        return MLPClassifier(
            hidden_layer_sizes=(params["units"],),
            activation=params["activation"],
            alpha=params["alpha"],
            learning_rate_init=params["learning_rate"],
            batch_size=min(32, data.n_train),
            random_state=seed,
        )
