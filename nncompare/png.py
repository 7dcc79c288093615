"""PNG files of small images, by the standard library: Pillow would be a dependency for this alone."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

__all__ = ["encode_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2
_BIT_DEPTH = 8


def encode_png(image: npt.NDArray[np.uint8]) -> bytes:
    """Return a PNG file (ISO/IEC 15948), grey or RGB, without metadata: equal images give equal bytes.

    Parameters
    ----------
    image : ndarray of shape (height, width) or (height, width, 3), uint8

    Raises
    ------
    ValueError
        The array has another shape, or no pixel.
    """
    is_grey = image.ndim == 2
    if image.size == 0 or not (is_grey or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError(f"an image must have the shape (height, width) or (height, width, 3); got {image.shape}")
    height, width = image.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, _BIT_DEPTH, _GREY if is_grey else _RGB, 0, 0, 0)
    lines = np.ascontiguousarray(image).reshape(height, -1)
    unfiltered = np.hstack([np.zeros((height, 1), np.uint8), lines])  # each line begins with its filter: none
    body = zlib.compress(unfiltered.tobytes(), 9)
    return b"".join([_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", body), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
