import pickle

import numpy as np
import pytest

from nncompare.data import arrays
from nncompare.data.arrays import open_array, row_chunks, write_array, write_chunks
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
