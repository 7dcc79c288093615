"""Texts of the user: their words, and the ids that stand for these."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nncompare.data.ragged import FIRST_WORD, START, UNKNOWN, Ragged
from nncompare.data.records import Array, TextColumn
from nncompare.data.source import Source

__all__ = ["Encoded", "encode_texts", "is_long", "text_ids", "words_of"]

MOST_WORDS = 20_000
"""Words that models may learn: the largest vocabulary that a built-in model asks for."""
LONG_WORDS = 5
_PUNCTUATION = string.punctuation.encode()


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts as ids of their words.

    Parameters
    ----------
    X : Ragged
    words : list of str
        Id ``k`` stands for ``words[k - 4]``: first those that models may learn, then all others.
    column : TextColumn
    lengths : ndarray of int64
        Number of words of each text.
    """

    X: Ragged
    words: list[str]
    column: TextColumn
    lengths: Array

    def describe(self) -> str:
        """Return what was recognised, in words."""
        low, middle, high = np.quantile(self.lengths, [0, 0.5, 1], method="nearest").astype(int)
        n_empty = int((self.lengths == 0).sum())
        empty = f", {n_empty:,} empty" if n_empty else ""
        sizes = f"{low:,} to {high:,} words, median {middle:,}"
        learnt = f"{self.column.n_words:,} different words outside the test part"
        return f"texts of column '{self.column.name}' ({sizes}{empty}; {learnt})"


def words_of(text: str) -> list[bytes]:
    """Return the words of a text in UTF-8, by the rule of Keras's ``TextVectorization``.

    What it does by default (https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/): letters
    from A to Z become small, ASCII punctuation is deleted, and what is left is split at ASCII whitespace. All else
    stays as it is.

    Examples
    --------
    >>> words_of("It's a well-known FILM, isn't it?")
    [b'its', b'a', b'wellknown', b'film', b'isnt', b'it']
    """
    return text.encode().lower().translate(None, _PUNCTUATION).split()


def is_long(texts: Iterable[str | None]) -> bool:
    """Tell whether most of what is there are texts of five words or more, rather than names or categories."""
    lengths = [len(text.split()) for text in texts if text is not None]
    return bool(lengths) and 2 * sum(length >= LONG_WORDS for length in lengths) > len(lengths)


def encode_texts(name: str, texts: Sequence[str], rows: Array, source: Source) -> Encoded:
    """Return texts as ids, and the words that these stand for.

    Which words models may learn is told by ``rows`` alone: the most frequent ones there, at most 20,000. Which of
    them a model knows, and in what order, its own training part tells; see
    :class:`~nncompare.data.vocabulary.Vocabulary`.

    Parameters
    ----------
    name : str
        Of the column.
    texts : sequence of str
        A missing one is empty.
    rows : ndarray of int64
        Those that are not set aside for the test.
    source : Source

    Raises
    ------
    DataError
        None of ``rows`` holds a word, or no word occurs in two of them.
    """
    counts, n_different = Counter[bytes](), 0
    for row in rows.tolist():  # words are found anew for each use: all of them at once take 50 bytes each
        words_here = words_of(texts[row])
        counts.update(words_here)
        n_different += len(set(words_here))
    if not counts:
        what = f"column '{name}' holds no words outside the test part"
        raise source.fault(what, "Name the column of texts")
    if len(counts) == n_different:
        what = f"column '{name}' holds no word that occurs in two of its texts, so none can be learnt from another"
        raise source.fault(what, "Name the column of texts, or separate their words by spaces")
    known = sorted(counts, key=lambda word: (-counts[word], word))[:MOST_WORDS]
    others = sorted(set().union(*map(words_of, texts)).difference(known))
    words = [*known, *others]
    X = _ragged(texts, {word: FIRST_WORD + rank for rank, word in enumerate(words)})
    column = TextColumn(name=name, n_words=len(known))
    return Encoded(X, [word.decode() for word in words], column, X.lengths - 1)


def text_ids(texts: Iterable[str], words: Sequence[str]) -> tuple[Ragged, float]:
    """Return new texts as ids, and which fraction of their words is none of ``words``."""
    ids = {word.encode(): FIRST_WORD + rank for rank, word in enumerate(words)}
    X = _ragged(texts, ids)
    n_words = len(X.values) - len(X)
    return X, float((X.values == UNKNOWN).sum() / n_words) if n_words else 0.0


def _ragged(texts: Iterable[str], ids: Mapping[bytes, int]) -> Ragged:
    """Return the start and the ids of the words of each text."""
    return Ragged.from_rows([START, *(ids.get(word, UNKNOWN) for word in words_of(text))] for text in texts)
