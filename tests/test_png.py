"""PNG files, read back by Pillow where it is there and by the format's own rules everywhere."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest

from nncompare.png import encode_png


def chunks(data: bytes) -> dict[bytes, bytes]:
    """Return the chunks of a PNG file, their checksums checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert data[at + 8 + length : at + 12 + length] == struct.pack(">I", zlib.crc32(kind + body))
        found[kind] = body
        at += 12 + length
    return found


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (3, 7), (5, 4, 3), (1, 9, 3)])
def test_png_holds_every_pixel(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = chunks(encode_png(image))
    assert list(found) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", found[b"IHDR"]) == (
        shape[1],
        shape[0],
        8,
        2 if len(shape) == 3 else 0,
        0,
        0,
        0,
    )
    lines = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(shape[0], -1)
    assert (lines[:, 0] == 0).all()
    assert (lines[:, 1:] == image.reshape(shape[0], -1)).all()


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3)])
def test_png_is_read_by_others(shape):
    images = pytest.importorskip("PIL.Image")
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with images.open(io.BytesIO(encode_png(image))) as opened:
        assert (np.asarray(opened) == image).all()


@pytest.mark.parametrize("shape", [(0, 3), (3,), (2, 2, 4), (2, 2, 2, 3)])
def test_png_of_what_is_no_image_is_refused(shape):
    with pytest.raises(ValueError, match="an image must have the shape"):
        encode_png(np.zeros(shape, np.uint8))
