"""The code by which a model card brings a table into the form of the training; comparisons run the same."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

__all__ = ["as_trained"]


def as_trained(table: pd.DataFrame, columns: dict[str, list[str] | None]) -> pd.DataFrame:
    """Return numbers as float64, and categories as the training wrote them; NaN is missing, other text unknown."""

    def without_fraction(text: str) -> str:
        return re.sub(r"\A(-?\d+)\.0+\Z", r"\1", text)

    def as_text(value: object) -> str:
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return str(int(value))
        return str(value).strip()

    table = table.rename(columns=str)
    found = {}
    for name, categories in columns.items():
        if categories is None:
            numbers = pd.to_numeric(table[name].astype(object))
            found[name] = pd.Series(numbers.to_numpy(dtype="float64", na_value=np.nan), index=table.index)
        else:
            exact, whole = set(categories), {without_fraction(text): text for text in categories}
            given = [as_text(value) for value in table[name]]
            texts = [text if text in exact else whole.get(without_fraction(text), text) for text in given]
            known = pd.Series(texts, index=table.index, dtype=object)
            found[name] = known.where(table[name].notna().to_numpy(), np.nan)
    return pd.DataFrame(found)
