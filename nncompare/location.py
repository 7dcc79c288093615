"""Where in its author's code an error arose: the file and line that a plugin's author can change."""

from __future__ import annotations

import importlib
import sys
import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path

__all__ = ["line_of", "why_not_imported"]

_OURS = Path(__file__).parent
_IMPORTING = Path(importlib.__file__).parent
_LIBRARY = Path(sysconfig.get_path("stdlib"))
_INSTALLED = frozenset({"site-packages", "dist-packages"})


def line_of(error: BaseException, classes: Iterable[type] = ()) -> str:
    """Return ``file.py:LINE`` of the deepest line that the author of a plugin can change; empty for none.

    A library that the author calls, or that calls the author, does not count. Of a SyntaxError it is the line
    that Python could not read, which was never run.

    Parameters
    ----------
    error : BaseException
    classes : iterable of type, optional
        The plugins. Lines of their packages, or of their files and the folders around these, go first; others
        count only where they are not of something installed.
    """
    if (line := _unread_line(error)) is not None:
        return line
    frames = _foreign_frames(error)
    homes = [home for each in classes if (home := _home(each)) is not None]
    own = [frame for frame in frames if any(_is_beside(frame[0], home) for home in homes)]
    return _shown(own or [frame for frame in frames if not _is_installed(frame[0])])


def _line_of_import(error: BaseException) -> str:
    """Return the deepest line in the folder of the module that was imported; empty for none."""
    if (line := _unread_line(error)) is not None:
        return line
    frames = _foreign_frames(error)
    return _shown([frame for frame in frames if _is_beside(frame[0], frames[0][0])])


def why_not_imported(error: Exception) -> str:
    """Return ``Type: message (file:line)``; a SyntaxError would name its file in the message too."""
    where = _line_of_import(error)
    message = error.msg if isinstance(error, SyntaxError) and where else error
    return f"{type(error).__name__}: {message}{f' ({where})' if where else ''}"


def _unread_line(error: BaseException) -> str | None:
    """Return the line of a SyntaxError; None for other errors, and for what was in no file."""
    if not isinstance(error, SyntaxError) or not error.filename or error.filename.startswith("<"):
        return None
    return f"{Path(error.filename).name}:{error.lineno}"


def _foreign_frames(error: BaseException) -> list[tuple[Path, int | None]]:
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    return [frame for frame in frames if _is_foreign(frame[0])]


def _shown(frames: list[tuple[Path, int | None]]) -> str:
    return f"{frames[-1][0].name}:{frames[-1][1]}" if frames else ""


def _home(plugin: type) -> Path | None:
    """Return the file of a class, of a package the one at its top; None where it has none."""
    module = sys.modules.get(plugin.__module__)
    if (file := getattr(module, "__file__", None)) is None:
        return None
    above = plugin.__module__.count(".") - (Path(file).name != "__init__.py")
    return Path(file).parents[above] / "__init__.py" if above >= 0 else Path(file)


def _is_foreign(file: Path) -> bool:
    is_generated = file.name.startswith(("<", "__autograph_generated_file"))
    return not (is_generated or {_OURS, _IMPORTING} & set(file.parents))


def _is_installed(file: Path) -> bool:
    return bool(_LIBRARY in file.parents or _INSTALLED & set(file.parts))


def _is_beside(file: Path, first: Path) -> bool:
    """Tell whether a file belongs to the same package or folder as the first one."""
    if file == first:
        return True
    if first.parent.name in _INSTALLED or first.parent not in file.parents:
        return False
    is_library = _LIBRARY in file.parents and _LIBRARY not in first.parents
    return not is_library and not _INSTALLED & set(file.relative_to(first.parent).parts)
