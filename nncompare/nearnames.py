"""Which file or module was meant by the name of one that is not there."""

from __future__ import annotations

from pathlib import Path

from nncompare.location import why_not_imported
from nncompare.modulefile import files_beside, modules_beside
from nncompare.selection import did_you_mean, nearest

__all__ = ["did_you_mean_file", "why_not_found"]


def did_you_mean_file(path: Path, typed: str) -> str:
    """Return a question that names the nearest file in the folder of one that is missing; empty where none is.

    Only the names are compared: the folder is the same.
    """
    folder = typed.removesuffix(path.name)
    return did_you_mean(path.stem, files_beside(path), before=folder, after=path.suffix)


def why_not_found(error: Exception, wanted: str) -> str:
    """Return why a module could not be imported, and the nearest name where there is none of its name."""
    reason = why_not_imported(error)
    missing = str(error.name) if isinstance(error, ModuleNotFoundError) else ""
    if not missing or not f"{wanted}.".startswith(f"{missing}."):
        return reason
    package, dot, name = missing.rpartition(".")
    near = nearest(name, modules_beside(missing))
    return f"{reason}; the nearest is '{package}{dot}{near}{wanted.removeprefix(missing)}'" if near else reason
