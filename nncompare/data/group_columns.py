"""Columns that look as if their values told which rows belong together: by their name, and by what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nncompare.data.records import Array, Labels, Samples
from nncompare.data.samples import columns_of

__all__ = ["GroupColumn", "find_group_columns"]

FEWEST_GROUPS, ROWS_OF_A_GROUP = 5, 2
ERRORS_LEFT = 0.25
"""A group tells the class if naming its main class leaves at most this share of a constant's errors."""
_WORDS = (
    "animal|client|customer|device|donor|family|group|household|participant|patient|person|session|speaker|"
    "subject|user"
)
_NAME = re.compile(
    rf"(?i:(?:{_WORDS})s?[^a-z]*(?:code|id|key|name|no|nr|num|number)?|(?:.*[^a-z])?ids?)[^a-zA-Z]*|.*[a-z]I[Dd]s?"
)
"""Such a word alone or as an identifier, or any other identifier; ``family_size`` measures a family."""


@dataclass(frozen=True, slots=True)
class GroupColumn:
    """A column that looks like groups.

    Parameters
    ----------
    column : int
        Its position.
    n_groups : int
    main_class : float
        Share of the rows that are of the most frequent class of their group.
    tells : bool
        Whether that is much more than the most frequent class of all rows has.
    """

    column: int
    n_groups: int
    main_class: float
    tells: bool


def find_group_columns(X: Samples, y: Labels, names: Mapping[int, str]) -> list[GroupColumn]:
    """Return the columns whose name and values look like groups.

    Parameters
    ----------
    X : ndarray or ChosenRows of shape (n_samples, n_features), float
        Training rows; NaN is a missing value, which no group has.
    y : ndarray of shape (n_samples,), int64
    names : mapping of int to str
        Of columns, by position.
    """
    named = [k for k, name in names.items() if _NAME.fullmatch(name)]
    found = (_group_column(k, values, y) for k, values in zip(named, columns_of(X, named).T, strict=True))
    return [group for group in found if group is not None]


def _group_column(k: int, values: Array, y: Labels) -> GroupColumn | None:
    if np.isnan(values).any() or (values != np.floor(values)).any():
        return None
    groups, codes = np.unique(values, return_inverse=True)
    if len(groups) < FEWEST_GROUPS or len(values) < ROWS_OF_A_GROUP * len(groups):
        return None
    n_classes = int(y.max()) + 1
    cells, counts = np.unique(codes * n_classes + y, return_counts=True)
    _, start = np.unique(cells // n_classes, return_index=True)
    alike = float(np.maximum.reduceat(counts, start).sum() / len(y))
    constant = float(np.bincount(y).max() / len(y))
    return GroupColumn(k, len(groups), alike, 1 - alike <= ERRORS_LEFT * (1 - constant))
