"""Samples that the memory may not hold, on their way into the cache: in files without a name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nncompare.data.files import storage_errors, temporary_beside
from nncompare.data.store import FOLDER

__all__ = ["staging_folder"]


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
