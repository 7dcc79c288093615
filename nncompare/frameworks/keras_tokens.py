"""A Keras layer for ids of words."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from nncompare.data.ragged import UNKNOWN


@keras.saving.register_keras_serializable(package="nncompare")
class RareAsUnknown(keras.layers.Layer):  # type: ignore[misc]
    """Replaces the ids of words beyond the vocabulary, rare or not seen in training, by that of unknown words.

    Parameters
    ----------
    vocabulary_size : int
        Ids from this one on become 2.
    """

    def __init__(self, vocabulary_size: int, **options: Any) -> None:
        super().__init__(**options)
        self.vocabulary_size = vocabulary_size

    def call(self, ids: Any) -> Any:
        """Return ids below ``vocabulary_size``."""
        return tf.where(ids < self.vocabulary_size, ids, UNKNOWN)

    def get_config(self) -> dict[str, Any]:
        """Return what ``__init__`` takes."""
        return {**super().get_config(), "vocabulary_size": self.vocabulary_size}
