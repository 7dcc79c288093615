"""One image file: its size and kind, told by its head, and its pixels in the form that a data set has."""

from __future__ import annotations

import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from nncompare.data.records import Array
from nncompare.data.source import Source

__all__ = ["ImageForm", "look_at", "read_pixels"]

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_GREY = frozenset(("1", "L", "LA"))
_DEEP = frozenset(("I", "I;16", "I;16B", "I;16L", "I;16N", "F"))
_BROKEN = (
    *(ArithmeticError, EOFError, LookupError, OSError, SyntaxError, TypeError, ValueError),
    *(struct.error, zlib.error),
)
"""What Pillow raises for files that are damaged."""
_PLENTY = 3
"""Of a JPEG with more than so many times the wanted pixels each way, Pillow unpacks the means of 2, 4 or 8."""
_ORIENTATION = 0x0112
_LYING = frozenset((5, 6, 7, 8))
"""Values of the EXIF tag above with which width and height change places."""


class ImageForm(NamedTuple):
    """Size and kind of an image.

    Parameters
    ----------
    height, width : int
        In pixels, as a viewer shows it: turned as its EXIF data say.
    has_colour : bool
        Its kind of file has colours; a grey picture may be stored as one.
    is_deep : bool
        Grey with more than 8 bits per pixel; it is read as float32, with its values as they are.
    """

    height: int
    width: int
    has_colour: bool = False
    is_deep: bool = False

    @property
    def sample_shape(self) -> tuple[int, int, int]:
        """Shape of the pixels."""
        return self.height, self.width, 3 if self.has_colour else 1

    @property
    def dtype(self) -> str:
        """Dtype of the pixels."""
        return "float32" if self.is_deep else "uint8"


def look_at(file: Path, name: str, source: Source) -> ImageForm:
    """Return the form of an image, of which mostly the head alone is read.

    Parameters
    ----------
    file : Path
    name : str
        What messages call it.
    source : Source
        The folder.

    Raises
    ------
    DataError
        It is no image, is damaged, or has so many pixels that it may be made to fill the memory.
    """
    with _opened(file, name, source) as image:
        width, height = image.size
        if _is_turned(image) and image.getexif().get(_ORIENTATION) in _LYING:
            width, height = height, width
        return ImageForm(height, width, _has_colour(image), image.mode in _DEEP)


def read_pixels(file: Path, name: str, source: Source, form: ImageForm) -> Array:
    """Return the pixels of an image in a form: turned as EXIF says, without transparency, and resized.

    Of several pages or frames the first is read. Transparent parts become white. Where the size differs, it is
    resized by Pillow's bilinear filter, which takes a weighted mean of all pixels that become one.

    Parameters
    ----------
    file, name, source
        As for :func:`look_at`.
    form : ImageForm
        What the pixels should be like.

    Returns
    -------
    ndarray of shape form.sample_shape, uint8 or float32

    Raises
    ------
    DataError
        It is damaged, or has more or fewer bits per pixel than the others.
    """
    with _opened(file, name, source) as image:
        is_deep, is_turned = image.mode in _DEEP, _is_turned(image)
        if is_deep == form.is_deep:
            enough = _PLENTY * max(form.height, form.width)
            image.draft(None, (enough, enough))
            image.load()
            upright = ImageOps.exif_transpose(image) if is_turned else image
            flat = upright.convert("F") if is_deep else _without_alpha(upright, form.has_colour)
            if flat.size != (form.width, form.height):
                flat = flat.resize((form.width, form.height), Image.Resampling.BILINEAR)
            pixels = np.array(flat).reshape(form.sample_shape)
    if is_deep != form.is_deep:
        bits = ("8 bits", "more than 8 bits")
        what = f"'{name}' has {bits[is_deep]} per pixel, where {bits[form.is_deep]} are expected"
        raise source.fault(what, "Convert it to the depth of the images of training")
    if is_deep and not np.isfinite(pixels).all():
        raise source.fault(f"'{name}' has a pixel that is NaN or infinite", "Correct it, or move it away")
    return pixels


@contextmanager
def _opened(file: Path, name: str, source: Source) -> Iterator[Image.Image]:
    """Yield an image; what Pillow raises in the block becomes one sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, which change no pixel
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            if stat.S_IFMT(file.stat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR):  # opening may wait for ever
                what = f"'{name}' is no regular file but a pipe, a socket or a device"
                raise source.fault(what, "Move it away")
            # Not by its path: Pillow maps TIFF files that are not packed, and mixes up the sides of turned ones.
            with file.open("rb") as stream, Image.open(stream, formats=_FORMATS) as image:
                yield image
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            most = f"more than {Image.MAX_IMAGE_PIXELS:,} pixels"
            raise source.fault(f"'{name}' has {most}", "Make it smaller, or move it away") from error
        except UnidentifiedImageError as error:
            raise source.fault(f"'{name}' is no image, or is damaged", "Replace it, or move it away") from error
        except _BROKEN as error:
            if isinstance(error, OSError) and error.errno is not None:
                what, remedy = f"{type(error).__name__}: {error.strerror}", "Check that you may read it"
            else:
                what, remedy = f"it is damaged ({str(error)[:100]})", "Replace it, or move it away"
            raise source.fault(f"'{name}': {what}", remedy) from error


def _is_turned(image: Image.Image) -> bool:
    """Tell whether EXIF data stand before the pixels; Pillow itself turns TIFF files by theirs."""
    return "exif" in image.info and image.format != "TIFF"


def _has_colour(image: Image.Image) -> bool:
    if image.mode in ("P", "PA"):
        palette = np.array(image.getpalette("RGB") or []).reshape(-1, 3)
        return bool((palette != palette[:, :1]).any())
    return image.mode not in _GREY | _DEEP


def _without_alpha(image: Image.Image, has_colour: bool) -> Image.Image:
    """Return an image of 8 bits in colours or grey, what is transparent in white."""
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    return image.convert("RGB" if has_colour else "L")
