"""What takes space and can go: parts of runs, whole runs, the cache; listed with what is lost, and removed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from nncompare.cleaned import PARTS, note_cleaned
from nncompare.data.cache import TAG, emptying, is_own_folder, is_used
from nncompare.data.files import is_left_over, temporary_beside
from nncompare.data.store import is_stored_folder, open_dataset
from nncompare.disk import irremovable, remove_path, size_of
from nncompare.exceptions import DataError, ResultsError, StorageError, UsageError
from nncompare.layout import CLEANED, LOG, REPORT, RESULTS, RUN_FILE, STUDY_FILES
from nncompare.results import Results
from nncompare.runfile import FOLDERS, HOLDER, LOCK, hold, holder, is_held, read_run_file

__all__ = ["CACHE", "DOWNLOADS", "WHOLE", "Item", "cache_items", "remove", "run_items"]

WHOLE, CACHE, DOWNLOADS = "runs", "cache", "downloads"
VIEWS = "views"
_OF_A_RUN = {*FOLDERS, *STUDY_FILES, CLEANED, HOLDER, LOCK, LOG, REPORT, RESULTS, RUN_FILE, "report.md"}


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
    reason, name = _why_held(folder), folder.absolute().name
    items = [
        Item(
            kind=part,
            name=name,
            path=folder,
            n_bytes=sum(map(size_of, _paths(folder, part))),
            lost=lost,
            stays=reason or _why_part(folder, part),
        )
        for part, lost in PARTS.items()
    ]
    lost = "all of the run" if _state(folder) == "complete" else "all of the run, which could be resumed"
    whole = Item(
        kind=WHOLE,
        name=name,
        path=folder,
        n_bytes=size_of(folder),
        lost=lost,
        stays=reason or _why_whole(folder),
    )
    return [*(item for item in items if item.n_bytes), whole]


def cache_items(root: Path, runs: Iterable[Path]) -> list[Item]:
    """Return what can go of the cache: folders that nncompare made, and nothing that lies beside them.

    Parameters
    ----------
    root : Path
        See :func:`~nncompare.data.files.cache_root`.
    runs : iterable of Path
        Run directories; the data of those that are not complete stay.
    """
    needed = _needed(runs)
    again = "the next run stores it again; arrays have to be given to compare() again"
    found = [
        Item(
            kind=CACHE,
            name=_data_name(path),
            path=path,
            n_bytes=size_of(path),
            lost=again,
            stays=_why_data(path, needed),
        )
        for path in _folders(root / "data")
    ]
    views = root / VIEWS
    n_bytes = sum(map(size_of, _folders(views)))
    lost = "the next run prepares it again"
    found.append(Item(kind=CACHE, name="prepared data", path=views, n_bytes=n_bytes, lost=lost))
    found += [
        Item(kind=DOWNLOADS, name=path.name, path=path, n_bytes=_n_loaded(path), lost="it is downloaded again")
        for path in _folders(root / "downloads")
    ]
    stays = "a process of nncompare uses the cache" if is_used(root) else ""
    return [replace(item, stays=stays or item.stays) for item in found if item.n_bytes]


def remove(items: Sequence[Item]) -> None:
    """Remove what can go; of a run that is kept, it is written down first what it lacks from now on.

    Runs are looked at once more while they are held, and the cache is emptied while nobody uses it.

    Raises
    ------
    BusyError
        A process works on one of the runs now, or uses the cache.
    UsageError
        An item has a reason to stay, perhaps since it was looked at.
    StorageError
        Something cannot be removed; what was removed before stays removed.
    """
    for item in items:
        if item.stays:
            raise _stays(item, item.stays)
    with ExitStack() as alone:
        for root in {_root(item) for item in items if item.kind in (CACHE, DOWNLOADS)}:
            alone.enter_context(emptying(root))
        for item in items:
            if item.kind in (CACHE, DOWNLOADS):
                for path in _folders(item.path) if item.path.name == VIEWS else [item.path]:
                    remove_path(path)
            else:
                with hold(item.path):
                    _remove_of_run(item)


def _remove_of_run(item: Item) -> None:
    """Remove a part of a run, or all of it, if that can still go; the run is held."""
    reason = _why_whole(item.path) if item.kind == WHOLE else _why_part(item.path, item.kind)
    if reason:
        raise _stays(item, reason)
    if item.kind == WHOLE:
        remove_path(item.path)
        return
    for path in _set_aside(item.path, item.kind):
        remove_path(path)


def _set_aside(folder: Path, part: str) -> list[Path]:
    """Rename a part of a run, write down that it is gone, and return what is to be removed.

    So a removal that fails half-way leaves no half of a part under its name.
    """
    place, paths = folder / part, _paths(folder, part)
    aside = temporary_beside(place)
    try:
        if place in paths:
            place.rename(aside)
        note_cleaned(folder, [part])
    except StorageError:
        if place in paths:
            aside.rename(place)
        raise
    except OSError as error:
        raise irremovable(place, error) from error
    if place not in paths:
        return paths
    with suppress(OSError):  # a run has its folders, empty ones too
        place.mkdir()
    return [aside, *(path for path in paths if path != place)]


def _stays(item: Item, reason: str) -> UsageError:
    return UsageError(f"'{item.path}' ({item.kind}) stays: {reason}.")


def _why_held(folder: Path) -> str:
    """Return why nothing of a run directory can go now; empty where it can."""
    if folder.is_symlink():
        return "it is a link"
    return f"it is held by {holder(folder)}" if is_held(folder) else ""


def _why_whole(folder: Path) -> str:
    """Return why a folder cannot go as a whole, as one that is no run or holds other files; empty where it can."""
    if _state(folder) is None and not _has_run_file(folder):
        return f"neither its {RESULTS} nor its {RUN_FILE} is one of nncompare"
    others = sorted(p.name for p in folder.iterdir() if p.name not in _OF_A_RUN and not is_left_over(p))
    return f"it holds '{others[0]}', which no run wrote; move that away" if others else ""


def _why_part(folder: Path, part: str) -> str:
    """Return why a part of a run has to stay; empty where it can go."""
    if (folder / part).is_symlink():
        return "it is a link"
    state = _state(folder)
    if state is None:
        return "its results cannot be read"
    return "" if state == "complete" else "the run is not complete, and nncompare resume needs it"


def _why_data(folder: Path, needed: dict[str, str]) -> str:
    """Return why a stored data set has to stay; ``needed`` names runs by the beginning of its folder's name."""
    run = next((run for name, run in needed.items() if folder.name.startswith(name)), None)
    return "" if run is None else f"the run '{run}' is not complete, and nncompare resume needs it"


def _needed(runs: Iterable[Path]) -> dict[str, str]:
    """Return how the names of the data folders of incomplete runs begin, each with the name of one such run."""
    needed: dict[str, str] = {}
    for run in runs:
        if _state(run) == "complete":
            continue
        with suppress(ResultsError):
            run_file = read_run_file(run)
            paths = [Path(str(name)).name for name in run_file.config["datasets"] if is_stored_folder(str(name))]
            needed |= dict.fromkeys(paths, run.name)
            for data in run_file.datasets.values():
                needed[f"{data.fingerprint[:16]}-{data.test_fingerprint[:16]}-"] = run.name
    return needed


def _state(folder: Path) -> str | None:
    """Return the state that a run's results tell, None where they cannot be read."""
    try:
        return Results.read(folder / RESULTS).state
    except ResultsError:
        return None


def _has_run_file(folder: Path) -> bool:
    try:
        read_run_file(folder)
    except ResultsError:
        return False
    return True


def _paths(folder: Path, part: str) -> list[Path]:
    """Return the files and folders of a part of a run; of a folder that is empty or a link to elsewhere, none."""
    place = folder / part
    is_there = place.is_dir() and not place.is_symlink() and next(place.iterdir(), None) is not None
    files = [path for name in STUDY_FILES if os.path.lexists(path := folder / name)] if part == "trials" else []
    return [*([place] if is_there else []), *files]


def _root(item: Item) -> Path:
    """Return the cache that an item of it lies in."""
    return item.path.parent if item.path.name == VIEWS else item.path.parent.parent


def _folders(place: Path) -> list[Path]:
    """Return the folders of nncompare in a folder of the cache, those of writers at work left out."""
    if not place.is_dir() or place.is_symlink():
        return []
    return sorted(filter(is_own_folder, place.iterdir()))


def _n_loaded(folder: Path) -> int:
    """Return the bytes that were downloaded into a folder: data sets that download nothing have one too."""
    return size_of(folder) - size_of(folder / TAG)


def _data_name(folder: Path) -> str:
    try:
        return open_dataset(folder).name
    except DataError:
        return folder.name
