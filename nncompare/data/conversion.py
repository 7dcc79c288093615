"""How samples of one view become samples of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from nncompare.data.arrays import write_chunks
from nncompare.data.ragged import UNKNOWN, Ragged
from nncompare.data.records import Array, Samples, View
from nncompare.data.samples import gather, write_rows, write_samples
from nncompare.data.splits import Rows
from nncompare.data.tfidf import TfIdf

__all__ = ["CONVERSIONS", "Conversion", "choose_view", "conversion", "possible_views"]

CONVERSIONS: Mapping[View, tuple[View, ...]] = {
    "image": ("image", "sequence", "tabular"),
    "sequence": ("sequence", "tabular"),
    "tabular": ("tabular", "sequence"),
    "tokens": ("tokens", "tabular"),
}
"""Native view to the views that it can become; each can stay what it is. Tokens become a sparse table only."""


def possible_views(native: View, *, sparse: bool = False) -> tuple[View, ...]:
    """Return the views that the native view can become for a model, which takes sparse tables or does not.

    Tokens become no other kind of table: 10,000 columns of 25,000 texts would be 1 GB as a dense one.
    """
    return tuple(view for view in CONVERSIONS[native] if sparse or (native, view) != ("tokens", "tabular"))


def choose_view(native: View, accepts: Sequence[View], *, sparse: bool = False) -> View | None:
    """Return the first accepted view that the native view can become, None where there is none."""
    possible = possible_views(native, sparse=sparse)
    return next((view for view in accepts if view in possible), None)


class Conversion(Protocol):
    """From samples in their native view to samples in another."""

    @property
    def sample_shape(self) -> tuple[int, ...] | None:
        """Shape of one converted sample; None where samples are ragged."""
        ...

    @property
    def dtype(self) -> str:
        """Dtype of converted samples."""
        ...

    @property
    def remaining_scale(self) -> float:
        """Multiply converted samples by this for unit range; 1.0 where the conversion did it."""
        ...

    @property
    def vocabulary_size(self) -> int | None:
        """Tokens only: the largest id in the fitted rows plus 1, at least 3."""
        ...

    @property
    def sparse(self) -> bool:
        """Converted samples are a csr_array."""
        ...

    def write(self, folder: Path, X: Samples, rows: Rows) -> Path:
        """Write the converted samples of ``rows`` and return their path for ``open_samples``."""
        ...


def conversion(native: View, view: View, scale: float, X_train: Samples, fit_rows: Rows) -> Conversion:
    """Return the conversion from one view to another.

    Parameters
    ----------
    native, view : {"tabular", "image", "sequence", "tokens"}
        ``view`` is one of ``CONVERSIONS[native]``.
    scale : float
        Brings native samples to unit range.
    X_train : ndarray or Ragged
        Where ``fit_rows`` lie.
    fit_rows : ndarray of int64
        The rows that a scaler, a vocabulary or TF-IDF is fitted on, and no others.
    """
    if native != "tokens":
        return DenseConversion(native, view, scale, X_train, fit_rows)
    return TokenConversion(X_train, fit_rows) if view == "tokens" else TfIdfConversion(X_train, fit_rows)


class TokenConversion:
    """Tokens as they are; the vocabulary is that of the training part."""

    sample_shape = None
    dtype = "int32"
    remaining_scale = 1.0
    sparse = False

    def __init__(self, X_train: Ragged, fit_rows: Rows) -> None:
        largest = max(int(chunk.values.max(initial=0)) for chunk in gather(X_train, fit_rows))
        self.vocabulary_size = max(largest, UNKNOWN) + 1

    def write(self, folder: Path, X: Ragged, rows: Rows) -> Path:
        """Write the texts of ``rows``."""
        return write_rows(folder, "X", X, rows)


class TfIdfConversion:
    """Tokens as a sparse table."""

    dtype = "float32"
    remaining_scale = 1.0
    vocabulary_size = None
    sparse = True

    def __init__(self, X_train: Ragged, fit_rows: Rows) -> None:
        self._tfidf = TfIdf(X_train, fit_rows)
        self.sample_shape = (self._tfidf.n_terms,)

    def write(self, folder: Path, X: Ragged, rows: Rows) -> Path:
        """Write the weighted counts of the texts of ``rows``."""
        return write_samples(folder, "X", self._tfidf.transform(X, rows))


@dataclass(frozen=True)
class DenseConversion:
    """From arrays to arrays, chunk by chunk; the parameters are those of :func:`conversion`."""

    vocabulary_size: ClassVar[None] = None
    sparse: ClassVar[bool] = False

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

    def write(self, folder: Path, X: Array, rows: Rows) -> Path:
        """Write the converted samples of ``rows``, chunk by chunk."""
        path = folder / "X.npy"
        chunks = (self._convert(chunk) for chunk in gather(X, rows))
        write_chunks(path, (len(rows), *self.sample_shape), self.dtype, chunks)
        return path

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
        for chunk in gather(self.X_train, self.fit_rows):
            scaler.partial_fit(chunk.reshape(len(chunk), -1).astype(np.float32))
        return scaler
