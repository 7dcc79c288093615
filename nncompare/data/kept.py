"""Columns of a table of new samples that go into the predictions as they stand, so that both can be joined."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from nncompare.data.source import listed
from nncompare.data.table_files import TableFile, name_first
from nncompare.exceptions import UsageError

__all__ = ["EVERY", "kept_columns"]

EVERY = "all"


def kept_columns(table: TableFile, keep: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the texts of the wanted columns by name, in the order in which they were asked for.

    Parameters
    ----------
    table : TableFile
    keep : sequence of str
        Names of columns, whether or not the model uses them; ``all`` for every one.

    Raises
    ------
    UsageError
        There is no such column, or there are two.
    """
    names = name_first(table.names)
    wanted = names if EVERY in keep else list(dict.fromkeys(keep))
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise UsageError(
                f"{table.source.name} has no column '{name}' to keep.{hint} Its columns are {listed(names)}."
            )
        if names.count(name) > 1:
            raise UsageError(f"{table.source.name} has two columns '{name}', so none is kept. Rename one of them.")
    return {name: table.strings(names.index(name)) for name in wanted}
