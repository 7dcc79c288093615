"""The user's own labels: text or numbers become codes with names, and targets of regression are refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from nncompare.data.records import Array, Labels
from nncompare.data.source import Source, listed

__all__ = [
    "check_class_counts",
    "classes_of",
    "coded_labels",
    "codes_of",
    "describe_classes",
    "in_order",
    "is_whole",
    "label_names",
    "label_texts",
]

MOST_CLASSES = 1000
_WHOLE = re.compile(r"0|-?[1-9]\d*"), re.compile(r"(0|-?[1-9]\d*)\.0")


def label_names(values: Array, what: str, source: Source, missing_texts: Collection[str] = ()) -> Array:
    """Return each label as the text that names its class.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Numbers, bool, bytes, str, or objects of these kinds; numbers must be whole. Text stays what it is, so that
        ``01`` and ``1`` are two classes; only where all are whole numbers written alike, ``1.0`` is ``1``.
    what : str
        How messages call them: ``column 'class'`` or ``y``.
    source : Source
    missing_texts : collection of str
        Texts that name no class, beside the empty one.

    Returns
    -------
    ndarray of shape (n_samples,), object
        Of str; whole numbers without a fraction.

    Raises
    ------
    DataError
        A label is missing, empty, infinite, complex or holds a NUL, or numbers have fractions.
    """
    texts = label_texts(values)
    if values.dtype.kind in "iu":
        return texts
    _check_labels(values, texts, what, source)
    missing = _is_missing(values) | np.isin(texts, ["", *missing_texts])
    if missing.any():
        n, row = int(missing.sum()), int(missing.argmax())
        rows = "1 row has" if n == 1 else f"{n:,} rows have"
        shown = f" ('{texts[row]}')" if isinstance(values[row], str) and texts[row] else ""
        raise source.fault(
            f"{rows} no class in {what}, the first in {source.place(row)}{shown}",
            "Fill it in, or leave such rows out",
        )
    numbers = _numbers(texts if _holds_text(values) else values)
    if numbers is None:
        return texts
    if (numbers != np.floor(numbers)).any():
        row = int((numbers != np.floor(numbers)).argmax())
        raise source.fault(
            f"{what} holds numbers with fractions, such as {numbers[row]:g} in {source.place(row)}: this is a "
            "regression target, and nncompare compares classifiers",
            "Choose a column of classes, or cut the numbers into classes",
        )
    if _holds_text(values) and not _are_written_alike(texts):
        return texts
    return np.array([str(int(number)) for number in numbers], dtype=object)


def label_texts(values: Array) -> Array:
    """Return each label as text without spaces around it, whatever it stands for."""
    if values.dtype.kind in "iu":  # millions of rows share the few texts
        numbers, code = np.unique(values, return_inverse=True)
        return np.array([str(number) for number in numbers], dtype=object)[code]
    texts = [value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in values]
    return np.array([text.strip() for text in texts], dtype=object)


def classes_of(names: Array, what: str, source: Source) -> tuple[str, ...]:
    """Return the classes, sorted; by their value where all are whole numbers.

    Parameters
    ----------
    names : ndarray of shape (n_samples,), object
        As :func:`label_names` returned them.

    Raises
    ------
    DataError
        There are too many for the rows, so that it is no target of classes.
    """
    classes = sorted(set(names))
    n_rows = len(names)
    if len(classes) > MOST_CLASSES or (len(classes) > 2 and 2 * len(classes) > n_rows):
        raise source.fault(
            f"{what} holds {len(classes):,} different values in {n_rows:,} rows, which are no classes",
            f"Choose a column of classes: at most {MOST_CLASSES:,}, and each in several rows",
        )
    return in_order(classes)


def in_order(classes: Iterable[str]) -> tuple[str, ...]:
    """Return names of classes sorted; by their value where all are whole numbers."""
    names = sorted(classes)
    try:
        return tuple(sorted(names, key=int))
    except ValueError:
        return tuple(names)


def codes_of(names: Array, classes: Sequence[str], what: str, source: Source) -> Labels:
    """Return the position of each label among the classes.

    Raises
    ------
    DataError
        A label is none of them.
    """
    position = {name: code for code, name in enumerate(classes)}
    unknown = next((row for row, name in enumerate(names) if name not in position), None)
    if unknown is not None:
        raise source.fault(
            f"{what}, {source.place(unknown)}: '{names[unknown]}' is none of the classes {listed(list(classes))}",
            "Correct it, or leave such rows out",
        )
    return np.array([position[name] for name in names], dtype=np.int64)


def check_class_counts(
    y: Labels, classes: Sequence[str], what: str, source: Source, *, has_test: bool, unit: str = "row"
) -> None:
    """Check that there are two classes, and enough samples of each for the splits.

    Raises
    ------
    DataError
        There is one class only, or a class has too few.
    """
    if len(classes) < 2:
        raise source.fault(
            f"{what} holds one class only, {listed(classes, quoted=True)}", "Two or more are needed"
        )
    counts = np.bincount(y, minlength=len(classes))
    needed, parts = (2, "train and validation") if has_test else (3, "train, validation and test")
    rare = int(counts.argmin())
    if counts[rare] < needed:
        samples = f"{counts[rare]} {unit}{'' if counts[rare] == 1 or unit.endswith('s') else 's'}"
        raise source.fault(
            f"class '{classes[rare]}' of {what} has {samples}",
            f"{needed} are needed, for {parts}: add some, or leave the class out",
        )


def describe_classes(classes: Sequence[str]) -> str:
    """Return how many classes there are, and their names."""
    return f"{len(classes):,} classes: {listed(list(classes))}"


def _is_missing(values: Array) -> Array:
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind != "O":
        return np.zeros(len(values), dtype=bool)
    import pandas as pd  # trial children import this package and must start at once

    return np.asarray(pd.isna(values), dtype=bool)


def _check_labels(values: Array, texts: Array, what: str, source: Source) -> None:
    """Refuse labels that name no class although they are there."""
    for row, (value, text) in enumerate(zip(values, texts, strict=True)):
        fault = ""
        if isinstance(value, complex | np.complexfloating):
            fault = f"'{text}' is a complex number"
        elif isinstance(value, float | np.floating) and np.isinf(value):
            fault = f"'{text}' is no class but an infinite number"
        elif "\0" in text:
            fault = "the class holds a NUL character"
        if fault:
            raise source.fault(f"{what}, {source.place(row)}: {fault}", "Correct it, or leave such rows out")


def _holds_text(values: Array) -> bool:
    return values.dtype.kind in "US" or any(isinstance(v, str | bytes) for v in values if values.dtype.kind == "O")


def is_whole(text: str) -> bool:
    """Tell whether a text is a whole number as Python writes it."""
    return _WHOLE[0].fullmatch(text) is not None


def _are_written_alike(texts: Array) -> bool:
    """Tell whether all are whole numbers as Python writes them, without a fraction or all with one."""
    return any(all(form.fullmatch(text) for text in texts) for form in _WHOLE)


def _numbers(values: Array) -> Array | None:
    """Return the labels as float64 where all are finite numbers; None where they are text or bool."""
    if values.dtype.kind == "b":
        return None
    try:
        if any(isinstance(value, bool | np.bool_) for value in values if values.dtype.kind == "O"):
            return None
        numbers: Any = values.astype(np.float64)
    except (TypeError, ValueError):
        return None
    exact = np.abs(numbers) < 2**53  # else codes that differ would become one
    return numbers if exact.all() else None


def coded_labels(texts: Array, what: str, source: Source, *, unit: str = "row") -> tuple[tuple[str, ...], Labels]:
    """Return the classes of a column without a test part, and the code of each label, if all classes can be split.

    Parameters
    ----------
    texts : ndarray of str
        As :func:`label_names` returns them.
    what, source, unit
        For messages.

    Raises
    ------
    DataError
        There is one class alone, or too many, or one has too few samples.
    """
    classes = classes_of(texts, what, source)
    y = codes_of(texts, classes, what, source)
    check_class_counts(y, classes, what, source, has_test=False, unit=unit)
    return classes, y
