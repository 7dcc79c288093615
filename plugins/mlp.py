"""The multi-layer perceptron: fully connected layers on a table of standardised features."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn.neural_network import MLPClassifier

from nncompare.frameworks.sklearn import SklearnPlugin
from nncompare.plugin import DataSpec, ModelTags, Params, Trial

ACTIVATIONS = {"relu": "relu", "sigmoid": "logistic", "tanh": "tanh"}
WIDTHS, SPARSE_WIDTHS = (32, 256), (16, 128)
BATCH_SIZES, SPARSE_BATCH_SIZES = (32, 64, 128), (64, 128, 256)
"""A sparse table has thousands of columns: each batch updates every weight of the first layer."""


class MLP(SklearnPlugin):
    """One to three hidden layers, trained with Adam by scikit-learn's ``MLPClassifier``."""

    tags: ClassVar[ModelTags] = ModelTags(
        accepts=("tabular",), sparse=True, default_dataset="digits", framework="sklearn"
    )

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for depth, widths, activation, L2 penalty, learning rate and batch size."""
        n_layers = trial.suggest_int("n_layers", 1, 3)
        low, high = SPARSE_WIDTHS if data.sparse else WIDTHS
        names = [f"width_{layer}" for layer in range(1, n_layers + 1)]
        widths = {name: trial.suggest_int(name, low, high, log=True) for name in names}
        batch_sizes = SPARSE_BATCH_SIZES if data.sparse else BATCH_SIZES
        return {
            "n_layers": n_layers,
            **widths,
            "activation": trial.suggest_categorical("activation", list(ACTIVATIONS)),
            "alpha": trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
            "learning_rate": trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True),
            "batch_size": trial.suggest_categorical("batch_size", list(batch_sizes)),
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return one hidden layer of rectified units, with scikit-learn's own penalty and learning rate."""
        return {
            "n_layers": 1,
            "width_1": 64 if data.sparse else 128,
            "activation": "relu",
            "alpha": 1e-4,
            "learning_rate": 1e-3,
            "batch_size": 64 if data.sparse else 32,
        }

    def build(self, params: Params, data: DataSpec, seed: int) -> Any:
        """Return an ``MLPClassifier``."""
        return MLPClassifier(
            hidden_layer_sizes=tuple(params[f"width_{i}"] for i in range(1, params["n_layers"] + 1)),
            activation=ACTIVATIONS[params["activation"]],
            alpha=params["alpha"],
            learning_rate_init=params["learning_rate"],
            batch_size=min(params["batch_size"], data.n_train),
            random_state=seed,
        )
