"""Small data sets in every view that any model can learn: each class has a pattern, and there is some noise."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nncompare.data.ragged import FIRST_WORD, START, Ragged
from nncompare.data.records import Array, Data, DataSpec, Labels, Samples, View
from nncompare.data.samples import arrays_of

__all__ = ["NOISE", "SHARES", "Problem", "copy_data", "copy_samples", "make_problem", "take_rows"]

N_TRAIN, N_VALID = 160, 40
SHARES = (0.5, 0.3, 0.2)
"""Of the three classes: the most frequent one is worth beating."""
NOISE = 0.4
"""Part of the labels that are drawn at random where no model is to get all of them right."""

N_FEATURES = 10
IMAGE_SIDE = 8
N_STEPS, N_CHANNELS = 12, 2
N_COMMON, N_OWN = 6, 4
"""Words that all classes use, and words that one class alone uses."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Training and validation part of one problem."""

    train: Data
    valid: Data

    @property
    def spec(self) -> DataSpec:
        """Of both parts."""
        return self.train.spec


@functools.cache
def make_problem(
    view: View,
    *,
    sparse: bool = False,
    shares: tuple[float, ...] = SHARES,
    n_train: int = N_TRAIN,
    n_valid: int = N_VALID,
    noise: float = 0.0,
) -> Problem:
    """Return a problem, always the same for the same arguments, on read-only arrays.

    Parameters
    ----------
    view : {"tabular", "image", "sequence", "tokens"}
    sparse : bool
        Counts of words as a ``csr_array``, with the view "tabular".
    shares : tuple of float
        Part of each class; they sum to 1, and there are as many classes.
    n_train, n_valid : int
        Rows of the parts.
    noise : float
        Part of the rows, in both parts, whose label is drawn at random.
    """
    n_classes = len(shares)
    random = np.random.default_rng(0)
    labels = np.concatenate([_labels(shares, n, random) for n in (n_train, n_valid)])
    X = (_sparse if sparse else _MAKERS[view])(labels, n_classes, random)
    if noise:
        labels = np.where(random.random(len(labels)) < noise, random.permutation(labels), labels)
    spec = DataSpec(
        name="kit",
        view=view,
        n_classes=n_classes,
        class_names=tuple(f"class {k}" for k in range(n_classes)),
        sample_shape=None if view == "tokens" else tuple(X.shape[1:]),
        dtype=str(X.values.dtype if isinstance(X, Ragged) else X.dtype),
        scale=1 / 255 if view == "image" else 1.0,
        n_train=n_train,
        vocabulary_size=int(X[:n_train].values.max()) + 1 if isinstance(X, Ragged) else None,
        sparse=sparse,
    )
    for array in (labels, *arrays_of("X", X).values()):
        array.setflags(write=False)
    return Problem(*(Data(X[rows], labels[rows], spec) for rows in (slice(n_train), slice(n_train, None))))


def take_rows(data: Data, rows: Array) -> Data:
    """Return some rows as a training part of their own."""
    return Data(data.X[rows], data.y[rows], replace(data.spec, n_train=len(rows)))


def copy_data(data: Data) -> Data:
    """Return the same samples in memory of their own, which may be written to."""
    return Data(copy_samples(data.X), data.y.copy(), data.spec)


def copy_samples(X: Samples) -> Samples:
    """Return the same samples in memory of their own."""
    return Ragged(X.values.copy(), X.offsets.copy()) if isinstance(X, Ragged) else X.copy()


def _labels(shares: tuple[float, ...], n: int, random: np.random.Generator) -> Labels:
    """Return labels in these proportions, every class at least once, in random order."""
    bounds = np.round(np.cumsum(shares) * n)
    y = np.searchsorted(bounds, np.arange(n), side="right").clip(max=len(shares) - 1)
    y[-len(shares) :] = np.arange(len(shares)) if len(np.unique(y)) < len(shares) else y[-len(shares) :]
    return random.permutation(y).astype(np.int64)


def _tabular(y: Labels, n_classes: int, random: np.random.Generator) -> Samples:
    X = random.normal(0, 2, (n_classes, N_FEATURES))[y] + random.normal(0, 0.5, (len(y), N_FEATURES))
    return ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)


def _image(y: Labels, n_classes: int, random: np.random.Generator) -> Samples:
    """Return pictures of four by four fields, light or dark."""
    side = IMAGE_SIDE // 2
    fields = random.integers(0, 2, (n_classes, side, side, 1)).repeat(2, axis=1).repeat(2, axis=2)
    return (200 * fields[y] + random.integers(0, 40, (len(y), IMAGE_SIDE, IMAGE_SIDE, 1))).astype(np.uint8)


def _sequence(y: Labels, n_classes: int, random: np.random.Generator) -> Samples:
    shape = (N_STEPS, N_CHANNELS)
    return (random.normal(0, 1.5, (n_classes, *shape))[y] + random.normal(0, 0.3, (len(y), *shape))).astype("f4")


def _tokens(y: Labels, n_classes: int, random: np.random.Generator) -> Samples:
    """Return texts of 4 to 15 words, a third of them of the class; common words have the lowest ids."""
    own = FIRST_WORD + N_COMMON + N_OWN * np.arange(n_classes)
    rows = []
    for label in y:
        words = random.integers(FIRST_WORD, FIRST_WORD + N_COMMON, random.integers(4, 16))
        chosen = np.arange(len(words)) % 3 == 0
        words[chosen] = own[label] + random.integers(0, N_OWN, int(chosen.sum()))
        rows.append([START, *words.tolist()])
    return Ragged.from_rows(rows)


def _sparse(y: Labels, n_classes: int, random: np.random.Generator) -> Samples:
    """Return the counts of such texts, each row of unit length."""
    from scipy.sparse import csr_array

    texts = _tokens(y, n_classes, random)
    counts = np.zeros((len(y), FIRST_WORD + N_COMMON + N_OWN * n_classes), dtype=np.float32)
    np.add.at(counts, (np.repeat(np.arange(len(y)), texts.lengths), texts.values), 1)
    return csr_array(counts / np.linalg.norm(counts, axis=1, keepdims=True))


_MAKERS: dict[View, Callable[[Labels, int, np.random.Generator], Samples]] = {
    "tabular": _tabular,
    "image": _image,
    "sequence": _sequence,
    "tokens": _tokens,
}
