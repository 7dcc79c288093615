"""MkDocs hook: the list of checks is made from their docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

from nncompare.testing.catalog import DATASET_CHECKS, MODEL_CHECKS, Check

_LISTS = {
    "<!-- generated: checks of models -->": ("model", MODEL_CHECKS),
    "<!-- generated: checks of data sets -->": ("data-set", DATASET_CHECKS),
}


def on_page_markdown(markdown: str, **_context: Any) -> str:
    """Replace the places that say so by a row for each check."""
    for place, (kind, checks) in _LISTS.items():
        if place in markdown:
            markdown = markdown.replace(place, "\n".join(check_rows(kind, checks)))
    return markdown


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
