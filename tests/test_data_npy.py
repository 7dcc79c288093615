"""Arrays in .npy files: which belong together, and that none is loaded whole."""

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from nncompare.data.native import Native
from nncompare.data.new_samples import NewSamples
from nncompare.data.npyfile import labels_beside, stem_of_arrays
from nncompare.data.own import read_own
from nncompare.data.staging import staging_folder
from nncompare.data.store import store_dataset
from nncompare.exceptions import DataError, StorageError, UsageError

from .bad_inputs import BAD_NPY, INPUTS, make_input

Y = np.arange(40) % 2
NUMBERS = np.random.default_rng(0)


def save(folder, prefix="", **arrays):
    for role, array in arrays.items():
        np.save(folder / f"{prefix}{role}.npy", array)
    return folder / f"{prefix}{next(iter(arrays))}.npy"


def read(path, view=None):
    return read_own(path, view=view, root=path.parent / "cache")


@pytest.mark.parametrize("name", BAD_NPY)
def test_bad_array_file_gets_one_sentence_with_file_place_and_remedy(tmp_path, name):
    make_input(name, tmp_path)
    with pytest.raises((DataError, UsageError)) as caught:
        read(tmp_path / INPUTS[name]["file"])
    assert str(caught.value) == INPUTS[name]["sentence"]


@pytest.mark.parametrize(
    ("samples", "labels", "about"),
    [
        ("X.npy", "y.npy", "in"),
        ("x.npy", "y.npy", "in"),
        ("X_train.npy", "y_train.npy", "in"),
        ("flowers_X.npy", "flowers_y.npy", "flowers"),
        ("max-x-X-train.npy", "max-x-y-train.npy", "max-x"),
        ("flowers.X.npy", "flowers.y.npy", "flowers"),
        ("Xavier.npy", None, "Xavier"),
        ("max.npy", None, "max"),
    ],
)
def test_labels_lie_beside_their_samples(samples, labels, about):
    path = Path("/in") / samples
    assert labels_beside(path) == (None if labels is None else Path("/in") / labels)
    assert stem_of_arrays(path) == about


@pytest.mark.parametrize(
    ("X", "view", "expected", "text"),
    [
        (NUMBERS.random((40, 3)), None, ("tabular", (3,), "float32", 1.0), "3 numeric columns"),
        (NUMBERS.random((40, 5, 2)), None, ("sequence", (5, 2), "float32", 1.0), "sequences of 5 × 2"),
        (NUMBERS.random((40, 5)), "sequence", ("sequence", (5, 1), "float32", 1.0), "sequences of 5 × 1"),
        (NUMBERS.integers(0, 256, (40, 5, 4), np.uint8), None, ("image", (5, 4, 1), "uint8", 1 / 255), "× 1"),
        (NUMBERS.integers(0, 256, (40, 5, 4, 3)), None, ("image", (5, 4, 3), "uint8", 1 / 255), "× 3"),
        (NUMBERS.random((40, 5, 4)) > 0.5, "image", ("image", (5, 4, 1), "float32", 1.0), "5 × 4 × 1, float32"),
        (np.asfortranarray(NUMBERS.random((40, 3))), None, ("tabular", (3,), "float32", 1.0), "3 numeric columns"),
        (NUMBERS.random((40, 3)).astype(">f8"), None, ("tabular", (3,), "float32", 1.0), "3 numeric columns"),
    ],
)  # fmt: skip
def test_arrays_are_stored_as_those_of_an_archive_are(tmp_path, X, view, expected, text):
    info, dataset = read(save(tmp_path, X=X, y=Y), view)
    stored = store_dataset(info, dataset, tmp_path / "cache")
    assert (stored.view, stored.sample_shape, stored.dtype, stored.scale) == expected
    assert text in stored.description
    np.savez(tmp_path / "same.npz", X=X, y=Y)
    same = store_dataset(*read_own(tmp_path / "same.npz", view=view), tmp_path / "cache")
    assert (stored.fingerprint, stored.test_fingerprint) == (same.fingerprint, same.test_fingerprint)
    assert (stored.description, stored.columns) == (same.description, same.columns)
    assert (stored.split_by, stored.findings) == ("class", same.findings)


def test_table_with_gaps_is_stored_as_that_of_an_archive_is(tmp_path):
    X = NUMBERS.random((40, 3)).astype(np.float32)
    X[3, 1] = np.nan
    stored = store_dataset(*read(save(tmp_path, X=X, y=Y)), tmp_path / "cache")
    np.savez(tmp_path / "same.npz", X=X, y=Y)
    same = store_dataset(*read_own(tmp_path / "same.npz"), tmp_path / "cache")
    assert (stored.fingerprint, stored.columns) == (same.fingerprint, same.columns)
    assert stored.description.startswith("40 rows: 3 numeric columns, 1 missing values; ")


@pytest.mark.parametrize("stem", ["X", "X_train"])
def test_test_part_and_classes_of_text_come_from_files_of_the_same_names(tmp_path, stem):
    X, names = NUMBERS.random((40, 3)).astype(np.float32), np.array(["no", "yes"])[Y]
    path = save(tmp_path, "my_", **{stem: X, stem.replace("X", "y"): names, "X_test": X[:6], "y_test": names[:6]})
    info, dataset = read(path)
    assert (info.name, info.class_names, info.n_train, info.n_test) == ("my", ("no", "yes"), 40, 6)
    np.testing.assert_array_equal(dataset.X_test, X[:6])
    np.testing.assert_array_equal(dataset.y_test, Y[:6])


def test_arrays_larger_than_the_memory_are_stored_in_pieces(tmp_path):
    """40 MB of float64 without a test part: a copy of the training rows, or of them all as float32, would show."""
    path = save(tmp_path, X=NUMBERS.random((400, 25, 500)), y=np.arange(400) % 2)
    chunk = 17e6
    tracemalloc.start()
    try:
        stored = store_dataset(*read(path), tmp_path / "cache")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert stored.X_train().shape == (320, 25, 500)
    assert peak < chunk
    assert [path.name for path in (tmp_path / "cache" / "data").iterdir()] == [stored.folder.name]


@pytest.mark.parametrize(
    ("value", "shape", "words"),
    [
        (np.inf, (40, 3), "a value in row 33 is infinite"),
        (np.nan, (40, 3, 2), "a value in row 33 is NaN or infinite"),
        (1e300, (40, 3), "a value in row 33 is too large for float32"),
    ],
)
def test_faults_far_below_are_told_by_their_row(tmp_path, monkeypatch, value, shape, words):
    monkeypatch.setattr("nncompare.data.arrays.CHUNK_BYTES", 100)
    monkeypatch.setattr("nncompare.data.samples.CHUNK_BYTES", 500)
    X = NUMBERS.random(shape)
    X[33, 1] = value
    with pytest.raises(DataError, match=rf"^'X\.npy' cannot be used: {words}\."):
        read(save(tmp_path, X=X, y=Y))


def test_column_without_values_is_told_and_gaps_are_counted_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("nncompare.data.arrays.CHUNK_BYTES", 100)
    X = NUMBERS.random((40, 3))
    X[1:, 2] = np.nan
    info, _ = read(save(tmp_path, X=X, y=Y))
    assert "3 numeric columns, 39 missing values" in info.description
    X[0, 2] = np.nan
    with pytest.raises(DataError, match=r"^'X\.npy' cannot be used: column 2 has no values at all\."):
        read(save(tmp_path, X=X, y=Y))


def test_integer_images_out_of_range_are_told_by_their_row(tmp_path):
    X = NUMBERS.integers(0, 256, (40, 5, 4, 1))
    X[39, 0, 0, 0] = 300
    with pytest.raises(DataError, match=r"^'X\.npy' cannot be used: images of int64 go from 0 to 300\. Use 0 to"):
        read(save(tmp_path, X=X, y=Y))


def test_staging_folder_vanishes_also_where_reading_fails_and_what_was_opened_stays_readable(tmp_path):
    with pytest.raises(FileNotFoundError), staging_folder(tmp_path) as folder:
        (folder / "X.npy").rename(folder / "there" / "X.npy")
    with staging_folder(tmp_path) as folder:
        np.save(folder / "X.npy", Y)
        opened = np.load(folder / "X.npy", mmap_mode="r")
    assert list((tmp_path / "data").iterdir()) == []
    np.testing.assert_array_equal(opened, Y)


def test_staging_where_nothing_can_be_written_is_an_error_of_storage(tmp_path):
    (tmp_path / "cache").write_text("a file")
    with (
        pytest.raises(StorageError, match=r"^Cannot write '.*cache/data/\.staging\."),
        staging_folder(tmp_path / "cache"),
    ):
        pass


def test_file_that_may_not_be_read_is_one_sentence(tmp_path, monkeypatch):
    path = save(tmp_path, X=NUMBERS.random((40, 3)), y=Y)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(
        DataError, match=r"^'X\.npy' cannot be used: PermissionError: Permission denied\. Check that"
    ):
        read(path)


# --- new samples ------------------------------------------------------------------------------------------------

NATIVE = Native(view="sequence", sample_shape=(5, 2), dtype="float32")


def test_new_array_file_is_taken_with_the_labels_beside_it(tmp_path):
    X = NUMBERS.random((6, 5, 2))
    model = NewSamples(NATIVE, ("no", "yes"))
    taken = model.read(save(tmp_path, X_new=X, y_new=np.array(["yes", "no"] * 3)))
    np.testing.assert_array_equal(taken.X, X.astype(np.float32))
    assert taken.labels.tolist() == [1, 0] * 3
    assert model.read(save(tmp_path, later=X)).labels is None


def test_new_array_file_of_another_shape_or_with_other_labels_is_refused(tmp_path):
    model = NewSamples(NATIVE, ("no", "yes"))
    with pytest.raises(
        DataError, match=r"^'X\.npy' cannot be used: a sample has the shape \(4, 2\), and the model"
    ):
        model.read(save(tmp_path, X=NUMBERS.random((6, 4, 2))))
    with pytest.raises(DataError, match=r"^'X\.npy' cannot be used: it has 6 rows and 'y\.npy' has 5\. Give one"):
        model.read(save(tmp_path, X=NUMBERS.random((6, 5, 2)), y=Y[:5]))
    with pytest.raises(UsageError, match=r"'X\.npy' has no columns to keep"):
        model.read(tmp_path / "X.npy", keep=("id",))


@pytest.mark.parametrize(
    "values",
    [
        1e9 + np.arange(40.0),
        1_700_000_000 + np.arange(40),
        1e-300 * np.arange(40),
        2**40 + np.arange(40, dtype="u8"),
    ],
)
def test_columns_that_float32_would_blur_keep_their_values(tmp_path, values):
    X = np.stack([values, NUMBERS.permutation(40)], axis=1).astype(values.dtype)
    info, dataset = read(save(tmp_path, X=X, y=Y))
    stored = store_dataset(info, dataset, tmp_path)
    assert (stored.dtype, stored.duplicates) == ("float64", 0)
    kept = np.concatenate([stored.X_train(), stored.X_test()])[:, 0]
    np.testing.assert_array_equal(np.sort(kept), np.sort(values.astype(np.float64)))
    taken = NewSamples(Native.of(stored), stored.class_names).read(tmp_path / "X.npy")
    np.testing.assert_array_equal(taken.X, X.astype(np.float64))


def test_columns_that_float32_holds_are_float32(tmp_path):
    X = np.stack([NUMBERS.random(40), np.full(40, 0.1)], axis=1)
    assert store_dataset(*read(save(tmp_path, X=X, y=Y)), tmp_path).dtype == "float32"


@pytest.mark.parametrize(
    "header",
    ["{'descr': '<f8', 'fortran_order': False, 'shape': (-4, 2)}", "{'descr': '<f8', 'fortran_order': (", "(((("],
)
def test_array_file_with_a_damaged_head_is_one_sentence(tmp_path, header):
    path = save(tmp_path, X=np.ones((40, 2)), y=Y)
    text = header.encode().ljust(118) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(640))
    with pytest.raises(DataError, match=r"^'X.npy' cannot be used: it is no .npy file or is damaged \(ValueError"):
        read(path)
