"""How samples of one view become samples of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self

from nncompare.data.column_table import ColumnTable
from nncompare.data.dense import DenseConversion
from nncompare.data.native import Native
from nncompare.data.ragged import Ragged
from nncompare.data.records import Array, Samples, View
from nncompare.data.samples import write_samples
from nncompare.data.splits import Rows
from nncompare.data.tfidf import TfIdf
from nncompare.data.vocabulary import TokenConversion, Vocabulary

__all__ = ["CONVERSIONS", "Conversion", "choose_view", "fit_conversion", "possible_views"]

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
    """From samples in their native form to samples in another view."""

    kind: ClassVar[str]
    """Names the class where a conversion is stored."""

    @property
    def native(self) -> Native:
        """Form of the samples that it takes."""
        ...

    @property
    def view(self) -> View:
        """What they become."""
        ...

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

    def state(self) -> dict[str, Array]:
        """Return what was fitted, as plain arrays that ``from_state`` takes."""
        ...


def fit_conversion(native: Native, view: View, X_train: Samples, fit_rows: Rows) -> Conversion:
    """Return the conversion from one form to another view.

    Parameters
    ----------
    native : Native
    view : {"tabular", "image", "sequence", "tokens"}
        One of ``CONVERSIONS[native.view]``.
    X_train : ndarray or Ragged
        Where ``fit_rows`` lie.
    fit_rows : ndarray of int64
        The rows that a scaler, a vocabulary or TF-IDF is fitted on, and no others.

    Raises
    ------
    DataError
        Texts are to become a table, and none of these rows holds a word.
    """
    if native.columns:
        return ColumnTable.fit(native, view, X_train, fit_rows)
    if native.view != "tokens":
        return DenseConversion.fit(native, view, X_train, fit_rows)
    if view == "tokens" and native.text is not None:
        return Vocabulary.fit(native, view, X_train, fit_rows)
    if view == "tokens":
        return TokenConversion.fit(native, view, X_train, fit_rows)
    return TfIdfConversion.fit(native, view, X_train, fit_rows)


@dataclass(frozen=True)
class TfIdfConversion:
    """Tokens as a sparse table."""

    kind: ClassVar[str] = "tfidf"
    dtype: ClassVar[str] = "float32"
    remaining_scale: ClassVar[float] = 1.0
    vocabulary_size: ClassVar[None] = None
    sparse: ClassVar[bool] = True

    native: Native
    view: View
    table: TfIdf

    @classmethod
    def fit(cls, native: Native, view: View, X_train: Ragged, rows: Rows) -> Self:
        """Return the conversion with the words and weights of ``X_train[rows]`` alone."""
        n_words = None if native.text is None else len(native.words)
        return cls(native, view, TfIdf.fit(X_train, rows, n_words))

    @classmethod
    def from_state(cls, native: Native, view: View, state: Mapping[str, Array]) -> Self:
        """Return the conversion that :meth:`state` was taken of."""
        return cls(native, view, TfIdf(state["terms"], state["idf"]))

    def state(self) -> dict[str, Array]:
        """Return what was fitted."""
        return {"terms": self.table.terms, "idf": self.table.idf}

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one converted sample."""
        return (self.table.n_terms,)

    def write(self, folder: Path, X: Ragged, rows: Rows) -> Path:
        """Write the weighted counts of the texts of ``rows``."""
        return write_samples(folder, "X", self.table.transform(X, rows))
