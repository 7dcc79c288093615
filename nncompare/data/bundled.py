"""Data sets that scikit-learn brings along, by the names of their loaders: ``sklearn:wine`` is ``load_wine``."""

from __future__ import annotations

import difflib
import inspect
from typing import Any

import numpy as np

from nncompare.data.given import Given
from nncompare.data.records import Dataset, DatasetInfo, View
from nncompare.data.source import Source
from nncompare.exceptions import DataError, UsageError

__all__ = ["PREFIX", "is_bundled", "read_bundled"]

PREFIX = "sklearn:"
_LOADER, _DOWNLOADER = "load_", "fetch_"


def is_bundled(name: str) -> bool:
    """Tell whether a data set is named as one of scikit-learn's."""
    return name.startswith(PREFIX)


def read_bundled(named: str, name: str | None = None) -> tuple[DatasetInfo, Dataset]:
    """Load one of scikit-learn's data sets, images as such and all else as a table.

    Parameters
    ----------
    named : str
        ``sklearn:`` and the name of a loader without its ``load_``.
    name : str, optional
        What the data set is called; by default that name.

    Raises
    ------
    DataError
        Its target is no class.
    UsageError
        There is no such loader, or it downloads.
    """
    loader = named.removeprefix(PREFIX)
    bunch = _load(loader, named)
    if not _has_classes(bunch):
        raise DataError(
            f"'{named}' cannot be used: its target is numbers to estimate, which is regression, and nncompare "
            f"compares classifiers. Of scikit-learn's, these have classes: {_with_classes()}."
        )
    view: View = "image" if hasattr(bunch, "images") else "tabular"
    sources = {role: Source(f"'{named}'") for role in ("X", "y", "X_test", "y_test")}
    given = Given(name or loader, view, sources, [str(text) for text in bunch.target_names])
    X = bunch.images if view == "image" else bunch.data
    return given.dataset({"X": X, "y": np.asarray(bunch.target)})


def _load(loader: str, named: str) -> Any:
    """Return what the loader of this name returns."""
    from sklearn import datasets  # only the child that reads imports it

    loaders = _loaders()
    if loader in loaders:
        return getattr(datasets, f"{_LOADER}{loader}")(as_frame=True)
    short = loader.removeprefix(_DOWNLOADER)
    if hasattr(datasets, f"{_DOWNLOADER}{short}"):
        raise UsageError(
            f"'{named}' is downloaded by scikit-learn, and only data sets that lie in it are read. In Python: "
            f"data = sklearn.datasets.{_DOWNLOADER}{short}(); nncompare.compare(X=data.data, y=data.target)."
        )
    near = difflib.get_close_matches(loader.removeprefix(_LOADER), loaders, n=1)
    hint = f"Did you mean '{PREFIX}{near[0]}'? " if near else ""
    raise UsageError(f"scikit-learn brings no data set '{named}'. {hint}There are {_with_classes()}.")


def _loaders() -> list[str]:
    """Return the names of the loaders that need no file and return samples with a target."""
    from sklearn import datasets

    found = {name: getattr(datasets, name) for name in dir(datasets) if name.startswith(_LOADER)}
    return [
        name.removeprefix(_LOADER)
        for name, function in found.items()
        if {"return_X_y", "as_frame"} <= inspect.signature(function).parameters.keys()
    ]


def _has_classes(bunch: Any) -> bool:
    """Tell whether the target is one code per row, with a name for each."""
    target = np.asarray(bunch.target)
    return target.ndim == 1 and target.dtype.kind in "iu" and hasattr(bunch, "target_names")


def _with_classes() -> str:
    return ", ".join(f"{PREFIX}{name}" for name in _loaders() if _has_classes(_load(name, name)))
