import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from nncompare.data import declared
from nncompare.data.ragged import Ragged
from nncompare.data.records import Column, Dataset, DatasetInfo
from nncompare.data.splits import split_off_test
from nncompare.data.store import open_dataset, store_dataset
from nncompare.exceptions import DataError, StorageError

INFO = DatasetInfo(
    name="toy",
    view="tabular",
    n_train=40,
    n_test=10,
    class_names=("no", "yes"),
    description="A toy",
    licence="MIT",
    citation="Nobody (2020)",
)
RNG = np.random.default_rng(0)
DATASET = Dataset(RNG.normal(size=(40, 3)), np.tile([0, 1], 20), RNG.normal(size=(10, 3)), np.tile([0, 1], 5))


def test_stored_dataset_describes_itself(tmp_path):
    stored = store_dataset(INFO, DATASET, tmp_path)
    assert (stored.name, stored.view, stored.class_names, stored.scale) == ("toy", "tabular", ("no", "yes"), 1.0)
    assert (stored.description, stored.licence, stored.citation) == ("A toy", "MIT", "Nobody (2020)")
    assert (stored.n_train, stored.n_test, stored.sample_shape, stored.dtype) == (40, 10, (3,), "float32")
    assert (stored.test_support, stored.duplicates) == ([5, 5], 0)
    assert stored.folder.parent == tmp_path / "data"
    assert stored.folder.name.startswith(f"{stored.fingerprint[:16]}-{stored.test_fingerprint[:16]}")
    assert {p.name for p in stored.folder.iterdir()} == {
        "X_train.npy",
        "y_train.npy",
        "X_test.npy",
        "y_test.npy",
        "words.json",
        "manifest.json",
    }


def test_stored_arrays_are_read_only_maps_of_what_was_given(tmp_path):
    stored = store_dataset(INFO, DATASET, tmp_path)
    for role in ("X_train", "y_train", "X_test", "y_test"):
        array = getattr(stored, role)()
        assert isinstance(array, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
        expected = getattr(DATASET, role)
        np.testing.assert_array_equal(array, expected.astype(np.float32 if role[0] == "X" else np.int64))


def test_opened_dataset_equals_the_stored_one_wherever_it_lies(tmp_path):
    stored = store_dataset(INFO, DATASET, tmp_path)
    assert open_dataset(stored.folder) == stored
    moved = stored.folder.rename(tmp_path / "moved")
    assert open_dataset(moved) == replace(stored, folder=moved)
    assert str(tmp_path) not in (moved / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, "FileNotFoundError: No such file or directory"),
        ("{", "the file: Invalid JSON: EOF while parsing an object at line 1 column 1"),
        ('{"name": "toy"}', "view: Field required"),
        ("[]", "the file: Input should be an object"),
    ],
)
def test_opening_something_else_is_a_data_error(tmp_path, content, cause):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path)
    assert str(caught.value) == (
        f"The stored data set in '{tmp_path}' cannot be read. manifest.json, {cause}. "
        "Delete that folder and run again."
    )


def test_permuted_test_labels_change_the_test_fingerprint_and_nothing_else(tmp_path):
    stored = store_dataset(INFO, DATASET, tmp_path)
    permuted = store_dataset(INFO, replace(DATASET, y_test=DATASET.y_test[::-1]), tmp_path)
    assert permuted.test_fingerprint != stored.test_fingerprint
    assert replace(permuted, test_fingerprint=stored.test_fingerprint, folder=stored.folder) == stored
    assert permuted.folder != stored.folder


@pytest.mark.parametrize("role", ["X_train", "y_train", "X_test"])
def test_anything_a_model_may_see_changes_the_fingerprint_alone(tmp_path, role):
    stored = store_dataset(INFO, DATASET, tmp_path)
    changed = store_dataset(INFO, replace(DATASET, **{role: getattr(DATASET, role)[::-1]}), tmp_path)
    assert changed.fingerprint != stored.fingerprint
    assert changed.test_fingerprint == stored.test_fingerprint


def test_missing_test_part_is_split_off_stratified(tmp_path):
    dataset = Dataset(DATASET.X_train, DATASET.y_train)
    stored = store_dataset(replace(INFO, n_test=0), dataset, tmp_path)
    train, test = split_off_test(dataset.y_train)
    assert (stored.n_train, stored.n_test, stored.test_support) == (32, 8, [4, 4])
    np.testing.assert_array_equal(stored.X_train(), dataset.X_train[train].astype(np.float32))
    np.testing.assert_array_equal(stored.y_test(), dataset.y_train[test])


def test_duplicates_are_test_rows_that_occur_in_train(tmp_path):
    X_test = DATASET.X_test.copy()
    X_test[[0, 3, 4]] = DATASET.X_train[[7, 7, 9]]
    assert store_dataset(INFO, replace(DATASET, X_test=X_test), tmp_path).duplicates == 3


def test_storing_twice_writes_once(tmp_path):
    first = store_dataset(INFO, DATASET, tmp_path)
    before = (first.folder / "X_train.npy").stat()
    assert store_dataset(INFO, DATASET, tmp_path) == first
    after = (first.folder / "X_train.npy").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_equal_arrays_with_other_class_names_are_kept_apart(tmp_path):
    first = store_dataset(INFO, DATASET, tmp_path)
    other = store_dataset(replace(INFO, class_names=("left", "right")), DATASET, tmp_path)
    assert other.fingerprint == first.fingerprint
    assert open_dataset(first.folder).class_names == ("no", "yes")
    assert open_dataset(other.folder).class_names == ("left", "right")


def test_damaged_folder_is_a_storage_error(tmp_path):
    stored = store_dataset(INFO, DATASET, tmp_path)
    (stored.folder / "manifest.json").unlink()
    with pytest.raises(StorageError, match=r"manifest\.json is missing"):
        store_dataset(INFO, DATASET, tmp_path)


@pytest.mark.parametrize("content", ["", "{", '{"name": "toy"}'])
def test_damaged_manifest_is_written_anew(tmp_path, content):
    stored = store_dataset(INFO, DATASET, tmp_path)
    (stored.folder / "manifest.json").write_text(content)
    assert store_dataset(INFO, DATASET, tmp_path) == stored
    assert open_dataset(stored.folder) == stored


def test_another_format_lies_in_another_folder(tmp_path, monkeypatch):
    first = store_dataset(INFO, DATASET, tmp_path)
    monkeypatch.setattr(declared, "FORMAT", declared.FORMAT + 1)
    other = store_dataset(INFO, DATASET, tmp_path)
    assert other.folder != first.folder
    assert replace(other, folder=first.folder) == first


def test_faulty_dataset_leaves_nothing_written(tmp_path):
    with pytest.raises(DataError):
        store_dataset(INFO, replace(DATASET, y_test=None), tmp_path)
    assert list(tmp_path.iterdir()) == []


STORE = """
import sys
from pathlib import Path
import numpy as np
from nncompare.data.records import Column, Dataset, DatasetInfo
from nncompare.data.store import store_dataset
info = DatasetInfo(name="toy", view="tabular", n_train=0, n_test=0, class_names=("no", "yes"))
X = np.arange(600_000.0).reshape(20_000, 30)
sys.stdin.readline()
print(store_dataset(info, Dataset(X, np.tile([0, 1], 10_000)), Path(sys.argv[1])).folder)
"""


def test_two_processes_that_store_at_once_both_succeed(tmp_path):
    command = [sys.executable, "-c", STORE, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as first, subprocess.Popen(command, **pipes) as second:
        for process in (first, second):
            process.stdin.write("go\n")
            process.stdin.flush()
        folders = {process.communicate()[0].strip() for process in (first, second)}
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(folders) == 1
    assert [str(folder) for folder in (tmp_path / "data").iterdir()] == list(folders)


def test_manifest_is_plain_json(tmp_path):
    stored = store_dataset(INFO, DATASET, tmp_path)
    manifest = json.loads((stored.folder / "manifest.json").read_text())
    assert manifest["fingerprint"] == stored.fingerprint
    assert manifest["sample_shape"] == [3]
    assert "folder" not in manifest


def test_stored_texts_keep_their_words_and_count_their_duplicates(tmp_path):
    info = DatasetInfo(name="texts", view="tokens", n_train=4, n_test=2, class_names=("no", "yes"))
    train, test = Ragged.from_rows([[1, 4], [5], [6, 7], [4]]), Ragged.from_rows([[6, 7], [1, 4, 4]])
    y = np.array([0, 1, 0, 1])
    stored = store_dataset(info, Dataset(train, y, test, y[:2], words=["the", "a"]), tmp_path)
    opened = open_dataset(stored.folder)
    assert opened == stored
    assert (opened.words(), opened.duplicates) == (["the", "a"], 1)
    assert (opened.sample_shape, opened.dtype) == (None, "int32")
    assert [opened.X_test()[i].tolist() for i in range(2)] == [[6, 7], [1, 4, 4]]
    other = store_dataset(info, Dataset(train, y, test, y[:2], words=["le", "un"]), tmp_path)
    assert other.folder != stored.folder
    assert other.fingerprint == stored.fingerprint


def test_stored_table_keeps_its_columns_and_its_gaps(tmp_path):
    columns = (Column(name="age"), Column(name="town", categories=("Bern", "Zürich")))
    X = np.column_stack([np.where(np.arange(40) % 7, np.arange(40.0), np.nan), np.tile([0, 1, np.nan, 1], 10)])
    stored = store_dataset(replace(INFO, n_test=0), Dataset(X, np.tile([0, 1], 20), columns=columns), tmp_path)
    assert open_dataset(stored.folder) == stored
    assert (stored.columns, stored.dtype, stored.sample_shape) == (columns, "float64", (2,))
    train, _ = split_off_test(np.tile([0, 1], 20))
    np.testing.assert_array_equal(stored.X_train(), X[train])
    assert stored.is_of(replace(INFO, n_test=0))
    renamed = (columns[0], replace(columns[1], categories=("Berne", "Zurich")))
    other = store_dataset(replace(INFO, n_test=0), Dataset(X, np.tile([0, 1], 20), columns=renamed), tmp_path)
    assert other.folder != stored.folder
