"""Arrays on disk: .npy files, written in chunks and opened as read-only memory maps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nncompare.data.files import storage_errors
from nncompare.data.records import Array

__all__ = ["open_array", "row_chunks", "write_array", "write_chunks"]

CHUNK_BYTES = 1 << 24


def row_chunks(array: Array) -> Iterator[slice]:
    """Yield slices over the first axis that hold about 16 MiB each, at least one row."""
    n_rows = array.shape[0]
    row_bytes = max(1, array.nbytes // max(1, n_rows))
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def open_array(path: Path) -> Array:
    """Return the array in a .npy file as a read-only memory map; pickled objects are refused."""
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def write_array(path: Path, array: Array) -> None:
    """Write an array of at least one dimension to a new .npy file, in C order, and sync it.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    write_chunks(path, array.shape, array.dtype, (array[rows] for rows in row_chunks(array)))


def write_chunks(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike, chunks: Iterable[Array]) -> None:
    """Write a new .npy file from consecutive chunks of rows, and sync it.

    Parameters
    ----------
    path : Path
    shape : tuple of int
        Of the entire array; the chunks' rows must add up to ``shape[0]``.
    dtype : dtype
    chunks : iterable of ndarray
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
        for chunk in chunks:
            stream.write(np.ascontiguousarray(chunk, dtype=kind).data)
        stream.flush()
        os.fsync(stream.fileno())
