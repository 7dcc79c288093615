"""A small dense network in PyTorch, on the processor."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from nncompare.frameworks.training import train as train_by_epochs
from nncompare.plugin import Data, DataSpec, FitContext, FittedModel, ModelPlugin, ModelTags, Params, Trial
from torch import nn

PATIENCE = 8
PREDICT_BATCH_SIZE = 1024
SIZES_FILE = "sizes.json"
WEIGHTS_FILE = "weights.pt"


class MyModel(ModelPlugin):
    """One hidden layer with dropout, trained with Adam."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("tabular",), default_dataset="digits")

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for width, dropout, learning rate and batch size."""
        return {
            "units": trial.suggest_int("units", 16, 128, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-2, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64]),
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return the configuration of trial 0."""
        return {"units": 64, "dropout": 0.1, "learning_rate": 3e-3, "batch_size": 32}

    def fit(self, params: Params, train: Data, valid: Data | None, context: FitContext) -> FittedModel:
        """Train epoch by epoch; nncompare's loop reports each one, stops early and keeps the best weights."""
        torch.set_num_threads(context.n_threads)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(context.seed)  # initial weights and dropout
        learner = _Learner(params, train, context.seed)
        train_by_epochs(learner, valid, context, patience=PATIENCE, max_epochs=context.max_epochs)
        return FittedMyModel(learner.network, learner.sizes)


class FittedMyModel(FittedModel):
    """A trained network and the sizes that it is built again from."""

    def __init__(self, network: nn.Sequential, sizes: dict[str, Any]) -> None:
        self.network = network
        self.sizes = sizes

    @property
    def n_parameters(self) -> int:
        """Number of values in the trained weights."""
        return sum(weights.numel() for weights in self.network.parameters())

    def predict_proba(self, X: Any) -> npt.NDArray[np.float32]:
        """Return probabilities of shape (n_samples, n_classes)."""
        return _predict(self.network, X)

    def save(self, folder: Path) -> None:
        """Write sizes and weights, not the module: that would have to be unpickled."""
        (folder / SIZES_FILE).write_text(json.dumps(self.sizes), encoding="utf-8")
        torch.save(self.network.state_dict(), folder / WEIGHTS_FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Build the network anew and fill it; of the file nothing but tensors is read."""
        sizes = json.loads((folder / SIZES_FILE).read_text(encoding="utf-8"))
        network = _build(**sizes)
        network.load_state_dict(torch.load(folder / WEIGHTS_FILE, map_location="cpu", weights_only=True))
        return cls(network, sizes)


class _Learner:
    """The network under training: what ``train_by_epochs`` needs, in four methods."""

    def __init__(self, params: Params, data: Data, seed: int) -> None:
        self.data = data
        self.batch_size = params["batch_size"]
        self.sizes = {
            "n_features": int(data.X.shape[1]),
            "n_classes": data.spec.n_classes,
            "units": params["units"],
            "dropout": params["dropout"],
        }
        self.network = _build(**self.sizes)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=params["learning_rate"])
        self.random = np.random.default_rng(seed)  # the order of the samples

    def train_epoch(self, epoch: int) -> float:
        """Go through the training part once, in a new order, and return the mean log loss."""
        self.network.train()
        order = self.random.permutation(len(self.data))
        batches = (order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size))
        return sum(self._train_batch(rows) for rows in batches) / len(order)

    def predict_proba(self, X: Any) -> npt.NDArray[np.float32]:
        """Return probabilities of shape (n_samples, n_classes)."""
        return _predict(self.network, X)

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of what training changes."""
        return copy.deepcopy(self.network.state_dict())

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what ``snapshot`` returned."""
        self.network.load_state_dict(state)

    def _train_batch(self, rows: npt.NDArray[np.int64]) -> float:
        """Take one step and return the sum of the log losses before it."""
        scores = self.network(_tensor(self.data.X[rows]))
        loss = nn.functional.cross_entropy(scores, torch.tensor(self.data.y[rows]))
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return float(loss) * len(rows)


def _build(n_features: int, n_classes: int, units: int, dropout: float) -> nn.Sequential:
    """Return an untrained network from standardised features to one score per class."""
    return nn.Sequential(nn.Linear(n_features, units), nn.ReLU(), nn.Dropout(dropout), nn.Linear(units, n_classes))


def _predict(network: nn.Sequential, X: Any) -> npt.NDArray[np.float32]:
    network.eval()
    starts = range(0, len(X), PREDICT_BATCH_SIZE)
    with torch.inference_mode():
        batches = [network(_tensor(X[start : start + PREDICT_BATCH_SIZE])).softmax(dim=1) for start in starts]
    probabilities: npt.NDArray[np.float32] = torch.cat(batches).numpy()
    return probabilities


def _tensor(X: Any) -> torch.Tensor:
    """Copy: the samples are read-only memory maps, which torch does not take as they are."""
    return torch.tensor(np.asarray(X), dtype=torch.float32)
