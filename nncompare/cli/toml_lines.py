"""Finds the line on which a TOML file sets a key, for the messages about it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from typing import Any


def line_of(text: str, path: Sequence[str]) -> int | None:
    """Return the line on which ``path`` is set in ``text``, counted from 1; None where it is not.

    The parser of the standard library tells no lines. But a file that is cut behind a line still parses, if the
    cut is between two statements: the first cut that holds the key ends with the statement that sets it.

    Parameters
    ----------
    text : str
        A valid TOML file.
    path : sequence of str
        The names of the tables, then the key.
    """
    lines = [f"{line}\n" for line in text.split("\n")]  # as TOML counts them; Python knows more line breaks
    start = 0
    for end in range(1, len(lines) + 1):
        try:
            values = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # inside a list or a text of several lines
        if _holds(values, path):
            return 1 + next(_first_statements(lines, start, end), start)
        start = end
    return None


def _first_statements(lines: Sequence[str], start: int, end: int) -> Iterator[int]:
    """Yield the lines that are neither empty nor comments."""
    return (n for n in range(start, end) if lines[n].strip() and not lines[n].lstrip().startswith("#"))


def _holds(values: Any, path: Sequence[str]) -> bool:
    """Tell whether nested tables hold a path; a key may hold dots, so names are joined where they must be."""
    if not path:
        return True
    if not isinstance(values, dict):
        return False
    return any(
        ".".join(path[:n]) in values and _holds(values[".".join(path[:n])], path[n:])
        for n in range(1, len(path) + 1)
    )
