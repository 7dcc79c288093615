"""Reads the arrays of a published .npz file; of object arrays only what NumPy needs to rebuild them."""

from __future__ import annotations

import pickle
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nncompare.data.download import RemoteFile
from nncompare.exceptions import DataError

__all__ = ["read_arrays", "read_pickled_arrays", "unusable"]

_ALLOWED = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_UNREADABLE = (
    EOFError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_arrays(
    path: Path, names: Sequence[str], home: RemoteFile, most_bytes: int
) -> dict[str, npt.NDArray[Any]]:
    """Return some arrays of an .npz file without unpickling anything.

    Parameters
    ----------
    path : Path
    names : sequence of str
    home : RemoteFile
        The published file, which the remedy names.
    most_bytes : int
        What the archive may declare for one array, its header included.

    Raises
    ------
    DataError
        The file cannot be read, lacks an array, holds Python objects under one of the names, or would take
        more memory than it may: a small archive can hold petabytes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [(member.filename.removesuffix(".npy"), member.file_size) for member in archive.infolist()]
    except _UNREADABLE as error:
        raise unusable(path, f"{type(error).__name__}: {error}", home) from error
    for name, n_bytes in members:
        if name in names and n_bytes > most_bytes:
            cause = f"{name} has {n_bytes:,} bytes, and at most {most_bytes:,} are expected"
            raise unusable(path, cause, home)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except KeyError as error:
        raise unusable(path, str(error.args[0]), home) from error
    except _UNREADABLE as error:
        raise unusable(path, f"{type(error).__name__}: {error}", home) from error


def read_pickled_arrays(path: Path, names: Sequence[str], home: RemoteFile) -> dict[str, npt.NDArray[Any]]:
    """Return some arrays of the published .npz file, which holds lists of numbers as pickled objects.

    Two locks: the file is opened only if its digest is that of ``home``, and its pickles may ask for nothing but
    NumPy's arrays.

    Raises
    ------
    DataError
        The file is another one, or asks for something else, which the message names.
    """
    if not home.is_at(path):
        raise unusable(path, f"it is not the published file ({home.digest}), and no other is unpickled", home)
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _read_member(archive, f"{name}.npy") for name in names}
    except KeyError as error:
        raise unusable(path, str(error.args[0]), home) from error
    except _UNREADABLE as error:
        raise unusable(path, f"{type(error).__name__}: {error}", home) from error


def unusable(path: Path, cause: str, home: RemoteFile) -> DataError:
    """Return the error of a file whose content is not what it should be."""
    return DataError(
        f"'{path}' cannot be used: {cause.rstrip('.')}. Replace it by {home.url}, or take it away to have that "
        "downloaded."
    )


class _ArrayUnpickler(pickle.Unpickler):
    """Builds NumPy arrays of plain values, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what the pickle asks for, if it is allowed."""
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array of numbers needs")
        return super().find_class(module, name)


def _read_member(archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        _shape, _order, dtype = _HEADERS[version](stream)
        if dtype.hasobject:
            found = _ArrayUnpickler(stream).load()
            if not isinstance(found, np.ndarray):
                raise TypeError(f"{name} holds a pickled {type(found).__name__}, not an array")
            return found
    with archive.open(name) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)
