"""What can be seen of a sample: thumbnails, curves and rows; words are tested with the mistakes."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest

from nncompare.data.records import Column, Dataset, DatasetInfo
from nncompare.data.store import open_dataset, store_dataset
from nncompare.excerpts import excerpts, thumbnail

from .test_png import chunks

N = 6
Y = np.arange(N) % 2


def pixels(text: str) -> np.ndarray:
    """Return the pixels of a thumbnail."""
    found = chunks(base64.b64decode(text, validate=True))
    width, height, _depth, colour = struct.unpack(">IIBB", found[b"IHDR"][:10])
    lines = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, -1)[:, 1:]
    return lines.reshape(height, width, 3) if colour == 2 else lines


def stored(root, view, X, scale=1.0, **more):
    info = DatasetInfo(name="own", view=view, n_train=N, n_test=N, class_names=("a", "b"), scale=scale)
    return store_dataset(info, Dataset(X, Y, X, Y, **more), root)


def test_thumbnail_of_a_small_image_keeps_every_pixel():
    image = np.random.default_rng(0).integers(0, 256, (28, 20, 1), dtype=np.uint8)
    assert (pixels(thumbnail(image, 1 / 255)) == image[..., 0]).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_thumbnail_is_coloured_where_there_are_three_channels(channels):
    image = np.random.default_rng(0).integers(0, 256, (8, 8, channels), dtype=np.uint8)
    assert (pixels(thumbnail(image, 1 / 255)) == image[..., :3]).all()


@pytest.mark.parametrize("shape", [(64, 64, 1), (33, 5, 1), (3, 1000, 3), (224, 224, 3), (1, 1, 1)])
def test_thumbnail_has_at_most_32_pixels_a_side(shape):
    assert max(pixels(thumbnail(np.full(shape, 0.5), 1.0)).shape[:2]) <= 32


def test_thumbnail_pixels_are_means_of_blocks():
    image = np.zeros((64, 33, 1))
    image[:2, 32:] = 1.0  # the last block has one column
    image[2, 0] = 1.0
    small = pixels(thumbnail(image, 1.0))
    assert small.shape == (32, 17)
    assert (small[0, 16], small[1, 0], small[0, 0]) == (255, 64, 0)


def test_thumbnail_stretches_what_is_outside_of_the_unit_range():
    small = pixels(thumbnail(np.array([[[-3.0]], [[0.0]], [[3.0]]]), 1.0))
    assert small.ravel().tolist() == [0, 128, 255]
    assert pixels(thumbnail(np.full((2, 2, 1), 7.0), 1.0)).max() == 0


def test_excerpts_of_images_follow_their_scale(tmp_path):
    X = np.arange(N * 4, dtype=np.uint8).reshape(N, 2, 2, 1)
    found = excerpts(stored(tmp_path, "image", X, 1 / 255), [1, 3])
    assert list(found) == [1, 3]
    assert (pixels(found[3]["thumbnail"]) == X[3, ..., 0]).all()


def test_excerpts_of_images_name_the_files_of_a_folder_where_those_are_known(tmp_path):
    X, names = np.zeros((N, 2, 2, 1), np.uint8), [f"cat/{k}.png" for k in range(N)]
    first = stored(tmp_path, "image", X, test_files=names)
    assert [seen["file"] for seen in excerpts(first, [1, 3]).values()] == ["cat/1.png", "cat/3.png"]
    renamed = stored(tmp_path, "image", X, test_files=[f"dog/{name}" for name in names])
    assert (renamed.folder, renamed.fingerprint) == (first.folder, first.fingerprint)
    assert excerpts(open_dataset(renamed.folder), [1])[1]["file"] == "dog/cat/1.png"
    assert "file" not in excerpts(stored(tmp_path, "image", X), [1])[1]


def test_excerpts_of_sequences_are_short_and_rounded(tmp_path):
    X = np.zeros((N, 130, 2), np.float32)
    X[2, :, 0], X[2, :, 1] = np.arange(130) / 3, -1.0
    series = excerpts(stored(tmp_path, "sequence", X), [2])[2]["series"]
    assert len(series) == 44  # blocks of 3 steps; 64 is the most
    assert series[0] == 0.3
    assert series[-1] == 43.0  # the last block has the last step alone
    assert all(value == round(value, 1) for value in series)  # a hundredth of their span at the most


def test_excerpts_of_rows_give_categories_by_name(tmp_path):
    X = np.column_stack([np.arange(N) / 3, [0, 1, 0, 1, 0, np.nan]]).astype(np.float64)
    columns = (Column(name="width"), Column(name="colour", categories=("red", "b" * 50)))
    table = stored(tmp_path, "tabular", X, columns=columns, target="class")
    found = excerpts(table, [1, 5])
    assert found[1]["row"] == {"width": 0.333333, "colour": "b" * 40 + "…"}
    assert found[5]["row"] == {"width": 1.66667, "colour": None}


def test_excerpts_of_wide_tables_without_names_are_cut(tmp_path):
    X = np.ones((N, 30), np.float32)
    row = excerpts(stored(tmp_path, "tabular", X), [0])[0]["row"]
    assert list(row) == [f"column {k}" for k in range(20)]
