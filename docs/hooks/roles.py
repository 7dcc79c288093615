"""Griffe extension: the roles of docstrings, as in ``:class:`~a.Name```, become links where there is a page."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":[a-z:]+:`(~?)([\w.]+)`")


class Roles(griffe.Extension):
    """Rewrites each docstring before it is read."""

    def on_object(self, *, obj: griffe.Object, **_context: Any) -> None:
        """Replace the roles of one object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(_link, obj.docstring.value)


def _link(role: re.Match[str]) -> str:
    """Return a link to the object, or just its name where the pages do not show it."""
    name = role[2].rpartition(".")[2] if role[1] else role[2]
    return f'<autoref optional identifier="{role[2]}"><code>{name}</code></autoref>'
