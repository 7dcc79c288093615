"""The user's own files and stored data sets in a run: what they are called there, and how they are read."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nncompare.classfile import check_names_class
from nncompare.data.bundled import PREFIX, is_bundled
from nncompare.data.files import cache_root
from nncompare.data.imagefolder import IMAGES
from nncompare.data.own import FILES, is_own_file, name_of_path, names_of_path, own_name
from nncompare.data.source import enumerated
from nncompare.data.store import MANIFEST, StoredDataset, is_stored_folder, open_dataset
from nncompare.data.table_files import TABLES, TEXT_TABLES
from nncompare.events import Listener, Notice
from nncompare.exceptions import DataError, StorageError, UsageError
from nncompare.execution.runner import LocalRunner
from nncompare.execution.specs import ReadAnswer, ReadSpec
from nncompare.registry import RESERVED, Catalog, display_name
from nncompare.session import memory_limit_mb
from nncompare.settings import MAX_EPOCHS, RunConfig
from nncompare.tablecolumns import COLUMNS, EVERY, column_of

__all__ = ["check_own_options", "check_two_names", "dataset_names", "is_own", "load_own"]

READ_TIMEOUT_S = 3600.0
OTHER_FILES = {
    ".gz": "Unpack it",
    ".zip": "Unpack it",
    ".json": "Save it as one of these",
    ".txt": "Rename it if it is a table",
    ".xls": "Export the sheet as .csv",
    ".xlsx": "Export the sheet as .csv",
}
"""What to do with files that are not read."""


def is_own(name: str, catalog: Catalog) -> bool:
    """Tell whether a data set is named as a file or folder of the user's own; what is installed goes first."""
    is_path = is_bundled(name) or is_own_file(name) or is_stored_folder(name) or Path(name).expanduser().is_dir()
    return name not in catalog.plugins and is_path


def dataset_names(names: Iterable[str], catalog: Catalog) -> dict[str, str]:
    """Return what each data set is called in the run.

    Parameters
    ----------
    names : iterable of str
        As the user typed them.
    catalog : Catalog
        The installed data sets. A file of the name of one keeps its suffix, lest budgets of that one apply.

    Raises
    ------
    UsageError
        There is no such folder, or a file is of a kind that is not read.
    DataError
        Its manifest is damaged, or the folder is gone, as when the cache was deleted.
    """
    taken = {*catalog.plugins, *MAX_EPOCHS, *RESERVED}
    called = {}
    for name in names:
        if is_own(name, catalog):
            called[name] = _own_name(name, taken)
        else:
            _check_is_no_file(name, catalog)
            called[name] = display_name(name)
    return called


def check_two_names(called: Mapping[str, str]) -> None:
    """Refuse two data sets that would be called the same in the run.

    Parameters
    ----------
    called : mapping
        As :func:`dataset_names` returns it.

    Raises
    ------
    UsageError
        Two have one name, or are one and the same file.
    """
    seen: dict[str, str] = {}
    for typed, name in called.items():
        other = seen.setdefault(name, typed)
        if other == typed:
            continue
        if Path(other).expanduser().resolve() == Path(typed).expanduser().resolve():
            raise UsageError(f"'{other}' and '{typed}' are one and the same. Name it once.")
        raise UsageError(
            f"Two of the data sets are called '{name}': '{other}' and '{typed}'. Results are told apart by these "
            "names. Rename one of them."
        )


def check_own_options(config: RunConfig, names: Sequence[str]) -> None:
    """Refuse options that say how a file is to be read where none is read.

    Raises
    ------
    UsageError
        One of them is given and has nothing to act upon, or contradicts the file.
    """
    suffixes = {Path(name).suffix.lower() for name in names if is_own_file(name)}
    has_table, has_arrays = bool(suffixes & set(TABLES)), bool(suffixes - set(TABLES))
    in_text = "a table that is text" if has_table else "a table"
    needs = dict.fromkeys(COLUMNS, ("a table", has_table))
    if not config.is_series:  # of arrays, either group or time splits the rows, and series are tables
        needs |= dict.fromkeys(("group", "time"), ("a table or arrays in a file", has_table or has_arrays))
    needs["encoding"] = (in_text, bool(suffixes & set(TEXT_TABLES)))
    for option, (needed, is_there) in needs.items():
        if getattr(config, option) is not None and not is_there:
            raise UsageError(
                f"--{option} is for {needed} (in Python: {option}=), and none is among the data sets. Name one, "
                f"such as -d file.csv, or leave --{option} out."
            )
    _check_names_of_files(config, names)
    of_table = "sequence" if config.is_series else "tabular"
    if config.view is not None and not has_arrays and not (has_table and config.view == of_table):
        of_others = "a table is always tabular, or texts with --text, or series with --group and --time"
        with_both = "a table with --group and --time holds series, of the view sequence"
        why = "none is among the data sets" if not has_table else with_both if config.is_series else of_others
        raise UsageError(f"--view is for .npz and .npy files (in Python: view=), and {why}. Leave it out.")
    if config.image_size is not None and not any(_is_image_folder(name) for name in names):
        raise UsageError(
            "--image-size is for a folder of images (in Python: image_size=), and none is among the data sets. "
            "Leave it out."
        )


def load_own(
    path: str,
    name: str,
    config: RunConfig,
    runner: LocalRunner,
    folder: Path,
    listener: Listener | None = None,
) -> StoredDataset:
    """Read a file or a folder of images in a child and put it into the cache, or open a stored data set.

    Parameters
    ----------
    path : str
        As the user typed it.
    name : str
        What it is called in the run.
    config : RunConfig
        Brings target, encoding, view and size of images, and the child's limit of memory.
    runner : LocalRunner
    folder : Path
        Receives result and log of the child.
    listener : callable, optional
        Receives a notice that says what was recognised.

    Raises
    ------
    UsageError
        There is no such file, or an option does not fit it.
    DataError
        The file cannot be used; nothing was stored.
    StorageError
        What the file holds cannot be put into the cache.
    """
    given = Path(path).expanduser()
    is_stored = given.is_dir() and not _is_image_folder(path)
    stored = _open(given) if is_stored else _read(given, name, config, runner, folder)
    if listener is not None and stored.description:
        listener(Notice(f"{name}: {stored.description}", "info"))
    return stored


def _check_names_of_files(config: RunConfig, names: Sequence[str]) -> None:
    """Refuse a column of a data set that is not among the files of the run that can have one."""
    tables, files = _tables(names), [name for name in names if is_own_file(name)]
    for option in COLUMNS:
        columns = getattr(config, option)
        what, able = ("files", files) if option in ("group", "time") else ("tables", tables)
        known = {EVERY, *(known for name in able for known in names_of_path(Path(name)))}
        unknown = [name for name in columns if name not in known] if isinstance(columns, Mapping) else []
        if unknown:
            called = enumerated([names_of_path(Path(name))[0] for name in able])
            raise UsageError(
                f"{option} names a column of '{unknown[0]}', and the {what} of this run are called {called}. Name "
                f"one of them, or '{EVERY}' for all that are not named."
            )


def _tables(names: Iterable[str]) -> list[str]:
    return [name for name in names if Path(name).suffix.lower() in TABLES]


def _check_is_no_file(name: str, catalog: Catalog) -> None:
    """Refuse files of other kinds, which would else be looked for among the installed data sets."""
    if ":" in name or name in catalog.plugins:
        return
    check_names_class(name)
    here = [f"{name}{suffix}" for suffix in FILES if Path(f"{name}{suffix}").is_file()]
    if here:
        raise UsageError(f"No data set is called '{name}'. The file '{here[0]}' is here: -d {here[0]}.")
    suffix = Path(name).suffix.lower()
    if suffix in IMAGES:
        raise UsageError(
            f"'{name}' is not read alone. Name a folder that holds a folder of images for each class."
        )
    if name.endswith(os.sep):
        raise UsageError(f"There is no folder '{name}'.")
    if suffix in OTHER_FILES or Path(name).is_file():
        how = OTHER_FILES.get(suffix, "Save it as one of these")
        raise UsageError(f"'{name}' is not read: {enumerated(FILES)} files are. {how}.")


def _near(path: Path) -> str:
    """Return a question that names the file of data in the same folder whose name is nearest, after a space."""
    try:
        here = [file.name for file in path.parent.iterdir() if is_own_file(file.name)]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, here, n=1)
    return f" Did you mean '{path.with_name(near[0])}'?" if near else ""


def _own_name(name: str, taken: Iterable[str]) -> str:
    if is_bundled(name):
        own = own_name(name.removeprefix(PREFIX))
        return own_name(name) if own in taken else own
    path = Path(name).expanduser()
    if is_stored_folder(name) and not path.is_dir():
        raise DataError(
            f"The stored data set in '{path}' is gone. If it was made of arrays, call compare() again with the "
            "same arrays, which stores them again; an installed data set is stored by nncompare data fetch."
        )
    if path.is_dir() and not _is_image_folder(name):
        return _open(path).name
    own = name_of_path(path)
    suffix = "-images" if path.is_dir() else path.suffix.lower()
    return f"{own}{suffix}" if own in taken else own


def _is_image_folder(name: str) -> bool:
    """Tell whether a path is a folder without the manifest of a stored data set."""
    path = Path(name).expanduser()
    return path.is_dir() and not (is_stored_folder(name) or (path / MANIFEST).is_file())


def _open(folder: Path) -> StoredDataset:
    """Return the data set that is stored in a folder, if all of its files are there."""
    if not (folder / MANIFEST).is_file():
        raise UsageError(
            f"The folder '{folder}' holds no stored data set ({MANIFEST} is missing). Name a file, a folder of "
            "images, or an installed data set."
        )
    stored = open_dataset(folder.absolute())
    missing = [name for name in stored.files() if not (folder / name).is_file()]
    if missing:
        raise DataError(f"The stored data set in '{folder}' is damaged: {', '.join(missing)} is missing.")
    return stored


def _read(path: Path, name: str, config: RunConfig, runner: LocalRunner, folder: Path) -> StoredDataset:
    if not (path.exists() or is_bundled(str(path))):
        raise UsageError(f"There is no file '{path}'.{_near(path)}")
    named = (name, *names_of_path(path))
    target, text, group, time = (column_of(getattr(config, option), named) for option in COLUMNS)
    spec = ReadSpec(
        framework="sklearn",
        timeout_s=READ_TIMEOUT_S,
        memory_mb=memory_limit_mb(config),
        result=folder / f"read-{name}.json",
        log=folder / f"read-{name}.log",
        path=path if is_bundled(str(path)) else path.absolute(),
        root=cache_root(),
        name=name,
        target=target,
        encoding=config.encoding,
        text=text,
        view=config.view,
        image_size=config.image_size,
        group=group,
        time=time,
    )
    answer = runner.run(spec)
    if isinstance(answer, ReadAnswer) and answer.folder is not None:
        return open_dataset(answer.folder)
    message = answer.failure.message if answer.failure is not None else "no reason given"
    if isinstance(answer, ReadAnswer) and answer.usage:
        several = path.suffix.lower() in TABLES and len(_tables(config.datasets)) > 1
        option = next((option for option in COLUMNS if f"(--{option})" in message), COLUMNS[0])
        alone = f" A column of this table alone is named as in --{option} {named[-1]}=COLUMN." if several else ""
        raise UsageError(f"{message}{alone}")
    if answer.failure is not None and answer.failure.category == "data":
        raise DataError(message)
    if answer.failure is not None and answer.failure.category in ("disk", "storage"):
        raise StorageError(message)
    raise DataError(f"'{path}' could not be read: {message}")
