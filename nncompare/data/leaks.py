"""A column of a table that gives the class away by itself, because it was made of it or is known only after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nncompare.data.records import Array, Labels, Samples
from nncompare.data.samples import columns_of

__all__ = ["MOST_COLUMNS", "MOST_ROWS", "Leak", "find_leaks"]

MOST_ROWS = 1_000
"""Rows that are looked at: enough to tell 99 from 97 %."""
BLOCK_BYTES = 1 << 27
"""What the columns take that are compared with the target at once."""
MOST_COLUMNS = 200
"""Columns of which a tree is grown, those whose means differ most between the classes."""
GIVEN_AWAY = 0.99
"""Mean recall of the classes from which on a column alone is too good to be true."""
CHANCE = 0.05
"""The most that the chance of finding such a column in noise, times their number, may be for an alarm."""
BEST_OTHER = 0.97
"""The most that the next best column may reach: where two columns are that good, the classes are easy to tell."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that tells the class by itself.

    Parameters
    ----------
    column : int
        Its position.
    recall : float
        Mean recall of the classes, over two folds of the training rows.
    runner_up : float
        The same recall of the best of the other columns; 1 where there is no other.
    is_copy : bool
        Each of its values goes with one class, and each class with one value.
    by_chance : bool
        With so few rows, one of so many columns may do so without knowing anything of the class.
    """

    column: int
    recall: float
    runner_up: float
    is_copy: bool = False
    by_chance: bool = False

    @property
    def stands_out(self) -> bool:
        """Whether no other column comes near; several that tell the class may mean that it is easy to tell."""
        return self.is_copy or self.runner_up <= BEST_OTHER


def find_leaks(X: Samples, y: Labels, n_categories: Sequence[int]) -> list[Leak]:
    """Return the columns from which the class can be read off, those that name it under another name first.

    A column is one if it is the target under other names, or if a small decision tree that sees it alone is right
    in 99 % of the rows that the tree did not see, in the mean over the classes; or if naming the class of the
    other rows with the same value is.

    Parameters
    ----------
    X : ndarray or ChosenRows of shape (n_samples, n_features), float
        Training rows; NaN is a missing value.
    y : ndarray of shape (n_samples,), int64
    n_categories : sequence of int
        For each column its number of categories, 0 for one of numbers.
    """
    rows = _sample(y)
    seen, y_seen = np.asarray(X[rows]), y[rows]
    copies = _copies(X, y, [k for k in range(X.shape[1]) if _is_copy(seen[:, k], y_seen)])
    X_seen = seen.astype(np.float32, copy=False)
    looked_at = [k for k in _promising(X_seen, y_seen) if k not in copies]
    recalls = {
        k: max(_recall_alone(X_seen[:, k], y_seen, n_categories[k]), _recall_of_values(X_seen[:, k], y_seen))
        for k in looked_at
    }
    best, may_be_chance = max(recalls.values(), default=0.0), _copy_chance(y) * X.shape[1] > CHANCE
    found = [Leak(k, 1.0, best, is_copy=True, by_chance=may_be_chance) for k in copies]
    may_be_chance = _half_chance(y_seen) * X.shape[1] > CHANCE
    for k, recall in recalls.items():
        if recall >= GIVEN_AWAY:
            others = max((r for other, r in recalls.items() if other != k), default=1.0)
            found.append(Leak(k, recall, others, by_chance=may_be_chance))
    return found


def _copy_chance(y: Labels) -> float:
    """Return how likely classes that are dealt out at random are those of a column, under whatever names."""
    counts = np.bincount(y)
    return math.exp(math.lgamma(1 + np.count_nonzero(counts)) - _log_orders(counts))


def _half_chance(y: Labels) -> float:
    """Return how likely all classes of half of the rows, dealt out at random, are what the other half predicts."""
    return math.exp(-_log_orders(np.bincount(y) // 2))


def _log_orders(counts: Array) -> float:
    """Return the logarithm of the number of ways to deal out classes of so many rows each."""
    return math.lgamma(1 + counts.sum()) - sum(math.lgamma(1 + count) for count in counts)


def _copies(X: Samples, y: Labels, likely: Sequence[int]) -> list[int]:
    """Return the columns whose values stand for the classes one to one, of those that do so in some rows."""
    step = max(1, BLOCK_BYTES // max(1, X.dtype.itemsize * len(y)))
    blocks = (likely[start : start + step] for start in range(0, len(likely), step))
    return [
        k
        for block in blocks
        for k, values in zip(block, columns_of(X, block).T, strict=True)
        if _is_copy(values, y)
    ]


def _is_copy(column: Array, y: Labels) -> bool:
    """Tell whether the values stand for the classes one to one; missing is a value of its own."""
    n_classes = int(y.max()) + 1
    values, codes = np.unique(column, return_inverse=True)
    n_pairs = len(np.unique(codes * n_classes + y))
    return bool(n_pairs == len(values) == len(np.unique(y)))


def _sample(y: Labels) -> Array:
    """Return rows to look at, sorted by class: all, or some of each class in its proportion, two at least."""
    generator = np.random.default_rng(0)
    order = generator.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    if len(y) <= MOST_ROWS:
        return order
    _, start, count = np.unique(y[order], return_index=True, return_counts=True)
    rank = np.arange(len(y)) - np.repeat(start, count)
    wanted = np.maximum(2, np.ceil(count * MOST_ROWS / len(y)))
    return order[rank < np.repeat(wanted, count)]


def _promising(X: Array, y: Labels) -> list[int]:
    """Return the columns that vary; of very many those whose means differ most between the classes."""
    # Imported here because trial children import this package and must start in 0.1 s.
    from sklearn.feature_selection import f_classif
    from sklearn.impute import SimpleImputer

    filled = SimpleImputer(keep_empty_features=True).fit_transform(X)
    varies = np.flatnonzero((np.ptp(filled, axis=0) > 0) | np.isnan(X).any(axis=0))
    if len(varies) <= MOST_COLUMNS:
        return [int(k) for k in varies]
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.nan_to_num(f_classif(filled[:, varies], y)[0], nan=0.0)
    return sorted(int(k) for k in varies[np.argsort(-apart, kind="stable")[:MOST_COLUMNS]])


def _recall_alone(column: Array, y: Labels, n_categories: int) -> float:
    """Return the mean recall of the classes of a tree that sees one column.

    Over two folds where the tree is good enough on the rows that it was grown on; what it reaches on these
    otherwise, which is no less. Rows are sorted by class, so that each class is in both folds.
    """
    from sklearn.metrics import recall_score
    from sklearn.tree import DecisionTreeClassifier

    n_leaves = max(2 * len(np.unique(y)), n_categories)
    tree = DecisionTreeClassifier(max_leaf_nodes=n_leaves, class_weight="balanced", random_state=0)
    x = column.reshape(-1, 1)
    seen = float(recall_score(y, tree.fit(x, y).predict(x), average="macro"))
    if seen < GIVEN_AWAY:
        return seen
    fold = np.arange(len(y)) % 2
    predicted = np.empty_like(y)
    for held_out in (0, 1):
        tree.fit(x[fold != held_out], y[fold != held_out])
        predicted[fold == held_out] = tree.predict(x[fold == held_out])
    return float(recall_score(y, predicted, average="macro"))


def _recall_of_values(column: Array, y: Labels) -> float:
    """Return the mean recall of naming, for each row, the class of most others with its value.

    Over the rows whose value comes again; 0 where these are not most rows, or not of all classes.
    """
    from sklearn.metrics import recall_score

    values, codes = np.unique(column, return_inverse=True)
    others = np.zeros((len(values), int(y.max()) + 1), dtype=np.int64)
    np.add.at(others, (codes, y), 1)
    others = others[codes]
    others[np.arange(len(y)), y] -= 1
    again = others.any(axis=1)
    if 2 * again.sum() <= len(y) or len(np.unique(y[again])) < len(np.unique(y)):
        return 0.0
    return float(recall_score(y[again], others[again].argmax(axis=1), average="macro"))
