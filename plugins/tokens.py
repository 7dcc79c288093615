"""What models of texts share: the parameters of tokens, the embedding, and layers that leave padding out."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from nncompare.frameworks.keras_tokens import RareAsUnknown
from nncompare.plugin import UNKNOWN, DataSpec, Params, Trial

VOCABULARY_SIZES = (5_000, 10_000, 20_000)
DEFAULT_VOCABULARY_SIZE = 10_000

WEIGHT_AVERAGE = 0.99
"""Over a hundred batches: what a single one did at a high learning rate leaves no trace in the weights."""


def suggest_embedding(trial: Trial, data: DataSpec) -> Params:
    """Ask for vocabulary, width of a word's vector and how much of a text is read; weights are averaged."""
    sizes = sorted({_vocabulary_size(size, data) for size in VOCABULARY_SIZES})
    return {
        "vocabulary_size": trial.suggest_categorical("vocabulary_size", sizes),
        "embedding_dim": trial.suggest_categorical("embedding_dim", [32, 64]),
        "max_length": trial.suggest_categorical("max_length", [400, 1000]),
        "weight_average": WEIGHT_AVERAGE,
    }


def default_embedding(data: DataSpec) -> Params:
    """Return a value for each name that ``suggest_embedding`` returns."""
    return {
        "vocabulary_size": _vocabulary_size(DEFAULT_VOCABULARY_SIZE, data),
        "embedding_dim": 32,
        "max_length": 1000,
        "weight_average": WEIGHT_AVERAGE,
    }


def embed(ids: Any, params: Params) -> Any:
    """Return the vectors of the words of shape (n_samples, n_timesteps, embedding_dim), and a mask with them."""
    size = max(params["vocabulary_size"], UNKNOWN + 1)
    x = layers.Embedding(size, params["embedding_dim"], mask_zero=True)(RareAsUnknown(size)(ids))
    return layers.SpatialDropout1D(params["dropout"])(x)


def _vocabulary_size(wanted: int, data: DataSpec) -> int:
    """Return ``wanted``, or the size of the training part's vocabulary where that is smaller."""
    return min(wanted, data.vocabulary_size or wanted)


@keras.saving.register_keras_serializable(package="nncompare")
class MaskedConv1D(layers.Conv1D):  # type: ignore[misc]
    """Keras's Conv1D layer that takes hidden steps for zeros, as it takes what lies beyond the sequence.

    Always with ``padding="same"``, so that the mask holds for the outputs too and the width of a batch does not
    matter to them.
    """

    def __init__(self, filters: int, kernel_size: int | tuple[int, ...], **options: Any) -> None:
        super().__init__(filters, kernel_size, **{**options, "padding": "same"})
        self.supports_masking = True

    def call(self, x: Any, mask: Any = None) -> Any:
        """Return the filters' outputs of shape (n_samples, n_timesteps, filters)."""
        return super().call(x if mask is None else tf.where(mask[..., tf.newaxis], x, 0.0))


class _MaskedPooling1D(layers.Layer):  # type: ignore[misc]
    """One value per feature from all steps that a mask shows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True

    def compute_mask(self, x: Any, mask: Any = None) -> None:
        """Return None: no step is left to hide."""


@keras.saving.register_keras_serializable(package="nncompare")
class MaskedMaxPooling1D(_MaskedPooling1D):
    """The maximum over all steps that the mask shows; 0 where it shows none."""

    def call(self, x: Any, mask: Any = None) -> Any:
        """Return shape (n_samples, n_features) for (n_samples, n_timesteps, n_features)."""
        if mask is None:
            return tf.reduce_max(x, axis=1)
        highest = tf.reduce_max(tf.where(mask[..., tf.newaxis], x, x.dtype.min), axis=1)
        return tf.where(tf.reduce_any(mask, axis=1, keepdims=True), highest, 0.0)


@keras.saving.register_keras_serializable(package="nncompare")
class MaskedMeanPooling1D(_MaskedPooling1D):
    """The mean over all steps that the mask shows; 0 where it shows none."""

    def call(self, x: Any, mask: Any = None) -> Any:
        """Return shape (n_samples, n_features) for (n_samples, n_timesteps, n_features)."""
        if mask is None:
            return tf.reduce_mean(x, axis=1)
        shown = tf.cast(mask, x.dtype)[..., tf.newaxis]
        return tf.reduce_sum(x * shown, axis=1) / tf.maximum(tf.reduce_sum(shown, axis=1), 1.0)
