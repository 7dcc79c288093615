"""From what a caller hands over as a model or a data set to the name under which a child finds it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Literal, TypeAlias

from nncompare.exceptions import UsageError
from nncompare.execution.provenance import find_origin

Named: TypeAlias = str | type | os.PathLike[str]
Kind: TypeAlias = Literal["model", "data set"]


def plugin_names(given: Named | Sequence[Named] | None, kind: Kind) -> tuple[str, ...]:
    """Return the names of models or data sets, as a command line would have them.

    Parameters
    ----------
    given : str, class, path of a data set, or a sequence of them
        A class becomes ``package.module:Class``, or ``/path/file.py:Class`` where its module is a file that a
        fresh interpreter would not find by name; the class itself is not used.
    kind : {"model", "data set"}

    Raises
    ------
    UsageError
        Something else was given, or a class that no other process can import.
    """
    if given is None:
        return ()
    if hasattr(given, "__array__"):
        text = "is no name. Pass arrays and tables as X=, and the class of each row as y="
        raise UsageError(f"The {kind} is an object of type {type(given).__name__}, which {text}.")
    if isinstance(given, str | type | os.PathLike) or not isinstance(given, Iterable):
        return (_name(given, kind),)
    return tuple(_name(item, kind) for item in given)


def _name(item: object, kind: Kind) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, type):
        return class_name(item)
    if isinstance(item, os.PathLike) and kind == "data set":
        return str(Path(item))
    if isinstance(item, os.PathLike):
        raise UsageError(f"'{item}' names no class. Add one, as text: '{item}:MyModel'.")
    shown = f"An object of type {type(item).__name__}"
    raise UsageError(
        f"{shown} is not a name, and {kind}s run in processes of their own, which cannot receive it. Pass the "
        "class's name, as on the command line: 'mlp', 'package.module:Class' or 'path/file.py:Class'."
    )


def class_name(cls: type) -> str:
    """Return the name by which another process can import a class.

    Raises
    ------
    UsageError
        It was defined in a notebook or a script, inside a function or another class, or nobody can find it.
    """
    name = cls.__qualname__
    if cls.__module__ == "__main__":
        raise UsageError(
            f"The class '{name}' is defined in the notebook or script itself, which the processes that train "
            "never read. Put it into a file (in a notebook: %%writefile my_model.py on the first line of its "
            f"cell) and name it: 'my_model.py:{cls.__name__}'."
        )
    module = sys.modules.get(cls.__module__)
    if module is None or name != cls.__name__ or getattr(module, name, None) is not cls:
        raise UsageError(
            f"The class '{name}' is not found in its module '{cls.__module__}' by that name. Define it at the top "
            "level of a file and name it: 'my_model.py:MyModel'."
        )
    file = _file_of(module)
    if file is not None and find_origin(cls.__module__) == file:
        return f"{cls.__module__}:{name}"
    if file is None or file.suffix != ".py" or module.__package__:
        raise UsageError(
            f"The module '{cls.__module__}' of the class '{name}' is not found by a fresh interpreter. Install "
            "the package that holds it (pip install -e .), or start Python in the folder that holds the package."
        )
    return f"{file}:{name}"


def _file_of(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file else None
