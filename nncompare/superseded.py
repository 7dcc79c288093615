"""Removes the models and predictions of refits that results.json does not name any more."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path

from nncompare.faultpoints import reached
from nncompare.results import Results

__all__ = ["remove_superseded", "superseding_name"]


def superseding_name(name: str, trial: int) -> str:
    """Return what the files of a refit are called while those of another trial's refit have to stay."""
    return f"{name}--of-{trial}"


def remove_superseded(results: Results, folder: Path) -> None:
    """Remove what refits of other trials left, once results.json names those that took their place.

    Parameters
    ----------
    results : Results
        As they are written; studies that are not complete keep all that they have.
    folder : Path
        The run directory.
    """
    for study in results.studies:
        if study.status != "complete":
            continue
        named = {path for refit in study.refits for path in (refit.model, refit.predictions)}
        pattern = re.compile(rf"{re.escape(f'{study.model}--{study.dataset}')}--\d+(--of-\d+)?(\.npz)?")
        for path in (*folder.glob("models/*"), *folder.glob("predictions/*")):
            if pattern.fullmatch(path.name) and str(path.relative_to(folder)) not in named:
                reached("remove")
                _remove(path)
                reached("removed")


def _remove(path: Path) -> None:
    """Remove a file or folder; where that is not allowed, it stays and does no harm."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()
