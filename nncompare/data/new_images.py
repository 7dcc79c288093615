"""Image files for a trained model: one, or all of a folder, in the form of the images of its training."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from nncompare.data.imagefile import ImageForm, look_at
from nncompare.data.imagefolder import IMAGES, ImageFolder, check_no_table, list_images
from nncompare.data.native import Native
from nncompare.data.ownimages import write_images
from nncompare.data.records import Array
from nncompare.data.source import Source
from nncompare.exceptions import UsageError

__all__ = ["read_new_images"]


def read_new_images(
    path: Path, native: Native, class_names: Sequence[str]
) -> tuple[Array, list[str], list[int], str]:
    """Read images, one in memory at a time.

    Parameters
    ----------
    path : Path
        An image, or a folder with images in it or below it.
    native : Native
        The form of the data that the model was trained on.
    class_names : sequence of str

    Returns
    -------
    X : ndarray of shape (n_samples, *native.sample_shape)
        A memory map; images of other sizes are resized.
    names : list of str
        The path of each within the folder.
    codes : list of int
        Of the class that the first folder in that path is called after; -1 where it is called after none.
    note : str
        How many lost their colours, because those of the training have none; mostly empty.

    Raises
    ------
    DataError
        There is no image, or one is damaged.
    UsageError
        The model was not trained on images that files can hold.
    """
    source = Source(f"'{path.name}'")
    check_no_table(path)
    form = _form(path, native)
    found = ImageFolder(path if path.is_dir() else path.parent)
    try:
        files = list_images(path)[0] if path.is_dir() else [path]
    except OSError as error:
        raise source.fault(f"{type(error).__name__}: {error.strerror}", "Check that you may read it") from error
    if not files:
        raise source.fault(f"it holds no images ({', '.join(sorted(IMAGES))})", "Name a folder that does")
    names = [found.name_of(file) for file in files]
    named = list(zip(files, names, strict=True))
    with tempfile.TemporaryDirectory(prefix="nncompare-images-") as folder:
        X = write_images(Path(folder) / "X.npy", named, source, form)
    codes = {name: code for code, name in enumerate(class_names)}
    labels = [codes.get(name.partition("/")[0], -1) if "/" in name else -1 for name in names]
    n_grey = 0 if form.has_colour else sum(look_at(*file, source).has_colour for file in named)
    note = f"The model was trained on grey images, so {n_grey:,} in colour became grey." if n_grey else ""
    return X, names, labels, note


def _form(path: Path, native: Native) -> ImageForm:
    """Return the form of the images of training, where files can have it."""
    if native.view != "image" or native.sample_shape is None:
        kind = {"tabular": "a table", "sequence": "sequences", "tokens": "texts"}.get(native.view, native.view)
        raise UsageError(f"'{path.name}' holds images, and the model was trained on {kind}.")
    height, width, channels = native.sample_shape
    is_deep = native.dtype != "uint8"
    if channels not in (1, 3) or (is_deep and (channels != 1 or (native.scale == 1.0 and not native.from_files))):
        raise UsageError(
            f"'{path.name}' is not read: the model was trained on arrays of {native.dtype} with {channels} "
            f"channel{'s' if channels > 1 else ''}, which image files do not hold. Give an .npz or .npy file."
        )
    return ImageForm(height, width, channels == 3, is_deep)
