"""A small Transformer encoder in Keras, for sequences and texts (Vaswani et al., 2017, arXiv 1706.03762)."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import layers, ops
from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import DataSpec, ModelTags, Params, Trial


class Transformer(KerasPlugin):
    """One or two blocks of attention and dense layers, normalised before (Xiong et al., 2020, arXiv 2002.04745)."""

    tags: ClassVar[ModelTags] = ModelTags(
        accepts=("sequence", "tokens"), default_dataset="mnist1d", framework="keras"
    )

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for size, dropout and training; of texts also how much is read."""
        of_texts = data.view == "tokens"
        return {
            "width": trial.suggest_categorical("width", [32, 64]),
            "n_heads": trial.suggest_categorical("n_heads", [2, 4]),
            "n_blocks": trial.suggest_int("n_blocks", 1, 2),
            "dropout": trial.suggest_float("dropout", 0.0, 0.4),
            "learning_rate": trial.suggest_float("learning_rate", 5e-4, 5e-3, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [32, 64]),
            **({"max_length": trial.suggest_categorical("max_length", [100, 200])} if of_texts else {}),
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return the configuration of trial 0."""
        size = {"width": 32, "n_heads": 4, "n_blocks": 2, "dropout": 0.1}
        reading = {"max_length": 200} if data.view == "tokens" else {}
        return {**size, "learning_rate": 2e-3, "batch_size": 32, **reading}

    def build(self, params: Params, data: DataSpec) -> Any:
        """Return an encoder whose outputs are averaged over the steps; steps of padding do not count."""
        width, dropout = params["width"], params["dropout"]
        if data.view == "tokens":
            inputs = keras.Input((None,), dtype="int32")
            x = layers.Embedding(data.vocabulary_size, width, mask_zero=True)(inputs)
        else:
            inputs = keras.Input(data.sample_shape)
            x = layers.Conv1D(width, 5, padding="same", activation="relu")(inputs)
        x = AddPositions()(x)
        for _ in range(params["n_blocks"]):
            y = layers.LayerNormalization()(x)
            y = layers.MultiHeadAttention(params["n_heads"], width // params["n_heads"])(y, y)
            x = layers.add([x, layers.Dropout(dropout)(y)])
            y = layers.Dense(2 * width, activation="gelu")(layers.LayerNormalization()(x))
            x = layers.add([x, layers.Dropout(dropout)(layers.Dense(width)(y))])
        x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
        return keras.Model(inputs, layers.Dense(data.n_classes, activation="softmax")(x))


@keras.saving.register_keras_serializable(package="nncompare-transformer")
class AddPositions(layers.Layer):  # type: ignore[misc]
    """Adds sines and cosines of each step's position, section 3.5 of the paper: attention alone knows no order."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True

    def call(self, x: Any) -> Any:
        """Return ``x`` of shape (n_samples, n_timesteps, width) with the positions added."""
        half = x.shape[-1] // 2
        steps = ops.arange(ops.shape(x)[1], dtype="float32")[:, None]
        angles = steps * ops.exp(-ops.log(10_000.0) * ops.arange(half, dtype="float32") / half)
        return x + ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=1)
