"""The file behind a module that lies in the current folder and is not installed."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

__all__ = ["file_of_module"]


def file_of_module(module: str) -> str | None:
    """Return the file of a module that only the current folder holds, by which it is found from everywhere.

    None for what is installed, which goes first, and for a package, whose parts import each other by its name.
    """
    file = Path.cwd() / f"{module}.py"
    if "." in module or not file.is_file():
        return None
    others = [finder for finder in sys.meta_path if finder is not PathFinder and hasattr(finder, "find_spec")]
    entries = [entry for entry in sys.path if Path(entry or ".").resolve() != file.parent.resolve()]
    is_elsewhere = any(finder.find_spec(module, None) is not None for finder in others)
    return None if is_elsewhere or PathFinder.find_spec(module, entries) is not None else str(file)
