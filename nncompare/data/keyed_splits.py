"""Splits that keep rows of one key together: by group, so that none straddles two parts, and by time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nncompare.data.column_checks import Fault
from nncompare.data.group_draws import GroupClasses, draw_groups
from nncompare.data.records import Array, Labels, SplitBy

__all__ = ["PROBE_SEED", "TEST_FRACTION", "find_split_fault", "n_validation_rows", "split_by_key"]

PARTS = ("train", "validation", "test")
TEST_FRACTION = 0.2
VALID_FRACTION = 0.2
MAX_VALID = 5_000
PROBE_SEED = 42
"""Of draws that show whether there is a split; the test part is always drawn by it."""


def n_validation_rows(n_train: int) -> int:
    """Return how many rows of the training part validate: a fifth, at most 5,000."""
    return min(MAX_VALID, math.ceil(VALID_FRACTION * n_train))


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
        Of the rows, or of the groups, to hold out: the last ones by time, random ones by group. Of groups as many
        more as it takes to have all classes in both parts.
    random_state : int
        Of the draws of groups; time does not depend on it, nor does it depend on it whether there is a split.
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
        group = np.unique(by.keys, return_inverse=True)[1]
        of_pairs = np.unique(y * n_keys + group) // n_keys
        by_class = np.bincount(of_pairs, minlength=len(class_names)).tolist()
        for name, n_groups in zip(class_names, by_class, strict=True):
            if n_groups < len(parts):
                what = f"class '{name}' lies in {n_groups} group{'s' * (n_groups != 1)} of column '{by.column}'"
                return what, f"{needed}: leave the class out, or --group"
    rows = np.arange(len(y))
    for part in parts[:0:-1]:
        left = replace(by, keys=by.keys[rows])
        share = TEST_FRACTION if part == "test" else n_validation_rows(len(rows)) / len(rows)
        found = split_by_key(left, y[rows], share, PROBE_SEED, spare=2 if part == "test" else 1)
        if found is None:
            return _why(left, y[rows], part, share, class_names)
        rows = rows[found[0]]
    return None


def _why(by: SplitBy, y: Labels, part: str, share: float, class_names: Sequence[str]) -> Fault:
    """Say what keeps a part from being split off."""
    if by.kind == "group":
        what = (
            f"no split by the groups of column '{by.column}' was found with all classes in {part} and in the rest"
        )
        return what, "Leave out classes that share their few groups with others, or --group"
    held = _last(by.keys, share)
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
    """Return the rows of groups that are drawn whole; what the probe found holds for all seeds."""
    group = np.unique(keys, return_inverse=True)[1]
    known = GroupClasses.of(group, y)
    found = (draw_groups(known, share, seed, spare) for seed in (random_state, PROBE_SEED))
    held = next((mask for mask in found if mask is not None), None)
    return None if held is None else held[group]
