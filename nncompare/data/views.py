"""Data in the view that a model accepts: prepared once per split, cached, opened as memory maps."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nncompare.data.arrays import open_array, write_array, write_chunks
from nncompare.data.conversion import CONVERSIONS, Conversion, choose_view
from nncompare.data.files import fill_folder
from nncompare.data.fingerprint import fingerprint
from nncompare.data.records import Array, Data, DataSpec, Labels, View
from nncompare.data.splits import Rows
from nncompare.data.store import StoredDataset
from nncompare.exceptions import DataError

__all__ = [
    "CONVERSIONS",
    "PreparedPart",
    "PreparedView",
    "choose_view",
    "open_array",
    "open_part",
    "prepare_view",
]


FORMAT = 1
"""Part of every folder's name: raise it when a conversion or the scaler changes what the arrays hold."""


@dataclass(frozen=True, slots=True)
class PreparedPart:
    """The .npy files of train or validation."""

    X: Path
    y: Path


@dataclass(frozen=True, slots=True)
class PreparedView:
    """Where a data set lies in one view; a pydantic ``TypeAdapter`` turns it into JSON and back.

    Parameters
    ----------
    spec : DataSpec
        ``n_train`` is the number of rows in ``train``.
    train : PreparedPart
    valid : PreparedPart or None
    X_test : Path or None
        In a folder of its own; there is never a path to the test labels.
    """

    spec: DataSpec
    train: PreparedPart
    valid: PreparedPart | None
    X_test: Path | None


def open_part(part: PreparedPart, spec: DataSpec) -> Data:
    """Return a prepared part; ``X`` and ``y`` (int64) are read-only memory maps."""
    return Data(X=open_array(part.X), y=open_array(part.y), spec=spec)


def prepare_view(
    stored: StoredDataset,
    view: View,
    train_rows: Rows,
    valid_rows: Rows | None,
    root: Path,
    *,
    with_test: bool,
) -> PreparedView:
    """Write a data set in one view into the cache, or find it there.

    Tables are standardised with the mean and standard deviation of ``train_rows`` alone (constant columns
    are divided by 1); images stay as they are; images as sequences are brought to unit range.

    Parameters
    ----------
    stored : StoredDataset
    view : {"tabular", "image", "sequence"}
        One of ``CONVERSIONS[stored.view]``.
    train_rows, valid_rows : ndarray of int64
        Rows of the training part, in the order in which they are written.
    root : Path
        The cache; see :func:`~nncompare.data.files.cache_root`.
    with_test : bool
        Prepare the test samples too.

    Returns
    -------
    PreparedView

    Raises
    ------
    DataError
        The data set cannot become that view.
    StorageError
        The cache cannot be written.
    """
    if view not in CONVERSIONS[stored.view]:
        raise DataError(
            f"Data set '{stored.name}' is of view '{stored.view}' and cannot become '{view}'. "
            f"It can become {', '.join(CONVERSIONS[stored.view])}."
        )
    cache = _ViewCache(stored, view, train_rows, root)
    return PreparedView(
        spec=cache.spec,
        train=cache.part(train_rows),
        valid=None if valid_rows is None else cache.part(valid_rows),
        X_test=cache.test_samples() if with_test else None,
    )


class _ViewCache:
    """Folders of one view of one data set, fitted on one set of rows."""

    def __init__(self, stored: StoredDataset, view: View, train_rows: Rows, root: Path) -> None:
        self._stored = stored
        self._root = root / "views"
        self._conversion = Conversion(stored.view, view, stored.scale, stored.X_train(), train_rows)
        self._key = f"{FORMAT}|{stored.fingerprint}|{view}|{stored.scale!r}|{fingerprint(train=train_rows)}"
        self.spec = DataSpec(
            name=stored.name,
            view=view,
            n_classes=len(stored.class_names),
            class_names=stored.class_names,
            sample_shape=self._conversion.sample_shape,
            dtype=self._conversion.dtype,
            scale=self._conversion.remaining_scale,
            n_train=len(train_rows),
        )

    def part(self, rows: Rows) -> PreparedPart:
        """Return samples and labels of rows of the training part."""
        folder = self._folder(f"rows {fingerprint(rows=rows)}")

        def fill(temporary: Path) -> None:
            self._write_samples(temporary, self._stored.X_train(), rows)
            labels: Labels = self._stored.y_train()[rows]
            write_array(temporary / "y.npy", labels)

        fill_folder(folder, fill, ("X.npy", "y.npy"))
        return PreparedPart(X=folder / "X.npy", y=folder / "y.npy")

    def test_samples(self) -> Path:
        """Return all samples of the test part."""
        folder = self._folder("test")

        def fill(temporary: Path) -> None:
            rows = np.arange(self._stored.n_test, dtype=np.int64)
            self._write_samples(temporary, self._stored.X_test(), rows)

        fill_folder(folder, fill, ("X.npy",))
        return folder / "X.npy"

    def _write_samples(self, folder: Path, X: Array, rows: Rows) -> None:
        conversion = self._conversion
        shape = (len(rows), *conversion.sample_shape)
        write_chunks(folder / "X.npy", shape, conversion.dtype, conversion.chunks(X, rows))

    def _folder(self, part: str) -> Path:
        return self._root / hashlib.sha256(f"{self._key}|{part}".encode()).hexdigest()[:32]
