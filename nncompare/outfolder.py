"""Whether run directories can be made in a folder, asked before the work that would end in them."""

from __future__ import annotations

import os
from pathlib import Path

from nncompare.exceptions import StorageError

__all__ = ["check_out"]


def check_out(out: Path) -> None:
    """Refuse a folder that cannot be made or written; make nothing.

    Raises
    ------
    StorageError
        It, or the nearest folder above it that exists, is a file or not writable.
    """
    nearest = Path(out).absolute()
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise StorageError(
            f"No run directory can be made in '{out}': '{nearest}' is no folder. Name another --out."
        )
    if not os.access(nearest, os.W_OK | os.X_OK):
        reason = f"'{nearest}' is not writable for you"
        raise StorageError(f"No run directory can be made in '{out}': {reason}. Name another --out.")
