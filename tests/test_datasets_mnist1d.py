# ruff: noqa: NPY002 - these tests are about the global generator
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from nncompare_plugins.datasets.mnist1d import MNIST1D

from nncompare.data.store import store_dataset


@pytest.fixture(scope="module")
def dataset():
    return MNIST1D().load(Path("unused"))


@pytest.fixture
def published():
    """The arrays of the package ``mnist1d``, which seeds the global generators and warns on import."""
    states = random.getstate(), np.random.get_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("mnist1d.data")
        yield package.make_dataset(package.get_dataset_args())
    random.setstate(states[0])
    np.random.set_state(states[1])


def test_mnist1d_equals_the_published_package(dataset, published):
    np.testing.assert_array_equal(dataset.X_train[..., 0], published["x"].astype(np.float32))
    np.testing.assert_array_equal(dataset.X_test[..., 0], published["x_test"].astype(np.float32))
    np.testing.assert_array_equal(dataset.y_train, published["y"])
    np.testing.assert_array_equal(dataset.y_test, published["y_test"])


def test_mnist1d_leaves_the_global_generator_alone(dataset):
    np.random.seed(7)
    expected = np.random.rand()
    np.random.seed(7)
    again = MNIST1D().load(Path("unused"))
    assert np.random.rand() == expected
    np.testing.assert_array_equal(again.X_train, dataset.X_train)


def test_mnist1d_is_what_its_info_says(dataset, tmp_path):
    stored = store_dataset(MNIST1D.info, dataset, tmp_path)
    assert (stored.n_train, stored.n_test) == (MNIST1D.info.n_train, MNIST1D.info.n_test) == (4000, 1000)
    assert (stored.sample_shape, stored.dtype) == ((40, 1), "float32")
    assert stored.duplicates == 0
    assert MNIST1D.info.licence
    assert MNIST1D.info.citation


def test_mnist1d_is_centred_over_train_and_test_together(dataset):
    everything = np.concatenate([dataset.X_train, dataset.X_test])
    np.testing.assert_allclose([everything.mean(), everything.std()], [0, 1], atol=1e-6)
