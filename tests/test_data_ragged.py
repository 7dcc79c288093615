"""Ragged rows against lists of lists."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncompare.data.ragged import Ragged, decode

ROWS = st.lists(st.lists(st.integers(1, 1000), max_size=8), min_size=1, max_size=12)


def as_lists(ragged):
    return [row.tolist() for row in (ragged[i] for i in range(len(ragged)))]


@given(ROWS)
def test_ragged_from_rows_gives_the_rows_back(rows):
    ragged = Ragged.from_rows(rows)
    assert as_lists(ragged) == rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]
    assert (ragged.values.dtype, ragged.offsets.dtype) == (np.int32, np.int64)


@given(ROWS, st.data())
def test_ragged_indexed_by_positions_equals_the_list(rows, data):
    chosen = data.draw(st.lists(st.integers(-len(rows), len(rows) - 1), max_size=20))
    found = Ragged.from_rows(rows)[np.array(chosen, dtype=np.int64)]
    assert as_lists(found) == [rows[i] for i in chosen]


@given(ROWS, st.integers(0, 12), st.integers(0, 12))
def test_ragged_sliced_equals_the_list(rows, start, stop):
    assert as_lists(Ragged.from_rows(rows)[start:stop]) == rows[start:stop]


def test_ragged_indexed_by_a_mask():
    assert as_lists(Ragged.from_rows([[1], [2, 3], []])[np.array([False, True, True])]) == [[2, 3], []]


def test_ragged_indexed_by_unsigned_positions():
    rows = [[k] for k in range(300)]
    assert as_lists(Ragged.from_rows(rows)[np.array([7, 255], np.uint8)]) == [[7], [255]]


@pytest.mark.parametrize("positions", [[0, 3], [-4, 0]])
def test_ragged_has_no_rows_beyond_its_end(positions):
    with pytest.raises(IndexError):
        Ragged.from_rows([[1], [2], [3]])[np.array(positions)]


def test_ragged_batch_costs_as_much_as_its_own_rows():
    ragged = Ragged(np.arange(8, dtype=np.int32), np.minimum(np.arange(1_000_001), 8))
    rows = np.arange(10)
    tracemalloc.start()
    try:
        batch = ragged[rows]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert batch.lengths.tolist() == [1] * 8 + [0] * 2
    assert peak < 100_000  # bytes; all offsets are 8 MB


@given(ROWS, st.integers(1, 9))
def test_ragged_padded_keeps_the_end_and_pads_behind(rows, max_length):
    kept = [row[-max_length:] for row in rows]
    width = max(1, max(map(len, kept)))
    assert Ragged.from_rows(rows).to_padded(max_length).tolist() == [
        row + [0] * (width - len(row)) for row in kept
    ]


def test_ragged_padded_without_a_limit_keeps_all():
    assert Ragged.from_rows([[1, 2, 3], [4]]).to_padded().tolist() == [[1, 2, 3], [4, 0, 0]]


@pytest.mark.parametrize("position", [3, -4])
def test_ragged_has_no_row_beyond_its_end(position):
    with pytest.raises(IndexError):
        Ragged.from_rows([[1], [2], [3]])[position]


def test_ragged_of_nothing():
    assert len(Ragged.from_rows([])) == 0


@given(st.lists(st.integers(0, 12), max_size=30), st.lists(st.text(max_size=4), max_size=6))
def test_decode_gives_words_by_rank_and_leaves_padding_and_starts_out(ids, words):
    by_id = dict(enumerate(words, start=4))
    found = decode(np.array(ids, dtype=np.int32), words)
    assert found == [by_id.get(token, "?") for token in ids if token > 1]


def test_decode_undoes_what_keras_does_to_a_review():
    """In Keras's data sets 1 starts a review, 2 is a word that was left out, and rank 1 has the id 4."""
    assert decode(np.array([1, 4, 2, 6, 7], dtype=np.int32), ["the", "and", "a"]) == ["the", "?", "a", "?"]
