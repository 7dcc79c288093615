"""What the TAB key offers for the columns of a table that stands on the line: its header is read, nothing more."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import click
from click.shell_completion import CompletionItem

__all__ = ["complete_columns"]

_HEAD_BYTES = 1 << 16
_TABLES = {".csv", ".tsv"}
_DELIMITERS = ",;\t|"
_PLAIN = re.compile(r"[\w.+-]+")  # other names a shell would split or expand


def complete_columns(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the columns of the tables behind ``-d``, the last one first: it is the target most of the time."""
    tables = [Path(name).expanduser() for name in ctx.params.get("datasets") or ()]
    names = [name for table in tables for name in reversed(_header(table, ctx.params.get("encoding")))]
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _header(table: Path, encoding: str | None) -> list[str]:
    """Return the names in the first line of a table; none where it cannot be read, whatever the reason."""
    if table.suffix.lower() not in _TABLES:
        return []
    try:
        with table.open("rb") as stream:
            text = stream.read(_HEAD_BYTES).decode(encoding or "utf-8-sig", errors="ignore")
        line = next((line for line in text.splitlines() if line.strip()), "")
        delimiter = max(_DELIMITERS, key=line.count)
        names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except (OSError, LookupError, ValueError, csv.Error):
        return []
    return [name for name in names if _PLAIN.fullmatch(name)]
