"""Modules that are not installed: the file behind one in the current folder, and how files are imported."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

__all__ = ["classes_in", "file_of_module", "files_beside", "import_file", "import_module", "modules_beside"]


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


def import_module(name: str) -> ModuleType:
    """Import by name; what is not installed is looked for in the current folder too, after all else."""
    if importlib.util.find_spec(name.partition(".")[0]) is None:
        sys.path.append(str(Path.cwd()))
    return importlib.import_module(name)


def import_file(path: Path) -> ModuleType:
    """Import a file that belongs to no package; modules beside it can be imported, after all else."""
    spec = importlib.util.spec_from_file_location(f"nncompare_local_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"'{path}' is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and Keras's serialisation look a class's module up by name
    sys.path.append(str(path.parent))
    spec.loader.exec_module(module)
    return module


def classes_in(module: ModuleType) -> list[str]:
    """Return the names of the classes that a module itself defines."""
    found = [(name, value) for name, value in vars(module).items() if isinstance(value, type)]
    return [name for name, value in found if value.__module__ == module.__name__]


def files_beside(path: Path) -> list[str]:
    """Return the names, without ``.py``, of the Python files in the folder of one that is missing."""
    return sorted(file.stem for file in path.parent.glob("*.py"))


def modules_beside(name: str) -> list[str]:
    """Return the last names of the modules of the package that one is missing from, or of those of no package."""
    package, _, _ = name.rpartition(".")
    folders = getattr(sys.modules.get(package), "__path__", []) if package else None
    return sorted({module.name for module in pkgutil.iter_modules(folders)})
