"""Samples that the memory may not hold, on their way into the cache: in files without a name."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from nncompare.data.arrays import open_array, write_chunks
from nncompare.data.files import storage_errors, temporary_beside
from nncompare.data.records import Array, Dataset
from nncompare.data.samples import gather
from nncompare.data.source import Source
from nncompare.data.store import FOLDER

__all__ = ["staged", "staging_folder"]


@contextmanager
def staging_folder(root: Path) -> Iterator[Path]:
    """Yield a folder in the cache ``root``, on the disk where the data will be stored.

    At the end of the block its files lose their names, and arrays that were opened go on being readable: their
    space is free when the last of them is closed. What a killed process leaves is removed with the rest of what
    was begun in the cache.

    Raises
    ------
    StorageError
        The folder cannot be made.
    """
    folder = temporary_beside(root / FOLDER / "staging")
    with storage_errors(folder):
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def staged(dataset: Dataset, root: Path, source: Source) -> Dataset:
    """Return a data set whose samples lie in files, with a test part set aside, and in the dtypes of the cache.

    Parameters
    ----------
    dataset : Dataset
        Dense samples, mostly memory maps, which are read chunk by chunk. Without a test part it brings the rows
        of one.
    root : Path
        The cache.
    source : Source
        Where ``X_train`` came from.

    Raises
    ------
    DataError
        A value is too large for float32.
    StorageError
        The files cannot be written.
    """
    X, y = dataset.X_train, dataset.y_train
    dtype = np.dtype(np.float64 if dataset.columns else np.uint8 if X.dtype == np.uint8 else np.float32)
    with staging_folder(root) as folder:
        if dataset.X_test is not None:
            parts = [
                _in_file(folder / f"{role}.npy", part, np.arange(len(part)), dtype, source)
                for role, part in (("X_train", X), ("X_test", dataset.X_test))
            ]
            return replace(dataset, X_train=parts[0], X_test=parts[1])
        train, test = dataset.rows
        X_train = _in_file(folder / "X_train.npy", X, train, dtype, source)
        X_test = _in_file(folder / "X_test.npy", X, test, dtype, source)
    by = dataset.split_by
    parted = by and replace(by, keys=by.keys[train], keys_test=by.keys[test])
    return replace(dataset, X_train=X_train, y_train=y[train], X_test=X_test, y_test=y[test], split_by=parted)


def _in_file(path: Path, X: Array, rows: Array, dtype: np.dtype[np.generic], source: Source) -> Array:
    """Return rows of an array as a memory map; the array itself where it is one already, and all are wanted."""
    if len(rows) == len(X) and X.dtype == dtype and X.flags.c_contiguous:
        return X
    shape = (len(rows), *X.shape[1:])
    write_chunks(path, shape, dtype, _converted(X, rows, dtype, source))
    return open_array(path)


def _converted(X: Array, rows: Array, dtype: np.dtype[np.generic], source: Source) -> Iterable[Array]:
    done = 0
    for chunk in gather(X, rows):
        with np.errstate(over="ignore"):  # reported just below, with its row
            cast = chunk.astype(dtype, copy=False)
        lost = np.isinf(cast) if dtype.kind == "f" else np.zeros(1, dtype=bool)
        if lost.any():
            row = int(rows[done + int(np.argwhere(lost)[0][0])])
            raise source.fault(
                f"a value in {source.place(row)} is too large for {dtype}", "Scale that feature down"
            )
        done += len(cast)
        yield cast
