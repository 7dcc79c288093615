"""Arrays of the user in .npy files, samples beside their labels; they may be larger than the memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from nncompare.data.arrays import open_array
from nncompare.data.given import Given
from nncompare.data.npzfile import check_header
from nncompare.data.own_forms import check_size
from nncompare.data.records import Array, Dataset, DatasetInfo, View
from nncompare.data.source import Source
from nncompare.exceptions import UsageError

__all__ = ["NPY", "labels_beside", "open_npy", "read_npy", "stem_of_arrays"]

NPY = ".npy"
_X = re.compile(r"(?P<before>(?:.*[_.-])?)[Xx](?P<after>(?:[_.-].*)?)")


def labels_beside(samples: Path) -> Path | None:
    """Return where the labels of samples lie: ``y.npy`` beside ``X.npy``; None for a name without such an X."""
    found = _X.fullmatch(samples.stem)
    return None if found is None else samples.with_name(f"{found['before']}y{found['after']}{samples.suffix}")


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


def read_npy(path: Path, view: View | None, name: str) -> tuple[DatasetInfo, Dataset]:
    """Open a pair of files, and perhaps a second one for the test, without loading the samples whole.

    Parameters
    ----------
    path : Path
        ``X.npy`` beside ``y.npy``, and perhaps ``X_test.npy`` and ``y_test.npy``. ``X_train.npy``, ``NAME_X.npy``
        and ``NAME_X_train.npy`` have neighbours that are called alike.
    view : {"tabular", "image", "sequence"} or None
        None to tell by rank and dtype.
    name : str
        What the data set is called.

    Raises
    ------
    DataError
        An array cannot be used, the labels are missing, or the arrays do not agree.
    UsageError
        The file's name does not say where its labels are.
    """
    files = _files(path)
    sources = {role: Source(f"'{file.name}'") for role, file in files.items()}
    arrays = {role: open_npy(file, sources[role]) for role, file in files.items()}
    info, dataset = Given(name, view, sources).dataset(arrays)
    if not dataset.columns:
        for role, samples in (("X", dataset.X_train), ("X_test", dataset.X_test)):
            if samples is not None:
                check_size(samples, sources[role])
    return info, dataset


def _files(path: Path) -> Mapping[str, Path]:
    """Return the files by role."""
    source, labels = Source(f"'{path.name}'"), labels_beside(path)
    if labels is None:
        raise UsageError(
            f"'{path.name}' does not say where its labels are. Call the files X.npy and y.npy, or "
            f"{path.stem}_X.npy and {path.stem}_y.npy."
        )
    if not labels.is_file():
        raise source.fault(f"its labels are missing: there is no '{labels.name}' beside it", "Save them there")
    tests = {
        f"{role}_test": file.with_name(f"{_stem_of_test(file.stem)}{file.suffix}")
        for role, file in (("X", path), ("y", labels))
    }
    return {"X": path, "y": labels} | {role: file for role, file in tests.items() if file.is_file()}


def _stem_of_test(stem: str) -> str:
    """Return ``X_test`` for ``X`` and for ``X_train``."""
    before, train, after = stem.rpartition("train")
    return f"{before}test{after}" if train else f"{stem}_test"
