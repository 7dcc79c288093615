"""Ragged: rows of integers of unequal length, the form of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

__all__ = ["FIRST_WORD", "PAD", "START", "UNKNOWN", "Ragged", "decode", "offsets_of", "offsets_rise"]

Tokens: TypeAlias = npt.NDArray[np.int32]
Offsets: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = slice | Sequence[int] | npt.NDArray[Any]

PAD, START, UNKNOWN = 0, 1, 2
FIRST_WORD = 4
"""The id of the most frequent word: rank 1 plus 3, as in Keras's data sets; 3 is not used."""


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Token ids of all samples, one behind the other.

    Parameters
    ----------
    values : ndarray of shape (n_tokens,), int32
        1 stands for the start of a text, 2 for an unknown word, rank + 3 for a word. Ranks count from 1, the most
        frequent word, and follow falling frequency, because vocabularies are cut by id. There is no 0, which
        ``to_padded`` puts behind texts, and no 3.
    offsets : ndarray of shape (n_samples + 1,), int64
        Sample ``i`` is ``values[offsets[i]:offsets[i + 1]]``.

    Examples
    --------
    >>> reviews = Ragged.from_rows([[1, 14, 22], [1, 9]])
    >>> len(reviews), reviews.lengths.tolist()
    (2, [3, 2])
    >>> reviews.to_padded(10).tolist()
    [[1, 14, 22], [1, 9, 0]]
    """

    values: Tokens
    offsets: Offsets

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[int] | npt.NDArray[Any]]) -> Ragged:
        """Return the ragged array of some rows of integers."""
        arrays = [np.asarray(row, dtype=np.int32) for row in rows]
        values = np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int32)
        return cls(values, offsets_of(np.array([len(array) for array in arrays], dtype=np.int64)))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of tokens of each sample, int64 of shape (n_samples,)."""
        return np.diff(self.offsets)

    @property
    def nbytes(self) -> int:
        """Bytes of values and offsets."""
        return int(self.values.nbytes + self.offsets.nbytes)

    @overload
    def __getitem__(self, rows: int | np.integer[Any]) -> Tokens: ...

    @overload
    def __getitem__(self, rows: Rows) -> Ragged: ...

    def __getitem__(self, rows: int | np.integer[Any] | Rows) -> Tokens | Ragged:
        """Return one sample as an array, or the samples of a slice, of indices or of a mask as a Ragged."""
        if isinstance(rows, int | np.integer):
            row = range(len(self))[int(rows)]  # negative positions, and IndexError where there is none
            return self.values[self.offsets[row] : self.offsets[row + 1]]
        chosen = _chosen(rows, len(self))
        starts = self.offsets[chosen]
        lengths = self.offsets[chosen + 1] - starts
        return Ragged(self.values[_positions(starts, lengths)], offsets_of(lengths))

    def to_padded(self, max_length: int | None = None) -> Tokens:
        """Return the samples as one table, padded behind with 0.

        Parameters
        ----------
        max_length : int or None
            Of longer samples the last ``max_length`` tokens are kept, as Keras's ``pad_sequences`` does; None
            keeps all.

        Returns
        -------
        ndarray of shape (n_samples, width), int32
            ``width`` is the length of the longest sample, at most ``max_length`` and at least 1.
        """
        lengths = self.lengths if max_length is None else np.minimum(self.lengths, max_length)
        width = max(1, int(lengths.max(initial=0)))
        padded = np.zeros((len(self), width), dtype=np.int32)
        padded[np.arange(width) < lengths[:, np.newaxis]] = self.values[
            _positions(self.offsets[1:] - lengths, lengths)
        ]
        return padded


def decode(ids: Tokens, words: Sequence[str]) -> list[str]:
    """Return the words of one sample, for people to read.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    words : sequence of str
        By rank, as in ``Dataset.words``.

    Returns
    -------
    list of str
        Padding and starts are left out; "?" stands for an unknown word and for an id without a word.

    Examples
    --------
    >>> decode(np.array([1, 5, 2, 4], dtype=np.int32), ["the", "film"])
    ['film', '?', 'the']
    """
    ranks = [token - FIRST_WORD for token in ids.tolist() if token not in (PAD, START)]
    return [words[rank] if 0 <= rank < len(words) else "?" for rank in ranks]


def _chosen(rows: Rows, n_rows: int) -> Offsets:
    """Return the numbers of the chosen rows; for a batch of them without a look at all."""
    if isinstance(rows, np.ndarray) and rows.ndim == 1 and rows.dtype.kind in "iu":
        rows = rows.astype(np.int64, copy=False)
        chosen = np.where(rows < 0, rows + n_rows, rows)
        if ((chosen < 0) | (chosen >= n_rows)).any():
            raise IndexError(f"A row is outside of the {n_rows}.")
        return chosen
    return np.arange(n_rows)[rows]


def offsets_rise(offsets: npt.NDArray[Any], n_values: int) -> bool:
    """Tell whether whole numbers go from 0 to ``n_values`` without ever falling, as offsets do.

    Parameters
    ----------
    offsets : ndarray of shape (n,), integer
        At least one number.
    n_values : int
    """
    signed = offsets.astype(np.int64)  # differences of unsigned numbers are never negative
    return bool(signed[0] == 0 and signed[-1] == n_values and (np.diff(signed) >= 0).all())


def offsets_of(lengths: Offsets) -> Offsets:
    """Return where rows of these lengths begin, one behind the other, and the end of the last."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])


def _positions(starts: Offsets, lengths: Offsets) -> Offsets:
    """Return the positions of runs that start at ``starts``, one behind the other."""
    shift = np.repeat(starts - offsets_of(lengths)[:-1], lengths)
    return shift + np.arange(len(shift))
