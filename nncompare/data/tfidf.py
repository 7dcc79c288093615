"""TF-IDF: tokens as a sparse table of weighted word counts, fitted on the training part alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from nncompare.data.ragged import FIRST_WORD, Ragged
from nncompare.data.samples import gather
from nncompare.data.splits import Rows
from nncompare.data.word_ranks import ranked_words
from nncompare.exceptions import DataError

__all__ = ["TfIdf"]

MAX_TERMS = 10_000


@dataclass(frozen=True)
class TfIdf:
    """The words that are most frequent in the training rows, as columns of a sparse table.

    A column holds (1 + ln count) * (ln((1 + n) / (1 + df)) + 1) for each text, rows then have unit Euclidean
    length: scikit-learn's ``TfidfTransformer`` with ``sublinear_tf=True``. Word order is lost.

    Parameters
    ----------
    terms : ndarray of shape (n_terms,), int64
        The ids of the columns, by falling frequency in these rows; of equally frequent ones the first to come.
    idf : ndarray of shape (n_terms,), float32
        Their weights.
    """

    terms: npt.NDArray[np.int64]
    idf: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, X_train: Ragged, rows: Rows, n_words: int | None = None) -> Self:
        """Return the table whose words and weights are those of ``X_train[rows]`` alone.

        Parameters
        ----------
        X_train : Ragged
        rows : ndarray of int64
        n_words : int, optional
            Leave out words that come after so many: they are for reading only.

        Raises
        ------
        DataError
            None of these rows holds a word.
        """
        from scipy.sparse import vstack
        from sklearn.feature_extraction.text import TfidfTransformer

        terms = _frequent_terms(X_train, rows, n_words)
        counts = vstack([_counts(chunk, terms) for chunk in gather(X_train, rows)], format="csr")
        return cls(terms, TfidfTransformer(sublinear_tf=True).fit(counts).idf_)

    @property
    def n_terms(self) -> int:
        """Number of columns, at most 10,000."""
        return len(self.terms)

    def transform(self, X: Ragged, rows: Rows) -> Any:
        """Return ``X[rows]`` as a csr_array of float32, of shape (len(rows), n_terms)."""
        from scipy.sparse import vstack

        weighted = [self._transformer.transform(_counts(chunk, self.terms)) for chunk in gather(X, rows)]
        table = vstack(weighted, format="csr", dtype=np.float32)
        table.sort_indices()
        return table

    @cached_property
    def _transformer(self) -> Any:
        from sklearn.feature_extraction.text import TfidfTransformer

        transformer = TfidfTransformer(sublinear_tf=True)
        transformer.idf_, transformer.n_features_in_ = self.idf, self.n_terms
        return transformer


def _frequent_terms(X: Ragged, rows: Rows, n_words: int | None) -> npt.NDArray[np.int64]:
    """Return the ids of the columns, the most frequent word of these rows first."""
    terms = ranked_words(X, rows, n_words)[:MAX_TERMS]
    if not terms.size:
        raise DataError(
            f"The texts cannot become a table of words: none of the {len(rows):,} texts to train on "
            f"holds a word. Words have ids from {FIRST_WORD}; leave out texts without any."
        )
    return terms


def _counts(X: Ragged, terms: npt.NDArray[np.int64]) -> Any:
    """Return how often each term occurs in each text, a csr_array of float32."""
    from scipy.sparse import csr_array

    last = max(int(X.values.max(initial=0)), int(terms.max(initial=0)))
    column_of = np.full(last + 1, -1, dtype=np.int32)
    column_of[terms] = np.arange(len(terms), dtype=np.int32)
    columns = column_of[X.values]
    known = columns >= 0
    ends = np.concatenate([[0], np.cumsum(known)])[X.offsets].astype(np.int32)
    ones = np.ones(int(ends[-1]), dtype=np.float32)
    counts = csr_array((ones, columns[known], ends), shape=(len(X), len(terms)))
    counts.sum_duplicates()
    return counts
