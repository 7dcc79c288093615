"""Arrays as arrays of another view: flattened, standardised, with rows or columns as steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from nncompare.data.native import Native
from nncompare.data.records import Array, View
from nncompare.data.samples import gather, write_converted
from nncompare.data.splits import Rows

__all__ = ["DenseConversion"]


@dataclass(frozen=True, slots=True)
class DenseConversion:
    """From arrays to arrays, chunk by chunk.

    Tables are standardised, also those that images and sequences become; images as sequences are brought to unit
    range; images and sequences in their own view stay as they are, except series that were read from a table, of
    which each feature is standardised over all steps.

    Parameters
    ----------
    native : Native
        Not tokens.
    view : {"tabular", "image", "sequence"}
    mean, deviation : ndarray of shape (n_features,), float64
        Of the rows that were fitted, over all numbers of a sample one behind the other; empty where nothing is
        standardised. Constant features have the deviation 1.
    """

    kind: ClassVar[str] = "dense"
    vocabulary_size: ClassVar[None] = None
    sparse: ClassVar[bool] = False

    native: Native
    view: View
    mean: Array
    deviation: Array

    @classmethod
    def fit(cls, native: Native, view: View, X_train: Array, rows: Rows) -> Self:
        """Return the conversion whose standardisation is that of ``X_train[rows]`` alone."""
        if not _standardises(native, view):
            return cls(native, view, np.empty(0), np.empty(0))
        if native.series is not None and view == "sequence":
            return cls(native, view, *_moments_of_steps(X_train, rows, is_padded=native.series.is_padded))
        return cls(native, view, *_moments(X_train, rows))

    @classmethod
    def from_state(cls, native: Native, view: View, state: Mapping[str, Array]) -> Self:
        """Return the conversion that :meth:`state` was taken of."""
        return cls(native, view, state["mean"], state["deviation"])

    def state(self) -> dict[str, Array]:
        """Return what was fitted."""
        return {"mean": self.mean, "deviation": self.deviation}

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one converted sample."""
        shape = self.native.sample_shape or ()
        if self.view == "tabular":
            return (prod(shape),)
        if (self.native.view, self.view) == ("tabular", "sequence"):
            return (prod(shape), 1)
        if (self.native.view, self.view) == ("image", "sequence"):
            return (shape[0], prod(shape[1:]))
        return shape

    @property
    def dtype(self) -> str:
        """Dtype of converted samples: images keep theirs, everything else is float32."""
        return self.native.dtype if self.view == "image" else "float32"

    @property
    def remaining_scale(self) -> float:
        """Multiply converted samples by this for unit range; 1.0 where the conversion did it."""
        return self.native.scale if self.view == self.native.view and self.view != "tabular" else 1.0

    def write(self, folder: Path, X: Array, rows: Rows) -> Path:
        """Write the converted samples of ``rows``, chunk by chunk."""
        return write_converted(folder, X, rows, self._convert, self.sample_shape, self.dtype)

    def _convert(self, chunk: Array) -> Array:
        shape = (len(chunk), *self.sample_shape)
        if _standardises(self.native, self.view):
            # In float32, as StandardScaler does: memory was the reason to convert in chunks.
            flat = chunk.reshape(len(chunk), -1).astype(np.float32)
            flat -= self.mean.astype(np.float32)
            flat /= self.deviation.astype(np.float32)
            return flat.reshape(shape)
        if (self.native.view, self.view) == ("image", "sequence"):
            return chunk.reshape(shape) * np.float32(self.native.scale)
        return chunk


def _standardises(native: Native, view: View) -> bool:
    return "tabular" in (native.view, view) or native.series is not None


def _moments(X: Array, rows: Rows) -> tuple[Array, Array]:
    """Return mean and deviation of each feature; constant ones are divided by 1."""
    # Imported here because trial children import this module and must start in 0.1 s.
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    for chunk in gather(X, rows):
        scaler.partial_fit(chunk.reshape(len(chunk), -1).astype(np.float32))
    return np.asarray(scaler.mean_, dtype=np.float64), np.asarray(scaler.scale_, dtype=np.float64)


def _moments_of_steps(X: Array, rows: Rows, *, is_padded: bool) -> tuple[Array, Array]:
    """Return mean and deviation of each feature over the steps that were there, repeated for each step."""
    from sklearn.preprocessing import StandardScaler  # see _moments

    scaler, n_steps = StandardScaler(), X.shape[1]
    for chunk in gather(X, rows):
        steps = chunk.reshape(-1, X.shape[2])
        scaler.partial_fit(steps[steps[:, -1] == 1, :-1] if is_padded else steps)
    unchanged = ([0.0], [1.0]) if is_padded else ([], [])  # what tells the steps that were there
    moments = (
        np.append(found, more) for found, more in zip((scaler.mean_, scaler.scale_), unchanged, strict=True)
    )
    mean, deviation = (np.tile(values, n_steps).astype(np.float64) for values in moments)
    return mean, deviation
