"""MkDocs hook: every record of a decision in docs/adr has its place in the navigation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_TITLE = "Decisions"


def on_config(config: Any) -> None:
    """Fill the section of decisions, in the order of their numbers, the template left out."""
    pages = [f"adr/{file.name}" for file in sorted(Path(config.docs_dir, "adr").glob("[0-9]*.md"))]
    _section(config.nav).extend(page for page in pages if not page.startswith("adr/0000"))


def _section(nav: list[Any]) -> list[str]:
    """Return the list of pages behind the title, wherever it stands.

    Raises
    ------
    KeyError
        The navigation has no section of that title.
    """
    rest = list(nav)
    while rest:
        entry = rest.pop()
        if isinstance(entry, dict):
            for title, pages in entry.items():
                if title == _TITLE:
                    return pages
                rest.extend(pages if isinstance(pages, list) else [])
    raise KeyError(_TITLE)
