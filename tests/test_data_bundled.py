"""Data sets that scikit-learn brings along, by name."""

import numpy as np
import pytest

from nncompare.data.own import read_own
from nncompare.exceptions import DataError, UsageError
from nncompare.owndata import dataset_names, is_own
from nncompare.registry import DATASETS, discover


@pytest.mark.parametrize(
    ("name", "view", "n_rows", "shape", "classes"),
    [
        ("wine", "tabular", 178, (13,), ("class_0", "class_1", "class_2")),
        ("iris", "tabular", 150, (4,), ("setosa", "versicolor", "virginica")),
        ("breast_cancer", "tabular", 569, (30,), ("malignant", "benign")),
        ("digits", "image", 1797, (8, 8, 1), tuple("0123456789")),
    ],
)
def test_bundled_data_set_is_loaded_with_its_names(name, view, n_rows, shape, classes):
    from sklearn import datasets

    info, dataset = read_own(f"sklearn:{name}")
    assert (info.name, info.view, info.n_train, info.class_names) == (name, view, n_rows, classes)
    assert dataset.X_train.shape == (n_rows, *shape)
    bunch = getattr(datasets, f"load_{name}")()
    np.testing.assert_allclose(dataset.X_train.reshape(n_rows, -1), bunch.data)
    np.testing.assert_array_equal(dataset.y_train, bunch.target)
    assert [column.name for column in dataset.columns] == (list(bunch.feature_names) if view == "tabular" else [])


CLASSES = "sklearn:breast_cancer, sklearn:digits, sklearn:iris, sklearn:wine"


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("diabetes", DataError, "'sklearn:diabetes' cannot be used: its target is numbers to estimate, which is "),
        ("linnerud", DataError, "'sklearn:linnerud' cannot be used: its target is numbers to estimate, which is "),
        ("wyne", UsageError, "scikit-learn brings no data set 'sklearn:wyne'. Did you mean 'sklearn:wine'? There"),
        (
            "load_iris",
            UsageError,
            "scikit-learn brings no data set 'sklearn:load_iris'. Did you mean 'sklearn:iri",
        ),
        ("files", UsageError, f"scikit-learn brings no data set 'sklearn:files'. There are {CLASSES}."),
        ("", UsageError, f"scikit-learn brings no data set 'sklearn:'. There are {CLASSES}."),
        (
            "covtype",
            UsageError,
            "'sklearn:covtype' is downloaded by scikit-learn, and only data sets that ",
        ),
        (
            "fetch_covtype",
            UsageError,
            "'sklearn:fetch_covtype' is downloaded by scikit-learn, and only data sets ",
        ),
    ],
)
def test_what_is_no_bundled_data_set_of_classes_gets_one_sentence(name, error, sentence):
    with pytest.raises(error) as caught:
        read_own(f"sklearn:{name}")
    assert str(caught.value).startswith(sentence)


def test_bundled_name_is_kept_apart_from_classes_and_installed_data_sets():
    catalog = discover(DATASETS)
    assert is_own("sklearn:wine", catalog)
    assert not is_own("sklearn.py:wine", catalog)
    assert dataset_names(["sklearn:wine", "sklearn:digits"], catalog) == {
        "sklearn:wine": "wine",
        "sklearn:digits": "sklearn-digits",
    }
