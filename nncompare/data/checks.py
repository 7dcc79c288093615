"""What a data set must be like before anything is trained on it; each fault has one sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nncompare.data.arrays import ChosenRows, chunks, converted
from nncompare.data.column_checks import Fault, find_column_fault, find_value_fault
from nncompare.data.keyed_splits import find_split_fault
from nncompare.data.ragged import FIRST_WORD, START, UNKNOWN, Ragged, offsets_rise
from nncompare.data.records import VIEWS, Array, Column, Dataset, DatasetInfo, Labels, Samples
from nncompare.exceptions import DataError

__all__ = ["check_dataset"]

LARGEST_ID = 10_000_000
"""Of a token: ids are ranks, and tables of their counts are as long as the largest."""

_TEXTS = ("description", "licence", "citation", "homepage")
_SHAPES = {
    "tabular": "(samples, features)",
    "image": "(samples, height, width, channels)",
    "sequence": "(samples, steps, features)",
}


def check_dataset(info: DatasetInfo, dataset: Dataset) -> Dataset:
    """Return the data set in the dtypes that everything else expects, or say what is wrong with it.

    Parameters
    ----------
    info : DatasetInfo
    dataset : Dataset
        As ``DatasetPlugin.load`` returned it.

    Returns
    -------
    Dataset
        ``X`` C-contiguous, uint8 (images that were) or float32; tables with columns float64; tokens a Ragged of
        int32 and int64; ``y`` int64. A memory map of another dtype becomes a
        :class:`~nncompare.data.arrays.ChosenRows`, which is converted as it is read.

    Raises
    ------
    DataError
        Wrong type, rank, dtype or shape; NaN or infinite values; lengths that disagree; labels that are not
        integers from 0 to n_classes - 1; one class only; a class with too few samples to be split; ids that are
        no tokens; texts with halves of surrogate pairs; columns that disagree with the table.
    """
    _check_info(info)
    if not isinstance(dataset, Dataset):
        raise _fault(info, f"load() returned {_kind(dataset)}", "Return a nncompare.plugin.Dataset")
    if (dataset.X_test is None) != (dataset.y_test is None):
        there, missing = ("X_test", "y_test") if dataset.y_test is None else ("y_test", "X_test")
        raise _fault(info, f"{there} is given without {missing}", "Give both, or neither")
    _check_columns(info, dataset.columns)
    X_train, y_train = _check_part(info, "train", dataset.X_train, dataset.y_train, dataset.columns)
    _check_classes(info, y_train, has_test=dataset.X_test is not None)
    _check_words(info, dataset.words)
    _check_files(info, dataset)
    if dataset.X_test is None:
        _check_split(info, dataset, y_train, None)
        return replace(dataset, X_train=X_train, y_train=y_train)
    X_test, y_test = _check_part(info, "test", dataset.X_test, dataset.y_test, dataset.columns)
    if info.view != "tokens":
        _check_same_form(info, X_train, X_test)
    _check_split(info, dataset, y_train, y_test)
    return replace(dataset, X_train=X_train, y_train=y_train, X_test=X_test, y_test=y_test)


def _check_info(info: DatasetInfo) -> None:
    if info.view not in VIEWS:
        raise _fault(info, f"info.view is {info.view!r}", f"Use one of {', '.join(VIEWS)}")
    if len(info.class_names) < 2:
        raise _fault(info, f"info.class_names holds {len(info.class_names)} name", "Name two classes or more")
    if len(set(info.class_names)) < len(info.class_names):
        raise _fault(info, "info.class_names holds a name twice", "Give each class a name of its own")
    for k, name in enumerate(info.class_names):
        _check_encodable(info, f"info.class_names[{k}]", name)
    for name in _TEXTS:
        _check_encodable(info, f"info.{name}", getattr(info, name))
    if not (math.isfinite(info.scale) and info.scale > 0):
        raise _fault(info, f"info.scale is {info.scale}", "Give a positive number, such as 1/255 for uint8 images")


def _check_part(
    info: DatasetInfo, part: str, X: object, y: object, columns: Sequence[Column]
) -> tuple[Samples, Labels]:
    """Check samples and labels of one part, and convert them."""
    if info.view == "tokens":
        samples: Samples = _check_tokens(info, f"X_{part}", X)
    else:
        samples = _check_samples(info, f"X_{part}", X, columns)
    labels = _check_array(info, f"y_{part}", y)
    if labels.ndim != 1:
        raise _fault(info, f"y_{part} has {labels.ndim} dimensions", "Give one class code per sample: (samples,)")
    if len(samples) != len(labels):
        raise _fault(
            info,
            f"X_{part} has {len(samples):,} rows and y_{part} has {len(labels):,}",
            "Give one label per row",
        )
    return samples, _convert_labels(info, f"y_{part}", labels)


def _check_samples(info: DatasetInfo, role: str, X: object, columns: Sequence[Column]) -> Samples:
    array: Samples = X if isinstance(X, ChosenRows) else _check_array(info, role, X)
    _check_form(info, role, array)
    if not columns:
        return _convert_samples(info, role, array)
    table = converted(array, np.float64)
    _raise_found(info, role, find_value_fault(columns, table))
    return table


def _check_columns(info: DatasetInfo, columns: Any) -> None:
    _raise_found(info, "", find_column_fault(columns))
    if columns and info.view != "tabular":
        raise _fault(info, f"columns are given for the view '{info.view}'", "Only a table has columns")


def _raise_found(info: DatasetInfo, role: str, fault: Fault | None) -> None:
    if fault is not None:
        what, remedy = fault
        raise _fault(info, f"{role}, {what}" if role else what, remedy)


def _check_tokens(info: DatasetInfo, role: str, X: object) -> Ragged:
    """Check ids and offsets of texts, which may be empty, and convert them."""
    if not isinstance(X, Ragged):
        raise _fault(info, f"{role} is {_kind(X)}", "The view 'tokens' needs a nncompare.plugin.Ragged")
    values, offsets = (_check_array(info, f"{role}.{name}", getattr(X, name)) for name in ("values", "offsets"))
    for name, array in (("values", values), ("offsets", offsets)):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            what = f"{role}.{name} is {array.dtype} with {array.ndim} dimensions"
            raise _fault(info, what, "Give whole numbers in one dimension")
    if len(offsets) < 2 or not offsets_rise(offsets, len(values)):
        what = f"{role}.offsets do not rise from 0 to the {len(values):,} values"
        raise _fault(info, what, "Text i is values[offsets[i]:offsets[i + 1]]")
    if not (values >= FIRST_WORD).any():
        raise _fault(info, f"{role} holds no words", f"Words have ids from {FIRST_WORD}: their rank plus 3")
    outside = (values < START) | ((values > UNKNOWN) & (values < FIRST_WORD)) | (values > LARGEST_ID)
    if outside.any():
        value = int(values[outside.argmax()])
        row = int(np.searchsorted(offsets, outside.argmax(), side="right")) - 1
        what = f"{role}, row {row}: {value} is not the id of a token"
        raise _fault(info, what, f"Ids are 1 (start), 2 (unknown), {FIRST_WORD} to {LARGEST_ID:,} (words)")
    return Ragged(np.ascontiguousarray(values, np.int32), np.ascontiguousarray(offsets, np.int64))


def _check_split(info: DatasetInfo, dataset: Dataset, y_train: Labels, y_test: Labels | None) -> None:
    """Check the keys by which rows are to be split."""
    by = dataset.split_by
    if by is None:
        return
    _check_keys(info, "keys", by.keys, len(y_train))
    if by.keys_test is not None and y_test is None:
        raise _fault(info, "split_by.keys_test is given without X_test", "Give both, or neither")
    if by.keys_test is not None and y_test is not None:
        _check_keys(info, "keys_test", by.keys_test, len(y_test))
    _raise_found(info, "", find_split_fault(by, y_train, info.class_names, has_test=y_test is not None))


def _check_keys(info: DatasetInfo, role: str, keys: object, n_rows: int) -> None:
    array = _check_array(info, f"split_by.{role}", keys)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise _fault(info, f"split_by.{role} is {array.dtype}", "Give one whole number per row")
    if len(array) != n_rows:
        raise _fault(info, f"split_by.{role} has {len(array):,} rows, not {n_rows:,}", "Give one key per row")


def _check_words(info: DatasetInfo, words: Any) -> None:
    is_list = isinstance(words, Sequence) and not isinstance(words, str)
    if not is_list or not all(isinstance(word, str) for word in words):
        raise _fault(info, f"words is {_kind(words)}", "Give a list of str, the words by rank, or nothing")
    for k, word in enumerate(words):
        _check_encodable(info, f"words[{k}]", word)


def _check_files(info: DatasetInfo, dataset: Dataset) -> None:
    n_test = 0 if dataset.X_test is None else len(dataset.X_test)
    n_rows = len(dataset.X_train) + n_test
    for role, names, n in (("test_files", dataset.test_files, n_test), ("row_names", dataset.row_names, n_rows)):
        if len(names) not in (0, n):
            raise _fault(info, f"{role} has {len(names):,} names for {n:,} samples", "Name each, or none")
        for k, name in enumerate(names):
            _check_encodable(info, f"{role}[{k}]", name)


def _check_encodable(info: DatasetInfo, role: str, text: str) -> None:
    """Check that UTF-8 has each character: half of a surrogate pair can neither be stored nor shown."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = f"{role} has {text[error.start]!a} at position {error.start}, which is half of a character"
        raise _fault(info, what, "Decode the text by the encoding that it was written in") from error


def _check_array(info: DatasetInfo, role: str, array: object) -> Array:
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        raise _fault(info, f"{role} is {_kind(array)}", "Give a NumPy array")
    if array.dtype.hasobject:
        raise _fault(info, f"{role} has dtype {array.dtype}", "Convert it to numbers; objects are never stored")
    return array


def _check_form(info: DatasetInfo, role: str, X: Samples) -> None:
    """Check rank, extent and dtype of samples against the view."""
    shape = _SHAPES[info.view]
    if X.ndim != shape.count(",") + 1:
        raise _fault(info, f"{role} has {X.ndim} dimensions", f"The view '{info.view}' needs {shape}")
    if X.size == 0:
        raise _fault(info, f"{role} of shape {X.shape} is empty", f"The view '{info.view}' needs {shape}")
    if X.dtype.kind not in "biuf":
        raise _fault(info, f"{role} has dtype {X.dtype}", "Convert it to real numbers")
    if info.view == "image" and not (X.dtype == np.uint8 or X.dtype.kind == "f"):
        raise _fault(info, f"{role} has dtype {X.dtype}", "Images are uint8 or float: convert with astype()")


def _convert_samples(info: DatasetInfo, role: str, X: Samples) -> Samples:
    if info.view == "image" and X.dtype == np.uint8:
        return converted(X, np.uint8)
    with np.errstate(over="ignore"):  # reported just below, with its row
        samples = converted(X, np.float32)
        row = _first_non_finite_row(samples)
    if row is None:
        return samples
    if np.isfinite(X[row]).all():
        raise _fault(info, f"{role}, row {row}: a value is too large for float32", "Scale that feature down")
    raise _fault(info, f"{role}, row {row}: a value is NaN or infinite", "Fill it in, or leave the row out")


def _first_non_finite_row(X: Samples) -> int | None:
    for rows, chunk in chunks(X):
        bad = ~np.isfinite(chunk.reshape(len(chunk), -1)).all(axis=1)
        if bad.any():
            return int(rows.start + bad.argmax())
    return None


def _convert_labels(info: DatasetInfo, role: str, y: Array) -> Labels:
    if y.dtype.kind not in "iu":
        raise _fault(info, f"{role} has dtype {y.dtype}", "Labels are integer codes: use LabelEncoder")
    last = len(info.class_names) - 1
    outside = (y < 0) | (y > last)
    if outside.any():
        row = int(outside.argmax())
        raise _fault(
            info,
            f"{role}, row {row}: label {y[row]} is outside 0 to {last}",
            f"info.class_names names {last + 1} classes; make both agree",
        )
    return np.ascontiguousarray(y, dtype=np.int64)


def _check_classes(info: DatasetInfo, y_train: Labels, *, has_test: bool) -> None:
    """Check that each class has enough samples for the splits."""
    n_classes = len(info.class_names)
    if len(y_train) < n_classes:
        raise _fault(
            info,
            f"y_train has {len(y_train)} rows for {n_classes} classes",
            "Give more rows, or check that rows are samples",
        )
    counts = np.bincount(y_train, minlength=n_classes)
    if np.count_nonzero(counts) == 1:
        raise _fault(
            info,
            f"y_train holds one class only, '{info.class_names[counts.argmax()]}'",
            "Two classes or more are needed",
        )
    needed, why = (2, "train and validation") if has_test else (3, "train, validation and test")
    rare = int(counts.argmin())
    if counts[rare] < needed:
        samples = "1 sample" if counts[rare] == 1 else f"{counts[rare]} samples"
        raise _fault(
            info,
            f"class '{info.class_names[rare]}' has {samples} in y_train",
            f"{needed} are needed, for {why}: add some, or leave the class out",
        )


def _check_same_form(info: DatasetInfo, X_train: Samples, X_test: Samples) -> None:
    train = f"{X_train.shape[1:]} {X_train.dtype}"
    test = f"{X_test.shape[1:]} {X_test.dtype}"
    if train != test:
        raise _fault(info, f"a sample is {train} in X_train and {test} in X_test", "Make both agree")


def _kind(value: object) -> str:
    return f"an object of type {type(value).__name__}"


def _fault(info: DatasetInfo, what: str, remedy: str) -> DataError:
    return DataError(f"Data set '{info.name}' cannot be used: {what}. {remedy}.")
