"""Plugins without a base of a framework that are right, each of a kind that an easy problem hides something of."""

from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
from sklearn.metrics import log_loss

from nncompare.plugin import FittedModel, ModelPlugin, ModelTags

from .mutants import Softmax

TAGS = ModelTags(accepts=("tabular",), default_dataset="digits")
NOT_RANDOM = {"check_other_seed_other_predictions": "Nothing in it is random."}


def report(context, epoch, model, valid):
    if valid is None:
        context.report(epoch)
        return
    p = model.predict_proba(valid.X)
    loss = -np.log(np.maximum(p[np.arange(len(p)), valid.y], np.finfo(np.float32).eps)).mean()
    context.report(epoch, valid_loss=float(loss), valid_accuracy=float((p.argmax(1) == valid.y).mean()))


class Arrays(FittedModel):
    """Holds arrays, and stores them by their names."""

    def __init__(self, **arrays):
        self.arrays = arrays

    @property
    def n_parameters(self):
        return sum(array.size for array in self.arrays.values())

    def save(self, folder):
        np.savez(folder / "arrays.npz", **self.arrays)

    @classmethod
    def load(cls, folder):
        return cls(**np.load(folder / "arrays.npz"))


class Rows(Arrays):
    """Counts the votes of the nearest rows."""

    def predict_proba(self, X):
        k, n_classes = self.arrays["sizes"]
        distance = ((np.asarray(X, dtype=np.float64)[:, None] - self.arrays["X"]) ** 2).sum(axis=2)
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :k]
        votes = np.zeros((len(X), n_classes), dtype=np.float32)
        np.add.at(votes, (np.arange(len(X))[:, None], self.arrays["y"][nearest]), 1)
        return votes / np.float32(k)


class NearestRows(ModelPlugin):
    """Easy rows have neighbours of their own class alone, however many are asked."""

    tags: ClassVar = TAGS
    expected_failures: ClassVar = NOT_RANDOM

    def suggest_params(self, trial, data):
        return {"k": trial.suggest_int("k", 3, 9)}

    def default_params(self, data):
        return {"k": 5}

    def fit(self, params, train, valid, context):
        sizes = np.array([min(params["k"], len(train)), train.spec.n_classes])
        model = Rows(X=np.array(train.X), y=np.array(train.y), sizes=sizes)
        report(context, 1, model, valid)
        return model


class Patient(Softmax):
    """Stops early, which easy data never make it do."""

    expected_failures: ClassVar[dict[str, str]] = {}

    def suggest_params(self, trial, data):
        return {**super().suggest_params(trial, data), "patience": trial.suggest_int("patience", 15, 20)}

    def default_params(self, data):
        return {**super().default_params(data), "patience": 16}

    def fit(self, params, train, valid, context):
        inner = Softmax()
        patience = params["patience"]
        inner.is_over = lambda context: len(context.history) - context.best_epoch() >= patience
        return inner.fit(params, train, valid, context)


class LargeBatches(Softmax):
    """Its batches are larger than what the kit trains on."""

    expected_failures: ClassVar[dict[str, str]] = {}

    def suggest_params(self, trial, data):
        return {
            "rate": trial.suggest_float("rate", 0.1, 1.0),
            "batch_size": trial.suggest_categorical("batch_size", [256, 512]),
        }

    def default_params(self, data):
        return {"rate": 0.5, "batch_size": 256}


class Perceptron(Softmax):
    """Changes on mistakes alone, of which there are none in easy data after an epoch."""

    expected_failures: ClassVar[dict[str, str]] = {}

    def suggest_params(self, trial, data):
        return {"rate": trial.suggest_float("rate", 0.1, 1.0)}

    def default_params(self, data):
        return {"rate": 0.3}

    def start(self, train, random):
        return np.zeros((train.X.shape[1] + 1, train.spec.n_classes))

    def epoch(self, model, params, train, random):
        for row in random.permutation(len(train)):
            x, y = np.append(train.X[row], 1), train.y[row]
            said = (x @ model.weights).argmax()
            if said != y:
                model.weights[:, said] -= params["rate"] * x
                model.weights[:, y] += params["rate"] * x


class Sure(Arrays):
    """Naive Bayes, whose probabilities are far from one half."""

    def predict_proba(self, X):
        mean, variance = self.arrays["mean"], self.arrays["variance"]
        X = np.asarray(X, dtype=np.float64)[:, None]
        scores = -0.5 * (np.log(variance) + (X - mean) ** 2 / variance).sum(axis=2)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


class ScoredBySklearn(ModelPlugin):
    """Its reported log loss is that of scikit-learn in doubles, which clips at 2e-16."""

    tags: ClassVar = TAGS
    expected_failures: ClassVar = NOT_RANDOM

    def suggest_params(self, trial, data):
        return {"smoothing": trial.suggest_float("smoothing", 1e-9, 1e-1, log=True)}

    def default_params(self, data):
        return {"smoothing": 1e-3}

    def fit(self, params, train, valid, context):
        X, classes = np.asarray(train.X, dtype=np.float64), range(train.spec.n_classes)
        parts = [X[train.y == k] if (train.y == k).sum() > 1 else X for k in classes]
        variance = np.array([part.var(axis=0) for part in parts]) + params["smoothing"]
        model = Sure(mean=np.array([part.mean(axis=0) for part in parts]), variance=variance)
        if valid is None:
            context.report(1)
            return model
        p = model.predict_proba(valid.X)
        loss = log_loss(valid.y, p.astype(np.float64), labels=classes)
        context.report(1, valid_loss=float(loss), valid_accuracy=float((p.argmax(1) == valid.y).mean()))
        return model


class Stumps(FittedModel):
    """A list of (column, threshold, scores below, scores above)."""

    def __init__(self, stumps):
        self.stumps = stumps

    @property
    def n_parameters(self):
        return sum(1 + below.size + above.size for _, _, below, above in self.stumps)

    def predict_proba(self, X):
        parts = [np.where((X[:, j] > t)[:, None], above, below) for j, t, below, above in self.stumps]
        scores = np.sum(parts, axis=0)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)

    def save(self, folder):
        text = json.dumps([[j, t, list(below), list(above)] for j, t, below, above in self.stumps])
        (folder / "stumps.json").write_text(text)

    @classmethod
    def load(cls, folder):
        found = json.loads((folder / "stumps.json").read_text())
        return cls([(j, t, np.array(below), np.array(above)) for j, t, below, above in found])


class Boosted(ModelPlugin):
    """Counts its thresholds, which lie outside of arrays."""

    tags: ClassVar = TAGS
    expected_failures: ClassVar[dict[str, str]] = {}

    def suggest_params(self, trial, data):
        return {"rate": trial.suggest_float("rate", 0.5, 1.5)}

    def default_params(self, data):
        return {"rate": 1.0}

    def fit(self, params, train, valid, context):
        random, n_classes = np.random.default_rng(context.seed), train.spec.n_classes
        one_hot, zero = np.eye(n_classes)[train.y], np.zeros(n_classes)
        model = Stumps([(0, 0.0, zero, zero.copy())])
        for epoch in range(1, context.max_epochs + 1):
            error = one_hot - model.predict_proba(train.X)
            found = []
            for column, row in random.integers(0, (train.X.shape[1], len(train)), (200, 2)).tolist():
                threshold = float(train.X[row, column])
                above = train.X[:, column] > threshold
                if above.any():
                    means = error[~above].mean(axis=0), error[above].mean(axis=0)
                    gain = (means[0] ** 2).sum() * (~above).sum() + (means[1] ** 2).sum() * above.sum()
                    found.append((gain, column, threshold, *(params["rate"] * n_classes * mean for mean in means)))
            model.stumps.append(max(found, key=lambda stump: stump[0])[1:])
            report(context, epoch, model, valid)
        return model if valid is None else Stumps(model.stumps[: context.best_epoch() + 1])


RIGHT = [NearestRows, Patient, LargeBatches, Perceptron, ScoredBySklearn, Boosted]
