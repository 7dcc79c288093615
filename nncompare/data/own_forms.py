"""Arrays of the user: which view they are by rank and dtype, and the form that this view needs."""

from __future__ import annotations

import numpy as np

from nncompare.data.arrays import chunks, converted
from nncompare.data.records import Array, Samples, View
from nncompare.data.samples import gather
from nncompare.data.source import Source

__all__ = [
    "as_view",
    "check_size",
    "count_gaps",
    "describe_form",
    "empty_columns",
    "guess_view",
    "needs_float64",
    "scale_of",
]

_RANKS: dict[View, str] = {
    "tabular": "(rows, features)",
    "image": "(rows, height, width, channels)",
    "sequence": "(rows, steps, features)",
}
DETAIL = 1e-3
"""Share of its range by which float32 may change a value of a column."""
UNIT = 2.0
"""Floats of images up to this are taken as they are; larger ones are brought to unit range."""


def guess_view(X: Array, source: Source) -> View:
    """Return what an array is: 2-D a table, 3-D of uint8 or 4-D images, 3-D of anything else sequences.

    Raises
    ------
    DataError
        It has another rank.
    """
    if X.ndim == 2:
        return "tabular"
    if X.ndim == 3:
        return "image" if X.dtype == np.uint8 else "sequence"
    if X.ndim == 4:
        return "image"
    if X.ndim == 1 and X.dtype.kind in "OU":
        raise source.fault(
            f"it has 1 dimension, of shape {X.shape}, and no numbers", "Texts are read with view='tokens'"
        )
    what = f"it has {X.ndim} dimension{'s' if X.ndim != 1 else ''}, of shape {X.shape}"
    forms = ", ".join(f"{form} for the view '{view}'" for view, form in _RANKS.items())
    raise source.fault(what, f"Give it as {forms}")


def as_view(X: Array, view: View, source: Source) -> Samples:
    """Return the array in the form of a view: a channel or a feature is added, small integers become uint8 images.

    Returns
    -------
    ndarray or ChosenRows
        A memory map whose images are of another dtype is converted as it is read.

    Raises
    ------
    DataError
        Its rank or dtype cannot be that of the view, or a value is infinite, or missing where it may not be.
    """
    if X.dtype.kind not in "biuf":
        raise source.fault(
            f"it has dtype {X.dtype}", "Give real numbers, or a table as a DataFrame or a .csv file"
        )
    if X.size == 0:
        raise source.fault(f"it is empty, of shape {X.shape}", "Give one row or more")
    if (view, X.ndim) in (("image", 3), ("sequence", 2)):
        X = X[..., np.newaxis]
    if view not in _RANKS or X.ndim != _RANKS[view].count(",") + 1:
        form = _RANKS.get(view, "a data set plugin's")
        raise source.fault(f"its shape {X.shape} is not that of the view '{view}'", f"Give it as {form}")
    if view == "image" and X.dtype.kind in "iu" and X.dtype != np.uint8:
        extremes = [(chunk.min(), chunk.max()) for _, chunk in chunks(X)]
        low, high = min(low for low, _ in extremes), max(high for _, high in extremes)
        if low < 0 or high > 255:
            raise source.fault(f"images of {X.dtype} go from {low} to {high}", "Use 0 to 255, or floats")
        return converted(X, np.uint8)
    if view == "image" and X.dtype.kind == "b":
        return converted(X, np.float32)
    if X.dtype.kind == "f":
        _check_values(X, view, source)
    return X


def scale_of(X: Samples, view: View, rows: Array) -> float:
    """Return what brings samples to unit range: 1/255 for uint8 images, 1.0 for all but images.

    Parameters
    ----------
    X : ndarray or ChosenRows
    view : {"tabular", "image", "sequence"}
    rows : ndarray of int64
        The training part: of floats, its largest tells.
    """
    if view != "image":
        return 1.0
    if X.dtype == np.uint8:
        return 1 / 255
    largest = max(float(np.abs(chunk).max()) for chunk in gather(X, rows))
    return 1.0 if largest <= UNIT else 1 / largest


def describe_form(X: Samples, view: View) -> str:
    """Return what a sample is, in words."""
    size = " × ".join(map(str, X.shape[1:]))
    return {
        "tabular": f"{X.shape[1]} numeric column{'s' if X.shape[1] > 1 else ''}",
        "image": f"images of {size}, {X.dtype.name}",
        "sequence": f"sequences of {size} (steps × features)",
    }[view]


def count_gaps(X: Samples) -> int:
    """Return the number of missing values, reading a memory map chunk by chunk."""
    return sum(int(np.isnan(chunk).sum()) for _, chunk in chunks(X)) if X.dtype.kind == "f" else 0


def check_size(X: Samples, source: Source) -> None:
    """Check that values that are finite are so in float32 too.

    Raises
    ------
    DataError
        A value is too large; the message says where.
    """
    if X.dtype.kind != "f" or X.dtype.itemsize <= np.dtype(np.float32).itemsize:
        return
    for rows, chunk in chunks(X):
        with np.errstate(over="ignore"):  # reported just below, with its row
            lost = np.isinf(chunk.astype(np.float32))
        if lost.any():
            row = rows.start + int(np.argwhere(lost)[0][0])
            raise source.fault(
                f"a value in {source.place(row)} is too large for float32", "Scale that feature down"
            )


def needs_float64(X: Samples) -> bool:
    """Tell whether a column of a table, such as times in seconds since 1970, would lose detail as float32."""
    if X.dtype.kind not in "iuf" or X.dtype.itemsize < np.dtype(np.float32).itemsize or X.dtype == np.float32:
        return False
    low, high, error = (np.full(X.shape[1], start) for start in (np.inf, -np.inf, 0.0))
    for _, chunk in chunks(X):
        exact = chunk.astype(np.float64)
        with np.errstate(over="ignore"):
            lost = np.abs(exact - exact.astype(np.float32))
        low, high = np.fmin(low, np.fmin.reduce(exact)), np.fmax(high, np.fmax.reduce(exact))
        error = np.fmax(error, np.fmax.reduce(np.where(np.isinf(lost), 0, lost)))  # too large ones are refused
    varies = high > low
    return bool((error[varies] > DETAIL * (high - low)[varies]).any())


def empty_columns(X: Samples) -> list[int]:
    """Return the columns of a table of floats that have no values at all."""
    empty = np.ones(X.shape[1], dtype=bool)
    for _, chunk in chunks(X):
        empty &= np.isnan(chunk).all(axis=0)
    return [int(k) for k in np.flatnonzero(empty)]


def _check_values(X: Array, view: View, source: Source) -> None:
    for rows, chunk in chunks(X):
        bad = np.isinf(chunk) if view == "tabular" else ~np.isfinite(chunk)
        if bad.any():
            row = rows.start + int(np.argwhere(bad)[0][0])
            kind = "infinite" if view == "tabular" else "NaN or infinite"
            raise source.fault(f"a value in {source.place(row)} is {kind}", "Correct it, or leave the row out")
