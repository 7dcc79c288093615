"""Parquet files of the user, read by pandas and pyarrow: what a column holds is known there, and not guessed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncompare.data.csvfile import MISSING
from nncompare.data.encoding import texts
from nncompare.data.source import Source
from nncompare.data.tables import check_apart, column_names
from nncompare.exceptions import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ParquetTable", "read_parquet"]


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """A file with the types of its columns, as :class:`~nncompare.data.table_files.TableFile` wants it.

    Parameters
    ----------
    names : list of str
    columns : DataFrame
        As pandas reads them; an index that was written with them is no column.
    source : Source
    """

    names: list[str]
    columns: pd.DataFrame
    source: Source

    def frame(self) -> pd.DataFrame:
        """Return all columns: missing values are what they are in the file, and texts are categories."""
        import pandas as pd

        frame = self.columns.copy()
        for k, dtype in enumerate(frame.dtypes):
            if isinstance(dtype, pd.StringDtype):
                frame.isetitem(k, frame.iloc[:, k].astype("category").array)  # "01" is no number here
        return frame

    def values(self, k: int) -> pd.Series[Any]:
        """Return one column as it stands."""
        return self.columns.iloc[:, k]

    def column(self, k: int, missing: Collection[str] = MISSING) -> pd.Series[Any]:
        """Return one column: texts such as ``NA`` are none that stand for missing values here."""
        return self.values(k)

    def strings(self, k: int) -> list[str]:
        """Return one column as texts to copy; missing values are empty."""
        return ["" if text is None else text for text in texts(self.values(k))]

    def decimal_commas(self) -> list[int]:
        """Return none: numbers are no texts here."""
        return []

    def has_index(self) -> bool:
        """Return False: pandas keeps an index apart."""
        return False


def read_parquet(path: Path) -> ParquetTable:
    """Read a file.

    Raises
    ------
    DataError
        It is no Parquet file or is damaged, has two columns of one name, or holds no rows or no columns.
    UsageError
        pyarrow is not installed.
    """
    import pandas as pd  # trial children import this package and must start at once

    source = Source(f"'{path.name}'")
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            f"'{path.name}' is not read: pyarrow, which reads Parquet files, is not installed. Install it: "
            "pip install 'nncompare[parquet]'."
        ) from error
    try:
        check_apart(parquet.read_schema(path).names, source)
        columns = pd.read_parquet(path, engine="pyarrow")
    except (TypeError, NotImplementedError) as error:
        what = f"pandas cannot hold one of its columns ({str(error)[:100]})"
        raise source.fault(what, "Write that column as numbers or texts, or leave it out") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        what = f"it is no Parquet file or is damaged ({type(error).__name__})"
        raise source.fault(what, "Write it again, such as by pandas' to_parquet") from error
    if not len(columns):
        raise source.fault("it has no rows", "Give one row or more")
    if not columns.shape[1]:
        raise source.fault("it has no columns", "Give features and a column of classes")
    for k, dtype in enumerate(columns.dtypes):
        if dtype.kind == "O" and _holds_decimals(columns.iloc[:, k]):
            columns.isetitem(k, pd.to_numeric(columns.iloc[:, k]).to_numpy(dtype="float64"))
    return ParquetTable(column_names(columns), columns.reset_index(drop=True), source)


def _holds_decimals(series: pd.Series[Any]) -> bool:
    """Tell whether the column was of decimals, which pandas has as objects."""
    from decimal import Decimal

    present = series.notna()
    return bool(present.any()) and isinstance(series[present].iloc[0], Decimal)
