"""New samples that a caller holds in memory, as a file of the form in which predictions read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nncompare.data.tables import is_frame
from nncompare.exceptions import DataError

__all__ = ["write_sample_file"]


def write_sample_file(X: Any, folder: Path) -> Path:
    """Write samples into a folder; numbers are the same to the last bit when they are read.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, ...)
        A DataFrame becomes X.csv without its index, anything else X.npz.
    folder : Path

    Raises
    ------
    DataError
        It is neither a table nor numbers.
    """
    if is_frame(X):
        X.to_csv(folder / "X.csv", index=False)
        return folder / "X.csv"
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise DataError(f"The samples are no array: {error}. Give rows of equal length.") from error
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"The samples have dtype {array.dtype}. Give numbers, or a DataFrame with the columns of training."
        )
    np.savez(folder / "X.npz", X=array)
    return folder / "X.npz"
