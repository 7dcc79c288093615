"""The user's own data, the first door: a file, a folder of images, arrays or a DataFrame become a data set."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nncompare.data.array_like import plain_labels
from nncompare.data.bundled import is_bundled, read_bundled
from nncompare.data.files import cache_root
from nncompare.data.given import Given
from nncompare.data.npyfile import NPY, read_npy, stem_of_arrays
from nncompare.data.npzfile import read_npz
from nncompare.data.own_series import read_series
from nncompare.data.own_tables import read_table
from nncompare.data.records import Array, Dataset, DatasetInfo, View
from nncompare.data.source import Source, enumerated, listed
from nncompare.data.split_columns import SplitColumn
from nncompare.data.table_files import TABLES
from nncompare.exceptions import UsageError

__all__ = [
    "ALIASES",
    "FILES",
    "is_own_file",
    "name_of_path",
    "names_of_path",
    "own_arrays",
    "own_name",
    "read_own",
]

ARRAYS = ".npz"
FILES = (*TABLES, ARRAYS, NPY)
"""Suffixes of the files that are read."""
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
    return Path(name).suffix.lower() in FILES


def require_no_file(name: str) -> None:
    """Refuse a file of the user's own where the name of a data set plugin is asked for.

    Raises
    ------
    UsageError
        It is one, or lies in scikit-learn; the message says which command reads it.
    """
    if is_bundled(name):
        raise UsageError(
            f"'{name}' lies in scikit-learn, and data set plugins are shown here. What it holds is said by "
            f"nncompare run --all -d {name} --dry-run."
        )
    if is_own_file(name):
        raise UsageError(
            f"'{name}' is a file, and data set plugins are shown here. What is recognised in a file is said by "
            f"nncompare run --all -d {name} --target COLUMN --dry-run (arrays need no --target)."
        )


def own_name(text: str) -> str:
    """Return what a data set is called in a run: a text as letters, digits, ``_``, ``.`` and single ``-``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.]+", "-", plain).strip("-._")[:LONGEST_NAME].rstrip("-._") or "data"


def name_of_path(path: Path) -> str:
    """Return what the data set in a file or a folder is called."""
    if path.is_dir():
        return own_name(Path(os.path.abspath(path)).name)  # noqa: PTH100 - of "..", but a link's own name
    return own_name(stem_of_arrays(path) if path.suffix.lower() == NPY else path.stem)


def names_of_path(path: Path) -> tuple[str, ...]:
    """Return by what names a data set of the user's own may be told from others: its own, and that of its file."""
    return tuple(dict.fromkeys((name_of_path(path), path.name)))


def read_own(
    path: Path,
    target: str | None = None,
    encoding: str | None = None,
    view: View | None = None,
    name: str | None = None,
    text: str | None = None,
    image_size: int | None = None,
    root: Path | None = None,
    split: SplitColumn | None = None,
    series: tuple[str, str] | None = None,
) -> tuple[DatasetInfo, Dataset]:
    """Read a file, or a folder of images, and tell what it holds.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.tsv`` with a header, or ``.parquet``, or ``.npz`` with ``X``, ``y`` and perhaps ``X_test``,
        ``y_test`` and ``class_names``; ``x_train`` and the like will do. Or ``X.npy`` beside ``y.npy``, see
        :func:`~nncompare.data.npyfile.read_npy`, or a folder of images, see
        :func:`~nncompare.data.ownimages.read_image_folder`, or ``sklearn:`` and the name of a loader.
    target : str, optional
        The column of classes; tables need it.
    encoding : str, optional
        Of a table, where it is not UTF-8.
    view : {"tabular", "image", "sequence"}, optional
        What arrays are; by default their rank and dtype tell.
    name : str, optional
        What the data set is called; by default the file's name without its suffix.
    text : str, optional
        Of a table, the column of texts that is read, and no other.
    image_size : int, optional
        Height and width of the images of a folder.
    root : Path, optional
        The cache, on whose disk waits what the memory may not hold; the user's by default.
    split : SplitColumn, optional
        The column of a table, or the array beside ``X``, by which the rows are split.
    series : tuple of str, optional
        The columns of a table that tell which series a row belongs to, and the order of its steps; see
        :func:`~nncompare.data.own_series.read_series`.

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
    if is_bundled(str(path)):
        return read_bundled(str(path), name)
    name, root = name or name_of_path(path), root or cache_root()
    if path.is_dir():
        from nncompare.data.ownimages import read_image_folder  # Pillow is for those who have images

        return read_image_folder(path, name, root, image_size)
    if not path.is_file():
        raise UsageError(f"There is no file '{path}'.")
    if series is not None and text is not None:
        raise UsageError(
            f"'{path.name}': --text reads the texts of a table, and --group with --time its series of numbers. "
            "Leave one of them out."
        )
    if path.suffix.lower() in TABLES and series is not None:
        return read_series(path, target, series, encoding, name)
    if path.suffix.lower() in TABLES:
        return read_table(path, target, text, encoding, name, split)
    if path.suffix.lower() == ARRAYS:
        return _read_archive(path, view, name, split)
    if path.suffix.lower() == NPY:
        return read_npy(path, view, name, split)
    raise UsageError(f"'{path.name}' is not read: {enumerated(FILES)} files are.")


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
        Of shape (n_samples, ...). A DataFrame, or a 2-D array of text, may have categories and gaps. With the view
        "tokens" a list, a Series or an array of texts.
    y, y_test : array-like or Series of shape (n_samples,)
        Classes as numbers or text.
    view : {"tabular", "image", "sequence", "tokens"}, optional
        By default rank and dtype tell; texts need "tokens".
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


def _read_archive(
    path: Path, view: View | None, name: str, split: SplitColumn | None
) -> tuple[DatasetInfo, Dataset]:
    roles = ALIASES if split is None else ALIASES | {"keys": (split.name,), "keys_test": (f"{split.name}_test",)}
    arrays = read_npz(path, [alias for aliases in roles.values() for alias in aliases])
    found, whole = {}, Source(f"'{path.name}'")
    for role, aliases in roles.items():
        given = [alias for alias in aliases if alias in arrays]
        if len(given) > 1:
            what = f"it has both '{given[0]}' and '{given[1]}', which mean the same"
            raise whole.fault(what, "Leave one of them out, and of X and y those that belong together")
        found[role] = arrays[given[0]] if given else None
    for role in ("X", "y"):
        if found[role] is None:
            what = f"it holds {listed(sorted(arrays))} and no '{role}'"
            raise whole.fault(what, "Name the arrays X, y, and X_test, y_test if there are any")
    if split is not None:
        _check_keys(found, split, path)
    names = found.pop("class_names")
    class_names = None if names is None else [str(text) for text in plain_labels(names, whole)]
    if class_names is not None and not all(name.strip() for name in class_names):
        empty = next(code for code, text in enumerate(class_names) if not text.strip())
        raise whole.fault(f"name {empty} of 'class_names', counted from 0, is empty", "Name each class")
    sources = {role: Source(f"'{path.name}', array '{roles[role][0]}',") for role in found}
    return Given(name, view, sources, class_names, split).dataset(found)


def _check_keys(found: Mapping[str, Array | None], split: SplitColumn, path: Path) -> None:
    """Check that an archive holds an array by which to split beside each of samples."""
    for samples, keys in (("X", "keys"), ("X_test", "keys_test")):
        if found[samples] is not None and found[keys] is None:
            missing = samples.replace("X", split.name)
            raise UsageError(
                f"'{path.name}' has no array '{missing}' (--{split.kind}). Save one in it with a value for each "
                f"row of {samples}."
            )
