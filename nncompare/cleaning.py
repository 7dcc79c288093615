"""What takes space and can go: parts of runs, whole runs, the cache; listed with what is lost, and removed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from nncompare.cleaned import PARTS, note_cleaned
from nncompare.data.store import open_dataset
from nncompare.exceptions import DataError, ResultsError, StorageError, UsageError
from nncompare.layout import RESULTS, STUDY_FILE
from nncompare.results import Results
from nncompare.runfile import hold, holder, is_held

__all__ = ["CACHE", "DOWNLOADS", "WHOLE", "Item", "cache_items", "remove", "run_items"]

WHOLE, CACHE, DOWNLOADS = "runs", "cache", "downloads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that takes space.

    Parameters
    ----------
    kind : {"models", "predictions", "trials", "runs", "cache", "downloads"}
        By what it is chosen.
    name : str
        Whose it is.
    path : Path
        The run directory, or the folder of the cache.
    n_bytes : int
    lost : str
        What goes with it.
    stays : str
        Why it is not removed; empty where it can be.
    """

    kind: str
    name: str
    path: Path
    n_bytes: int
    lost: str
    stays: str = ""


def run_items(folder: Path) -> list[Item]:
    """Return what can go of a run, and the whole of it; empty parts are left out."""
    reason = _why_whole(folder)
    items = [
        Item(
            kind=part,
            name=folder.name,
            path=folder,
            n_bytes=sum(map(_size, _paths(folder, part))),
            lost=lost,
            stays=reason or _why_part(folder, part),
        )
        for part, lost in PARTS.items()
    ]
    whole = Item(
        kind=WHOLE, name=folder.name, path=folder, n_bytes=_size(folder), lost="all of the run", stays=reason
    )
    return [*(item for item in items if item.n_bytes), whole]


def cache_items(root: Path, runs: Iterable[Path]) -> list[Item]:
    """Return what can go of the cache.

    Parameters
    ----------
    root : Path
        See :func:`~nncompare.data.files.cache_root`.
    runs : iterable of Path
        While a process works on one of these run directories, all of the cache stays.
    """
    held = next((run for run in runs if is_held(run)), None)
    stays = "" if held is None else f"the run '{held.name}' is at work"
    again = "the next run stores it again; arrays have to be given to compare() again"
    found = [
        Item(kind=CACHE, name=_data_name(path), path=path, n_bytes=_size(path), lost=again)
        for path in _folders(root / "data")
    ]
    views = root / "views"
    if _folders(views):
        lost = "the next run prepares it again"
        found.append(Item(kind=CACHE, name="prepared data", path=views, n_bytes=_size(views), lost=lost))
    found += [
        Item(kind=DOWNLOADS, name=path.name, path=path, n_bytes=_size(path), lost="it is downloaded again")
        for path in _folders(root / "downloads")
    ]
    return [replace(item, stays=stays) for item in found if item.n_bytes]


def remove(items: Sequence[Item]) -> None:
    """Remove what can go; of a run that is kept, it is written down first what it lacks from now on.

    Raises
    ------
    BusyError
        A process works on one of the runs now.
    UsageError
        An item has a reason to stay.
    StorageError
        Something cannot be removed; what was removed before stays removed.
    """
    for item in items:
        if item.stays:
            raise UsageError(f"'{item.path}' ({item.kind}) stays: {item.stays}.")
    for item in items:
        if item.kind not in (*PARTS, WHOLE):
            _remove(item.path)
            continue
        with hold(item.path):
            if item.kind == WHOLE:
                _remove(item.path)
            else:
                note_cleaned(item.path, [item.kind])
                for path in _paths(item.path, item.kind):
                    _remove(path)


def _why_whole(folder: Path) -> str:
    """Return why nothing of a run directory can go; empty where it can."""
    if folder.is_symlink():
        return "it is a link"
    return f"it is held by {holder(folder)}" if is_held(folder) else ""


def _why_part(folder: Path, part: str) -> str:
    """Return why a part of a run has to stay; empty where it can go."""
    if (folder / part).is_symlink():
        return "it is a link"
    try:
        state = Results.read(folder / RESULTS).state
    except ResultsError:
        return "its results cannot be read"
    return "" if state == "complete" else "the run is not complete, and nncompare resume needs it"


def _paths(folder: Path, part: str) -> list[Path]:
    """Return the files and folders of a part of a run; a link to elsewhere has none."""
    place = folder / part
    found = sorted(place.iterdir()) if place.is_dir() and not place.is_symlink() else []
    return [*found, *sorted(folder.glob(f"{STUDY_FILE}*"))] if part == "trials" else found


def _folders(place: Path) -> list[Path]:
    """Return the folders in a folder of the cache, those of writers at work and links left out."""
    if not place.is_dir() or place.is_symlink():
        return []
    return sorted(p for p in place.iterdir() if p.is_dir() and not p.is_symlink() and p.name[0] != ".")


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; a link counts as itself."""
    with suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
    total = 0
    for parent, _, files in os.walk(path):
        for name in files:
            with suppress(OSError):  # gone meanwhile
                total += Path(parent, name).lstat().st_size
    return total


def _data_name(folder: Path) -> str:
    try:
        return open_dataset(folder).name
    except DataError:
        return folder.name


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder; what a link leads to is not touched."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        cause = f"{type(error).__name__}: {error.strerror or error}"
        raise StorageError(f"Cannot remove '{path}'. {cause}. Take the right to, and clean again.") from error
