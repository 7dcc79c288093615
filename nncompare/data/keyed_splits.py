"""Splits that keep rows of one key together: by group, so that none straddles two parts, and by time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nncompare.data.column_checks import Fault
from nncompare.data.records import Array, Labels, SplitBy

__all__ = ["find_split_fault", "split_by_key"]

N_DRAWS = 200
"""Draws of groups, of which the one is taken whose share of each class is nearest to what is wanted."""
PARTS = ("train", "validation", "test")
SHARE = 0.2
PROBE_SEED = 42


def split_by_key(
    by: SplitBy, y: Labels, share: float, random_state: int, spare: int = 1
) -> tuple[Array, Array] | None:
    """Return sorted rows (kept, held out), or None where no split leaves all classes in both.

    Parameters
    ----------
    by : SplitBy
        ``keys`` of the rows of ``y``.
    y : ndarray of shape (n_samples,), int64
    share : float
        Of the rows, or of the groups, to hold out: the last ones by time, random ones by group.
    random_state : int
        Of the draws of groups; time does not depend on it.
    spare : int
        In how many groups or times that are kept each class has to be.
    """
    held = _last(by.keys, share) if by.kind == "time" else _drawn(by.keys, y, share, random_state, spare)
    if held is None:
        return None
    if by.kind == "time" and not (set(y[held]) == set(y[~held]) == set(y)):
        return None
    return np.flatnonzero(~held), np.flatnonzero(held)


def find_split_fault(by: SplitBy, y: Labels, class_names: Sequence[str], *, has_test: bool) -> Fault | None:
    """Return why the rows cannot be split by their keys, and what to do; None where they can.

    Parameters
    ----------
    by : SplitBy
    y : ndarray of shape (n_samples,), int64
    class_names : sequence of str
    has_test : bool
        The data bring a test part, so that ``y`` is for train and validation.
    """
    parts = PARTS[:2] if has_test else PARTS
    needed = f"{len(parts)} are needed, for {', '.join(parts[:-1])} and {parts[-1]}"
    unit = "group" if by.kind == "group" else "different time"
    n_keys = len(np.unique(by.keys))
    if n_keys < len(parts):
        return (
            f"column '{by.column}' holds {n_keys} {unit}{'s' * (n_keys != 1)}",
            f"{needed}: leave --{by.kind} out",
        )
    if by.kind == "group":
        for code, name in enumerate(class_names):
            n_groups = len(np.unique(by.keys[y == code]))
            if n_groups < len(parts):
                what = f"class '{name}' lies in {n_groups} group{'s' * (n_groups != 1)} of column '{by.column}'"
                return what, f"{needed}: leave the class out, or --group"
    rows = np.arange(len(y))
    for part in parts[:0:-1]:
        left = replace(by, keys=by.keys[rows])
        found = split_by_key(left, y[rows], SHARE, PROBE_SEED, spare=2 if part == "test" else 1)
        if found is None:
            return _why(left, y[rows], part, class_names)
        rows = rows[found[0]]
    return None


def _why(by: SplitBy, y: Labels, part: str, class_names: Sequence[str]) -> Fault:
    """Say what keeps a part from being split off."""
    if by.kind == "group":
        what = f"no draw of the groups of column '{by.column}' has all classes in {part} and in the rest"
        return what, "Leave out the classes that lie in few groups, or --group"
    held = _last(by.keys, SHARE)
    if held is None:
        return f"the rows have too few different times in column '{by.column}'", "Leave --time out"
    sides = ((held, f"the last rows by column '{by.column}', for {part},"), (~held, f"the rows before {part}"))
    lacking, where = next((rows, words) for rows, words in sides if set(y[rows]) != set(y))
    name = class_names[min(set(y) - set(y[lacking]))]
    return f"{where} hold no class '{name}'", "Leave the class out, or --time"


def _last(keys: Array, share: float) -> Array | None:
    """Return which rows are the last by time; rows of equal times stay together."""
    n_held = math.ceil(share * len(keys))
    border = np.sort(keys)[len(keys) - n_held]
    both = [held for held in (keys >= border, keys > border) if 0 < held.sum() < len(keys)]
    return min(both, key=lambda held: abs(int(held.sum()) - n_held), default=None)


def _drawn(keys: Array, y: Labels, share: float, random_state: int, spare: int) -> Array | None:
    """Return the rows of the groups of the best draw."""
    # Imported here because trial children import the views, hence this module, and must start in 0.1 s.
    from sklearn.model_selection import ShuffleSplit

    groups, group = np.unique(keys, return_inverse=True)
    counts = np.zeros((len(groups), int(y.max()) + 1), dtype=np.int64)
    np.add.at(counts, (group, y), 1)
    counts = counts[:, counts.any(axis=0)]
    best, nearest = None, math.inf
    for kept, held in ShuffleSplit(N_DRAWS, test_size=share, random_state=random_state).split(counts):
        off = float(np.abs(counts[held].sum(axis=0) / counts.sum(axis=0) - share).max())
        is_whole = counts[held].any(axis=0).all() and ((counts[kept] > 0).sum(axis=0) >= spare).all()
        if is_whole and off < nearest:
            best, nearest = held, off
    return None if best is None else np.isin(group, best)
