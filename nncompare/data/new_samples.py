"""Files of new samples for a trained model: brought into the form of the data that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nncompare.data.csvfile import CsvTable, read_csv
from nncompare.data.given import plain_labels
from nncompare.data.labels import codes_of, label_names
from nncompare.data.npzfile import read_npz
from nncompare.data.own_forms import as_view
from nncompare.data.records import Array, Column, Labels, Samples, View
from nncompare.data.source import Source, listed
from nncompare.data.tables import check_names, encode
from nncompare.exceptions import UsageError

__all__ = ["UNKNOWN_CLASS", "read_samples"]

UNKNOWN_CLASS = -1
_PAIRS = (("X", "y"), ("x", "y"), ("X_test", "y_test"), ("x_test", "y_test"), ("X_train", "y_train"))


def read_samples(
    path: Path,
    *,
    view: View,
    sample_shape: tuple[int, ...] | None,
    dtype: str,
    columns: Sequence[Column] = (),
    class_names: Sequence[str],
    target: str | None = None,
    encoding: str | None = None,
) -> tuple[Samples, Labels | None]:
    """Read a file of new samples.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.tsv`` where the model was trained on a table: all of its ``columns`` by name, in any order,
        others are ignored; by position where the table had no names. Or ``.npz`` with ``X``, and perhaps ``y``.
    view, sample_shape, dtype, columns, class_names
        Of the data set that the model was trained on, in its native form.
    target : str, optional
        The column that holds the classes, if the file has it.
    encoding : str, optional
        Of a table; UTF-8 by default.

    Returns
    -------
    X : ndarray of shape (n_samples, *sample_shape)
        Categories that the model never saw are NaN, as missing values are.
    labels : ndarray of shape (n_samples,), int64, or None
        Codes, -1 for rows of a table whose class is missing; None where the file has none.

    Raises
    ------
    DataError
        The file cannot be used, or its samples are of another form; the message says where.
    UsageError
        There is no such file, or none of its kind can hold such samples.
    """
    if not path.is_file():
        raise UsageError(f"There is no file '{path}'.")
    suffix = path.suffix.lower()
    if view == "tokens" or suffix not in (".csv", ".tsv", ".npz"):
        kinds = ".npz files" if view in ("image", "sequence") else ".csv, .tsv and .npz files"
        what = "texts cannot be read from files" if view == "tokens" else f"{kinds} are"
        raise UsageError(f"'{path.name}' is not read: {what}.")
    if suffix == ".npz":
        return _from_archive(path, view, sample_shape, dtype, columns, class_names)
    if view != "tabular":
        raise UsageError(f"'{path.name}' is a table, and the model was trained on {view}s. Give an .npz file.")
    table = read_csv(path, encoding)
    labels = _labels_of(table, target, class_names)
    return _by_name(table, columns) if columns else _by_position(table, sample_shape, target), labels


def _by_name(table: CsvTable, columns: Sequence[Column]) -> Array:
    missing = [column.name for column in columns if column.name not in table.names]
    if missing:
        lacks = "the column" if len(missing) == 1 else "the columns"
        raise table.source.fault(
            f"it lacks {lacks} {listed(missing, quoted=True)}, from which the model was trained",
            f"Add them; its columns are {listed(table.names)}",
        )
    needed = {column.name for column in columns}
    check_names([name if name in needed else f"\0{k}" for k, name in enumerate(table.names)], table.source)
    return encode(table.frame, table.names, columns, table.source)


def _by_position(table: CsvTable, sample_shape: tuple[int, ...] | None, target: str | None) -> Array:
    kept = [k for k, name in enumerate(table.names) if target is None or name != target]
    n_features = (sample_shape or (0,))[0]
    if len(kept) != n_features:
        what = f"it has {len(kept)} columns, and the model was trained on {n_features} features"
        raise table.source.fault(what, "Give these, in their order")
    names = [f"{table.names[k]}" or f"{k + 1}" for k in kept]
    unique = [Column(name=f"{name}" if names.count(name) == 1 else f"{name}*{k}") for k, name in enumerate(names)]
    X = encode(table.frame.iloc[:, kept], [column.name for column in unique], unique, table.source)
    gaps = np.isnan(X)
    if gaps.any():
        row, k = np.argwhere(gaps)[0]
        what = f"column '{unique[k].name}', {table.source.place(int(row))} has no value"
        raise table.source.fault(what, "Fill it in: the model was trained on data without gaps")
    return X.astype(np.float32)


def _labels_of(table: CsvTable, target: str | None, class_names: Sequence[str]) -> Labels | None:
    if target is None or target not in table.names:
        return None
    column = table.frame.iloc[:, table.names.index(target)]
    missing = column.isna().to_numpy()
    if missing.all():
        return None
    values = column.to_numpy(dtype=object)
    values[missing] = values[~missing][0]
    return np.where(missing, UNKNOWN_CLASS, _codes(values, class_names, f"column '{target}'", table.source))


def _codes(values: Array, class_names: Sequence[str], what: str, source: Source) -> Labels:
    """Return labels as codes; names are looked for first, then codes themselves are taken for such."""
    names = label_names(values, what, source)
    codes = list(map(str, range(len(class_names))))
    by_code = not set(names) <= set(class_names) and set(names) <= set(codes)
    return codes_of(names, codes if by_code else class_names, what, source)


def _from_archive(
    path: Path,
    view: View,
    sample_shape: tuple[int, ...] | None,
    dtype: str,
    columns: Sequence[Column],
    class_names: Sequence[str],
) -> tuple[Array, Labels | None]:
    arrays = read_npz(path, [name for pair in _PAIRS for name in pair])
    x, y = next((pair for pair in _PAIRS if pair[0] in arrays), ("", ""))
    if not x:
        raise Source(f"'{path.name}'").fault(
            f"it holds {listed(sorted(arrays))} and no 'X'", "Add the samples as X"
        )
    source = Source(f"'{path.name}', array '{x}',")
    X = as_view(arrays[x], view, source)
    if X.shape[1:] != sample_shape:
        what = f"a sample has the shape {X.shape[1:]}, and the model was trained on {sample_shape}"
        raise source.fault(what, "Give samples of that shape")
    _check_kind(X, dtype, columns, source)
    labels = None
    if y in arrays:
        given = plain_labels(arrays[y], Source(f"'{path.name}', array '{y}',"))
        if len(given) != len(X):
            raise source.fault(f"it has {len(X):,} rows and '{y}' has {len(given):,}", "Give one class per row")
        labels = _codes(given, class_names, f"'{y}'", source)
    return np.ascontiguousarray(X, dtype=dtype), labels


def _check_kind(X: Array, dtype: str, columns: Sequence[Column], source: Source) -> None:
    """Check that the numbers mean what they meant in training."""
    if (X.dtype == np.uint8) != (dtype == "uint8") and "uint8" in (X.dtype.name, dtype) and X.ndim == 4:
        raise source.fault(
            f"images are {X.dtype}, and the model was trained on {dtype}", f"Convert them to {dtype}"
        )
    named = next((column.name for column in columns if column.categories is not None), None)
    if named is not None:
        raise source.fault(f"an array has no categories, as column '{named}' has", "Give a .csv file")
    if not columns and X.dtype.kind == "f" and np.isnan(X).any():
        row = int(np.argwhere(np.isnan(X))[0][0])
        raise source.fault(
            f"a value in row {row} is NaN", "Fill it in: the model was trained on data without gaps"
        )
