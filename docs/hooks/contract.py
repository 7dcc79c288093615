"""MkDocs hook: the numbers and types of the plugin contract as a table."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from mkdocs.exceptions import PluginError

from nncompare import plugin

_CONSTANTS = "<!-- generated: plugin constants -->"
_MEANINGS = {
    "API_VERSION": "the version of the contract",
    "PAD": "the id behind the end of a text, where texts of one batch differ in length",
    "START": "the id that starts a text",
    "UNKNOWN": "the id of a word that is not known",
    "FIRST_WORD": "the id of the most frequent word",
    "JSON": "a type: what JSON can say",
    "Params": "a type: one configuration, by name of the parameter",
}


def on_page_markdown(markdown: str, **_context: Any) -> str:
    """Replace the place that says so by the rows of the table."""
    return markdown.replace(_CONSTANTS, "\n".join(constant_rows())) if _CONSTANTS in markdown else markdown


def constant_rows() -> Iterator[str]:
    """Yield a row for each public name of the contract that is no class.

    Raises
    ------
    mkdocs.exceptions.PluginError
        The names that are explained here are not those of the contract.
    """
    public = {name for name in plugin.__all__ if not inspect.isclass(getattr(plugin, name))}
    public |= {name for name in _MEANINGS if name in plugin.__all__}
    if public != set(_MEANINGS):
        raise PluginError(f"docs/hooks/contract.py explains other names than {sorted(public)}.")
    for name, meaning in _MEANINGS.items():
        value = getattr(plugin, name)
        yield f'| <code id="nncompare.plugin.{name}-value">{name}</code> | {_value(value)} | {meaning} |'


def _value(value: object) -> str:
    return f"`{value}`" if isinstance(value, int) else ""
