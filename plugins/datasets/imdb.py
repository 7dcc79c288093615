"""IMDB: 50,000 reviews of films, fetched from where Keras has them."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nncompare.data.download import RemoteFile, fetch, given_file
from nncompare.data.ragged import FIRST_WORD, START, offsets_of, offsets_rise
from nncompare.exceptions import DataUnavailableError
from nncompare.plugin import Dataset, DatasetInfo, DatasetPlugin, Ragged

from .npz import read_arrays, read_pickled_arrays, unusable

REVIEWS = RemoteFile(
    name="imdb.npz",
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz",
    n_bytes=17_464_789,
    digest="sha256:69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
)
WORD_INDEX = RemoteFile(
    name="imdb_word_index.json",
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb_word_index.json",
    n_bytes=1_641_221,
    digest="md5:bfafd718b763782e994055a2d397834f",
)
"""Both as in keras.datasets.imdb."""

N_REVIEWS = 25_000
"""In each of the two parts."""

LARGEST_RANK = 1_000_000
MOST_BYTES = 100_000_000
"""Of one array in a file that was brought by hand; the published reviews take 24 MB."""

Array: TypeAlias = npt.NDArray[Any]


class IMDB(DatasetPlugin):
    """Reviews as ranks of their words, in the order of their file; half are positive.

    ``imdb.npz`` in ``NNCOMPARE_DATA_DIR`` is taken before all others: Keras's file, or one without pickles, where
    ``x_train`` holds the ranks of all reviews one behind the other, ``x_train_offsets`` where each begins and the
    last ends, ``y_train`` 1 for positive, and the same for test. The words of such a file are those of the
    ``imdb_word_index.json`` beside it: ranks mean nothing without the index that they were made with. Words are
    for reading only: where the published index cannot be had, the published reviews come without.
    """

    info = DatasetInfo(
        name="imdb",
        view="tokens",
        n_train=N_REVIEWS,
        n_test=N_REVIEWS,
        class_names=("negative", "positive"),
        download_bytes=REVIEWS.n_bytes + WORD_INDEX.n_bytes,
        description="Large Movie Review Dataset: reviews of films as ranks of their words",
        licence="none stated; the authors ask for the citation",
        citation=(
            "Maas, A. L., Daly, R. E., Pham, P. T., Huang, D., Ng, A. Y. and Potts, C. (2011). Learning Word "
            "Vectors for Sentiment Analysis. Proceedings of ACL-HLT 2011, 142-150. "
            "https://aclanthology.org/P11-1015/"
        ),
        homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
    )

    expected_failures = MappingProxyType(
        {"check_parts_are_disjoint": "The reviews are published with 123 of the test part in training too."}
    )

    def load(self, cache: Path) -> Dataset:
        """Return each review as its start, then rank + 3 of each word, and the words by rank.

        Raises
        ------
        DataUnavailableError
            The reviews are nowhere, and cannot be downloaded.
        DataError
            A file that was found does not hold reviews, or not those of its word index.
        """
        given = given_file(REVIEWS.name)
        path = given or fetch(REVIEWS, cache)
        published = REVIEWS.is_at(path)
        index = given_file(WORD_INDEX.name) if given else None
        if published and index is None:
            index = _fetch_index(cache)
        elif published and index is not None and not WORD_INDEX.is_at(index):
            raise unusable(index, f"it is not the word index of the '{path.name}' beside it", WORD_INDEX)
        read = _read_lists if published else _read_flat
        X_train, y_train = _encode(path, "train", *read(path, "train"))
        X_test, y_test = _encode(path, "test", *read(path, "test"))
        return Dataset(X_train, y_train, X_test, y_test, words=() if index is None else _read_words(index))


def _fetch_index(cache: Path) -> Path | None:
    """Return the published index; None where it cannot be had, which whoever listens to downloads is told."""
    try:
        return fetch(WORD_INDEX, cache)
    except DataUnavailableError:
        return None


def _read_flat(path: Path, part: str) -> tuple[Array, Array, Array]:
    """Return ranks, offsets and labels of one part."""
    names = [f"x_{part}", f"x_{part}_offsets", f"y_{part}"]
    arrays = read_arrays(path, names, REVIEWS, MOST_BYTES)
    return arrays[names[0]], arrays[names[1]], arrays[names[2]]


def _read_lists(path: Path, part: str) -> tuple[Array, Array, Array]:
    """Return the same from Keras's file; its lists of Python numbers are there for one part at a time."""
    arrays = read_pickled_arrays(path, [f"x_{part}", f"y_{part}"], REVIEWS)
    reviews = arrays[f"x_{part}"]
    try:
        lengths = np.fromiter(map(len, reviews), np.int64, len(reviews))
        ranks = np.fromiter(chain.from_iterable(reviews), np.int32, int(lengths.sum()))
    except (OverflowError, TypeError, ValueError) as error:
        cause = f"in its {part} part, the reviews are not lists of numbers: {error}"
        raise unusable(path, cause, REVIEWS) from error
    return ranks, offsets_of(lengths), arrays[f"y_{part}"]


def _encode(path: Path, part: str, ranks: Array, offsets: Array, labels: Array) -> tuple[Ragged, Array]:
    """Check one part, and put the start before each review."""
    cause = _fault(ranks, offsets, labels)
    if cause:
        raise unusable(path, f"in its {part} part, {cause}", REVIEWS)
    offsets = offsets.astype(np.int64)
    ids = np.insert(ranks.astype(np.int32) + np.int32(FIRST_WORD - 1), offsets[:-1], START)
    return Ragged(ids, offsets + np.arange(len(offsets))), labels.astype(np.int64)


def _fault(ranks: Array, offsets: Array, labels: Array) -> str | None:
    """Say what is wrong with the arrays of one part; None where nothing is."""
    for name, array in (("ranks", ranks), ("offsets", offsets), ("labels", labels)):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            return f"the {name} are {array.dtype} with {array.ndim} dimensions, not whole numbers in one"
    if (len(offsets), len(labels)) != (N_REVIEWS + 1, N_REVIEWS):
        return f"there are {len(offsets) - 1:,} reviews and {len(labels):,} labels, not {N_REVIEWS:,} of each"
    if not offsets_rise(offsets, len(ranks)):
        return f"the offsets do not rise from 0 to the {len(ranks):,} ranks"
    if not ranks.size or ranks.min() < 1 or ranks.max() > LARGEST_RANK:
        return f"the ranks are not all from 1 to {LARGEST_RANK:,}"
    if not np.isin(labels, (0, 1)).all():
        return "the labels are not all 0 or 1"
    return None


def _read_words(path: Path) -> list[str]:
    """Return the words by rank; a rank that no word has is an empty text."""
    try:
        index = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise unusable(path, f"{type(error).__name__}: {error}", WORD_INDEX) from error
    ranks = list(index.values()) if isinstance(index, dict) else []
    if not ranks or any(type(rank) is not int or not 1 <= rank <= LARGEST_RANK for rank in ranks):
        raise unusable(path, f"it is not an object of words with ranks from 1 to {LARGEST_RANK:,}", WORD_INDEX)
    words = [""] * max(ranks)
    for word, rank in index.items():
        words[rank - 1] = word
    return words
