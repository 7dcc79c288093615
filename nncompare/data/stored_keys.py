"""The keys by which the rows of a stored data set are split: which files hold them, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nncompare.data.arrays import open_array
from nncompare.data.records import SplitBy
from nncompare.exceptions import DataError

__all__ = ["TEST_KEYS", "TRAIN_KEYS", "open_keys"]

TRAIN_KEYS, TEST_KEYS = "keys_train.npy", "keys_test.npy"


def open_keys(folder: Path, kind: Literal["group", "time"], column: str, has_test: bool | None) -> SplitBy:
    """Return the keys of a folder.

    Parameters
    ----------
    folder : Path
    kind, column
        As in :class:`~nncompare.data.records.SplitBy`.
    has_test : bool or None
        Those of the test rows were stored too; None where that is not known.

    Raises
    ------
    DataError
        Those of the test rows are gone: without them items would count in place of groups.
    """
    test = folder / TEST_KEYS
    is_there = test.is_file()
    if has_test and not is_there:
        raise DataError(
            f"The stored data set in '{folder}' is damaged: {TEST_KEYS} is missing. "
            "Delete that folder and run again."
        )
    return SplitBy(kind, column, open_array(folder / TRAIN_KEYS), open_array(test) if is_there else None)
