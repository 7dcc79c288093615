"""New samples in arrays: whether their numbers mean what those of the training meant, and in its dtype."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nncompare.data.arrays import chunks, converted
from nncompare.data.native import Native
from nncompare.data.records import Array, Samples
from nncompare.data.source import Source

__all__ = ["cast", "check_kind"]


def check_kind(X: Samples, native: Native, source: Source, instead: str) -> None:
    """Check that the numbers mean what they meant in training.

    Raises
    ------
    DataError
        Images are of another dtype, the training had categories, or a value is missing where none was.
    """
    if native.view == "image" and (X.dtype == np.uint8) != (native.dtype == "uint8"):
        raise source.fault(
            f"images are {X.dtype}, and the model was trained on {native.dtype}", f"Convert them to {native.dtype}"
        )
    named = next((column.name for column in native.columns if column.categories is not None), None)
    if named is not None:
        raise source.fault(f"an array has no categories, as column '{named}' has", instead)
    if native.columns or X.dtype.kind != "f":
        return
    row = _first_row(X, np.isnan)
    if row is not None:
        raise source.fault(
            f"a value in row {row} is NaN", "Fill it in: the model was trained on data without gaps"
        )


def cast(X: Samples, native: Native, source: Source) -> Samples:
    """Return numbers in the dtype of training; only images are whole numbers there, all else is made of floats.

    Returns
    -------
    ndarray or ChosenRows
        A memory map of another dtype is converted as it is read.

    Raises
    ------
    DataError
        A value is too large for that dtype.
    """
    dtype = np.dtype(native.dtype)
    if dtype.kind != "f" and X.dtype != dtype:
        dtype = np.dtype(np.float32)
    with np.errstate(over="ignore"):  # reported just below, with its row
        numbers = converted(X, dtype)
        row = _first_row(numbers, np.isinf) if dtype.kind == "f" else None
    if row is not None:
        raise source.fault(f"a value in {source.place(row)} is too large for {dtype}", "Scale that feature down")
    return numbers


def _first_row(X: Samples, is_bad: Callable[[Array], Array]) -> int | None:
    """Return the first row with a bad value, reading a memory map chunk by chunk."""
    for rows, chunk in chunks(X):
        bad = is_bad(chunk)
        if bad.any():
            first: int = rows.start
            return first + int(np.argwhere(bad)[0][0])
    return None
