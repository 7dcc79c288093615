"""Softmax regression in plain NumPy, trained by stochastic gradient descent with momentum."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from nncompare.frameworks.training import train as train_by_epochs
from nncompare.plugin import Data, DataSpec, FitContext, FittedModel, ModelPlugin, ModelTags, Params, Trial

MOMENTUM = 0.9
PATIENCE = 8
WEIGHTS_FILE = "weights.npz"
TINY = 1e-7

Floats = npt.NDArray[np.float32]


class MyModel(ModelPlugin):
    """One linear layer with a softmax and an L2 penalty."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tabular",), default_dataset="digits")

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for learning rate, penalty and batch size."""
        return {
            "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True),
            "penalty": trial.suggest_float("penalty", 1e-6, 1e-2, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [16, 32, 64]),
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return the configuration of trial 0."""
        return {"learning_rate": 1e-2, "penalty": 1e-4, "batch_size": 32}

    def fit(self, params: Params, train: Data, valid: Data | None, context: FitContext) -> FittedModel:
        """Train epoch by epoch; nncompare's loop reports each one, stops early and keeps the best weights."""
        learner = _Learner(params, train, context.seed)
        train_by_epochs(learner, valid, context, patience=PATIENCE, max_epochs=context.max_epochs)
        return FittedMyModel(learner.weights)


class FittedMyModel(FittedModel):
    """Weights of shape (n_features + 1, n_classes); the last row is the intercept."""

    def __init__(self, weights: Floats) -> None:
        self.weights = weights

    @property
    def n_parameters(self) -> int:
        """Number of weights and intercepts."""
        return int(self.weights.size)

    def predict_proba(self, X: Any) -> Floats:
        """Return probabilities of shape (n_samples, n_classes)."""
        return _softmax(X, self.weights)

    def save(self, folder: Path) -> None:
        """Write the weights."""
        np.savez(folder / WEIGHTS_FILE, weights=self.weights)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the weights; nothing is unpickled."""
        with np.load(folder / WEIGHTS_FILE, allow_pickle=False) as saved:
            return cls(saved["weights"])


class _Learner:
    """The weights under training: what ``train_by_epochs`` needs, in four methods."""

    def __init__(self, params: Params, data: Data, seed: int) -> None:
        self.params = params
        self.data = data
        self.random = np.random.default_rng(seed)
        shape = (data.X.shape[1] + 1, data.spec.n_classes)
        self.weights = self.random.normal(0.0, 0.01, shape).astype(np.float32)
        self.velocity = np.zeros_like(self.weights)

    def train_epoch(self, epoch: int) -> float:
        """Go through the training part once, in a new order, and return the mean log loss."""
        size = self.params["batch_size"]
        order = self.random.permutation(len(self.data))
        total = sum(self._train_batch(order[start : start + size]) for start in range(0, len(order), size))
        return total / len(order)

    def predict_proba(self, X: Any) -> Floats:
        """Return probabilities of shape (n_samples, n_classes)."""
        return _softmax(X, self.weights)

    def snapshot(self) -> Floats:
        """Return a copy of what training changes."""
        return self.weights.copy()

    def restore(self, state: Floats) -> None:
        """Go back to what ``snapshot`` returned."""
        self.weights = state

    def _train_batch(self, rows: npt.NDArray[np.int64]) -> float:
        """Take one step and return the sum of the log losses before it."""
        X, y = self.data.X[rows], self.data.y[rows]
        probabilities = _softmax(X, self.weights)
        picked = np.arange(len(rows)), y
        loss = -np.log(np.maximum(probabilities[picked], TINY)).sum()
        probabilities[picked] -= 1.0
        gradient = _with_ones(X).T @ probabilities / len(rows)
        gradient[:-1] += self.params["penalty"] * self.weights[:-1]
        self.velocity = MOMENTUM * self.velocity - self.params["learning_rate"] * gradient
        self.weights = self.weights + self.velocity
        return float(loss)


def _with_ones(X: Any) -> Floats:
    """Add a column of ones, which the intercept is multiplied by."""
    return np.column_stack([np.asarray(X, dtype=np.float32), np.ones(len(X), dtype=np.float32)])


def _softmax(X: Any, weights: Floats) -> Floats:
    scores = _with_ones(X) @ weights
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: Floats = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities
