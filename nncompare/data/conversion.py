"""How samples of one view become samples of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nncompare.data.arrays import CHUNK_BYTES
from nncompare.data.records import Array, View
from nncompare.data.splits import Rows

__all__ = ["CONVERSIONS", "Conversion", "choose_view"]

CONVERSIONS: Mapping[View, tuple[View, ...]] = {
    "image": ("image", "sequence", "tabular"),
    "sequence": ("sequence", "tabular"),
    "tabular": ("tabular", "sequence"),
    "tokens": ("tokens",),
}
"""Native view to the views that it can become; each can stay what it is."""


def choose_view(native: View, accepts: Sequence[View]) -> View | None:
    """Return the first accepted view that the native view can become, None where there is none."""
    return next((view for view in accepts if view in CONVERSIONS[native]), None)


@dataclass(frozen=True)
class Conversion:
    """From samples in their native view to samples in another, chunk by chunk.

    Parameters
    ----------
    native, view : {"tabular", "image", "sequence"}
        ``view`` is one of ``CONVERSIONS[native]``.
    scale : float
        Brings native samples to unit range.
    X_train : ndarray of shape (n_train, ...)
        Where ``fit_rows`` lie.
    fit_rows : ndarray of int64
        The rows whose mean and standard deviation standardise tables, and no others.
    """

    native: View
    view: View
    scale: float
    X_train: Array
    fit_rows: Rows

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one converted sample."""
        return self._reshape(self.X_train[:1]).shape[1:]

    @property
    def dtype(self) -> str:
        """Dtype of converted samples: images keep theirs, everything else is float32."""
        return self.X_train.dtype.name if self.view == "image" else "float32"

    @property
    def remaining_scale(self) -> float:
        """Multiply converted samples by this for unit range; 1.0 where the conversion did it."""
        return self.scale if self.view == self.native and self.view != "tabular" else 1.0

    def chunks(self, X: Array, rows: Rows) -> Iterator[Array]:
        """Yield the converted samples of ``rows``, about 16 MiB of ``X`` at a time."""
        for chunk in _gather(X, rows):
            yield self._convert(chunk)

    def _convert(self, chunk: Array) -> Array:
        if "tabular" in (self.native, self.view):
            flat = self._scaler.transform(chunk.reshape(len(chunk), -1).astype(np.float32))
            return self._reshape(flat)
        if (self.native, self.view) == ("image", "sequence"):
            return self._reshape(chunk) * np.float32(self.scale)
        return chunk

    def _reshape(self, chunk: Array) -> Array:
        """Rows of an image as steps, columns of a table as steps, everything flat for a table."""
        if self.view == "tabular":
            return chunk.reshape(len(chunk), -1)
        if self.view == "sequence" and self.native == "tabular":
            return chunk[:, :, np.newaxis]
        if self.view == "sequence" and self.native == "image":
            return chunk.reshape(len(chunk), chunk.shape[1], -1)
        return chunk

    @cached_property
    def _scaler(self) -> Any:
        """A StandardScaler fitted on ``fit_rows``; it divides constant columns by 1."""
        # Imported here because trial children import this module and must start in 0.1 s.
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler()
        for chunk in _gather(self.X_train, self.fit_rows):
            scaler.partial_fit(chunk.reshape(len(chunk), -1).astype(np.float32))
        return scaler


def _gather(X: Array, rows: Rows) -> Iterator[Array]:
    """Yield ``X[rows]`` in chunks, so that a memory map is never read at once."""
    step = max(1, CHUNK_BYTES // max(1, X[:1].nbytes))
    for start in range(0, len(rows), step):
        yield np.asarray(X[rows[start : start + step]])
