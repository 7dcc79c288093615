"""What a caller hands over in place of an array: lists, Series, DataFrames, masked and sparse arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nncompare.data.records import Array
from nncompare.data.source import Source
from nncompare.data.tables import column_names, is_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_rows", "plain_array", "plain_labels"]

_REAL = "Give real numbers, such as the real and the imaginary part as two features"


def plain_array(X: Any, source: Source) -> Array:
    """Return something array-like as an array.

    Raises
    ------
    DataError
        It is sparse or complex, masks what is no number, or its rows differ in length.
    """
    if hasattr(X, "toarray"):
        raise source.fault("it is sparse", "Make it dense with .toarray()")
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        X = _unmasked(X, source)
    try:
        array = np.asarray(X)
    except (ValueError, TypeError) as error:
        raise source.fault(f"it is no array ({str(error)[:100]})", "Give rows of equal shape") from error
    if array.dtype.kind == "c":
        raise source.fault("it holds complex numbers", _REAL)
    return array


def _unmasked(X: np.ma.MaskedArray[Any, Any], source: Source) -> Array:
    """Return masked numbers as missing values."""
    if X.dtype.kind not in "biuf":
        raise source.fault(f"it masks values of dtype {X.dtype}", "Fill them in, or give a table with empty cells")
    numbers = X.astype(np.promote_types(X.dtype, np.float32))
    return np.asarray(np.ma.filled(numbers, np.nan))


def plain_labels(y: Any, source: Source) -> Array:
    """Return labels as an array of one dimension.

    Raises
    ------
    DataError
        They are one-hot, of another shape, or dates.
    """
    labels = plain_array(y, source)
    if labels.dtype.kind in "mM":
        what = "it holds dates or durations, which name no classes"
        raise source.fault(what, "Cut them into classes, such as pandas' y.dt.year, or give them as text")
    if labels.dtype.kind in "US" and isinstance(y, list | tuple):
        labels = np.asarray(y, dtype=object)  # NumPy's own text would lose a NUL at its end, and merge two classes
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if _is_one_hot(labels):
        raise source.fault(f"it is one-hot, of shape {labels.shape}", "Give one class per row: y.argmax(axis=1)")
    if labels.ndim != 1:
        remedy = "Give one class per row, of shape (rows,)"
        remedy = f"{remedy}: y.ravel()" if labels.ndim == 2 and len(labels) == 1 else remedy
        raise source.fault(f"it has the shape {labels.shape}", remedy)
    return labels


def _is_one_hot(labels: Array) -> bool:
    """Tell whether each row holds a single 1 among zeros, or the probabilities of several classes."""
    if labels.ndim != 2 or labels.dtype.kind not in "biuf" or not labels.size or labels.shape[1] < 2:
        return False
    return bool((labels >= 0).all() and np.allclose(labels.astype(np.float64).sum(axis=1), 1))


def as_rows(X: Any, source: Source) -> Any:
    """Return samples as an array, or as a DataFrame where they are one or hold text.

    Raises
    ------
    DataError
        They are neither.
    """
    if hasattr(X, "to_pandas"):
        X = X.to_pandas()
    if is_frame(X):
        _check_real(X, source)
        return X
    array = plain_array(X, source)
    if array.ndim == 0:
        raise source.fault(f"it is an object of type {type(X).__name__}", "Give an array of rows")
    if array.ndim != 2 or array.dtype.kind not in "OUS":
        return array
    import pandas as pd

    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    names = [f"x{k}" for k in range(array.shape[1])]
    frame = pd.DataFrame(array.astype(object), columns=names)
    _check_real(frame, source)
    return frame


def _check_real(frame: pd.DataFrame, source: Source) -> None:
    """Refuse complex numbers, of which a model would see the real part alone."""
    for name, series in zip(column_names(frame), (frame.iloc[:, k] for k in range(frame.shape[1])), strict=True):
        if series.dtype.kind == "c" or (series.dtype == object and any(map(_is_complex, series))):
            raise source.fault(f"column '{name}' holds complex numbers", _REAL)


def _is_complex(value: object) -> bool:
    return isinstance(value, complex | np.complexfloating)
