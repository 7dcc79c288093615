"""The recurrent network: simple RNN, GRU or LSTM cells that read a sequence or a text step by step."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import layers

from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import DataSpec, ModelTags, Params, Trial

from .recurrent import FusedGRU, FusedLSTM, FusedSimpleRNN, StackedSteps
from .tokens import (
    WEIGHT_AVERAGE,
    MaskedMaxPooling1D,
    MaskedMeanPooling1D,
    default_embedding,
    embed,
    suggest_embedding,
)

UNITS = [16, 32, 48]
BATCH_SIZES = [64, 128]


class LSTM(KerasPlugin):
    """One or two recurrent layers, read in one or both directions, Adam; texts come as word vectors."""

    tags: ClassVar[ModelTags] = ModelTags(
        accepts=("sequence", "tokens"), default_dataset="imdb", framework="keras"
    )

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for cell, units, depth, direction, readout, dropout, learning rate and batch size.

        Texts: vocabulary, width of the word vectors, length read and words per step too, and always one layer.
        """
        if data.view == "tokens":
            return {
                "cell": trial.suggest_categorical("cell", list(_CELLS)),
                **suggest_embedding(trial, data),
                "n_stacked": trial.suggest_categorical("n_stacked", [1, 2, 4]),
                "units": trial.suggest_categorical("units", UNITS),
                **_suggest_reading(trial),
                "learning_rate": trial.suggest_float("learning_rate", 1e-3, 6e-3, log=True),
                "learning_rate_decay": trial.suggest_categorical("learning_rate_decay", [0.5, 0.8]),
                "batch_size": trial.suggest_categorical("batch_size", BATCH_SIZES),
            }
        return {
            "cell": trial.suggest_categorical("cell", list(_CELLS)),
            "units": trial.suggest_categorical("units", UNITS),
            "n_layers": trial.suggest_int("n_layers", 1, 2),
            **_suggest_reading(trial),
            "learning_rate": trial.suggest_float("learning_rate", 2e-3, 2e-2, log=True),
            "batch_size": trial.suggest_categorical("batch_size", BATCH_SIZES),
            "weight_average": WEIGHT_AVERAGE,
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return one bidirectional LSTM layer whose outputs are pooled over time."""
        if data.view == "tokens":
            return {
                "cell": "lstm",
                **default_embedding(data),
                "n_stacked": 4,
                "units": 32,
                "bidirectional": True,
                "readout": "max_mean",
                "dropout": 0.5,
                "learning_rate": 4e-3,
                "learning_rate_decay": 0.5,
                "batch_size": 64,
            }
        return {
            "cell": "lstm",
            "units": 48,
            "n_layers": 1,
            "bidirectional": True,
            "readout": "max",
            "dropout": 0.1,
            "learning_rate": 1e-2,
            "batch_size": 64,
            "weight_average": WEIGHT_AVERAGE,
        }

    def build(self, params: Params, data: DataSpec) -> Any:
        """Return the model; ``readout`` is what of the last layer is read.

        The last state, the maximum over time, or maximum and mean over time (Howard and Ruder, 2018, arXiv
        1801.06146, section 3.3, without the last state).
        """
        inputs, x = _read(params, data)
        readout = params["readout"]
        if params.get("n_stacked", 1) > 1:
            x = StackedSteps(params["n_stacked"])(x)
        n_layers = params.get("n_layers", 1)
        for layer in range(1, n_layers + 1):
            last_layer = layer == n_layers
            x = _recur(x, params, return_sequences=not last_layer or readout != "last")
            if not last_layer:
                x = layers.Dropout(params["dropout"])(x)
        if readout != "last":
            pooled = [_POOLING[data.view][name]()(x) for name in readout.split("_")]
            x = layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
        x = layers.Dropout(params["dropout"])(x)
        return keras.Model(inputs, layers.Dense(data.n_classes, activation="softmax")(x))


_CELLS: dict[str, Any] = {"lstm": FusedLSTM, "gru": FusedGRU, "simple_rnn": FusedSimpleRNN}
_POOLING: dict[str, dict[str, Any]] = {
    "sequence": {"max": layers.GlobalMaxPooling1D, "mean": layers.GlobalAveragePooling1D},
    "tokens": {"max": MaskedMaxPooling1D, "mean": MaskedMeanPooling1D},
}


def _suggest_reading(trial: Trial) -> Params:
    """Ask for direction, readout and dropout."""
    return {
        "bidirectional": trial.suggest_categorical("bidirectional", [True, False]),
        "readout": trial.suggest_categorical("readout", ["max_mean", "max", "last"]),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }


def _read(params: Params, data: DataSpec) -> tuple[Any, Any]:
    """Return the inputs and the sequence of vectors in them."""
    if data.view == "tokens":
        inputs = keras.Input((None,), dtype="int32")
        return inputs, embed(inputs, params)
    inputs = keras.Input(data.sample_shape)
    return inputs, inputs


def _recur(x: Any, params: Params, *, return_sequences: bool) -> Any:
    """Apply one recurrent layer in one or both directions."""
    layer = _CELLS[params["cell"]](params["units"], return_sequences=return_sequences)
    return (layers.Bidirectional(layer) if params["bidirectional"] else layer)(x)
