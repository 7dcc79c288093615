"""Where in its author's code an error arose: the file and line that a plugin's author can change."""

from __future__ import annotations

import importlib
import sysconfig
import traceback
from pathlib import Path

__all__ = ["line_of", "why_not_imported"]

_OURS = Path(__file__).parent
_IMPORTING = Path(importlib.__file__).parent
_LIBRARY = Path(sysconfig.get_path("stdlib"))
_INSTALLED = frozenset({"site-packages", "dist-packages"})


def line_of(error: BaseException) -> str:
    """Return ``file.py:LINE`` of the deepest line in the folder of the code that was called; empty for none.

    A library that the author calls does not count, nor does the machinery of imports. Of a SyntaxError it is the
    line that Python could not read, which was never run.
    """
    if isinstance(error, SyntaxError) and error.filename and not error.filename.startswith("<"):
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    foreign = [(file, line) for file, line in frames if _is_foreign(file)]
    authors = [(file, line) for file, line in foreign if _is_beside(file, foreign[0][0])]
    return f"{authors[-1][0].name}:{authors[-1][1]}" if authors else ""


def why_not_imported(error: Exception) -> str:
    """Return ``Type: message (file:line)``; a SyntaxError would name its file in the message too."""
    where = line_of(error)
    message = error.msg if isinstance(error, SyntaxError) and where else error
    return f"{type(error).__name__}: {message}{f' ({where})' if where else ''}"


def _is_foreign(file: Path) -> bool:
    return not (file.name.startswith("<") or {_OURS, _IMPORTING} & set(file.parents))


def _is_beside(file: Path, first: Path) -> bool:
    """Tell whether a file belongs to the same package or folder as the first one."""
    if file == first:
        return True
    if first.parent.name in _INSTALLED or first.parent not in file.parents:
        return False
    is_library = _LIBRARY in file.parents and _LIBRARY not in first.parents
    return not is_library and not _INSTALLED & set(file.relative_to(first.parent).parts)
