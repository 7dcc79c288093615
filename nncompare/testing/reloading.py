"""A saved model in a fresh process: where it is loaded, and by which name its class is found there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias
from unittest import mock

from nncompare.execution.runner import LocalRunner
from nncompare.execution.specs import Answer, MeasureSpec
from nncompare.testing.outcomes import CheckFailedError
from nncompare.testing.watching import preserved

__all__ = ["RELOAD_TIMEOUT_S", "Reload", "elsewhere", "importable_value", "reload_here", "reload_spec"]

Reload: TypeAlias = Callable[[MeasureSpec], Answer]

RELOAD_TIMEOUT_S = 60.0


def reload_here(spec: MeasureSpec) -> Answer:
    """Load a saved model in a process that this one starts."""
    with LocalRunner() as runner:
        return runner.run(spec)


@contextlib.contextmanager
def elsewhere(folder: Path) -> Iterator[None]:
    """Make a new folder the current one and that for temporary files, and remove it with all that lies there."""
    folder.mkdir()
    try:
        with preserved(), mock.patch.object(tempfile, "tempdir", str(folder)):
            os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)))
            os.chdir(folder)
            yield
    finally:
        shutil.rmtree(folder)


def reload_spec(folder: Path, plugin: str) -> MeasureSpec:
    """Return the request to load ``folder / "model"`` and to predict what lies beside it."""
    return MeasureSpec(
        plugin=plugin,
        timeout_s=RELOAD_TIMEOUT_S,
        result=folder / "result.json",
        log=folder / "reload.log",
        model=folder / "model",
        X_test=next(folder.glob("X.*")),
        predictions=folder / "predictions.npz",
        timed=False,
    )


def importable_value(cls: type) -> str:
    """Return ``package.module:Class`` or ``/path/file.py:Class``, by which another process finds a class.

    Raises
    ------
    CheckFailedError
        There is no such name: the class was made in a function, or on the command line.
    """
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    if "<locals>" in cls.__qualname__ or file is None:
        raise CheckFailedError(
            f"The class '{cls.__qualname__}' of {json.dumps(cls.__module__)} cannot be found by another process, "
            "which has to load the saved model. Define it at the top level of a file."
        )
    in_package = "." in cls.__module__ or hasattr(module, "__path__")
    where = cls.__module__ if in_package and _is_found(cls.__module__, file) else file
    return f"{where}:{cls.__qualname__}"


def _is_found(module: str, file: str) -> bool:
    """Tell whether another process would find a module of a package by its name: installed, or in this folder."""
    path = Path(*module.split("."))
    if Path(file).resolve() in ((Path.cwd() / path).with_suffix(".py"), Path.cwd() / path / "__init__.py"):
        return True
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
    return any(finder.find_spec(path.parts[0], None) is not None for finder in finders)
