"""Data in the view that a model accepts: prepared once per split, cached, opened as memory maps."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from nncompare.data.arrays import open_array, write_array
from nncompare.data.conversion import CONVERSIONS, choose_view, fit_conversion, possible_views
from nncompare.data.files import fill_folder
from nncompare.data.fingerprint import fingerprint
from nncompare.data.native import Native
from nncompare.data.records import Data, DataSpec, Labels, Samples, View
from nncompare.data.samples import open_samples, sample_files, sample_path
from nncompare.data.saved_conversion import CONVERSION_FILES, load_conversion, save_conversion
from nncompare.data.splits import Rows
from nncompare.data.store import StoredDataset
from nncompare.exceptions import DataError

__all__ = [
    "CONVERSIONS",
    "PreparedPart",
    "PreparedView",
    "choose_view",
    "open_part",
    "open_samples",
    "possible_views",
    "prepare_view",
]


FORMAT = 4
"""Part of every folder's name: raise it when a conversion or the scaler changes what the arrays hold."""

_NATIVE: TypeAdapter[Native] = TypeAdapter(Native)


@dataclass(frozen=True, slots=True)
class PreparedPart:
    """Where train or validation lies: samples for ``open_samples``, and the .npy file of the labels."""

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
    conversion : Path or None
        A folder that holds the fitted conversion from the native view, to be used on new samples.
    """

    spec: DataSpec
    train: PreparedPart
    valid: PreparedPart | None
    X_test: Path | None
    conversion: Path | None = None


def open_part(part: PreparedPart, spec: DataSpec) -> Data:
    """Return a prepared part; ``X`` and ``y`` (int64) lie on read-only memory maps."""
    return Data(X=open_samples(part.X), y=open_array(part.y), spec=spec)


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
    are divided by 1); images stay as they are; images as sequences are brought to unit range; tokens as a table
    are TF-IDF, fitted on ``train_rows`` too. Of a table with named columns, gaps are filled and categories become
    columns; see :class:`~nncompare.data.column_table.ColumnTable`.

    Parameters
    ----------
    stored : StoredDataset
    view : {"tabular", "image", "sequence", "tokens"}
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
        The data set cannot become that view; none of ``train_rows`` holds a word, where texts become a table; the
        fitted conversion in the cache is damaged.
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
        conversion=cache.conversion,
    )


class _ViewCache:
    """Folders of one view of one data set, fitted on one set of rows."""

    def __init__(self, stored: StoredDataset, view: View, train_rows: Rows, root: Path) -> None:
        self._stored = stored
        self._root = root / "views"
        native = Native.of(stored)
        form = _NATIVE.dump_json(native).decode()
        self._key = f"{FORMAT}|{stored.fingerprint}|{view}|{form}|{fingerprint(train=train_rows)}"
        self.conversion = self._folder("conversion")

        def fill(temporary: Path) -> None:
            save_conversion(fit_conversion(native, view, stored.X_train(), train_rows), temporary)

        fill_folder(self.conversion, fill, CONVERSION_FILES)
        self._conversion = load_conversion(self.conversion)
        self.spec = DataSpec(
            name=stored.name,
            view=view,
            n_classes=len(stored.class_names),
            class_names=stored.class_names,
            sample_shape=self._conversion.sample_shape,
            dtype=self._conversion.dtype,
            scale=self._conversion.remaining_scale,
            n_train=len(train_rows),
            vocabulary_size=self._conversion.vocabulary_size,
            sparse=self._conversion.sparse,
        )
        self._files = [str(file) for file in sample_files(self._samples_in(Path()))]

    def part(self, rows: Rows) -> PreparedPart:
        """Return samples and labels of rows of the training part."""
        folder = self._folder(f"rows {fingerprint(rows=rows)}")

        def fill(temporary: Path) -> None:
            self._conversion.write(temporary, self._stored.X_train(), rows)
            labels: Labels = self._stored.y_train()[rows]
            write_array(temporary / "y.npy", labels)

        fill_folder(folder, fill, (*self._files, "y.npy"))
        return PreparedPart(X=self._samples_in(folder), y=folder / "y.npy")

    def test_samples(self) -> Path:
        """Return all samples of the test part."""
        folder = self._folder("test")

        def fill(temporary: Path) -> None:
            X: Samples = self._stored.X_test()
            self._conversion.write(temporary, X, np.arange(self._stored.n_test, dtype=np.int64))

        fill_folder(folder, fill, self._files)
        return self._samples_in(folder)

    def _samples_in(self, folder: Path) -> Path:
        spec = self.spec
        return sample_path(folder, "X", ragged=spec.view == "tokens", sparse=spec.sparse)

    def _folder(self, part: str) -> Path:
        return self._root / hashlib.sha256(f"{self._key}|{part}".encode()).hexdigest()[:32]
