"""A data set in its two parts: a test part is split off where there is none, and both are looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from nncompare.data.arrays import ChosenRows
from nncompare.data.findings import find_in_data
from nncompare.data.looked import Looked
from nncompare.data.ragged import Ragged
from nncompare.data.records import Array, Dataset, DatasetInfo, Finding, Labels, Samples
from nncompare.data.repeats import find_repeats
from nncompare.data.splits import Rows, split_off_test

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """Samples and labels of both parts.

    Parameters
    ----------
    X_train, X_test : samples
        Of arrays, rows that are copied only on their way to the disk.
    y_train, y_test : ndarray of int64
    keys_train, keys_test : ndarray of int64 or None
        By which the rows are split, where they are.
    rows : {"train", "test"} to ndarray of int64
        Which rows of the data each part holds; empty where the data came in two parts.
    """

    X_train: Samples
    y_train: Labels
    X_test: Samples
    y_test: Labels
    keys_train: Array | None = None
    keys_test: Array | None = None
    rows: dict[str, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: Dataset) -> Parts:
        """Return the parts of a data set that was checked."""
        by = dataset.split_by
        if dataset.X_test is not None and dataset.y_test is not None:
            return cls(
                X_train=dataset.X_train,
                y_train=dataset.y_train,
                X_test=dataset.X_test,
                y_test=dataset.y_test,
                keys_train=by.keys if by is not None else None,
                keys_test=by.keys_test if by is not None else None,
                rows=dict(zip(("train", "test"), dataset.rows, strict=False)),
            )
        train, test = dataset.rows or split_off_test(dataset.y_train, by)
        return cls(
            X_train=_chosen(dataset.X_train, train),
            y_train=dataset.y_train[train],
            X_test=_chosen(dataset.X_train, test),
            y_test=dataset.y_train[test],
            keys_train=by.keys[train] if by is not None else None,
            keys_test=by.keys[test] if by is not None else None,
            rows={"train": train, "test": test},
        )

    def samples(self) -> dict[str, Samples]:
        """Return what is stored, by role."""
        named = {name: getattr(self, name) for name in ("X_train", "y_train", "X_test", "y_test")}
        keys = {"keys_train": self.keys_train, "keys_test": self.keys_test}
        return named | {name: array for name, array in keys.items() if array is not None}

    def look(self, info: DatasetInfo, dataset: Dataset) -> tuple[int, tuple[Finding, ...]]:
        """Return the number of test rows that are training rows too, and all findings."""
        repeats = find_repeats(self.X_train, self.y_train, self.X_test)
        looked = Looked(
            view=info.view,
            class_names=info.class_names,
            X_train=self.X_train,
            y_train=self.y_train,
            y_test=self.y_test,
            rows=self.rows,
            columns=tuple(dataset.columns),
            left_out=tuple(dataset.left_out),
            repeats=repeats,
            split_by=dataset.split_by,
            keys_train=self.keys_train,
            keys_test=self.keys_test,
            row_names=dataset.row_names,
        )
        return repeats.n_shared, tuple(find_in_data(looked))


def _chosen(X: Samples, rows: Rows) -> Samples:
    return X[rows] if isinstance(X, Ragged) else ChosenRows(X, rows, X.dtype)
