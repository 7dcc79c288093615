"""A data set that is split, as those who look for what has to be known of it see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nncompare.data.records import Array, Column, Labels, Samples, SplitBy
from nncompare.data.repeats import Repeats

__all__ = ["Looked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What is looked at: a data set that is split.

    Parameters
    ----------
    view : str
    class_names : sequence of str
    X_train : samples
    y_train, y_test : ndarray of int64
    rows : {"train", "test"} to ndarray of int64
        Which rows of the data each part holds; empty where the data came in two parts.
    columns : sequence of Column
    left_out : sequence of (name, reason)
    repeats : Repeats
    split_by : SplitBy or None
    keys_train, keys_test : ndarray of int64 or None
        Of the rows of the parts, where they are split by keys.
    row_names : sequence of str
        What each row of the data is called, first of train and then of test where these came in two; may be empty.
    """

    view: str
    class_names: Sequence[str]
    X_train: Samples
    y_train: Labels
    y_test: Labels
    rows: dict[str, Array]
    columns: Sequence[Column]
    left_out: Sequence[tuple[str, str]]
    repeats: Repeats
    split_by: SplitBy | None = None
    keys_train: Array | None = None
    keys_test: Array | None = None
    row_names: Sequence[str] = ()

    def row(self, part: str, position: int) -> str:
        """Return how a row is called: by its name, or by its place in the data or the part that it came in."""
        if self.row_names:
            start = 0 if part == "train" else len(self.y_train)
            return self.row_names[self.rows[part][position] if self.rows else start + position]
        return f"row {self.rows[part][position]:,}" if self.rows else f"{part} row {position:,}"

    def pair(self, one: tuple[str, int], relation: str, other: tuple[str, int], end: str = "") -> str:
        """Return how two rows are called, each given by its part and its position there."""
        return f"{self.row(*one)} {relation} {self.row(*other)}{end}{'' if self.row_names else ', counted from 0'}"

    def column(self, k: int) -> str:
        """Return how a column is called."""
        return f"'{self.columns[k].name}'" if self.columns else f"{k} (counted from 0)"
