from dataclasses import replace

import numpy as np
import pytest

from nncompare.data.checks import check_dataset
from nncompare.data.ragged import Ragged
from nncompare.data.records import Column, Dataset, DatasetInfo
from nncompare.exceptions import DataError

INFO = DatasetInfo(name="toy", view="tabular", n_train=6, n_test=2, class_names=("no", "yes"))
X = np.arange(12.0).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 0, 1])
GOOD = Dataset(X, Y, X[:2], Y[:2])
TOKENS = {"view": "tokens"}
IMAGES = np.zeros((6, 4, 4, 1), np.uint8)


def with_value(row, value, array=X):
    changed = array.copy()
    changed[row, 0] = value
    return changed


@pytest.mark.parametrize(
    ("info", "dataset", "sentence"),
    [
        ({"view": "video"}, {}, "info.view is 'video'. Use one of tabular, image, sequence, tokens."),
        (
            TOKENS,
            {},
            "X_train is an object of type ndarray. The view 'tokens' needs a nncompare.plugin.Ragged.",
        ),
        (
            TOKENS,
            {"X_train": Ragged(np.array([4.0]), np.array([0, 1]))},
            "X_train.values is float64 with 1 dimensions. Give whole numbers in one dimension.",
        ),
        (
            TOKENS,
            {"X_train": Ragged(np.array([4, 5], np.int32), np.array([0, 1]))},
            "X_train.offsets do not rise from 0 to the 2 values. Text i is values[offsets[i]:offsets[i + 1]].",
        ),
        (
            TOKENS,
            {"X_train": Ragged.from_rows([[1, 2]] * 6)},
            "X_train holds no words. Words have ids from 4: their rank plus 3.",
        ),
        (
            TOKENS,
            {"X_train": Ragged.from_rows([[1, 4], [5], [], [6, 0]])},
            "X_train, row 3: 0 is not the id of a token. Ids are 1 (start), 2 (unknown), 4 to 10,000,000 (words).",
        ),
        (
            TOKENS,
            {"X_train": Ragged.from_rows([[1, 2, 4], [3]])},
            "X_train, row 1: 3 is not the id of a token. Ids are 1 (start), 2 (unknown), 4 to 10,000,000 (words).",
        ),
        (
            TOKENS,
            {"X_train": Ragged(np.array([4, 5, 6], np.int32), np.array([0, 3, 1, 3], np.uint64))},
            "X_train.offsets do not rise from 0 to the 3 values. Text i is values[offsets[i]:offsets[i + 1]].",
        ),
        (
            TOKENS,
            {"X_train": Ragged.from_rows([[4]] * 5)},
            "X_train has 5 rows and y_train has 6. Give one label per row.",
        ),
        (
            {},
            {"words": "one two"},
            "words is an object of type str. Give a list of str, the words by rank, or nothing.",
        ),
        (
            {},
            {"words": ["one", 2]},
            "words is an object of type list. Give a list of str, the words by rank, or nothing.",
        ),
        (
            {},
            {"words": ["one", "x\ud800"]},
            r"words[1] has '\ud800' at position 1, which is half of a character. "
            "Decode the text by the encoding that it was written in.",
        ),
        (
            {"class_names": ("no", "\udc80")},
            {},
            r"info.class_names[1] has '\udc80' at position 0, which is half of a character. "
            "Decode the text by the encoding that it was written in.",
        ),
        (
            {"licence": "MIT\ud800"},
            {},
            r"info.licence has '\ud800' at position 3, which is half of a character. "
            "Decode the text by the encoding that it was written in.",
        ),
        ({"class_names": ("yes",)}, {}, "info.class_names holds 1 name. Name two classes or more."),
        (
            {"class_names": ("a", "a")},
            {},
            "info.class_names holds a name twice. Give each class a name of its own.",
        ),
        (
            {"scale": 0.0},
            {},
            "info.scale is 0.0. Give a positive number, such as 1/255 for uint8 images.",
        ),
        (
            {"scale": float("nan")},
            {},
            "info.scale is nan. Give a positive number, such as 1/255 for uint8 images.",
        ),
        ({}, {"y_test": None}, "X_test is given without y_test. Give both, or neither."),
        ({}, {"X_test": None}, "y_test is given without X_test. Give both, or neither."),
        ({}, {"X_train": [[1.0]]}, "X_train is an object of type list. Give a NumPy array."),
        (
            {},
            {"X_train": np.ma.masked_invalid(X)},
            "X_train is an object of type MaskedArray. Give a NumPy array.",
        ),
        ({}, {"y_test": [0]}, "y_test is an object of type list. Give a NumPy array."),
        (
            {},
            {"X_train": X.astype(object)},
            "X_train has dtype object. Convert it to numbers; objects are never stored.",
        ),
        (
            {},
            {"y_train": Y.astype(object)},
            "y_train has dtype object. Convert it to numbers; objects are never stored.",
        ),
        ({}, {"X_train": X[:, 0]}, "X_train has 1 dimensions. The view 'tabular' needs (samples, features)."),
        (
            {"view": "image"},
            {},
            "X_train has 2 dimensions. The view 'image' needs (samples, height, width, channels).",
        ),
        (
            {"view": "sequence"},
            {},
            "X_train has 2 dimensions. The view 'sequence' needs (samples, steps, features).",
        ),
        (
            {},
            {"X_train": X[:, :0]},
            "X_train of shape (6, 0) is empty. The view 'tabular' needs (samples, features).",
        ),
        (
            {},
            {"X_test": X[:0], "y_test": Y[:0]},
            "X_test of shape (0, 2) is empty. The view 'tabular' needs (samples, features).",
        ),
        ({}, {"X_train": X.astype(str)}, "X_train has dtype <U32. Convert it to real numbers."),
        ({}, {"X_train": X.astype(complex)}, "X_train has dtype complex128. Convert it to real numbers."),
        (
            {"view": "image"},
            {"X_train": IMAGES.astype(np.int16)},
            "X_train has dtype int16. Images are uint8 or float: convert with astype().",
        ),
        (
            {},
            {"y_train": Y[:, np.newaxis]},
            "y_train has 2 dimensions. Give one class code per sample: (samples,).",
        ),
        ({}, {"y_train": Y[:5]}, "X_train has 6 rows and y_train has 5. Give one label per row."),
        ({}, {"y_test": Y[:1]}, "X_test has 2 rows and y_test has 1. Give one label per row."),
        (
            {},
            {"X_train": with_value(4, np.nan)},
            "X_train, row 4: a value is NaN or infinite. Fill it in, or leave the row out.",
        ),
        (
            {},
            {"X_test": with_value(1, -np.inf)[:2]},
            "X_test, row 1: a value is NaN or infinite. Fill it in, or leave the row out.",
        ),
        (
            {},
            {"X_train": with_value(3, 1e300)},
            "X_train, row 3: a value is too large for float32. Scale that feature down.",
        ),
        (
            {},
            {"y_train": Y.astype(float)},
            "y_train has dtype float64. Labels are integer codes: use LabelEncoder.",
        ),
        ({}, {"y_train": Y > 0}, "y_train has dtype bool. Labels are integer codes: use LabelEncoder."),
        (
            {},
            {"y_train": Y + 1},
            "y_train, row 1: label 2 is outside 0 to 1. info.class_names names 2 classes; make both agree.",
        ),
        (
            {},
            {"y_test": Y[:2] - 1},
            "y_test, row 0: label -1 is outside 0 to 1. info.class_names names 2 classes; make both agree.",
        ),
        (
            {"class_names": tuple("abcdefg")},
            {},
            "y_train has 6 rows for 7 classes. Give more rows, or check that rows are samples.",
        ),
        (
            {},
            {"y_train": Y * 0 + 1},
            "y_train holds one class only, 'yes'. Two classes or more are needed.",
        ),
        (
            {},
            {"y_train": np.array([0, 0, 0, 0, 0, 1])},
            "class 'yes' has 1 sample in y_train. "
            "2 are needed, for train and validation: add some, or leave the class out.",
        ),
        (
            {"class_names": ("no", "yes", "maybe")},
            {},
            "class 'maybe' has 0 samples in y_train. "
            "2 are needed, for train and validation: add some, or leave the class out.",
        ),
        (
            {},
            {"y_train": np.array([0, 0, 0, 0, 1, 1]), "X_test": None, "y_test": None},
            "class 'yes' has 2 samples in y_train. "
            "3 are needed, for train, validation and test: add some, or leave the class out.",
        ),
        (
            {},
            {"X_test": np.zeros((2, 3))},
            "a sample is (2,) float32 in X_train and (3,) float32 in X_test. Make both agree.",
        ),
        (
            {"view": "image"},
            {"X_train": IMAGES, "X_test": IMAGES[:2].astype(float)},
            "a sample is (4, 4, 1) uint8 in X_train and (4, 4, 1) float32 in X_test. Make both agree.",
        ),
    ],
)
def test_faulty_dataset_gets_one_sentence(info, dataset, sentence):
    with pytest.raises(DataError) as caught:
        check_dataset(replace(INFO, **info), replace(GOOD, **dataset))
    assert str(caught.value) == f"Data set 'toy' cannot be used: {sentence}"


def test_something_else_than_a_dataset_gets_one_sentence():
    with pytest.raises(DataError, match=r"load\(\) returned an object of type tuple\. Return a nncompare"):
        check_dataset(INFO, (X, Y))


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int8, np.uint8, np.bool_])
def test_good_table_becomes_float32(dtype):
    checked = check_dataset(INFO, replace(GOOD, X_train=np.asfortranarray(X.astype(dtype))))
    assert checked.X_train.dtype == checked.X_test.dtype == np.float32
    assert checked.X_train.flags.c_contiguous
    np.testing.assert_array_equal(checked.X_train, X.astype(dtype))


@pytest.mark.parametrize(("dtype", "expected"), [(np.uint8, np.uint8), (np.float64, np.float32)])
def test_good_image_keeps_uint8(dtype, expected):
    info = replace(INFO, view="image")
    images = IMAGES.astype(dtype)[:, ::-1]
    checked = check_dataset(info, Dataset(images, Y, images, Y))
    assert checked.X_train.dtype == expected
    assert checked.X_train.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, ">i4"])
def test_good_labels_become_int64(dtype):
    checked = check_dataset(INFO, replace(GOOD, y_train=Y.astype(dtype)))
    assert checked.y_train.dtype == np.dtype("=i8")
    np.testing.assert_array_equal(checked.y_train, Y)


def test_good_dataset_without_test_part_stays_without():
    checked = check_dataset(INFO, Dataset(X, Y))
    assert checked.X_test is None
    assert checked.y_test is None


def test_tokens_are_converted_and_may_be_empty():
    texts = Ragged(np.array([1, 4, 5], np.uint16), np.array([0, 2, 2, 3, 3, 3, 3], np.int32))
    checked = check_dataset(replace(INFO, view="tokens"), Dataset(texts, Y, texts, Y, words=["the", "a"]))
    assert (checked.X_train.values.dtype, checked.X_train.offsets.dtype) == (np.int32, np.int64)
    assert checked.words == ["the", "a"]


COLUMNS = (Column(name="age"), Column(name="town", categories=("Bern", "Ulm")))
TABLE = np.array([[1.5, 0], [np.nan, 1], [2, np.nan], [3, 1], [4, 0], [5, 1]])


def test_table_with_columns_is_float64_and_may_have_gaps():
    checked = check_dataset(INFO, Dataset(TABLE, Y, TABLE[:2], Y[:2], columns=COLUMNS, target="class"))
    assert (checked.X_train.dtype, checked.columns, checked.target) == (np.float64, COLUMNS, "class")
    np.testing.assert_array_equal(checked.X_train, TABLE)


@pytest.mark.parametrize(
    ("info", "dataset", "sentence"),
    [
        ({}, {"columns": COLUMNS[:1]}, "X_train, 2 features have 1 columns. Give one Column per feature."),
        ({}, {"columns": "ab"}, "columns is an object of type str. Give a list of nncompare.plugin.Column."),
        ({}, {"columns": COLUMNS[:1] * 2}, "columns holds a name twice. Give each column a name of its own."),
        (
            {},
            {"columns": (Column(name="x\ud800"), COLUMNS[1])},
            "columns holds a name that is no text. Name each column by a str.",
        ),
        (
            {},
            {"columns": (Column(name="x", categories=("a", "a")), COLUMNS[1])},
            "the categories of column 'x' hold a name twice. Name each category once.",
        ),
        (
            {},
            {"columns": (Column(name="x", categories=()), COLUMNS[1])},
            "the categories of column 'x' are no tuple of texts. Give a tuple of str.",
        ),
        (
            {},
            {"X_train": with_value(2, np.inf, TABLE)},
            "X_train, column 'age', row 2: a value is infinite. Give a number or NaN.",
        ),
        (
            {},
            {"X_test": with_value(1, 0.5, TABLE[:2, ::-1])[:, ::-1]},
            "X_test, column 'town', row 1: 0.5 is not the position of a category. "
            "Give whole numbers from 0 to 1, or NaN.",
        ),
        (
            {},
            {"X_train": with_value(0, 2, TABLE[:, ::-1])[:, ::-1]},
            "X_train, column 'town', row 0: 2 is not the position of a category. "
            "Give whole numbers from 0 to 1, or NaN.",
        ),
        (
            {"view": "sequence"},
            {},
            "columns are given for the view 'sequence'. Only a table has columns.",
        ),
    ],
)
def test_faulty_columns_get_one_sentence(info, dataset, sentence):
    good = Dataset(TABLE, Y, TABLE[:2], Y[:2], columns=COLUMNS)
    with pytest.raises(DataError) as caught:
        check_dataset(replace(INFO, **info), replace(good, **dataset))
    assert str(caught.value) == f"Data set 'toy' cannot be used: {sentence}"
