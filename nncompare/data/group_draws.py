"""Draws of whole groups for a part of the data, so that each class is in it and enough of each is left."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nncompare.data.records import Array, Labels

__all__ = ["GroupClasses", "draw_groups"]

N_DRAWS = 200
"""Draws of groups, of which the one is taken whose share of each class is nearest to what is wanted."""
N_FILLS = 20
"""Parts that are built class by class where no draw has all classes."""
N_CANDIDATES = 3
"""Groups of a class of which the one with the nearest share is taken."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class GroupClasses:
    """Which groups hold which classes, in how many rows: as many entries as there are pairs with rows.

    Parameters
    ----------
    group, code, n_rows : ndarray of shape (n_pairs,), int64
        Groups and classes, both numbered from 0 without gaps, sorted by class and then by group.
    by_group : ndarray of shape (n_pairs,), int64
        The order of these pairs by group.
    class_starts, group_starts : ndarray of int64
        Where the pairs of each class begin, and in ``by_group`` those of each group; with the end of all.
    n_groups, n_classes : int
    """

    group: Array
    code: Array
    n_rows: Array
    by_group: Array
    class_starts: Array
    group_starts: Array
    n_groups: int
    n_classes: int

    @classmethod
    def of(cls, group: Array, y: Labels) -> GroupClasses:
        """Return the pairs of rows, of which the groups are numbered from 0; classes may have gaps."""
        n_groups = int(group.max()) + 1
        pairs, n_rows = np.unique(y * n_groups + group, return_counts=True)
        classes, code = np.unique(pairs // n_groups, return_inverse=True)
        groups = pairs % n_groups
        return cls(
            group=groups,
            code=code,
            n_rows=n_rows,
            by_group=np.argsort(groups, kind="stable"),
            class_starts=_starts(code, len(classes)),
            group_starts=_starts(groups, n_groups),
            n_groups=n_groups,
            n_classes=len(classes),
        )

    def groups_of(self, code: int) -> Array:
        """Return the groups that hold a class."""
        return self.group[self._pairs_of(code)]

    def rows_of(self, code: int) -> Array:
        """Return how many rows of a class each of these groups has."""
        return self.n_rows[self._pairs_of(code)]

    def classes_of(self, group: int) -> Array:
        """Return the classes that a group holds."""
        return self.code[self.by_group[self.group_starts[group] : self.group_starts[group + 1]]]

    def n_groups_by_class(self, among: Mask | None = None) -> Array:
        """Return how many groups each class has, of those that are chosen."""
        code = self.code if among is None else self.code[among[self.group]]
        return np.bincount(code, minlength=self.n_classes)

    def shares(self, held: Mask) -> npt.NDArray[np.float64]:
        """Return which share of the rows of each class lies in the groups that are chosen."""
        n_held = np.bincount(self.code, weights=self.n_rows * held[self.group], minlength=self.n_classes)
        return np.asarray(n_held / np.bincount(self.code, weights=self.n_rows))

    def _pairs_of(self, code: int) -> slice:
        return slice(self.class_starts[code], self.class_starts[code + 1])


def draw_groups(known: GroupClasses, share: float, random_state: int, spare: int) -> Mask | None:
    """Return which groups are held out, or None where none is found that leaves all classes in both parts.

    Of ``N_DRAWS`` random draws of this share of the groups the one is taken whose share of each class is nearest.
    Where none of them has all classes, as of many classes whose groups hold one each, parts are built class by
    class, with more groups than the share if need be.

    Parameters
    ----------
    known : GroupClasses
    share : float
        Of the groups.
    random_state : int
    spare : int
        In how many groups that are kept each class has to be.
    """
    # Imported here because trial children import the views, hence this module, and must start in 0.1 s.
    from sklearn.model_selection import ShuffleSplit

    rows = np.empty((known.n_groups, 0))
    draws = ShuffleSplit(N_DRAWS, test_size=share, random_state=random_state).split(rows)
    drawn = (_mask(held, known.n_groups) for _, held in draws)
    best = _nearest(known, drawn, share, spare)
    if best is not None:
        return best
    rng = np.random.default_rng(random_state)
    built = (_build(known, math.ceil(share * known.n_groups), share, spare, rng) for _ in range(N_FILLS))
    return _nearest(known, (held for held in built if held is not None), share, spare)


def _starts(values: Array, n_values: int) -> Array:
    """Return where each value begins once they are sorted, and the end of all."""
    return np.concatenate([[0], np.cumsum(np.bincount(values, minlength=n_values))])


def _mask(held: Array, n_groups: int) -> Mask:
    mask = np.zeros(n_groups, dtype=bool)
    mask[held] = True
    return mask


def _nearest(known: GroupClasses, candidates: Iterable[Mask], share: float, spare: int) -> Mask | None:
    """Return the candidate whose share of each class is nearest, of those that have all classes in both parts."""
    best, nearest = None, math.inf
    for held in candidates:
        shares = known.shares(held)
        off = float(np.abs(shares - share).max())
        if off < nearest and shares.min() > 0 and (known.n_groups_by_class(~held) >= spare).all():
            best, nearest = held, off
    return best


def _build(known: GroupClasses, n_held: int, share: float, spare: int, rng: np.random.Generator) -> Mask | None:
    """Return a part with a group of each class and others up to ``n_held``; None at a dead end."""
    order = rng.permutation(known.n_groups)
    held = _cover(known, np.argsort(order), share, spare)
    if held is None:
        return None
    filled = _mask(order[~held[order]][: max(0, n_held - int(held.sum()))], known.n_groups)
    for code in np.flatnonzero(known.n_groups_by_class(~(held | filled)) < spare).tolist():
        filled[known.groups_of(code)] = False
    return held | filled


def _cover(known: GroupClasses, rank: Array, share: float, spare: int) -> Mask | None:
    """Return groups that hold each class and leave enough of each, the rarest first; None at a dead end."""
    held, blocked = (np.zeros(known.n_groups, dtype=bool) for _ in range(2))
    n_groups = known.n_groups_by_class()
    free, lacks = n_groups - spare, np.ones(known.n_classes, dtype=bool)
    for code in np.argsort(n_groups, kind="stable"):
        if not lacks[code]:
            continue
        groups = known.groups_of(code)
        shares = known.rows_of(code) / known.rows_of(code).sum()
        usable = np.flatnonzero(~blocked[groups])
        if not len(usable) or free[code] < 1:
            return None
        near = usable[np.argsort(rank[groups[usable]])[:N_CANDIDATES]]
        chosen = groups[near[np.abs(shares[near] - share).argmin()]]
        held[chosen] = True
        its = known.classes_of(chosen)
        lacks[its] = False
        free[its] -= 1
        for full in its[free[its] == 0]:
            blocked[known.groups_of(full)] = True
    return held
