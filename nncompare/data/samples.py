"""Samples on disk, whatever their form: dense, ragged or sparse; opened as read-only memory maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nncompare.data.arrays import ChosenRows, open_array, release, write_array, write_chunks
from nncompare.data.files import storage_errors, sync_folder
from nncompare.data.ragged import Ragged, offsets_of
from nncompare.data.records import Array, Samples

__all__ = [
    "arrays_of",
    "columns_of",
    "copy_rows",
    "count_samples",
    "gather",
    "open_samples",
    "sample_files",
    "sample_path",
    "write_converted",
    "write_rows",
    "write_samples",
]

CHUNK_BYTES = 1 << 24
BYTES_PER_NUMBER = 32
"""What scalers and counts make of one number in passing: some arrays of float64 or int64."""

_PARTS = {
    ".ragged": ("values", "offsets"),
    ".csr": ("data", "indices", "indptr", "shape"),
}


def count_samples(X: Samples) -> int:
    """Return the number of samples; a sparse table has no ``len``."""
    return len(X) if isinstance(X, Ragged) else int(X.shape[0])


def copy_rows(X: Samples, n_rows: int) -> Samples:
    """Return the first rows in memory, where they were in a file."""
    rows = X[:n_rows]
    return np.ascontiguousarray(rows) if isinstance(rows, np.ndarray) else rows


def gather(X: Samples, rows: Array) -> Iterator[Samples]:
    """Yield ``X[rows]`` in chunks that take some 16 MiB to convert: a memory map is never read at once."""
    n_numbers = X.nbytes // 4 if isinstance(X, Ragged) else X.size
    row_bytes = BYTES_PER_NUMBER * n_numbers // max(1, count_samples(X))
    step = max(1, CHUNK_BYTES // max(1, row_bytes))
    for start in range(0, len(rows), step):
        chunk = X[rows[start : start + step]]
        release(X.values if isinstance(X, Ragged) else X)
        yield np.asarray(chunk) if isinstance(chunk, np.ndarray) else chunk


def columns_of(X: Samples, columns: Sequence[int], rows: Array | None = None) -> Array:
    """Return some columns of a table in memory, reading it chunk by chunk.

    Parameters
    ----------
    X : ndarray or ChosenRows of shape (n_samples, n_features)
    columns : sequence of int
    rows : ndarray of int64, optional
        All by default.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), of the dtype of ``X``
    """
    rows = np.arange(len(X)) if rows is None else rows
    found, done = np.empty((len(rows), len(columns)), dtype=X.dtype), 0
    for chunk in gather(X, rows) if columns else ():
        found[done : done + len(chunk)] = chunk[:, list(columns)]
        done += len(chunk)
    return found


def arrays_of(role: str, X: Samples) -> dict[str, Array]:
    """Return the arrays that make up samples: one under ``role``, or several under ``role.part``.

    Parameters
    ----------
    role : str
        Such as ``X_train``.
    X : ndarray, ChosenRows, Ragged or csr_array
    """
    suffix = _suffix_of(X)
    if suffix == ".npy":
        return {role: X}
    return {f"{role}.{part}": np.asarray(getattr(X, part)) for part in _PARTS[suffix]}


def sample_path(folder: Path, role: str, *, ragged: bool = False, sparse: bool = False) -> Path:
    """Return where samples of a form lie in a folder: one .npy file, or a folder of several."""
    return folder / (role + (".ragged" if ragged else ".csr" if sparse else ".npy"))


def sample_files(path: Path) -> list[Path]:
    """Return all files of the samples at ``path``."""
    return [path / f"{part}.npy" for part in _PARTS[path.suffix]] if path.suffix in _PARTS else [path]


def write_samples(folder: Path, role: str, X: Samples) -> Path:
    """Write samples into a folder, sync them, and return their path for :func:`open_samples`.

    Raises
    ------
    StorageError
        They cannot be written.
    """
    path = folder / f"{role}{_suffix_of(X)}"
    if path.suffix == ".npy":
        write_array(path, X)
        return path
    with storage_errors(path):
        path.mkdir()
    for file, array in zip(sample_files(path), arrays_of(role, X).values(), strict=True):
        write_array(file, array)
    sync_folder(path)
    return path


def write_converted(
    folder: Path,
    X: Array,
    rows: Array,
    convert: Callable[[Array], Array],
    sample_shape: tuple[int, ...],
    dtype: str,
) -> Path:
    """Write ``convert(X[rows])`` as dense samples, chunk by chunk, and return their path.

    Parameters
    ----------
    folder : Path
        Receives ``X.npy``.
    X : ndarray
    rows : ndarray of int64
    convert : callable
        Turns a chunk into an array of shape (n, *sample_shape).
    sample_shape : tuple of int
    dtype : str
    """
    path = folder / "X.npy"
    write_chunks(path, (len(rows), *sample_shape), dtype, map(convert, gather(X, rows)))
    return path


def write_rows(folder: Path, role: str, X: Ragged, rows: Array) -> Path:
    """Write ``X[rows]`` as :func:`write_samples` would, chunk by chunk.

    Raises
    ------
    StorageError
        They cannot be written.
    """
    path = sample_path(folder, role, ragged=True)
    offsets = offsets_of(X.offsets[rows + 1] - X.offsets[rows])
    with storage_errors(path):
        path.mkdir()
    chunks = (chunk.values for chunk in gather(X, rows))
    write_chunks(path / "values.npy", (int(offsets[-1]),), X.values.dtype, chunks)
    write_array(path / "offsets.npy", offsets)
    sync_folder(path)
    return path


def open_samples(path: Path) -> Samples:
    """Return what :func:`write_samples` wrote: an ndarray, a Ragged or a csr_array over read-only memory maps."""
    arrays: list[Any] = [open_array(file) for file in sample_files(path)]
    if path.suffix == ".ragged":
        return Ragged(*arrays)
    if path.suffix == ".csr":
        from scipy.sparse import csr_array  # trial children import this module, and few need it

        data, indices, indptr, shape = arrays
        return csr_array((data, indices, indptr), shape=tuple(shape.tolist()))
    return arrays[0]


def _suffix_of(X: Samples) -> str:
    if isinstance(X, Ragged):
        return ".ragged"
    return ".npy" if isinstance(X, np.ndarray | ChosenRows) else ".csr"
