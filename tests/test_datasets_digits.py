from pathlib import Path

import numpy as np
import pytest
from nncompare_plugins.datasets.digits import Digits
from sklearn.datasets import load_digits

from nncompare.data.store import store_dataset


@pytest.fixture(scope="module")
def dataset():
    return Digits().load(Path("unused"))


def test_digits_test_part_is_the_textbooks(dataset):
    assert np.bincount(dataset.y_test).tolist() == [33, 28, 33, 34, 46, 47, 35, 34, 30, 40]


def test_digits_are_scikit_learns_images(dataset):
    ours = np.concatenate([dataset.X_train, dataset.X_test])
    theirs = load_digits().images.astype(np.uint8)
    assert ours.dtype == np.uint8
    assert ours.shape == (1797, 8, 8, 1)
    assert sorted(row.tobytes() for row in ours) == sorted(row.tobytes() for row in theirs)


def test_digits_reach_unit_range_by_their_scale(dataset):
    assert dataset.X_train.max() * Digits.info.scale == 1.0


def test_digits_are_what_their_info_says(dataset, tmp_path):
    stored = store_dataset(Digits.info, dataset, tmp_path)
    assert (stored.n_train, stored.n_test) == (Digits.info.n_train, Digits.info.n_test)
    assert stored.class_names == tuple(str(digit) for digit in range(10))
    assert stored.licence
    assert stored.citation
