"""What is done with a plugin in a fresh process: how it is asked for, and by which name the class is found."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from nncompare.execution.memory import MEMORY_SHARE, available_mb
from nncompare.execution.runner import LocalRunner
from nncompare.execution.specs import Answer, CallAnswer, CallSpec, Spec
from nncompare.testing.outcomes import CheckFailedError, ProcessLostError, sentence

__all__ = [
    "FRESH_TIMEOUT_S",
    "RunFresh",
    "answer_of",
    "call_fresh",
    "importable_value",
    "is_importable",
    "memory_share_mb",
    "run_here",
]

RunFresh: TypeAlias = Callable[[Spec], Answer]

FRESH_TIMEOUT_S = 120.0
"""For a process that may have to import a framework before it begins."""


def run_here(spec: Spec) -> Answer:
    """Run one request in a process that this one starts."""
    with LocalRunner() as runner:
        return runner.run(spec.model_copy(update={"memory_mb": memory_share_mb()}))


def memory_share_mb() -> float:
    """Return by how much the memory of one process may grow."""
    return MEMORY_SHARE * available_mb()


def answer_of(run: RunFresh, spec: Spec) -> Answer:
    """Run a request in a fresh process, and return what that answered, if it did.

    Raises
    ------
    ProcessLostError
        The process ended without an answer: it crashed, hung or was killed, which excuses nothing.
    """
    answer = run(spec)
    if answer.failure is not None and not spec.result.exists():
        raise ProcessLostError(f"In a fresh process: {sentence(answer.failure.message)}", answer.failure.category)
    return answer


def call_fresh(
    run: RunFresh,
    function: str,
    cls: type,
    arguments: dict[str, Any],
    *,
    framework: str | None = None,
    hash_seed: int | None = None,
) -> dict[str, Any]:
    """Call a function of the kit with a plugin in a fresh process, and return what it returned.

    Parameters
    ----------
    run : callable
        Runs the request.
    function : str
        ``package.module:name``, of something like :func:`nncompare.testing.child.run_checks`.
    cls : type
        The plugin.
    arguments : dict
        JSON; ``temporary`` is added, a folder for temporary files that is removed whatever ends the process.
    framework : str, optional
        What the process has imported before.
    hash_seed : int, optional
        That of the order of its sets; by default that of all runs.

    Raises
    ------
    CheckFailedError
        The function raised.
    ProcessLostError
        Its process ended without an answer.
    """
    with tempfile.TemporaryDirectory(prefix="nncompare-check-") as name:
        folder = Path(name)
        spec = CallSpec(
            plugin=importable_value(cls),
            framework=framework,
            timeout_s=FRESH_TIMEOUT_S,
            result=folder / "result.json",
            log=folder / "call.log",
            function=function,
            arguments={**arguments, "temporary": name},
            hash_seed=hash_seed,
        )
        answer = answer_of(run, spec)
    if not isinstance(answer, CallAnswer) or answer.status != "complete":
        said = answer.failure.message if answer.failure else "no reason was given"
        said = said.removeprefix(f"{CheckFailedError.__name__}: ")
        raise CheckFailedError(f"In a fresh process it failed: {said.rstrip('.')}.")
    return answer.returned


def is_importable(cls: type) -> bool:
    """Tell whether another process can find a class."""
    try:
        importable_value(cls)
    except CheckFailedError:
        return False
    return True


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
