"""Sizes of files and folders, and their removal, without following links."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from nncompare.exceptions import StorageError

__all__ = ["irremovable", "remove_path", "size_of"]


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; a link counts as itself."""
    with suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
    total = 0
    for parent, _, files in os.walk(path):
        for name in files:
            with suppress(OSError):  # gone meanwhile
                total += Path(parent, name).lstat().st_size
    return total


def remove_path(path: Path) -> None:
    """Remove a file, a link or a folder; what a link leads to is not touched.

    Raises
    ------
    StorageError
        It cannot be removed, or only in part.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise irremovable(path, error) from error


def irremovable(path: Path, error: OSError) -> StorageError:
    """Return the error that names what cannot be removed, and why."""
    cause = f"{type(error).__name__}: {error.strerror or error}"
    return StorageError(f"Cannot remove '{path}'. {cause}. Take the right to, and clean again.")
