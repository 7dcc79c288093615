"""Folders of images: what belongs to which class, and what becomes of pixels of every kind."""

import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nncompare.data.imagefile import ImageForm, look_at, read_pixels
from nncompare.data.imagefolder import find_images, list_images
from nncompare.data.native import Native
from nncompare.data.new_samples import NewSamples
from nncompare.data.own import name_of_path, read_own
from nncompare.data.ownimages import KEPT_SIDE, RESIZED_SIDE, common_form
from nncompare.data.source import Source
from nncompare.data.splits import split_off_test
from nncompare.data.store import store_dataset
from nncompare.exceptions import DataError, UsageError

from .bad_inputs import BAD_FOLDERS, INPUTS, make_input

RED, GREY = (255, 0, 0), 128
SOURCE = Source("'folder'")


def pixels(height=6, width=8, channels=1, seed=0):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(path, **options)
    return path


def folder_of(root, classes=("cat", "dog"), n=5, **form):
    for k, name in enumerate(classes):
        for i in range(n):
            save(root / name / f"{i}.png", pixels(seed=100 * k + i, **form))
    return root


def read(path, form):
    return read_pixels(path, path.name, SOURCE, form)


def of_alone(path):
    """Return the pixels of an image in the form that it has by itself."""
    return read(path, look_at(path, path.name, SOURCE))


@pytest.mark.parametrize("name", BAD_FOLDERS)
def test_bad_folder_gets_one_sentence_with_folder_place_and_remedy(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    make_input(name, tmp_path)
    with pytest.raises(DataError) as caught:
        read_own(Path("flowers"), root=tmp_path / "cache")
    assert str(caught.value).replace("flowers/flowers", "./flowers/flowers") == INPUTS[name]["sentence"]
    assert [path for path in (tmp_path / "cache").rglob("*") if path.name != "data"] == []


def test_folder_of_one_size_is_stored_as_it_is(tmp_path):
    folder = folder_of(tmp_path / "pets")
    info, dataset = read_own(folder, root=tmp_path / "cache")
    assert info.description == "10 images of 6 × 8, grey; 2 classes: cat, dog"
    assert (info.name, info.view, info.class_names, info.scale) == ("pets", "image", ("cat", "dog"), 1 / 255)
    y = np.repeat([0, 1], 5)
    every = np.stack([pixels(seed=100 * k + i) for k in range(2) for i in range(5)])[..., np.newaxis]
    train, test = split_off_test(y)
    np.testing.assert_array_equal(dataset.X_train, every[train])
    np.testing.assert_array_equal(dataset.X_test, every[test])
    np.testing.assert_array_equal(dataset.y_train, y[train])
    np.testing.assert_array_equal(dataset.y_test, y[test])
    assert dataset.X_train.dtype == np.uint8


def test_folder_is_stored_as_equal_arrays_are(tmp_path):
    """The way over the disk changes nothing: split, order and bytes are those of an archive of the same pixels."""
    folder = folder_of(tmp_path / "pets")
    stored = store_dataset(*read_own(folder, root=tmp_path / "cache"), tmp_path / "cache")
    every = np.stack([pixels(seed=100 * k + i) for k in range(2) for i in range(5)])
    np.savez(tmp_path / "pets.npz", X=every[..., np.newaxis], y=np.repeat(["cat", "dog"], 5))
    arrays = store_dataset(*read_own(tmp_path / "pets.npz"), tmp_path / "cache")
    assert (stored.fingerprint, stored.test_fingerprint) == (arrays.fingerprint, arrays.test_fingerprint)
    assert (stored.split_by, stored.findings) == ("class", arrays.findings)


def test_images_of_several_sizes_get_the_median_of_the_training_part_within_the_limit(tmp_path):
    sizes = [(10, 20), (30, 40), (30, 60)]
    for k, name in enumerate(("a", "b")):
        for i, (height, width) in enumerate(sizes):
            save(tmp_path / "train" / name / f"{i}.png", pixels(height, width, seed=k + i))
        save(tmp_path / "test" / name / "0.png", pixels(500, 10))
    info, dataset = read_own(tmp_path, name="x", root=tmp_path / "cache")
    assert dataset.X_train.shape == (6, 30, 40, 1)
    assert dataset.X_test.shape == (2, 30, 40, 1)
    assert info.description == (
        "6 images and 2 test images from 10 × 20 to 500 × 10 (height × width), resized to 30 × 40, grey; "
        "2 classes: a, b"
    )


@pytest.mark.parametrize(
    ("sizes", "image_size", "expected"),
    [
        ([(KEPT_SIDE, 1)] * 3, None, (KEPT_SIDE, 1)),
        ([(KEPT_SIDE + 1, 100)] * 3, None, (RESIZED_SIDE, round(100 * RESIZED_SIDE / (KEPT_SIDE + 1)))),
        ([(480, 640), (640, 480), (480, 640)], None, (48, 64)),
        ([(30, 20), (30, 21)], None, (30, 20)),
        ([(2, 9000), (2, 9001)], None, (1, 64)),
        ([(30, 20), (30, 21)], 32, (32, 32)),
        ([(28, 28)] * 2, 14, (14, 14)),
    ],
)
def test_common_size(sizes, image_size, expected):
    forms = [ImageForm(*size) for size in sizes]
    assert common_form(forms, forms, image_size)[:2] == expected


def test_one_image_in_colour_gives_colours_to_all(tmp_path):
    folder = folder_of(tmp_path / "pets")
    save(folder / "dog" / "red.png", Image.new("RGB", (8, 6), RED))
    info, dataset = read_own(folder, root=tmp_path / "cache")
    assert ", in colour; " in info.description
    both = np.concatenate([dataset.X_train, dataset.X_test])
    assert both.shape == (11, 6, 8, 3)
    grey = (both == both[..., :1]).all(axis=(1, 2, 3))
    assert np.count_nonzero(~grey) == 1
    assert (both[~grey] == RED).all()


def test_deep_images_keep_their_values_as_floats(tmp_path):
    every = []
    for name in ("a", "b"):
        for i in range(3):
            every.append(np.random.default_rng(i).integers(0, 4096, (6, 8), dtype=np.uint16))
            save(tmp_path / "scans" / name / f"{i}.png", every[-1])
    info, dataset = read_own(tmp_path / "scans", root=tmp_path / "cache")
    assert "6 images of 6 × 8, grey with more than 8 bits; " in info.description
    assert dataset.X_train.dtype == np.float32
    both = np.concatenate([dataset.X_train, dataset.X_test])
    assert sorted(map(np.sum, both)) == sorted(map(np.sum, every))
    assert info.scale == pytest.approx(1 / dataset.X_train.max())


# --- one image --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".pgm", ".tif", ".gif"])
def test_grey_pixels_are_those_of_the_file(tmp_path, suffix):
    path = save(tmp_path / f"x{suffix}", pixels())
    np.testing.assert_array_equal(of_alone(path), pixels()[..., np.newaxis])


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".tiff"])
def test_colours_are_those_of_the_file(tmp_path, suffix):
    path = save(tmp_path / f"x{suffix}", pixels(channels=3))
    np.testing.assert_array_equal(of_alone(path), pixels(channels=3))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGBA", (8, 6), (*RED, 0)), (255, 255, 255)),
        (Image.new("RGBA", (8, 6), (*RED, 255)), RED),
        (Image.new("RGBA", (8, 6), (0, 0, 0, 51)), (204, 204, 204)),
        (Image.new("LA", (8, 6), (0, 0)), (255,)),
        (Image.new("1", (8, 6), 1), (255,)),
        (Image.new("RGB", (8, 6), RED).convert("P"), RED),
        (Image.new("L", (8, 6), GREY).convert("P"), (GREY,)),
    ],
)
def test_transparent_is_white_and_palettes_are_what_they_stand_for(tmp_path, image, expected):
    path = save(tmp_path / "x.png", image)
    found = of_alone(path)
    assert found.shape == (6, 8, len(expected))
    assert (found == np.array(expected)).all()


def test_colour_that_stands_for_transparent_is_white(tmp_path):
    path = save(tmp_path / "x.png", Image.new("RGB", (8, 6), RED), transparency=RED)
    assert (of_alone(path) == 255).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_stand_as_their_exif_data_say(tmp_path, suffix, orientation):
    upright = np.zeros((32, 64), dtype=np.uint8)
    upright[:16, :32] = 255  # white in the upper left
    undo = {2: np.fliplr, 3: lambda x: np.rot90(x, 2), 4: np.flipud, 5: np.transpose,
            6: np.rot90, 7: lambda x: np.rot90(x.T, 2), 8: lambda x: np.rot90(x, 3)}  # fmt: skip
    stored = undo.get(orientation, lambda x: x)(upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if suffix == ".webp" else {}
    path = save(tmp_path / f"x{suffix}", np.ascontiguousarray(stored), exif=exif, **lossless)
    assert look_at(path, "x", SOURCE)[:2] == (32, 64)
    found = read(path, ImageForm(32, 64))[..., 0]
    np.testing.assert_allclose(found.astype(float), upright, atol=3)


def test_shrinking_takes_the_mean_of_all_pixels(tmp_path):
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    path = save(tmp_path / "x.png", board.astype(np.uint8))
    found = read(path, ImageForm(8, 8))
    assert found.shape == (8, 8, 1)
    assert found.std() < 1
    assert found.mean() == pytest.approx(127.5, abs=1)


def test_large_photographs_are_shrunk_as_other_images_are(tmp_path):
    """Pillow unpacks but a part of a large JPEG; what it leaves out is what shrinking takes the mean of."""
    waves = np.sin(np.linspace(0, 9, 1600))[np.newaxis] * np.cos(np.linspace(0, 6, 1200))[:, np.newaxis]
    smooth = (127 + 127 * waves).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    for options in ({}, {"exif": exif}):
        whole = read(save(tmp_path / "x.png", smooth, **options), ImageForm(48, 64))
        photo = read(save(tmp_path / "x.jpg", smooth, quality=95, **options), ImageForm(48, 64))
        assert np.abs(whole.astype(int) - photo).max() <= 4


def test_image_of_very_many_pixels_is_refused_before_it_is_unpacked(tmp_path):
    path = save(tmp_path / "x.png", pixels())
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)  # width and height in the head
    head = bytes(content[12:29])
    content[29:33] = struct.pack(">I", zlib.crc32(head))
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=r"^'folder' cannot be used: 'x' has more than 89,478,485 pixels\. Make it"
    ):
        look_at(path, "x", SOURCE)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".tif", ".webp", ".ppm"])
def test_damaged_images_of_every_kind_are_named_and_no_other_error_comes(tmp_path, suffix):
    """Each byte may be wrong, each file cut off anywhere: pixels come, or one sentence with the file's name."""
    path = save(tmp_path / f"x{suffix}", pixels(16, 16, 3))
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for k in range(150):
        content = bytearray(whole[: rng.integers(1, len(whole))] if k % 3 == 0 else whole)
        for place in rng.integers(0, len(content), 1 + k % 5) if k % 3 else ():
            content[place] = rng.integers(256)
        path.write_bytes(content)
        try:
            found = read(path, ImageForm(16, 16, has_colour=True))
        except DataError as error:
            assert f"'{path.name}'" in str(error)  # noqa: PT017
        else:
            assert found.shape == (16, 16, 3)


def test_image_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "x.png").mkdir()
    with pytest.raises(DataError, match=r"'x': IsADirectoryError: Is a directory\. Check that you may read it"):
        look_at(tmp_path / "x.png", "x", SOURCE)


# --- the folder -------------------------------------------------------------------------------------------------


def test_litter_is_passed_over_and_files_that_are_no_images_are_named(tmp_path):
    folder = folder_of(tmp_path / "pets")
    for name in (".DS_Store", "cat/Thumbs.db", "cat/._0.png", ".git/x.png", "__MACOSX/0.png", "dog/desktop.ini"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text("litter")
    for name in ("labels.csv", "cat/notes.txt"):
        (folder / name).write_text("words")
    info, _ = read_own(folder, root=tmp_path / "cache")
    assert info.description.endswith("; 2 classes: cat, dog; passed over: labels.csv, cat/notes.txt")


def test_validation_part_is_made_part_of_the_training(tmp_path):
    for part, n in (("Train", 3), ("valid", 2), ("TEST", 1)):
        folder_of(tmp_path / "pets" / part, n=n)
    found = find_images(tmp_path / "pets")
    assert {name: len(files) for name, files in found.train.items()} == {"cat": 5, "dog": 5}
    assert {name: len(files) for name, files in found.test.items()} == {"cat": 1, "dog": 1}
    info, dataset = read_own(tmp_path / "pets", root=tmp_path / "cache")
    assert info.description.startswith(
        "10 images (4 of them from the folder of validation) and 2 test images of 6"
    )
    assert (len(dataset.X_train), len(dataset.X_test)) == (10, 2)


def test_train_alone_is_a_part_and_among_others_a_class(tmp_path):
    folder_of(tmp_path / "pets" / "train")
    assert set(find_images(tmp_path / "pets").train) == {"cat", "dog"}
    folder_of(tmp_path / "vehicles", ("bus", "train"))
    assert set(find_images(tmp_path / "vehicles").train) == {"bus", "train"}


def test_folders_within_a_class_belong_to_it_and_links_to_folders_are_named(tmp_path):
    folder = folder_of(tmp_path / "pets", n=2)
    save(folder / "cat" / "2024" / "may" / "0.JPG", pixels())
    (folder / "dog" / "again").symlink_to(folder / "dog")
    (folder / "wolf").symlink_to(folder / "dog")
    found = find_images(folder)
    assert [found.name_of(file) for file in found.train["cat"]] == ["cat/0.png", "cat/1.png", "cat/2024/may/0.JPG"]
    assert len(found.train["wolf"]) == 2
    assert found.passed_over == ["dog/again", "wolf/again"]


def test_classes_of_whole_numbers_are_sorted_by_value(tmp_path):
    folder_of(tmp_path / "numbers", ("10", "9", "0"), n=3)
    assert read_own(tmp_path / "numbers", root=tmp_path / "cache")[0].class_names == ("0", "9", "10")


def test_class_whose_name_is_no_utf8_is_refused(tmp_path):
    folder = folder_of(tmp_path / "pets", n=3)
    Path(os.fsdecode(os.fsencode(folder / "h") + b"\xe9")).mkdir()
    with pytest.raises(DataError, match=r"^'pets' cannot be used: the name of the folder 'h.' is not UTF-8\. R"):
        read_own(folder, root=tmp_path / "cache")


def test_large_folder_needs_the_memory_of_one_image(tmp_path):
    folder = folder_of(tmp_path / "large", n=30, height=200, width=200, channels=3)
    tracemalloc.start()
    try:
        _, dataset = read_own(folder, root=tmp_path / "cache")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert dataset.X_train.nbytes + dataset.X_test.nbytes == 60 * 200 * 200 * 3
    assert peak < 3_000_000
    assert list((tmp_path / "cache" / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "name"), [("pets", "pets"), ("pets/", "pets"), (".", "in"), ("pets/..", "in"), ("X.npy", "in")]
)
def test_names_of_folders_and_of_arrays(tmp_path, monkeypatch, path, name):
    (tmp_path / "in" / "pets").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "in")
    assert name_of_path(Path(path)) == name


# --- new images -------------------------------------------------------------------------------------------------


def new(path, shape=(6, 8, 1), dtype="uint8", view="image", scale=1 / 255, classes=("cat", "dog")):
    native = Native(view=view, sample_shape=shape, dtype=dtype, scale=scale)
    return NewSamples(native, classes).read(path)


def test_new_images_of_a_flat_folder_have_their_names_and_no_labels(tmp_path):
    for name in ("b.png", "a.png"):
        save(tmp_path / "new" / name, pixels(seed=ord(name[0])))
    (tmp_path / "new" / "notes.txt").write_text("words")
    taken = new(tmp_path / "new")
    assert taken.kept == {"file": ["a.png", "b.png"]}
    assert taken.labels is None
    np.testing.assert_array_equal(taken.X[1, ..., 0], pixels(seed=ord("b")))
    assert taken.note == ""


def test_new_images_in_folders_of_classes_have_labels(tmp_path):
    folder = folder_of(tmp_path / "new", ("cat", "dog", "unsorted"), n=1)
    save(folder / "cat.png", pixels())
    taken = new(folder)
    assert taken.kept == {"file": ["cat/0.png", "cat.png", "dog/0.png", "unsorted/0.png"]}
    assert taken.labels.tolist() == [0, -1, 1, -1]


def test_new_images_are_resized_and_made_grey_as_those_of_training_were(tmp_path):
    save(tmp_path / "new" / "a.png", Image.new("RGB", (80, 60), RED))
    save(tmp_path / "new" / "b.png", Image.new("L", (80, 60), GREY))
    taken = new(tmp_path / "new")
    assert taken.X.shape == (2, 6, 8, 1)
    assert [int(image.mean()) for image in taken.X] == [76, GREY]
    assert taken.note == "The model was trained on grey images, so 1 in colour became grey."
    colours = new(tmp_path / "new", (6, 8, 3))
    assert colours.X[0, 0, 0].tolist() == list(RED)
    assert colours.note == ""


def test_new_image_alone_is_a_row(tmp_path):
    taken = new(save(tmp_path / "a.png", pixels()))
    assert (taken.X.shape, taken.kept, taken.labels) == ((1, 6, 8, 1), {"file": ["a.png"]}, None)


def test_new_images_read_by_a_folder_are_those_that_were_trained_on(tmp_path):
    folder = folder_of(tmp_path / "pets", height=30, width=41)
    save(folder / "dog" / "other.png", pixels(90, 20))
    _, dataset = read_own(folder, root=tmp_path / "cache")
    taken = new(folder, dataset.X_train.shape[1:])
    both = {image.tobytes() for image in (*dataset.X_train, *dataset.X_test)}
    assert {image.tobytes() for image in taken.X} == both


@pytest.mark.parametrize(
    ("form", "error", "words"),
    [
        ({"view": "tabular", "shape": (4,), "dtype": "float32"}, UsageError, "model was trained on a table"),
        ({"view": "tokens", "shape": None}, UsageError, "and the model was trained on texts"),
        ({"shape": (6, 8, 4)}, UsageError, "on arrays of uint8 with 4 channels, which"),
        ({"dtype": "float32", "scale": 1.0}, UsageError, "on arrays of float32 with 1 channel, which"),
        ({"dtype": "float32", "scale": 1 / 4095}, DataError, "'a.png' has 8 bits per pixel, where more"),
    ],
)  # fmt: skip
def test_new_images_for_models_of_other_data_are_refused(tmp_path, form, error, words):
    save(tmp_path / "new" / "a.png", pixels())
    with pytest.raises(error, match=words):
        new(tmp_path / "new", **form)


def test_new_folder_without_images_and_with_a_damaged_one(tmp_path):
    (tmp_path / "new").mkdir()
    with pytest.raises(DataError, match=r"^'new' cannot be used: it holds no images \(\.bmp, "):
        new(tmp_path / "new")
    save(tmp_path / "new" / "in" / "a.png", pixels()).write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match=r"^'new' cannot be used: 'in/a\.png' is no image, or is damaged"):
        new(tmp_path / "new")


def test_columns_cannot_be_kept_of_images(tmp_path):
    save(tmp_path / "new" / "a.png", pixels())
    native = Native(view="image", sample_shape=(6, 8, 1), dtype="uint8")
    with pytest.raises(UsageError, match=r"'new' has no columns to keep \(--keep\)"):
        NewSamples(native, ("a", "b")).read(tmp_path / "new", keep=("id",))


def test_folder_that_cannot_be_read_is_one_sentence(tmp_path, monkeypatch):
    folder = folder_of(tmp_path / "pets")

    def refuse(top, onerror):
        onerror(PermissionError(13, "Permission denied", str(top)))

    monkeypatch.setattr("nncompare.data.imagefolder.os.walk", refuse)
    with pytest.raises(PermissionError):
        list_images(folder / "cat")
    with pytest.raises(
        DataError, match=r"^'pets' cannot be used: 'cat': PermissionError: Permission denied\. Check"
    ):
        read_own(folder, root=tmp_path / "cache")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_pipe_that_is_called_as_an_image_is_refused_and_not_waited_for(tmp_path):
    folder = folder_of(tmp_path / "flowers")
    os.mkfifo(folder / "cat" / "pipe.png")
    what = "'cat/pipe.png' is no regular file but a pipe, a socket or a device"
    sentence = f"'flowers' cannot be used: {what}. Move it away."
    with pytest.raises(DataError) as caught:
        read_own(folder, root=tmp_path / "cache")
    assert str(caught.value) == sentence
    with pytest.raises(DataError) as caught:
        new(folder)
    assert str(caught.value) == sentence


def test_folder_with_the_parts_of_a_table_is_told_so(tmp_path):
    folder = tmp_path / "t.parquet"
    folder.mkdir()
    for read_it in (read_own, new):
        with pytest.raises(DataError, match=r"^'t\.parquet' cannot be used: it is a folder with the parts"):
            read_it(folder)
