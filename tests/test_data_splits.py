import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from nncompare.data.splits import Split, search_sample, split_off_test, validation_split


@st.composite
def labels(draw, least=2):
    """Shuffled labels with at least ``least`` samples of each of 2 to 6 classes."""
    counts = draw(st.lists(st.integers(least, 60), min_size=2, max_size=6))
    y = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(draw(st.integers(0, 99))).permutation(y)


def assert_partition(first, second, n):
    np.testing.assert_array_equal(np.sort(np.concatenate([first, second])), np.arange(n))
    for rows in (first, second):
        assert rows.dtype == np.int64
        assert (np.diff(rows) > 0).all()


def assert_stratified(y, rows):
    """Each class has its share of the rows, to within the rounding of both parts."""
    share = len(rows) / len(y)
    expected = share * np.bincount(y)
    assert (np.abs(np.bincount(y[rows], minlength=len(expected)) - expected) < 2).all()


@given(labels(), st.integers(0, 2**31))
def test_validation_split_is_a_stratified_partition(y, seed):
    split = validation_split(y, seed)
    assert_partition(split.train, split.valid, len(y))
    assert_stratified(y, split.valid)
    assert len(split.valid) == max(math.ceil(0.2 * len(y)), len(np.unique(y)))
    assert set(y[split.train]) == set(y)


@given(labels(least=3))
def test_test_part_is_a_stratified_partition_that_leaves_two_of_each_class(y):
    train, test = split_off_test(y)
    assert_partition(train, test, len(y))
    assert_stratified(y, test)
    assert np.bincount(y[train]).min() >= 2
    validation_split(y[train], seed=0)


def test_test_part_is_the_one_of_scikit_learn():
    y = np.random.default_rng(1).integers(0, 3, 200)
    train, test = train_test_split(np.arange(200), test_size=0.2, stratify=y, random_state=42)
    ours = split_off_test(y)
    np.testing.assert_array_equal(ours[0], np.sort(train))
    np.testing.assert_array_equal(ours[1], np.sort(test))


def test_validation_split_moves_with_the_seed_and_repeats():
    y = np.repeat([0, 1], 100)
    digests = [validation_split(y, seed).fingerprint for seed in (1, 2, 1)]
    assert digests[0] == digests[2] != digests[1]


def test_validation_split_has_at_most_5000_rows():
    split = validation_split(np.repeat([0, 1], 20_000), seed=0)
    assert (len(split.train), len(split.valid)) == (35_000, 5_000)


def test_split_fingerprint_changes_with_either_part():
    a, b = np.arange(3), np.arange(3, 5)
    digests = {Split(a, b).fingerprint, Split(b, a).fingerprint, Split(a, b[:1]).fingerprint}
    assert len(digests) == 3


@given(labels(), st.integers(1, 300), st.integers(0, 1000))
def test_search_sample_is_a_stratified_part_of_train(y, n_samples, seed):
    split = validation_split(y, 0)
    sample = search_sample(split, y, n_samples, seed)
    assert len(sample) == min(n_samples, len(split.train))
    assert sample.dtype == np.int64
    assert (np.diff(sample) > 0).all()
    assert np.isin(sample, split.train).all()
    share = len(sample) / len(split.train)
    expected = share * np.bincount(y[split.train])
    assert (np.abs(np.bincount(y[sample], minlength=len(expected)) - expected) <= 1).all()


@pytest.mark.parametrize("n_samples", [160, 161, 10**6])
def test_search_sample_of_everything_is_train(n_samples):
    y = np.repeat([0, 1], 100)
    split = validation_split(y, 0)
    np.testing.assert_array_equal(search_sample(split, y, n_samples, 0), split.train)


def test_search_sample_moves_with_the_seed_and_repeats():
    y = np.repeat([0, 1], 100)
    split = validation_split(y, 0)
    first, second, again = (search_sample(split, y, 50, seed) for seed in (1, 2, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)
