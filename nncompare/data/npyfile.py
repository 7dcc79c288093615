"""Arrays of the user in .npy files, samples beside their labels; they may be larger than the memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from nncompare.data.arrays import open_array, row_chunks, write_chunks
from nncompare.data.given import Given
from nncompare.data.npzfile import check_header
from nncompare.data.own_forms import as_view, guess_view
from nncompare.data.records import Array, Dataset, DatasetInfo, View
from nncompare.data.source import Source
from nncompare.data.split_columns import SplitColumn
from nncompare.data.staging import staged, staging_folder
from nncompare.exceptions import UsageError

__all__ = ["NPY", "labels_beside", "open_npy", "read_npy", "stem_of_arrays"]

NPY = ".npy"
_X = re.compile(r"(?P<before>(?:.*[_.-])?)[Xx](?P<after>(?:[_.-].*)?)")


def labels_beside(samples: Path) -> Path | None:
    """Return where the labels of samples lie: ``y.npy`` beside ``X.npy``; None for a name without such an X."""
    return _beside(samples, "y") if _X.fullmatch(samples.stem) else None


def stem_of_arrays(samples: Path) -> str:
    """Return what ``NAME_X.npy`` or ``NAME_X_train.npy`` is about; for ``X.npy`` the name of its folder."""
    found = _X.fullmatch(samples.stem)
    name = samples.stem if found is None else found["before"].strip("_.-")
    return name or samples.absolute().parent.name


def open_npy(path: Path, source: Source) -> Array:
    """Return the array in a .npy file as a read-only memory map.

    Raises
    ------
    DataError
        It is no such file, is damaged or empty, or holds objects or records.
    """
    try:
        with path.open("rb") as stream:
            shape = check_header(stream, path.stat().st_size, "it", source)
        if 0 in shape:
            raise source.fault(f"it is empty, of shape {shape}", "Give one row or more")
        return open_array(path)
    except OSError as error:
        cause = f"{type(error).__name__}: {error.strerror or error}"
        raise source.fault(cause, "Check that you may read it") from error
    except (ValueError, EOFError) as error:
        what = f"it is no .npy file or is damaged ({type(error).__name__}: {str(error)[:100]})"
        raise source.fault(what, "Write it with numpy.save(file, array)") from error


def read_npy(
    path: Path, view: View | None, name: str, root: Path, split: SplitColumn | None = None
) -> tuple[DatasetInfo, Dataset]:
    """Read a pair of files, and perhaps a second one for the test, without loading the samples whole.

    Parameters
    ----------
    path : Path
        ``X.npy`` beside ``y.npy``, and perhaps ``X_test.npy`` and ``y_test.npy``. ``X_train.npy``, ``NAME_X.npy``
        and ``NAME_X_train.npy`` have neighbours that are called alike.
    view : {"tabular", "image", "sequence"} or None
        None to tell by rank and dtype.
    name : str
        What the data set is called.
    root : Path
        The cache, on whose disk samples wait for being stored.
    split : SplitColumn, optional
        By what the rows are split: with the name ``patient`` by ``patient.npy`` beside ``X.npy``.

    Raises
    ------
    DataError
        An array cannot be used, the labels are missing, or the arrays do not agree.
    UsageError
        The file's name does not say where its labels are, or there is no file by which the rows are to be split.
    """
    files = _files(path, split)
    sources = {role: Source(f"'{file.name}'") for role, file in files.items()}
    arrays = {role: open_npy(file, sources[role]) for role, file in files.items()}
    view = view or guess_view(arrays["X"], sources["X"])
    for role in {"X", "X_test"} & {*arrays}:
        arrays[role] = _of_image_dtype(arrays[role], view, sources[role], root)
    info, dataset = Given(name, view, sources, split=split).dataset(arrays)
    return info, staged(dataset, root, sources["X"])


def _files(path: Path, split: SplitColumn | None) -> dict[str, Path]:
    """Return the files by role."""
    labels = labels_beside(path)
    if labels is None:
        raise UsageError(
            f"'{path.name}' does not say where its labels are. Call the files X.npy and y.npy, or "
            f"{path.stem}_X.npy and {path.stem}_y.npy."
        )
    if not labels.is_file():
        what = f"its labels are missing: there is no '{labels.name}' beside it"
        raise Source(f"'{path.name}'").fault(what, "Save them there")
    test = _of_test(path)
    files = {"X": path, "y": labels, "X_test": test, "y_test": _beside(test, "y")}
    if split is not None:
        files |= {"keys": _beside(path, split.name), "keys_test": _beside(test, split.name)}
        _check_keys(files, split)
    return {role: file for role, file in files.items() if file.is_file()}


def _check_keys(files: Mapping[str, Path], split: SplitColumn) -> None:
    """Check that there is a file by which to split beside each of samples."""
    for samples, keys in (("X", "keys"), ("X_test", "keys_test")):
        if files[samples].is_file() and not files[keys].is_file():
            raise UsageError(
                f"There is no '{files[keys].name}' beside '{files[samples].name}' (--{split.kind}). Save an array "
                "there with a value for each row."
            )


def _beside(samples: Path, what: str) -> Path:
    """Return the neighbour of samples whose name has this in place of the X."""
    found = _X.fullmatch(samples.stem)
    assert found is not None  # noqa: S101 - asked before; and a test part is called as its training part is
    return samples.parent / f"{found['before']}{what}{found['after']}{samples.suffix}"


def _of_test(samples: Path) -> Path:
    """Return ``X_test.npy`` for ``X.npy`` and for ``X_train.npy``."""
    before, train, after = samples.stem.rpartition("train")
    stem = f"{before}test{after}" if train else f"{samples.stem}_test"
    return samples.with_name(f"{stem}{samples.suffix}")


def _of_image_dtype(X: Array, view: View, source: Source, root: Path) -> Array:
    """Return images of other integers as uint8, and of bool as float32, in a file; all else as it is."""
    if view != "image" or X.dtype == np.uint8 or X.dtype.kind not in "biu" or X.ndim not in (3, 4):
        return X
    chunks = (
        as_view(X[rows], view, replace(source, rows=np.arange(rows.start, rows.stop))) for rows in row_chunks(X)
    )
    shape = X.shape if X.ndim == 4 else (*X.shape, 1)
    with staging_folder(root) as folder:
        write_chunks(folder / "X.npy", shape, np.float32 if X.dtype.kind == "b" else np.uint8, chunks)
        return open_array(folder / "X.npy")
