"""Archives of the user's arrays (.npz): each array's size and type is known before any of it is read."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO

import numpy as np
import psutil

from nncompare.cgroup import free_memory
from nncompare.data.records import Array
from nncompare.data.source import Source, listed

__all__ = ["check_header", "read_npz"]

MOST_BYTES = 16 << 30
"""Of all arrays together, unpacked: a small archive may claim any size."""
LARGE_BYTES = 1 << 30
MOST_RATIO = 200
"""Of what is unpacked to what lies on disk, in archives that unpack to more than LARGE_BYTES: data that anybody
measured do not shrink so far, and a file of some megabytes should not fill the memory."""
_SUFFIX = ".npy"
_BROKEN_HEADER = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError),
    *(SyntaxError, TypeError, tokenize.TokenError),
)
"""What NumPy raises, beside ValueError, for headers that are no literals or literals of another kind."""


def read_npz(path: Path, wanted: Collection[str]) -> dict[str, Array]:
    """Return those of the wanted arrays that the archive holds, by name.

    Raises
    ------
    DataError
        The file is no such archive, is damaged, holds none of them or objects, or unpacks to more than 16 GiB,
        more than the memory that is free, or more than 1 GiB and 200 times its size.
    """
    source = Source(f"'{path.name}'")
    remedy = "Write it with numpy.savez_compressed(file, X=..., y=...)"
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(_SUFFIX): info for info in archive.infolist()}
            found = [name for name in members if name in wanted]
            if not found:
                what = f"it holds the arrays {listed(sorted(members))}" if members else "it holds no arrays"
                raise source.fault(what, f"Name them {', '.join(('X', 'y', 'X_test', 'y_test'))}")
            _check_size([members[name] for name in found], source)
            arrays = {}
            for name in found:
                with archive.open(members[name]) as member:
                    check_header(member, members[name].file_size, f"the array '{name}'", source)
                with archive.open(members[name]) as member:
                    arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
            return arrays
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        what = f"it is no .npz file or is damaged ({type(error).__name__}: {str(error)[:100]})"
        raise source.fault(what, remedy) from error
    except OSError as error:
        raise source.fault(
            f"{type(error).__name__}: {error.strerror or error}", "Check that you may read it"
        ) from error


def _check_size(members: Collection[zipfile.ZipInfo], source: Source) -> None:
    """Check what an archive unpacks to, before any of it is unpacked; zipfile reads no more than that."""
    n_bytes = sum(member.file_size for member in members)
    n_packed = sum(member.compress_size for member in members)
    if n_bytes > MOST_BYTES:
        raise source.fault(f"it unpacks to {n_bytes:,} bytes", f"At most {MOST_BYTES:,} are read: cut it")
    if n_bytes > LARGE_BYTES and n_bytes > MOST_RATIO * n_packed:
        what = f"its {n_packed:,} bytes unpack to {n_bytes:,}, more than {MOST_RATIO} times as many"
        raise source.fault(what, "If that is meant, write it with numpy.savez, which packs nothing")
    room = free_memory()
    free = min(psutil.virtual_memory().available, math.inf if room is None else room)
    if n_bytes > free:
        what = f"it unpacks to {n_bytes:,} bytes, and {int(free):,} of memory are free"
        raise source.fault(what, "Cut it, or end other programs")


def check_header(stream: IO[bytes], n_bytes: int, what: str, source: Source) -> tuple[int, ...]:
    """Check what an array says of itself, before NumPy reserves whatever it claims; return its shape.

    Parameters
    ----------
    stream : binary file
        Of the form of a .npy file.
    n_bytes : int
        Its size.
    what : str
        How messages call it: ``the array 'X'`` or ``it``.
    source : Source

    Raises
    ------
    DataError
        It holds objects or records, or is shorter than it says.
    ValueError, EOFError
        It is no array.
    """
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = read(stream)
    except _BROKEN_HEADER as error:
        raise ValueError(f"its header cannot be read: {type(error).__name__}") from error
    if any(side < 0 for side in shape):
        raise ValueError(f"its shape is {shape}")
    if dtype.hasobject:
        raise source.fault(
            f"{what} holds objects, which are never loaded because that can run any code",
            "Save numbers or text: numpy.asarray(..., dtype=float) or dtype=str",
        )
    if dtype.fields is not None:
        raise source.fault(f"{what} is of records", "Save one array of numbers: a table as a .csv file")
    if math.prod(shape) * dtype.itemsize > n_bytes - stream.tell():
        raise source.fault(f"{what} is cut short", "Write the file again")
    return shape
