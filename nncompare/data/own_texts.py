"""Texts that a table holds or that a caller hands over: checked, and missing ones empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nncompare.data.column_kinds import are_dates
from nncompare.data.encoding import numbers_in, texts
from nncompare.data.records import Array
from nncompare.data.source import Source
from nncompare.data.tables import MOSTLY_NUMBERS, is_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_texts", "checked_texts", "name_of"]

UNNAMED = "text"
"""What texts without a column are called; a table of new ones needs a column of this name."""


def name_of(X: Any) -> str:
    """Return the name of a Series, or what stands for one."""
    name = getattr(X, "name", None)
    return name if isinstance(name, str) and name else UNNAMED


def as_texts(X: Any, source: Source) -> list[str]:
    """Return a list, a Series or an array of texts; None, NaN and the like are empty ones.

    Raises
    ------
    DataError
        It is a table, of another rank, or holds anything else, or half of a character.
    """
    import pandas as pd

    if is_frame(X):
        raise source.fault("it is a table", "Give the column of texts: X=table['review']")
    values = X if isinstance(X, pd.Series) else np.asarray(X, dtype=object)
    if values.ndim != 1:
        raise source.fault(f"it has the shape {values.shape}", "Give one text per row, of shape (rows,)")
    found = []
    for row, value in enumerate(values.tolist()):
        if isinstance(value, str):
            found.append(_encodable(value, row, source))
        elif pd.api.types.is_scalar(value) and pd.isna(value):
            found.append("")
        else:
            what = f"row {row} is an object of type {type(value).__name__}"
            raise source.fault(what, "Give texts as str, or leave view='tokens' out")
    return found


def checked_texts(name: str, series: pd.Series[Any], rows: Array, source: Source) -> list[str]:
    """Return a column of a table as texts.

    Parameters
    ----------
    name : str
    series : Series
        As it stands in the file.
    rows : ndarray of int64
        Those that are not set aside for the test, which tell what it holds.
    source : Source

    Raises
    ------
    DataError
        It holds numbers or dates.
    """
    told = series.iloc[rows]
    present = told[told.notna() & ~told.isin([""])]
    is_number = np.isfinite(numbers_in(present))
    kind = ""
    if present.dtype.kind == "M" or are_dates(list(filter(None, texts(present)))):
        kind = "dates"
    elif len(is_number) and is_number.mean() >= MOSTLY_NUMBERS:
        kind = "numbers"
    if kind:
        raise source.fault(
            f"column '{name}' holds {kind}, not texts",
            "Name the column of texts, or leave --text out: then all columns are read",
        )
    return ["" if text is None else text for text in texts(series)]


def _encodable(text: str, row: int, source: Source) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = f"row {row} has {text[error.start]!a} at position {error.start}, which is half of a character"
        raise source.fault(what, "Decode the text by the encoding that it was written in") from error
    return text
