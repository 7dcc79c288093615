"""Models that take texts and read little of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from nncompare.plugin import FittedModel, ModelPlugin, ModelTags


class Diced(FittedModel):
    """Two classes with probabilities that depend on the ids of a text, a seed and nothing else."""

    n_parameters = 1

    def __init__(self, seed: int, boldness: float) -> None:
        self.seed, self.boldness = seed, boldness

    def predict_proba(self, X):
        values = [np.random.default_rng([self.seed, *X[row].tolist()]).random() for row in range(len(X))]
        first = np.array(values, dtype=np.float32) ** self.boldness
        return np.stack([first, 1 - first], axis=1)

    def save(self, folder: Path) -> None:
        (folder / "dice.json").write_text(json.dumps([self.seed, self.boldness]))

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(*json.loads((folder / "dice.json").read_text()))


class Timid(ModelPlugin):
    """Guesses anew with each seed."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tokens",))
    boldness = 1.0

    def suggest_params(self, trial, data):
        return self.default_params(data)

    def default_params(self, data):
        return {"boldness": self.boldness}

    def fit(self, params, train, valid, context):
        model = Diced(context.seed, params["boldness"])
        if valid is None:
            context.report(1)
        else:
            p = model.predict_proba(valid.X)[np.arange(len(valid)), valid.y]
            context.report(1, valid_loss=float(-np.log(p).mean()), valid_accuracy=float((p > 0.5).mean()))
        return model


class Bold(Timid):
    """Leans to the second class."""

    boldness = 3.0
