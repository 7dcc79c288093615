"""The folder of an export: what may stand there before, and how the finished one gets there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from nncompare.data.files import storage_errors, sync_folder, temporary_beside
from nncompare.exceptions import UsageError
from nncompare.portable.formats import CARD, COLUMNS, MODEL_FILES, VOCABULARY

__all__ = ["check_target", "put"]


def check_target(output: Path, run: Path, *, replace: bool) -> None:
    """Refuse a place where an export would cost other files.

    Raises
    ------
    UsageError
        It is there and no export, or no replacement is asked for; or it is inside of the run directory.
    """
    if output.resolve().is_relative_to(run.resolve()):
        raise UsageError(
            f"'{output}' is inside of the run directory, whose files are known by digests. Name another."
        )
    if not output.absolute().parent.is_dir():
        raise UsageError(f"There is no folder '{output.parent}' for the export. Make it first.")
    if os.path.lexists(output):
        _check_content(output, output, replace=replace)


def _check_content(output: Path, shown: Path, *, replace: bool) -> None:
    """Refuse a place that holds anything but an export, or one that is not to be replaced.

    Raises
    ------
    UsageError
        It does; the message calls it ``shown``.
    """
    if output.is_symlink() or not output.is_dir():
        raise UsageError(f"'{shown}' is there already and is no folder. Name another with --output.")
    there = {path.name for path in output.iterdir()}
    others = sorted(there - {CARD, COLUMNS, VOCABULARY, *MODEL_FILES.values()})
    if others:
        raise UsageError(f"'{shown}' holds '{others[0]}', which is of no export. Name another with --output.")
    if there and not replace:
        raise UsageError(
            f"There is an export in '{shown}' already. Name another folder, or replace it with --force "
            "(in Python: replace=True)."
        )


def put(made: Path, target: Path, *, replace: bool) -> None:
    """Move the finished export to its place, where all of it appears at once; an earlier one goes last.

    Raises
    ------
    UsageError
        Something came there meanwhile that is not to be replaced.
    StorageError
        It cannot be moved; what was there is there again.
    """
    with storage_errors(target):
        for path in made.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(made)
        earlier = _set_aside(target) if replace and os.path.lexists(target) else None
        try:
            _move(made, target)
        except BaseException:
            if earlier is not None:
                earlier.rename(target)
            raise
        sync_folder(target.parent)
        if earlier is not None:
            shutil.rmtree(earlier, ignore_errors=True)


def _set_aside(target: Path) -> Path:
    """Rename an earlier export, so that nobody adds to it any more, and return where it is."""
    aside = temporary_beside(target)
    target.rename(aside)
    try:
        _check_content(aside, target, replace=True)
    except UsageError:
        aside.rename(target)
        raise
    return aside


def _move(made: Path, target: Path) -> None:
    """Rename a folder; the system replaces an empty one and nothing else."""
    try:
        made.rename(target)
    except OSError:
        if os.path.lexists(target):
            _check_content(target, target, replace=False)
        raise
