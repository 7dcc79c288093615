"""Looks for the class of a plugin in its file, which is parsed and never imported."""

from __future__ import annotations

import ast
from pathlib import Path

from nncompare.exceptions import UsageError
from nncompare.nearnames import did_you_mean_file
from nncompare.registry import LOCAL, PluginRef
from nncompare.selection import did_you_mean

__all__ = ["check_class", "check_names_class", "classes_of", "plugins_of"]

_MOST_SHOWN = 5


def check_names_class(name: str) -> None:
    """Refuse the path of a Python file without a class, and name the classes in it.

    Raises
    ------
    UsageError
        ``name`` is the path of a Python file.
    """
    path = Path(name).expanduser()
    if ":" in name or path.suffix != ".py":
        return
    if not path.is_file():
        hint = did_you_mean_file(path, name)
        raise UsageError(
            f"There is no file '{name}', and no class is named: 'path/to/file.py:Class' is expected.{hint}"
        )
    found = classes_of(path)
    if not found:
        raise UsageError(f"'{name}' names no class, and none is defined in the file.")
    offered = plugins_of(path) or found
    raise UsageError(
        f"'{name}' names no class. Add it: {_listed([f'{name}:{found_name}' for found_name in offered])}."
    )


def check_class(ref: PluginRef) -> None:
    """Refuse a class that its file does not hold.

    A file that cannot be parsed, or that may make names while it runs, passes: what it holds, a child finds out.

    Raises
    ------
    UsageError
        The file holds nothing of that name; the message gives the nearest class, or all.
    """
    where, _, class_name = ref.value.rpartition(":")
    if ref.distribution != LOCAL or not where.endswith(".py"):
        return
    tree = _parsed(Path(where))
    if tree is None or _is_dynamic(tree) or class_name in _names(tree):
        return
    found = classes_of(Path(where))
    hint = did_you_mean(class_name, found) or (f" It has {_listed(found)}." if found else " It has none.")
    raise UsageError(f"'{Path(where).name}' has no class '{class_name}'.{hint}")


def classes_of(path: Path) -> list[str]:
    """Return the classes at the top level of a Python file; none where it cannot be parsed."""
    tree = _parsed(path)
    return [] if tree is None else [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


def plugins_of(path: Path) -> list[str]:
    """Return the classes of a file whose text shows that they are plugins, their bases being called so."""
    tree = _parsed(path)
    found: list[str] = []
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
            if any(base.endswith("Plugin") or base in found for base in bases):
                found.append(node.name)
    return found


def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _is_dynamic(tree: ast.Module) -> bool:
    """Tell whether names may come into being that the text does not show."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Name) and node.id in {"globals", "exec", "eval", "setattr", "vars"}:
            return True
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            return True
    return False


def _names(tree: ast.Module) -> set[str]:
    """Return all names that are defined, assigned or imported anywhere in a file."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:_MOST_SHOWN]) + more
