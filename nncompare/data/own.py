"""The user's own data, the first door: a .csv, .tsv or .npz file, arrays or a DataFrame become a data set."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

from nncompare.data.csvfile import NO_CLASS, name_first, read_csv
from nncompare.data.encoding import encode
from nncompare.data.given import Given, plain_labels
from nncompare.data.labels import check_class_counts, classes_of, codes_of, describe_classes, label_names
from nncompare.data.npzfile import read_npz
from nncompare.data.records import Dataset, DatasetInfo, View
from nncompare.data.source import Source, listed
from nncompare.data.split_columns import SplitColumn
from nncompare.data.splits import split_off_test
from nncompare.data.tables import NUMBERS_ROWS, check_names, find_target, recognise
from nncompare.exceptions import UsageError

__all__ = [
    "ALIASES",
    "TABLES",
    "is_own_file",
    "own_arrays",
    "own_name",
    "read_own",
]

TABLES = (".csv", ".tsv")
ARRAYS = ".npz"
ALIASES = {
    "X": ("X", "X_train", "x_train", "x"),
    "y": ("y", "y_train"),
    "X_test": ("X_test", "x_test"),
    "y_test": ("y_test",),
    "class_names": ("class_names",),
}
LONGEST_NAME = 60


def is_own_file(name: str) -> bool:
    """Tell whether a data set is named as a file of the user's own, which may not exist."""
    return Path(name).suffix.lower() in (*TABLES, ARRAYS)


def require_no_file(name: str) -> None:
    """Refuse a file of the user's own where the name of a data set plugin is asked for.

    Raises
    ------
    UsageError
        It is one; the message says which command reads it.
    """
    if is_own_file(name):
        raise UsageError(
            f"'{name}' is a file, and data set plugins are shown here. What is recognised in a file is said by "
            f"nncompare run --all -d {name} --target COLUMN --dry-run (an .npz file needs no --target)."
        )


def own_name(text: str) -> str:
    """Return what a data set is called in a run: a text as letters, digits, ``_``, ``.`` and single ``-``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.]+", "-", plain).strip("-._")[:LONGEST_NAME].rstrip("-._") or "data"


def read_own(
    path: Path,
    target: str | None = None,
    encoding: str | None = None,
    view: View | None = None,
    name: str | None = None,
    split: SplitColumn | None = None,
) -> tuple[DatasetInfo, Dataset]:
    """Read a file and tell what it holds.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.tsv`` with a header, or ``.npz`` with ``X``, ``y`` and perhaps ``X_test``, ``y_test`` and
        ``class_names``; ``x_train`` and the like will do.
    target : str, optional
        The column of classes; tables need it.
    encoding : str, optional
        Of a table, where it is not UTF-8.
    view : {"tabular", "image", "sequence"}, optional
        What arrays are; by default their rank and dtype tell.
    name : str, optional
        What the data set is called; by default the file's name without its suffix.
    split : SplitColumn, optional
        The column of a table by which its rows are split.

    Returns
    -------
    info : DatasetInfo
        Its ``description`` is one line that says what was recognised.
    dataset : Dataset

    Raises
    ------
    DataError
        The file cannot be used; the message names it, the place and what to do.
    UsageError
        There is no such file, or it is of a kind that is not read; a table's target is not named, or not there.
    """
    name = name or own_name(path.stem)
    if not path.is_file():
        raise UsageError(f"There is no file '{path}'.")
    if path.suffix.lower() in TABLES:
        return _read_table(path, target, encoding, name, split)
    if path.suffix.lower() == ARRAYS:
        return _read_archive(path, view, name)
    raise UsageError(f"'{path.name}' is not read: .csv, .tsv and .npz files are.")


def own_arrays(
    name: str,
    X: Any,
    y: Any,
    X_test: Any = None,
    y_test: Any = None,
    view: View | None = None,
    split: SplitColumn | None = None,
) -> tuple[DatasetInfo, Dataset]:
    """Tell what arrays hold that a caller handed over.

    Parameters
    ----------
    name : str
        What the data set is called.
    X, X_test : array-like or DataFrame
        Of shape (n_samples, ...). A DataFrame, or a 2-D array of text, may have categories and gaps.
    y, y_test : array-like or Series of shape (n_samples,)
        Classes as numbers or text.
    view : {"tabular", "image", "sequence"}, optional
        By default rank and dtype tell.
    split : SplitColumn, optional
        The column of a DataFrame by which its rows are split.

    Raises
    ------
    DataError
        They cannot be used, or do not agree.
    UsageError
        There is no column by which to split.
    """
    sources = {role: Source(role) for role in ("X", "y", "X_test", "y_test")}
    return Given(own_name(name), view, sources, split=split).dataset(
        {"X": X, "y": y, "X_test": X_test, "y_test": y_test}
    )


def _read_table(
    path: Path, target: str | None, encoding: str | None, name: str, split: SplitColumn | None
) -> tuple[DatasetInfo, Dataset]:
    table = read_csv(path, encoding)
    names, source = name_first(table.names), table.source
    check_names(names, source)
    target = find_target(names, target, source)
    what = f"column '{target}'"
    k = names.index(target)
    texts = label_names(table.texts.iloc[:, k].to_numpy(dtype=object), what, source, NO_CLASS)
    classes = classes_of(texts, what, source)
    y = codes_of(texts, classes, what, source)
    check_class_counts(y, classes, what, source, has_test=False)
    key = split.position(names, target, source) if split is not None else None
    by = split.split_by(table.column(key), y, classes, source) if split is not None and key is not None else None
    kept = [i for i in range(len(names)) if i not in (k, key) and not (i == 0 and table.has_index())]
    features, others = table.frame().iloc[:, kept], [names[i] for i in kept]
    found = recognise(features, others, source, split_off_test(y, by)[0])
    if 0 not in (k, key) and table.has_index():
        found.left_out.insert(0, (names[0], NUMBERS_ROWS))
    X = encode(features, others, found.columns, source)
    commas = {names[i] for i in table.decimal_commas()} & {column.name for column in found.columns}
    with_commas = ", with decimal commas" if commas else ""
    text = f"{len(y):,} rows: {found.describe()}{with_commas}; target '{target}' with {describe_classes(classes)}"
    text = f"{text}{found.describe_left_out()}{f'; split by {by.kind}, by column {by.column!r}' if by else ''}"
    info = DatasetInfo(name=name, view="tabular", n_train=len(y), n_test=0, class_names=classes, description=text)
    return info, Dataset(X, y, columns=found.columns, target=target, left_out=found.left_out, split_by=by)


def _read_archive(path: Path, view: View | None, name: str) -> tuple[DatasetInfo, Dataset]:
    arrays = read_npz(path, [alias for aliases in ALIASES.values() for alias in aliases])
    found = {}
    for role, aliases in ALIASES.items():
        found[role] = next((arrays[alias] for alias in aliases if alias in arrays), None)
    whole = Source(f"'{path.name}'")
    for role in ("X", "y"):
        if found[role] is None:
            what = f"it holds {listed(sorted(arrays))} and no '{role}'"
            raise whole.fault(what, "Name the arrays X, y, and X_test, y_test if there are any")
    names = found.pop("class_names")
    class_names = None if names is None else [str(text) for text in plain_labels(names, whole)]
    sources = {role: Source(f"'{path.name}', array '{role}',") for role in found}
    return Given(name, view, sources, class_names).dataset(found)
