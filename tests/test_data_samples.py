"""Samples of each form, written and opened again."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from nncompare.data.ragged import Ragged
from nncompare.data.samples import (
    arrays_of,
    copy_rows,
    count_samples,
    gather,
    open_samples,
    sample_path,
    write_samples,
)

DENSE = np.arange(12, dtype=np.float32).reshape(4, 3)
RAGGED = Ragged.from_rows([[1, 4], [1], [], [1, 5, 6]])
SPARSE = csr_array(DENSE)


def as_lists(X):
    if isinstance(X, Ragged):
        return [X[i].tolist() for i in range(len(X))]
    return (X.toarray() if isinstance(X, csr_array) else X).tolist()


@pytest.mark.parametrize("X", [DENSE, RAGGED, SPARSE], ids=["dense", "ragged", "sparse"])
def test_samples_come_back_as_they_were(tmp_path, X):
    path = write_samples(tmp_path, "X", X)
    assert path == sample_path(tmp_path, "X", ragged=X is RAGGED, sparse=X is SPARSE)
    opened = open_samples(path)
    assert type(opened) in (type(X), np.memmap)
    assert as_lists(opened) == as_lists(X)


@pytest.mark.parametrize("X", [DENSE, RAGGED, SPARSE], ids=["dense", "ragged", "sparse"])
def test_samples_are_counted_cut_and_gathered(X):
    assert count_samples(X) == 4
    assert as_lists(copy_rows(X, 2)) == as_lists(X)[:2]
    if X is not SPARSE:
        assert [row for chunk in gather(X, np.array([3, 0])) for row in as_lists(chunk)] == [
            as_lists(X)[i] for i in (3, 0)
        ]


def test_opened_samples_are_read_only(tmp_path):
    opened = open_samples(write_samples(tmp_path, "X", RAGGED))
    with pytest.raises(ValueError, match="read-only"):
        opened.values[0] = 1


def test_arrays_of_ragged_samples_carry_their_role():
    assert list(arrays_of("X_test", RAGGED)) == ["X_test.values", "X_test.offsets"]
    assert list(arrays_of("X_test", DENSE)) == ["X_test"]
