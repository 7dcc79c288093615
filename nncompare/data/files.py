"""Where the cache lies, and how files and folders are written so that nobody ever sees half of one."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import platformdirs

from nncompare.exceptions import StorageError
from nncompare.faultpoints import reached

__all__ = [
    "cache_root",
    "file_digest",
    "fill_folder",
    "is_left_over",
    "replacing",
    "storage_errors",
    "sync_folder",
    "temporary_beside",
    "write_atomic",
]

_LEFTOVER = re.compile(r"\..+\.(\d+)\.[0-9a-f]{8}\.tmp")
_HOUR_S, _DAY_S = 3600.0, 86_400.0

_ROOM = "Free some space there, or choose another folder, and run again."
_RIGHTS = "Choose a folder that you may write to."
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
}


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_root() -> Path:
    """Return the folder of all cached data: ``NNCOMPARE_CACHE_DIR``, else the user's cache folder.

    The folder may not exist yet.
    """
    chosen = os.environ.get("NNCOMPARE_CACHE_DIR")
    folder = Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("nncompare"))
    return folder.absolute()  # plugins may change the working directory


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file so that a reader sees the old content or the new one, also after a power cut.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    data : bytes or str
        Text is written as UTF-8.

    Raises
    ------
    StorageError
        The file cannot be written; what was there before is untouched.
    """
    content = data.encode() if isinstance(data, str) else data
    temporary = temporary_beside(path)
    with storage_errors(path, n_bytes=len(content)), replacing(path, temporary) as stream:
        stream.write(content)


@contextmanager
def replacing(path: Path, temporary: Path) -> Iterator[BinaryIO]:
    """Yield a new file, which takes the place of ``path`` when the block ends well, and vanishes otherwise.

    Parameters
    ----------
    path : Path
        A reader sees what it held before, or all of the new content, also after a power cut.
    temporary : Path
        In the same folder; must not exist.

    Raises
    ------
    OSError
        A file or the folder cannot be written.
    """
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        reached(f"rename {path.name}")
        temporary.replace(path)
        reached(f"renamed {path.name}")
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def fill_folder(target: Path, fill: Callable[[Path], None], expected: Sequence[str]) -> None:
    """Create a folder with all of its files at once, unless it is there already.

    Several processes may do so at the same time for the same target: the first rename wins, and the others
    use what it left. The content must therefore follow from the name. What killed writers left beside it is
    removed.

    Parameters
    ----------
    target : Path
        Its parents are made where they are missing.
    fill : callable
        Writes the files into the empty folder that it is given, and syncs each of them.
    expected : sequence of str
        Names of the files that a complete folder holds.

    Raises
    ------
    StorageError
        The folder cannot be written, or an older one lacks some of its files.
    """
    if not target.is_dir():
        _create_folder(target, fill)
    missing = [name for name in expected if not (target / name).is_file()]
    if missing:
        raise StorageError(
            f"The cached folder '{target}' is damaged: {', '.join(missing)} is missing. "
            "Delete that folder and run again."
        )


def is_left_over(path: Path) -> bool:
    """Tell whether a file or folder is one that a writer had begun, and whether that writer is gone."""
    match = _LEFTOVER.fullmatch(path.name)
    return match is not None and not _is_running(int(match[1]))


def _create_folder(target: Path, fill: Callable[[Path], None]) -> None:
    temporary = temporary_beside(target)
    with storage_errors(target):
        try:
            temporary.mkdir(parents=True)
            _sweep(target.parent)
            fill(temporary)
            sync_folder(temporary)
            _rename_unless_there(temporary, target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what killed writers left: untouched for a day, or for an hour by a process that is gone.

    The hour is for writers on other machines or in other containers, whose process numbers mean nothing here.
    """
    for path in folder.iterdir():
        match = _LEFTOVER.fullmatch(path.name)
        if match is None:
            continue
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            continue  # its writer has just finished
        if age > _DAY_S or (age > _HOUR_S and not _is_running(int(match[1]))):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _rename_unless_there(source: Path, target: Path) -> None:
    """Rename a folder; a target that another process made meanwhile stays."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def sync_folder(folder: Path) -> None:
    """Make the names inside ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def storage_errors(path: Path, n_bytes: int | None = None) -> Iterator[None]:
    """Turn each OSError of the block into a StorageError that names ``path`` and what it needs.

    Raises
    ------
    StorageError
        The block raised OSError.
    """
    try:
        yield
    except OSError as error:
        need = "" if n_bytes is None else f" ({n_bytes:,} bytes)"
        cause = f"{type(error).__name__}: {error.strerror or error}"
        remedy = _REMEDIES.get(error.errno or 0, "Check that its folder exists and can be written to.")
        raise StorageError(f"Cannot write '{path}'{need}. {cause}. {remedy}") from error


def temporary_beside(path: Path) -> Path:
    """Return a path in the same folder that nobody else takes; what is left there is swept up in time."""
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
