"""The convolutional network: two-dimensional on images, one-dimensional on sequences and texts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
from keras import layers

from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import DataSpec, ModelTags, Params, Trial

from .tokens import WEIGHT_AVERAGE, MaskedConv1D, MaskedMaxPooling1D, default_embedding, embed, suggest_embedding

LARGEST_FILTERS = 128
LARGEST_GRID = 64
"""Positions that are left for the dense layer at most; a larger grid is pooled further."""

MOMENTUM = 0.9
"""Of the averages that batch normalisation predicts with. Keras's 0.99 lags behind by hundreds of batches, which
are several epochs of a small training part: validation losses of 4 where these give 0.1."""


class CNN(KerasPlugin):
    """One to three blocks of convolution and pooling, one dense layer, Adam.

    On texts (Kim, 2014, arXiv 1408.5882): word vectors, one or two convolutions, the maximum over time.
    """

    tags: ClassVar[ModelTags] = ModelTags(
        accepts=("image", "sequence", "tokens"), default_dataset="mnist", framework="keras"
    )

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for depth, filters, kernel, pooling, normalisation, dropout, dense units, learning rate, batch.

        Texts: no pooling and normalisation, but vocabulary, width of the word vectors and length read.
        """
        if data.view == "tokens":
            return _suggest_for_texts(trial, data)
        filters, dense_units = ([8, 16, 24], [0, 32, 64]) if data.view == "image" else ([16, 32], [32, 64, 128])
        return {
            "n_blocks": trial.suggest_int("n_blocks", 1, 3),
            "filters": trial.suggest_categorical("filters", filters),
            "kernel_size": trial.suggest_categorical("kernel_size", [3, 5]),
            "pooling": trial.suggest_categorical("pooling", ["max", "average"]),
            "batch_norm": trial.suggest_categorical("batch_norm", [True, False]),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "dense_units": trial.suggest_categorical("dense_units", dense_units),
            "learning_rate": trial.suggest_float("learning_rate", 5e-4, 1e-2, log=True),
            "learning_rate_decay": trial.suggest_categorical("learning_rate_decay", [0.8, 0.95]),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128]),
            **_averages(data),
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return three normalised blocks with max pooling; one convolution for texts."""
        if data.view == "tokens":
            return {
                **default_embedding(data),
                "n_blocks": 1,
                "filters": 64,
                "kernel_size": 5,
                "dropout": 0.3,
                "dense_units": 32,
                "learning_rate": 3e-3,
                "learning_rate_decay": 0.8,
                "batch_size": 64,
            }
        image = data.view == "image"
        return {
            "n_blocks": 3,
            "filters": 16 if image else 32,
            "kernel_size": 3 if image else 5,
            "pooling": "max",
            "batch_norm": True,
            "dropout": 0.4 if image else 0.3,
            "dense_units": 0 if image else 64,
            "learning_rate": 3e-3,
            "learning_rate_decay": 0.8 if image else 0.95,
            "batch_size": 64,
            **_averages(data),
        }

    def build(self, params: Params, data: DataSpec) -> Any:
        """Return the model; filters double from block to block, and small inputs are pooled less."""
        if data.view == "tokens":
            return _build_for_texts(params, data)
        inputs = keras.Input(data.sample_shape)
        kit = _KITS[len(inputs.shape) - 2]
        x = inputs
        for block in range(params["n_blocks"]):
            filters = min(params["filters"] * 2**block, LARGEST_FILTERS)
            x = _block(kit, x, filters, params)
        while _grid(x) > LARGEST_GRID:
            x = _pool(kit, x, params["pooling"])
        x = layers.Dropout(params["dropout"])(layers.Flatten()(x))
        if params["dense_units"]:
            x = layers.Dense(params["dense_units"], activation="relu")(x)
        return keras.Model(inputs, layers.Dense(data.n_classes, activation="softmax")(x))


def _averages(data: DataSpec) -> Params:
    """Return the momentum of the averages of the weights; images gain nothing by them (ADR 0024)."""
    return {} if data.view == "image" else {"weight_average": WEIGHT_AVERAGE}


def _suggest_for_texts(trial: Trial, data: DataSpec) -> Params:
    return {
        **suggest_embedding(trial, data),
        "n_blocks": trial.suggest_int("n_blocks", 1, 2),
        "filters": trial.suggest_categorical("filters", [32, 64, 128]),
        "kernel_size": trial.suggest_categorical("kernel_size", [3, 5, 7]),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "dense_units": trial.suggest_categorical("dense_units", [32, 64, 128]),
        "learning_rate": trial.suggest_float("learning_rate", 1e-3, 6e-3, log=True),
        "learning_rate_decay": trial.suggest_categorical("learning_rate_decay", [0.5, 0.8]),
        "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128]),
    }


def _build_for_texts(params: Params, data: DataSpec) -> Any:
    inputs = keras.Input((None,), dtype="int32")
    x = embed(inputs, params)
    for _ in range(params["n_blocks"]):
        x = MaskedConv1D(params["filters"], params["kernel_size"], activation="relu")(x)
    x = layers.Dropout(params["dropout"])(MaskedMaxPooling1D()(x))
    x = layers.Dense(params["dense_units"], activation="relu")(x)
    return keras.Model(inputs, layers.Dense(data.n_classes, activation="softmax")(x))


@dataclass(frozen=True, slots=True)
class _Kit:
    """The layers for one number of spatial dimensions."""

    convolution: Any
    pooling: dict[str, Any]


_KITS = {
    1: _Kit(layers.Conv1D, {"max": layers.MaxPooling1D, "average": layers.AveragePooling1D}),
    2: _Kit(layers.Conv2D, {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}),
}


def _block(kit: _Kit, x: Any, filters: int, params: Params) -> Any:
    """Apply convolution, pooling, normalisation where wanted, and ReLU; each position costs less after pooling."""
    normalised = params["batch_norm"]
    x = kit.convolution(filters, params["kernel_size"], padding="same", use_bias=not normalised)(x)
    x = _pool(kit, x, params["pooling"])
    if normalised:
        x = layers.BatchNormalization(momentum=MOMENTUM)(x)
    return layers.Activation("relu")(x)


def _pool(kit: _Kit, x: Any, pooling: str) -> Any:
    """Halve each side of the grid that has at least two positions."""
    return kit.pooling[pooling](tuple(min(2, side) for side in x.shape[1:-1]))(x)


def _grid(x: Any) -> int:
    """Count the positions of the grid."""
    return math.prod(x.shape[1:-1])
