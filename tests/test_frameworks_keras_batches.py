import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncompare.frameworks.keras_batches import (
    POOL_BATCHES,
    PREDICT_ROWS,
    PREDICT_TOKENS,
    bucketed_batches,
    prediction_batches,
)

lengths_of_texts = st.lists(st.integers(0, 3000), min_size=1, max_size=600).map(np.array)


@given(lengths_of_texts, st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_bucketed_batches_hold_every_row_once_and_are_full_but_for_one(lengths, batch_size, seed):
    batches = bucketed_batches(lengths, batch_size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    sizes = sorted(len(batch) for batch in batches)
    assert sizes[1:] == [batch_size] * (len(batches) - 1)
    assert sizes[0] == (len(lengths) % batch_size or batch_size)


@given(lengths_of_texts)
def test_prediction_batches_hold_every_row_once_in_bounded_memory(lengths):
    batches = list(prediction_batches(lengths))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= PREDICT_ROWS
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= PREDICT_TOKENS
        assert lengths[batch[0]] == lengths[batch].max()


def test_prediction_batches_of_a_text_beyond_the_bound_hold_it_alone():
    batches = [batch.tolist() for batch in prediction_batches(np.array([3, PREDICT_TOKENS * 2, 0]))]
    assert batches == [[1], [0, 2]]


@pytest.fixture
def lengths():
    """About the lengths of film reviews, cut at 400."""
    return np.minimum(np.random.default_rng(0).lognormal(5.2, 0.7, 10_000).astype(int) + 10, 400)


def test_bucketed_batches_pad_little(lengths):
    batches = bucketed_batches(lengths, 64, np.random.default_rng(0))
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert padded < 1.05 * lengths.sum()
    assert len(lengths) > 2 * POOL_BATCHES * 64


def test_bucketed_batches_repeat_with_the_seed_and_change_with_the_epoch(lengths):
    random, again = (np.random.default_rng(3) for _ in range(2))
    first, second = (bucketed_batches(lengths, 64, random) for _ in range(2))
    for batch, same in zip(first, bucketed_batches(lengths, 64, again), strict=True):
        np.testing.assert_array_equal(batch, same)
    assert {frozenset(batch.tolist()) for batch in first}.isdisjoint(frozenset(batch.tolist()) for batch in second)


def test_bucketed_batches_come_in_no_order_of_length(lengths):
    widths = [lengths[batch].mean() for batch in bucketed_batches(lengths, 64, np.random.default_rng(0))]
    assert abs(np.corrcoef(widths, np.arange(len(widths)))[0, 1]) < 0.3
    assert abs(np.corrcoef(widths[1:], widths[:-1])[0, 1]) < 0.3
