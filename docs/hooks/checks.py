"""The lists of checks, made from their docstrings; generate.py puts them into the pages."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

from nncompare.testing.catalog import Check


def check_rows(kind: str, checks: Iterable[Check]) -> Iterator[str]:
    """Yield the rows of a table: the name of each check, and the property that it stands for.

    Parameters
    ----------
    kind : str
        Part of each row's anchor: both kinds have checks of the same name.
    checks : iterable of callable
    """
    for check in checks:
        text = " ".join((inspect.getdoc(check) or "").split())
        text = re.sub(r"``([^`]+)``", r"`\1`", text)
        yield f'| <code id="{kind}-{check.__name__}">{check.__name__}</code> | {text} |'
