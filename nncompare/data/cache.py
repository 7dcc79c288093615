"""Who uses the cache now, and which folders in it are nncompare's own."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nncompare.data.files import storage_errors, write_atomic
from nncompare.data.store import is_stored_folder
from nncompare.exceptions import BusyError, StorageError

__all__ = ["TAG", "emptying", "is_own_folder", "is_used", "make_download_folder", "using"]

LOCK = "cache.lock"
TAG = "CACHEDIR.TAG"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
"""By which backup tools know a cache, see https://bford.info/cachedir/."""
_TAG = f"{_SIGNATURE}\n# Downloads of nncompare, which nncompare clean --downloads removes.\n"
_VIEW_NAME = re.compile(r"[0-9a-f]{32}")


@contextmanager
def using(root: Path) -> Iterator[None]:
    """Share the cache below ``root`` for a block, in which :func:`emptying` is refused.

    Where the lock cannot be had, as in a cache that may not be written, the block runs without it.
    """
    descriptor = -1
    with suppress(OSError):
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


@contextmanager
def emptying(root: Path) -> Iterator[None]:
    """Have the cache below ``root`` alone for a block; who wants to use it meanwhile waits.

    Raises
    ------
    BusyError
        Another process uses it.
    StorageError
        The lock cannot be made.
    """
    with storage_errors(root / LOCK):
        descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            with storage_errors(root / LOCK):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except StorageError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            raise BusyError(f"A process of nncompare uses the cache '{root}'. Wait for its end.") from error
        yield
    finally:
        os.close(descriptor)


def is_used(root: Path) -> bool:
    """Tell whether a process uses the cache now."""
    if not (root / LOCK).is_file():
        return False
    try:
        with emptying(root):
            return False
    except BusyError:
        return True
    except StorageError:
        return False  # of somebody else, or without locks: it cannot be known, and nothing is removed


def is_own_folder(folder: Path) -> bool:
    """Tell whether a folder of ``data``, ``views`` or ``downloads`` is one that nncompare made, by name or tag."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    if folder.parent.name == "downloads":
        with suppress(OSError, UnicodeDecodeError):
            return (folder / TAG).read_text(encoding="utf-8") == _TAG
        return False
    return is_stored_folder(str(folder)) or (
        folder.parent.name == "views" and _VIEW_NAME.fullmatch(folder.name) is not None
    )


def make_download_folder(folder: Path) -> None:
    """Make a folder for downloads, and tag it unless it holds files already, which may be the user's own.

    Raises
    ------
    StorageError
        It cannot be made.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = next(folder.iterdir(), None) is None
    if is_empty:
        write_atomic(folder / TAG, _TAG)
