"""New samples in arrays: whether their numbers mean what those of the training meant, and in its dtype."""

from __future__ import annotations

import numpy as np

from nncompare.data.native import Native
from nncompare.data.records import Array
from nncompare.data.source import Source

__all__ = ["cast", "check_kind"]


def check_kind(X: Array, native: Native, source: Source, instead: str) -> None:
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
    if not native.columns and X.dtype.kind == "f" and np.isnan(X).any():
        row = int(np.argwhere(np.isnan(X))[0][0])
        raise source.fault(
            f"a value in row {row} is NaN", "Fill it in: the model was trained on data without gaps"
        )


def cast(X: Array, native: Native, source: Source) -> Array:
    """Return numbers in the dtype of training; only images are whole numbers there, all else is made of floats.

    Raises
    ------
    DataError
        A value is too large for that dtype.
    """
    dtype = np.dtype(native.dtype)
    if dtype.kind != "f" and X.dtype != dtype:
        dtype = np.dtype(np.float32)
    with np.errstate(over="ignore"):  # reported just below, with its row
        numbers = np.ascontiguousarray(X, dtype=dtype)
    lost = np.isinf(numbers) if dtype.kind == "f" else np.zeros(1, dtype=bool)
    if lost.any():
        row = int(np.argwhere(lost)[0][0])
        raise source.fault(f"a value in {source.place(row)} is too large for {dtype}", "Scale that feature down")
    return numbers
