import pickle
import sys

import numpy as np
import psutil
import pytest

from nncompare.data import arrays
from nncompare.data.arrays import ChosenRows, chunks, converted, open_array, row_chunks, write_array, write_chunks
from nncompare.exceptions import StorageError


@pytest.mark.parametrize("chunk_bytes", [1, 24, 1 << 24])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(30, dtype=np.float32).reshape(5, 3, 2),
        np.asfortranarray(np.arange(12, dtype=np.uint8).reshape(4, 3)),
        np.arange(20)[::2],
        np.zeros((0, 3)),
    ],
)
def test_written_array_reads_back_the_same(tmp_path, monkeypatch, array, chunk_bytes):
    monkeypatch.setattr(arrays, "CHUNK_BYTES", chunk_bytes)
    write_array(tmp_path / "a.npy", array)
    loaded = np.load(tmp_path / "a.npy", allow_pickle=False)
    assert loaded.dtype == array.dtype
    np.testing.assert_array_equal(loaded, array)


def test_row_chunks_cover_all_rows_in_bounded_parts(monkeypatch):
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 64)
    chunks = list(row_chunks(np.zeros((10, 4), dtype=np.float32)))
    assert chunks == [slice(0, 4), slice(4, 8), slice(8, 10)]


def test_opened_array_is_a_read_only_map(tmp_path):
    write_array(tmp_path / "a.npy", np.arange(3))
    opened = open_array(tmp_path / "a.npy")
    assert isinstance(opened, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        opened[0] = 1


def test_opened_array_refuses_objects(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="object"):
        open_array(tmp_path / "a.npy")


def test_opened_array_refuses_a_pickle(tmp_path):
    (tmp_path / "a.npy").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ValueError, match="pickled"):
        open_array(tmp_path / "a.npy")


def test_write_chunks_onto_an_existing_file_is_a_storage_error(tmp_path):
    (tmp_path / "a.npy").touch()
    with pytest.raises(StorageError, match=r"a\.npy' \(6 bytes\)"):
        write_chunks(tmp_path / "a.npy", (2, 3), np.uint8, [])


def test_chunks_are_all_rows_in_their_order(monkeypatch):
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 64)
    array = np.arange(40, dtype=np.float32).reshape(10, 4)
    found = list(chunks(array))
    assert [rows for rows, _ in found] == list(row_chunks(array))
    np.testing.assert_array_equal(np.concatenate([chunk for _, chunk in found]), array)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere shared pages are not counted apart")
def test_chunks_of_a_map_leave_none_of_its_pages_in_this_process(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((1 << 12, 1 << 12), dtype=np.uint8))
    opened = open_array(tmp_path / "a.npy")
    before = psutil.Process().memory_info().shared
    opened.sum()
    assert psutil.Process().memory_info().shared - before > 0.9 * opened.nbytes
    for _, chunk in chunks(opened):
        chunk.sum()
    assert psutil.Process().memory_info().shared - before < 0.1 * opened.nbytes


def test_chunks_of_a_map_keep_changes_that_are_nowhere_else(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(4))
    changed = np.load(tmp_path / "a.npy", mmap_mode="c")
    changed[2] = 7
    for _ in range(2):
        assert [value for _, chunk in chunks(changed) for value in chunk.tolist()] == [0, 0, 7, 0]


def test_chosen_rows_stand_in_for_what_they_would_be_in_memory(tmp_path):
    array, rows = np.arange(24, dtype=np.float64).reshape(6, 2, 2), np.array([5, 0, 3])
    once = ChosenRows(array, rows, np.dtype(np.float32))
    twice = ChosenRows(once, np.array([2, 1]), np.dtype(np.uint8))
    for chosen, whole in ((once, array[rows].astype(np.float32)), (twice, array[[3, 0]].astype(np.uint8))):
        of_both = [(x.shape, x.ndim, x.size, x.nbytes, x.dtype, len(x)) for x in (chosen, whole)]
        assert of_both[0] == of_both[1]
        for at in (slice(0, 2), np.array([1, 0]), 1):
            np.testing.assert_array_equal(chosen[at], whole[at])
        write_array(tmp_path / f"{chosen.dtype}.npy", chosen)
        np.testing.assert_array_equal(np.load(tmp_path / f"{chosen.dtype}.npy"), whole)


def test_map_is_converted_as_it_is_read_and_an_array_at_once(tmp_path):
    array = np.arange(6, dtype=np.float64).reshape(3, 2)
    np.save(tmp_path / "a.npy", array)
    opened = open_array(tmp_path / "a.npy")
    assert converted(opened, np.float64) is opened
    later = converted(opened, np.float32)
    assert isinstance(later, ChosenRows)
    assert converted(later, np.float32) is later
    at_once = converted(array, np.float32)
    assert at_once.dtype == np.float32
    np.testing.assert_array_equal(at_once, later[:])
