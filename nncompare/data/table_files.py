"""Files of tables, of whatever kind: what can be asked of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nncompare.data.csvfile import MISSING, read_csv
from nncompare.data.parquetfile import read_parquet
from nncompare.data.source import Source

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARQUET", "TABLES", "TEXT_TABLES", "TableFile", "name_first", "read_table_file"]

TEXT_TABLES = (".csv", ".tsv")
"""Tables that are text, and so in an encoding."""
PARQUET = ".parquet"
TABLES = (*TEXT_TABLES, PARQUET)


class TableFile(Protocol):
    """A table that was read, without any opinion on what its columns mean."""

    @property
    def names(self) -> Sequence[str]:
        """The names of the columns; may hold empty and equal ones."""
        ...

    @property
    def source(self) -> Source:
        """For messages."""
        ...

    def frame(self) -> pd.DataFrame:
        """Return all columns with missing values where there are none."""
        ...

    def values(self, k: int) -> pd.Series[Any]:
        """Return one column as it stands."""
        ...

    def column(self, k: int, missing: Collection[str] = MISSING) -> pd.Series[Any]:
        """Return one column with missing values in place of these texts too."""
        ...

    def strings(self, k: int) -> list[str]:
        """Return one column as texts to copy; missing values are empty."""
        ...

    def decimal_commas(self) -> list[int]:
        """Return the columns whose numbers were written with a decimal comma."""
        ...

    def has_index(self) -> bool:
        """Tell whether the first column holds row labels."""
        ...


def read_table_file(
    path: Path, encoding: str | None = None, *, is_new: bool = False, is_named: bool = True
) -> TableFile:
    """Read a table of one of the kinds ``TABLES``.

    Parameters
    ----------
    path : Path
    encoding : str, optional
        Of a table that is text.
    is_new, is_named : bool
        See :func:`~nncompare.data.csvfile.read_csv`.

    Raises
    ------
    DataError, UsageError
        It cannot be read.
    """
    if path.suffix.lower() == PARQUET:
        return read_parquet(path)
    return read_csv(path, encoding, is_new=is_new, is_named=is_named)


def name_first(names: Sequence[str]) -> list[str]:
    """Return the names of columns, with one for the first where ``DataFrame.to_csv()`` wrote an index."""
    if names[0]:
        return list(names)
    name = "column 1"
    while name in names:
        name = f"{name}*"
    return [name, *names[1:]]
