"""Arrays on disk: .npy files, written in chunks, opened as read-only memory maps, and read chunk by chunk."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nncompare.data.files import storage_errors
from nncompare.data.records import Array

__all__ = [
    "ChosenRows",
    "chunks",
    "converted",
    "open_array",
    "release",
    "row_chunks",
    "write_array",
    "write_chunks",
]

CHUNK_BYTES = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class ChosenRows:
    """Rows of an array, in a dtype, that are read and converted when they are asked for.

    It stands in for an array that the memory may not hold, on its way into the cache.

    Parameters
    ----------
    array : ndarray or ChosenRows
        Of shape (n, ...), mostly a memory map.
    rows : ndarray of shape (n_samples,), int64
    dtype : dtype
    """

    array: Any
    rows: npt.NDArray[np.int64]
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what it stands for."""
        return (len(self.rows), *self.array.shape[1:])

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the values take in the dtype."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any) -> Array:
        """Return one row, or those of a slice or of an array of positions, in memory."""
        found: Array = np.asarray(self.array[self.rows[rows]]).astype(self.dtype, copy=False)
        return found


def converted(X: Any, dtype: npt.DTypeLike) -> Any:
    """Return an array in C order and in a dtype: a memory map chunk by chunk as it is read, all else at once.

    Parameters
    ----------
    X : ndarray or ChosenRows
    dtype : dtype

    Returns
    -------
    ndarray or ChosenRows
        ``X`` itself where there is nothing to do.
    """
    kind = np.dtype(dtype)
    if isinstance(X, ChosenRows) or _map_of(X) is not None:
        is_so = X.dtype == kind and (isinstance(X, ChosenRows) or X.flags.c_contiguous)
        return X if is_so else ChosenRows(X, np.arange(len(X)), kind)
    return np.ascontiguousarray(X, dtype=kind)


def chunks(X: Any) -> Iterator[tuple[slice, Array]]:
    """Yield consecutive rows of an array with their places, so that a memory map never lies in memory whole.

    Parameters
    ----------
    X : ndarray or ChosenRows
        At least one dimension.
    """
    for rows in row_chunks(X):
        yield rows, X[rows]
        release(X)


def release(X: Any) -> None:
    """Let go of the pages of a memory map that were read, which count as memory of this process.

    They stay with the system, which has them at hand while it can spare the room.
    """
    found = _map_of(X)
    if found is not None and hasattr(mmap, "MADV_DONTNEED"):
        found.madvise(mmap.MADV_DONTNEED)


def _map_of(X: Any) -> mmap.mmap | None:
    """Return the map in which an array lies; None where there is none, or one that holds changes of its own."""
    while isinstance(X, ChosenRows):
        X = X.array
    owner: Any = None
    base: Any = X
    while isinstance(base, np.ndarray):
        owner, base = base, base.base
    is_file = isinstance(owner, np.memmap) and owner.mode != "c"  # the pages of a copy are nowhere else
    return base if is_file and isinstance(base, mmap.mmap) else None


def row_chunks(array: Any) -> Iterator[slice]:
    """Yield slices over the first axis that hold about 2 MiB each, at least one row."""
    n_rows = array.shape[0]
    row_bytes = max(1, array.nbytes // max(1, n_rows))
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def open_array(path: Path) -> Array:
    """Return the array in a .npy file as a read-only memory map; pickled objects are refused."""
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def write_array(path: Path, array: Any) -> None:
    """Write an array of at least one dimension to a new .npy file, in C order, and sync it.

    Parameters
    ----------
    path : Path
    array : ndarray or ChosenRows

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    write_chunks(path, array.shape, array.dtype, (chunk for _, chunk in chunks(array)))


def write_chunks(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike, parts: Iterable[Array]) -> None:
    """Write a new .npy file from consecutive chunks of rows, and sync it.

    Parameters
    ----------
    path : Path
    shape : tuple of int
        Of the entire array; the parts' rows must add up to ``shape[0]``.
    dtype : dtype
    parts : iterable of ndarray
        Each of shape (k, *shape[1:]).

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    kind = np.dtype(dtype)
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    # Not np.lib.format.open_memmap: a full disk kills a process that writes through a map (SIGBUS).
    n_bytes = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    with storage_errors(path, n_bytes=n_bytes), path.open("xb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for chunk in parts:
            stream.write(np.ascontiguousarray(chunk, dtype=kind).data)
        stream.flush()
        os.fsync(stream.fileno())
