"""Plugins without a base of a framework that are right, each of a kind that an easy problem hides something of."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

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


RIGHT = [NearestRows, Patient, LargeBatches]
