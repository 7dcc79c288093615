"""Reads the arrays of a published .npz file; of object arrays only the list of their elements."""

from __future__ import annotations

import lzma
import pickle
import tokenize
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

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_UNREADABLE = (
    EOFError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
_UNPICKLABLE = (*_UNREADABLE, AttributeError, IndexError, SystemError, pickle.UnpicklingError)


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
    one array of objects, which is made from the list of its elements and never by NumPy's own reader.

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
    except _UNPICKLABLE as error:
        raise unusable(path, f"{type(error).__name__}: {error}", home) from error


def unusable(path: Path, cause: str, home: RemoteFile) -> DataError:
    """Return the error of a file whose content is not what it should be."""
    return DataError(
        f"'{path}' cannot be used: {cause.rstrip('.')}. Replace it by {home.url}, or take it away to have that "
        "downloaded."
    )


class _Inert:
    """Stands for what a pickle names and nobody needs: ``ndarray`` itself, the text of a type code."""

    def __init__(self, *arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        """Refuse a state; without this method, attributes of the class could be set."""
        raise pickle.UnpicklingError("it sets the state of what has none")


class _ObjectType(_Inert):
    """Stands for the dtype of Python objects; NumPy's own could be bent to read addresses from bytes."""

    def __init__(self, code: object, *arguments: object) -> None:
        if code not in ("O", "O8"):
            raise pickle.UnpicklingError(f"it asks for the dtype {code!r:.40}, and only lists are expected")

    def __setstate__(self, state: object) -> None:
        """Drop the state, which says the same of all arrays of objects."""


class _ObjectArray(_Inert):
    """Stands for an array of objects, and keeps the list of its elements."""

    def __init__(self, kind: object, shape: object, code: object) -> None:
        if kind is not _Inert or shape != (0,):
            raise pickle.UnpicklingError("it makes an array otherwise than NumPy writes them")
        self.elements: list[object] = []

    def __setstate__(self, state: object) -> None:
        """Take the elements from (version, shape, dtype, whether columns come first, elements)."""
        if not (isinstance(state, tuple) and len(state) == 5):
            raise pickle.UnpicklingError("it holds an array whose state is not that of NumPy")
        _version, shape, dtype, _columns_first, elements = state
        if not (isinstance(dtype, _ObjectType) and type(elements) is list):
            raise pickle.UnpicklingError("it holds an array that is not one of objects from a list")
        if shape != (len(elements),):
            raise pickle.UnpicklingError(f"it holds {len(elements):,} objects for the shape {shape!r:.40}")
        self.elements = elements


_STAND_INS = {
    ("_codecs", "encode"): _Inert,  # protocol 2 has no bytes, and writes the code of a type so
    ("numpy", "dtype"): _ObjectType,
    ("numpy", "ndarray"): _Inert,
    ("numpy.core.multiarray", "_reconstruct"): _ObjectArray,
    ("numpy._core.multiarray", "_reconstruct"): _ObjectArray,
}


class _ArrayUnpickler(pickle.Unpickler):
    """Builds the stand-in of an array of plain values, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for what the pickle asks for, if it is allowed."""
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array of numbers needs")
        return _STAND_INS[module, name]


def _read_member(archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        _shape, _order, dtype = _HEADERS[version](stream)
        if dtype.hasobject:
            found = _ArrayUnpickler(stream).load()
            if not isinstance(found, _ObjectArray):
                raise TypeError(f"{name} holds a pickled {type(found).__name__}, not an array")
            return np.fromiter(found.elements, object, len(found.elements))
    with archive.open(name) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)
