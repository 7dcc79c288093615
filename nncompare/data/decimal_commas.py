"""Columns of text whose numbers have a decimal comma, and not one that parts thousands."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["has_decimal_commas"]

_NUMBER = r"[-+]?(?:\d+,?\d*|,\d+)(?:[eE][-+]?\d+)?"
_THOUSANDS, _BELOW = r"[-+]?[1-9]\d{0,2},\d{3}", r"[-+]?\d{1,3}"


def has_decimal_commas(texts: pd.Series[Any], missing: Collection[str]) -> bool:
    """Tell whether a column holds nothing but numbers once a decimal comma is read.

    Not where three digits follow each comma and all other numbers are whole and below a thousand: ``1,075`` beside
    ``300`` is more likely to be 1075 than 1.075.

    Parameters
    ----------
    texts : Series of str
    missing : collection of str
        Texts that hold no value.
    """
    if not texts.str.contains(",", regex=False).any():
        return False
    numbers = texts[~texts.isin(missing)].str.strip()
    if not numbers.str.fullmatch(_NUMBER).all():
        return False
    has_comma = numbers.str.contains(",", regex=False)
    are_whole = not has_comma.all() and numbers[~has_comma].str.fullmatch(_BELOW).all()
    return not (are_whole and numbers[has_comma].str.fullmatch(_THOUSANDS).all())
