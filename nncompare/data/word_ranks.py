"""Words by falling frequency in some rows, whatever their ids are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nncompare.data.ragged import FIRST_WORD, Ragged
from nncompare.data.samples import gather
from nncompare.data.splits import Rows

__all__ = ["ranked_words"]


def ranked_words(X: Ragged, rows: Rows, n_words: int | None = None) -> npt.NDArray[np.int64]:
    """Return the ids of the words of ``X[rows]``, the most frequent first.

    Of words that are equally frequent the one that comes first in these rows comes first: ids may be ranks of more
    rows than these, and tell of the others.

    Parameters
    ----------
    X : Ragged
    rows : ndarray of int64
    n_words : int, optional
        Leave out words whose ids come after so many: they are for reading only.
    """
    largest = int(X.values.max(initial=0)) if n_words is None else FIRST_WORD + n_words - 1
    n_ids = largest + 1
    counts, first = np.zeros(n_ids, dtype=np.int64), np.full(n_ids, np.iinfo(np.int64).max)
    before = 0
    for chunk in gather(X, rows):
        found, at, n_times = np.unique(chunk.values, return_index=True, return_counts=True)
        is_word = (found >= FIRST_WORD) & (found < n_ids)
        words = found[is_word]
        counts[words] += n_times[is_word]
        first[words] = np.minimum(first[words], before + at[is_word])
        before += len(chunk.values)
    return np.lexsort((first, -counts))[: np.count_nonzero(counts)]
