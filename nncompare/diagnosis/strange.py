"""What lies in a run directory under the name of a file and is none: to read it could take for ever."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from nncompare.diagnosis.records import Finding
from nncompare.diagnosis.subject import Subject
from nncompare.exceptions import ResultsError
from nncompare.runfile import LOCK

__all__ = ["strange_entries"]

_KINDS = ((stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"))


def strange_entries(folder: Path) -> Iterator[Finding]:
    """Tell of pipes, sockets, devices and links that lead nowhere, and of a folder in the place of the lock.

    Nothing is opened.

    Parameters
    ----------
    folder : Path
        An absolute path.
    """
    unread = ResultsError("It was not read.")
    subject = Subject(folder=folder, results_or_error=unread, run_file_or_error=unread, held=False)
    for parent, folders, files in os.walk(subject.folder):
        is_top = Path(parent) == subject.folder
        for name in [*files, *(name for name in folders if is_top and name == LOCK)]:
            path = Path(parent, name)
            what = _what(path)
            if what:
                remedy = f"Remove it, then: {subject.resume}"
                yield subject.finding("not-a-file", path, f"It is {what}, where a file is expected.", remedy)


def _what(path: Path) -> str:
    """Return what a path is instead of a file; empty for a file, and where it is gone meanwhile."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link that leads nowhere" if path.is_symlink() else ""
    except OSError as error:
        return f"nothing that can be looked at ({error.strerror})"
    if stat.S_ISREG(mode):
        return ""
    return next(
        (kind for is_kind, kind in _KINDS if is_kind(mode)), "a folder" if stat.S_ISDIR(mode) else "no file"
    )
