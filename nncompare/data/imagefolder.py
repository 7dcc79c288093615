"""Folders of images, one folder for each class: which files belong to which class and part. No image is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from nncompare.data.source import Source, listed
from nncompare.exceptions import DataError

__all__ = ["IMAGES", "ImageFolder", "check_no_table", "find_images", "is_image", "list_images", "shown"]

IMAGES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"))
"""Suffixes of the files that are taken for images."""

_LITTER = frozenset(("desktop.ini", "thumbs.db", "__macosx"))
_PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_ByClass = dict[str, list[Path]]

T = TypeVar("T")


@dataclass(slots=True)
class ImageFolder:
    """The images of a folder by class, each list sorted by path.

    Parameters
    ----------
    folder : Path
    train : dict of str to list of Path
        Those of the folder ``val`` too, where there is one.
    test : dict of str to list of Path
        Empty where the folder brings no test part.
    n_valid : int
        How many of ``train`` come from ``val``.
    passed_over : list of str
        Files that are no images, and links to folders.
    """

    folder: Path
    train: _ByClass = field(default_factory=dict)
    test: _ByClass = field(default_factory=dict)
    n_valid: int = 0
    passed_over: list[str] = field(default_factory=list)

    @property
    def source(self) -> Source:
        """How messages call the folder."""
        return Source(f"'{shown(self.folder.name)}'")

    def name_of(self, file: Path) -> str:
        """Return the path of a file within the folder, as messages and predictions show it."""
        return shown(file.relative_to(self.folder).as_posix())


def find_images(folder: Path) -> ImageFolder:
    """Return the images of a folder.

    Parameters
    ----------
    folder : Path
        Holds a folder of images for each class; or a folder ``train`` of that form, and perhaps ``val`` (or
        ``valid``), which is made part of it, and ``test``. Folders within that of a class belong to the class.

    Raises
    ------
    DataError
        It is a table in parts; or there are no images, no folders of classes, images that lie in none, parts
        without ``train`` or beside other folders, or classes that ``train`` does not have.
    """
    check_no_table(folder)
    found = ImageFolder(folder)
    inner = _folders(found, folder)
    kinds = {name: _PARTS[name.lower()] for name in inner if name.lower() in _PARTS}
    if not (len(kinds) > 1 or (len(inner) == 1 and "train" in kinds.values())):
        _check_no_part(found, inner, kinds)
        found.train = _classes(found, [folder])
        return found
    _check_parts(found, inner, kinds)
    parts = {kind: [folder / name for name in inner if kinds[name] == kind] for kind in _PARTS.values()}
    found.train = _classes(found, parts["train"])
    for kind in ("val", "test"):
        more = _classes(found, parts[kind]) if parts[kind] else {}
        _check_known(found, more, kind)
        if kind == "test":
            found.test = more
        else:
            found.n_valid = sum(map(len, more.values()))
            found.train = {name: files + more.get(name, []) for name, files in found.train.items()}
    return found


def check_no_table(folder: Path) -> None:
    """Refuse a folder that is called as a Parquet file, as Spark and pyarrow call one that holds a table's parts.

    Raises
    ------
    DataError
        It is one.
    """
    if folder.suffix.lower() == ".parquet":
        remedy = "Write them as one: pandas.read_parquet(folder).to_parquet(file)"
        raise Source(f"'{folder.name}'").fault("it is a folder with the parts of a table", remedy)


def list_images(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the images below a folder, and the files that are none, sorted; hidden ones are in neither.

    Raises
    ------
    OSError
        A folder cannot be read.
    """
    images: list[Path] = []
    others: list[Path] = []

    def fail(error: OSError) -> None:
        raise error

    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        others += [path for name in folders if (path := Path(parent, name)).is_symlink()]  # not walked into
        for path in (Path(parent, name) for name in files if not _is_hidden(name)):
            is_pipe = path.exists() and not path.is_file()  # which would be waited for
            (images if is_image(path) and not is_pipe else others).append(path)
    return sorted(images), sorted(others)


def is_image(path: Path) -> bool:
    """Tell whether a file is taken for an image, by its suffix."""
    return path.suffix.lower() in IMAGES


def shown(name: str) -> str:
    """Return a name of the file system as text that can be written: bytes that are no UTF-8 are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _classes(found: ImageFolder, folders: Sequence[Path]) -> _ByClass:
    """Return the images of one part by class, from the folders of classes in some folders."""
    classes: _ByClass = {}
    for folder in folders:
        inner = _folders(found, folder)
        loose = _loose_images(found, folder)
        if loose:
            raise _no_class(found, folder, loose, inner)
        for name in inner:
            files, others = _reading(found, list_images, folder / name)
            classes.setdefault(name, []).extend(files)
            found.passed_over += map(found.name_of, others)
    if not any(classes.values()):
        where = "it" if folders[0] == found.folder else f"'{found.name_of(folders[0])}'"
        what = f"{where} holds no images ({', '.join(sorted(IMAGES))})"
        raise found.source.fault(what, "Name a folder that holds a folder of images for each class")
    return classes


def _loose_images(found: ImageFolder, folder: Path) -> list[str]:
    """Return the images that lie in a folder itself; files of other kinds are passed over."""
    entries = [path for path in _entries(found, folder) if not path.is_dir()]
    found.passed_over += [found.name_of(path) for path in entries if not is_image(path)]
    return [found.name_of(path) for path in entries if is_image(path)]


def _no_class(found: ImageFolder, folder: Path, loose: Sequence[str], inner: Sequence[str]) -> DataError:
    """Return the refusal of images that lie in no folder of a class."""
    some = f"{len(loose):,} images, such as '{loose[0]}', lie" if len(loose) > 1 else f"'{loose[0]}' lies"
    if inner:
        remedy = "Move each image into the folder of its class, or away"
        return found.source.fault(f"{some} beside the folders, in none of a class", remedy)
    remedy = "Put the images of each class into a folder of its name"
    if folder != found.folder and _PARTS[folder.name.lower()] == "test":
        remedy = f"{remedy}; images without a class are for nncompare predict, so move '{folder.name}' away"
    return found.source.fault(f"{some} in no folder of a class", remedy)


def _check_parts(found: ImageFolder, inner: Sequence[str], kinds: Mapping[str, str]) -> None:
    """Check that there is a training part, and nothing beside the parts."""
    parts = listed(sorted(kinds), quoted=True)
    if "train" not in kinds.values():
        raise found.source.fault(f"it has the parts {parts} and none called 'train'", "Call one of them so")
    others = [name for name in inner if name not in kinds]
    if others:
        what = f"the folder '{shown(others[0])}' lies beside the parts {parts}"
        raise found.source.fault(what, "Move its images into folders of classes within the parts, or away")
    loose = _loose_images(found, found.folder)
    if loose:
        raise _no_class(found, found.folder, loose, inner)


def _check_no_part(found: ImageFolder, inner: Sequence[str], kinds: Mapping[str, str]) -> None:
    """Refuse a part that lies beside the classes: its name may be a class, unless it holds classes of others."""
    for name in kinds:
        same = sorted({*_folders(found, found.folder / name)} & {*inner})
        if same:
            what = f"the folder '{shown(name)}' holds '{shown(same[0])}', as the folder beside it is called"
            raise found.source.fault(what, "Move the training images of each class into a folder 'train'")


def _check_known(found: ImageFolder, classes: Iterable[str], kind: str) -> None:
    unknown = sorted(name for name in classes if name not in found.train)
    if unknown:
        what = f"'{kind}' has the class '{shown(unknown[0])}', and 'train' has not"
        known = listed([shown(name) for name in sorted(found.train)])
        raise found.source.fault(what, f"The classes of 'train' are {known}: make both agree")


def _folders(found: ImageFolder, folder: Path) -> list[str]:
    return [path.name for path in _entries(found, folder) if path.is_dir()]


def _entries(found: ImageFolder, folder: Path) -> list[Path]:
    entries = _reading(found, lambda: sorted(folder.iterdir()))
    return [path for path in entries if not _is_hidden(path.name)]


def _reading(found: ImageFolder, read: Callable[..., T], *arguments: Path) -> T:
    """Call what reads a folder; that it cannot be read becomes one sentence."""
    try:
        return read(*arguments)
    except OSError as error:
        where = f"'{shown(Path(error.filename).name)}': " if error.filename else ""
        cause = f"{where}{type(error).__name__}: {error.strerror}"
        raise found.source.fault(cause, "Check that you may read it") from error


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LITTER
