"""A folder of images for each class becomes a data set: one size and kind for all, written to disk one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TypeAlias

import numpy as np

from nncompare.data.arrays import open_array, write_chunks
from nncompare.data.imagefile import ImageForm, look_at, read_pixels
from nncompare.data.imagefolder import ImageFolder, find_images, shown
from nncompare.data.labels import check_class_counts, describe_classes, in_order
from nncompare.data.own_forms import scale_of
from nncompare.data.records import Array, Dataset, DatasetInfo, Labels
from nncompare.data.source import Source, listed
from nncompare.data.splits import split_off_test
from nncompare.data.staging import staging_folder

__all__ = ["KEPT_SIDE", "RESIZED_SIDE", "read_image_folder", "write_images"]

KEPT_SIDE = 256
"""Images of one size stay as they are up to so many pixels in height and width."""
RESIZED_SIDE = 64
"""The longer side of the size that is chosen for all other images, at most."""

Files: TypeAlias = Sequence[tuple[Path, str]]


def read_image_folder(
    folder: Path, name: str, root: Path, image_size: int | None = None
) -> tuple[DatasetInfo, Dataset]:
    """Read a folder of images, holding one of them in memory at a time.

    Parameters
    ----------
    folder : Path
        See :func:`~nncompare.data.imagefolder.find_images`.
    name : str
        What the data set is called.
    root : Path
        The cache, on whose disk the pixels wait for being stored.
    image_size : int, optional
        Height and width of all images. By default the images keep the size that they share, if that is at most
        256 pixels each way; else it is the median height and the median width of the training part, both made
        smaller until the longer has at most 64 pixels.

    Returns
    -------
    info : DatasetInfo
        Its ``description`` is one line that says what was recognised.
    dataset : Dataset
        Of shape (n, height, width, 1), or 3 where one image has colours. uint8, or float32 where all images are
        grey with more than 8 bits per pixel. The test part is set aside where the folder brings none.

    Raises
    ------
    DataError
        An image is damaged, or the folder is of another form; the message names it and what to do.
    StorageError
        The disk of the cache cannot hold the pixels.
    """
    found = find_images(folder)
    classes = in_order(found.train)
    _check_classes(found, classes)
    files, y = _labelled(found.train, classes)
    test_files, y_test = _labelled(found.test, classes)
    rows = np.arange(len(files))
    train, test = (rows, rows[:0]) if test_files else split_off_test(y)
    seen = [look_at(file, found.name_of(file), found.source) for file in (*files, *test_files)]
    _check_depth(found, [*files, *test_files], seen)
    form = common_form(seen, [seen[row] for row in train], image_size)
    parts = {
        role: [(file, found.name_of(file)) for file in part]
        for role, part in (
            ("X_train", [files[row] for row in train]),
            ("X_test", test_files or [files[row] for row in test]),
        )
    }
    with staging_folder(root) as staging:
        X_train, X_test = (
            write_images(staging / f"{role}.npy", part, found.source, form) for role, part in parts.items()
        )
    info = DatasetInfo(
        name=name,
        view="image",
        n_train=len(y),
        n_test=len(y_test),
        class_names=classes,
        scale=scale_of(X_train, "image", np.arange(len(X_train))),
        description=_describe(found, seen, form, classes),
    )
    names = tuple(name for _, name in parts["X_test"])
    row_names = [*_numbered(found.train, classes, "image"), *_numbered(found.test, classes, "test image")]
    dataset = Dataset(X_train, y[train], X_test, y_test, test_files=names, row_names=row_names)
    return info, dataset if test_files else replace(dataset, y_test=y[test], rows=(train, test))


def common_form(seen: Sequence[ImageForm], train: Sequence[ImageForm], image_size: int | None) -> ImageForm:
    """Return the form in which images are stored: their size is told by the training part alone.

    Parameters
    ----------
    seen : sequence of ImageForm
        All images: one with colours gives colours to all.
    train : sequence of ImageForm
        Those of the training part.
    image_size : int or None
        As for :func:`read_image_folder`.
    """
    has_colour, is_deep = any(form.has_colour for form in seen), seen[0].is_deep
    sizes = {(form.height, form.width) for form in train}
    height, width = next(iter(sizes))
    if image_size is not None:
        height = width = image_size
    elif len(sizes) > 1 or max(height, width) > KEPT_SIDE:
        middle = median(form.height for form in train), median(form.width for form in train)
        factor = min(1.0, RESIZED_SIDE / max(middle))
        height, width = (max(1, round(factor * side)) for side in middle)
    return ImageForm(height, width, has_colour, is_deep)


def write_images(path: Path, files: Files, source: Source, form: ImageForm) -> Array:
    """Write the pixels of images into a new .npy file, one by one, and return it as a memory map.

    Parameters
    ----------
    path : Path
    files : sequence of (Path, str)
        Each with what messages call it.
    source : Source
        The folder.
    form : ImageForm

    Raises
    ------
    DataError
        An image is damaged, or of another depth.
    StorageError
        The file cannot be written.
    """
    pixels = (read_pixels(file, name, source, form)[np.newaxis] for file, name in files)
    write_chunks(path, (len(files), *form.sample_shape), form.dtype, pixels)
    return open_array(path)


def _check_classes(found: ImageFolder, classes: Sequence[str]) -> None:
    """Check that there are classes to tell apart, of enough images and of names that can be written."""
    unwritable = next((name for name in classes if shown(name) != name), None)
    if unwritable is not None:
        raise found.source.fault(f"the name of the folder '{shown(unwritable)}' is not UTF-8", "Rename it")
    if len(classes) == 1:
        below = found.folder / classes[0]
        nested = sorted(path.name for path in below.iterdir() if path.is_dir()) if below.is_dir() else []
        remedy = "Two or more are needed"
        if len(nested) > 1:
            remedy = f"{remedy}; if the classes are the folders in it, name that one: -d {shown(str(below))}"
        raise found.source.fault(f"it has one class only, '{shown(classes[0])}'", remedy)
    y = _labelled(found.train, classes)[1]
    check_class_counts(
        y, [shown(name) for name in classes], "the folder", found.source, has_test=bool(found.test), unit="image"
    )


def _check_depth(found: ImageFolder, files: Sequence[Path], seen: Sequence[ImageForm]) -> None:
    """Refuse images of different depths: no scale would suit both."""
    deep = [form.is_deep for form in seen]
    if any(deep) and not all(deep):
        one, other = (found.name_of(files[deep.index(value)]) for value in (True, False))
        what = f"'{one}' has more than 8 bits per pixel, and '{other}' has 8"
        raise found.source.fault(what, "Convert all images to the same depth")


def _labelled(by_class: dict[str, list[Path]], classes: Sequence[str]) -> tuple[list[Path], Labels]:
    """Return files class by class, and the code of each."""
    files = [file for name in classes for file in by_class.get(name, [])]
    counts = [len(by_class.get(name, [])) for name in classes]
    return files, np.repeat(np.arange(len(classes), dtype=np.int64), counts)


def _numbered(by_class: dict[str, list[Path]], classes: Sequence[str], what: str) -> list[str]:
    """Return what images are called where their files must not be named."""
    return [f"{what} {k:,} of '{name}'" for name in classes for k in range(1, len(by_class.get(name, [])) + 1)]


def _describe(found: ImageFolder, seen: Sequence[ImageForm], form: ImageForm, classes: Sequence[str]) -> str:
    """Return what was recognised: ``1,200 images of 28 × 28, grey; 2 classes: cat, dog``."""
    n_test = sum(map(len, found.test.values()))
    counts = f"{len(seen) - n_test:,} images"
    if found.n_valid:
        counts = f"{counts} ({found.n_valid:,} of them from the folder of validation)"
    if n_test:
        counts = f"{counts} and {n_test:,} test images"
    smallest, largest = (pick(seen, key=lambda f: f.height * f.width) for pick in (min, max))
    is_one = len({(f.height, f.width) for f in seen}) == 1
    size = f"of {_size(largest)}" if is_one else f"from {_size(smallest)} to {_size(largest)}"
    if not is_one or _size(largest) != _size(form):
        size = f"{size} (height × width), resized to {_size(form)}"
    kind = "in colour" if form.has_colour else "grey"
    kind = f"{kind} with more than 8 bits" if form.is_deep else kind
    text = f"{counts} {size}, {kind}; {describe_classes(classes)}"
    return f"{text}; passed over: {listed(found.passed_over)}" if found.passed_over else text


def _size(form: ImageForm) -> str:
    return f"{form.height} × {form.width}"
