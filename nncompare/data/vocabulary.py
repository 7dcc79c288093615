"""Texts as models of tokens see them: with the ids of a plugin, or of the words of the training part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from nncompare.data.native import Native
from nncompare.data.ragged import FIRST_WORD, START, UNKNOWN, Ragged
from nncompare.data.records import Array, View
from nncompare.data.samples import gather, write_rows, write_samples
from nncompare.data.splits import Rows
from nncompare.data.word_ranks import ranked_words

__all__ = ["TokenConversion", "Vocabulary"]


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What tokens are that stay tokens."""

    sample_shape: ClassVar[None] = None
    dtype: ClassVar[str] = "int32"
    remaining_scale: ClassVar[float] = 1.0
    sparse: ClassVar[bool] = False

    native: Native
    view: View


@dataclass(frozen=True, slots=True)
class TokenConversion(_Tokens):
    """Tokens as they are; the vocabulary is that of the training part."""

    kind: ClassVar[str] = "tokens"

    vocabulary_size: int

    @classmethod
    def fit(cls, native: Native, view: View, X_train: Ragged, rows: Rows) -> Self:
        """Return the conversion with the vocabulary of ``X_train[rows]`` alone."""
        largest = max(int(chunk.values.max(initial=0)) for chunk in gather(X_train, rows))
        return cls(native, view, max(largest, UNKNOWN) + 1)

    @classmethod
    def from_state(cls, native: Native, view: View, state: Mapping[str, Array]) -> Self:
        """Return the conversion that :meth:`state` was taken of."""
        return cls(native, view, int(state["vocabulary_size"]))

    def state(self) -> dict[str, Array]:
        """Return what was fitted."""
        return {"vocabulary_size": np.array(self.vocabulary_size)}

    def write(self, folder: Path, X: Ragged, rows: Rows) -> Path:
        """Write the texts of ``rows``."""
        return write_rows(folder, "X", X, rows)


@dataclass(frozen=True, slots=True)
class Vocabulary(_Tokens):
    """The words of the training part as ids; every other word is unknown.

    Tokens of a data set plugin keep their ids, because their ranks are the plugin's. Those of the user's own texts
    were given to words of validation texts too, and so are given anew.

    Parameters
    ----------
    native : Native
        With its words.
    view : {"tokens"}
    ids : ndarray of shape (n_words + 4,), int32
        What each id becomes: 2 for words that the fitted rows lack, else the rank by falling frequency there, plus
        3; of words that are equally frequent the one that comes first in these rows comes first.
    """

    kind: ClassVar[str] = "vocabulary"

    ids: npt.NDArray[np.int32]

    @classmethod
    def fit(cls, native: Native, view: View, X_train: Ragged, rows: Rows) -> Self:
        """Return the vocabulary of ``X_train[rows]`` alone."""
        n_ids = FIRST_WORD + len(native.words)
        ranked = ranked_words(X_train, rows, len(native.words))
        ids = np.full(n_ids, UNKNOWN, dtype=np.int32)
        ids[START] = START
        ids[ranked] = FIRST_WORD + np.arange(len(ranked), dtype=np.int32)
        return cls(native, view, ids)

    @classmethod
    def from_state(cls, native: Native, view: View, state: Mapping[str, Array]) -> Self:
        """Return the vocabulary that :meth:`state` was taken of."""
        return cls(native, view, state["ids"])

    def state(self) -> dict[str, Array]:
        """Return what was fitted."""
        return {"ids": self.ids}

    @property
    def vocabulary_size(self) -> int:
        """The largest id in the fitted rows plus 1."""
        return int(self.ids.max()) + 1

    @property
    def words(self) -> list[str]:
        """The words that a model knows: id ``k`` stands for ``words[k - 4]``."""
        known = np.flatnonzero(self.ids >= FIRST_WORD)
        by_rank = known[np.argsort(self.ids[known])]
        return [self.native.words[k - FIRST_WORD] for k in by_rank]

    def write(self, folder: Path, X: Ragged, rows: Rows) -> Path:
        """Write the texts of ``rows``."""
        chosen = X[rows]
        values = np.where(chosen.values < len(self.ids), chosen.values, UNKNOWN)
        return write_samples(folder, "X", Ragged(self.ids[values], chosen.offsets))
