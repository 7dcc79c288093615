"""What plugin code raised, as a category and one readable line."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from pydantic import ValidationError

from nncompare.exceptions import DataError, DivergedError, StorageError
from nncompare.location import line_of
from nncompare.plugin import DatasetPlugin, ModelPlugin
from nncompare.results import FailureCategory

MESSAGE_CHARACTERS = 500
_GRAPH_NODE = "[[{{node"


def category(error: BaseException) -> FailureCategory:
    """Name the kind of failure that ``error`` is."""
    if isinstance(error, DivergedError):
        return "diverged"
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "oom"
    if isinstance(error, DataError):
        return "data"
    no_room = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, StorageError) or no_room:
        return "disk"
    return "plugin"


def describe_error(error: BaseException) -> str:
    """Return ``Type: message (file:line)`` on one line, pointing at the deepest line of the plugin's own code."""
    where = line_of(error, [*_below(ModelPlugin), *_below(DatasetPlugin)])
    return f"{type(error).__name__}: {message_of(error) or 'no message'}{f' ({where})' if where else ''}"


def _below(base: type) -> Iterator[type]:
    """Yield all classes that derive from one, as far as they were imported."""
    classes: list[type] = base.__subclasses__()
    for each in classes:
        yield each
        yield from _below(each)


def message_of(error: BaseException) -> str:
    """Return the text of ``error`` on one line, in at most 500 characters that every file can hold."""
    try:
        text = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
    except BaseException as fault:  # noqa: BLE001 - an exception of a plugin may fail at anything
        text = f"its message cannot be read, because str() of it raised {type(fault).__name__}"
    text = _without_graph(text)
    return " ".join(text.encode(errors="replace").decode().split())[:MESSAGE_CHARACTERS]


def _without_graph(text: str) -> str:
    """Leave the call stack out of what TensorFlow says of an operation: the cause stands below it."""
    head, found, _ = text.partition(_GRAPH_NODE)
    return head.strip().rpartition("\n")[2] if found else text


def describe_invalid(error: ValidationError) -> str:
    """Name each wrong field, its value and what is expected, without pydantic's addresses."""
    problems = [
        (".".join(str(part) for part in problem["loc"]), problem["input"], problem["msg"])
        for problem in error.errors(include_url=False)
    ]
    return "; ".join(f"{name or 'a value'} is {found!r:.100}: {message}" for name, found, message in problems)
