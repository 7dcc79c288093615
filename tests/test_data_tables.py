"""What the columns of a table are taken for."""

import numpy as np
import pandas as pd
import pytest

from nncompare.data.encoding import encode
from nncompare.data.records import Column
from nncompare.data.source import Source, listed
from nncompare.data.tables import find_target, recognise
from nncompare.exceptions import DataError, UsageError

SOURCE = Source("'t.csv'")


def recognised(values, others=None):
    frame = pd.DataFrame({"a": values, "other": np.resize([0.5, 2.5, 1.0], len(values))})
    return recognise(frame, ["a", "other"], SOURCE)


@pytest.mark.parametrize(
    ("values", "categories"),
    [
        (["1", "2.5", "-3e2", None], None),
        ([1, 5, 2], None),
        (pd.array([1, None, 3], dtype="Int64"), None),
        (np.array([1.5, np.nan, 2.5], np.float32), None),
        (["x", "z", "y", None], ("x", "y", "z")),
        ([True, False, True], ("False", "True")),
        ([True, None, False], ("False", "True")),
        (["True", "False", "True"], ("False", "True")),
        (["10", "x", "9", "x"], ("10", "9", "x")),
        (pd.Categorical([3, 1, 3]), ("1", "3")),
        (["2020-01", "2021-12", "2020-01"], ("2020-01", "2021-12")),
        (["1.10.24", "2.1.0", "2.1.0"], ("1.10.24", "2.1.0")),
        ([" x", "x ", "y"], ("x", "y")),
        (["x", None, "x"], ("x",)),
    ],
)
def test_column_is_numbers_or_categories(values, categories):
    assert recognised(values).columns[0] == Column(name="a", categories=categories)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([4, 4, 4], "the same everywhere"),
        (["x", "x", "x"], "the same everywhere"),
        ([7, 8, 9, 10], "numbers the rows"),
        (np.random.default_rng(0).permutation(60), "numbers the rows"),
        ([f"p{k}" for k in range(60)], "60 different texts"),
        ([f"p{k}" for k in range(51)] + ["p0"] * 50, "51 different texts"),
        (pd.to_datetime(["2020-01-01", "2021-01-01", "2020-01-01"]), "dates"),
        (pd.period_range("2020-01", periods=4, freq="M"), "dates"),
        (["2020-01-01", "2021-12-31", None, "2020-01-01"], "dates"),
        (["31.12.2020", "1.1.2021", "1.1.2021"], "dates"),
        (["12/31/2020", "1/1/2021 10:30", "1/1/2021"], "dates"),
        (["2020-01-01T10:30:00Z", "2020/1/2 9:05 PM", "2020-01-02 10:30:00.5+02:00"], "dates"),
        ([*(f"2020-01-0{k}" for k in range(1, 5)), "unknown"], "dates"),
        (pd.to_timedelta([1, 2, 3], unit="D"), "durations"),
        ([[1, 2], [3], None], "lists or records"),
        ([{"a": 1}, {"a": 2}, {"a": 3}], "lists or records"),
        ([b"x", b"y", b"x"], "bytes"),
    ],
)
def test_column_that_can_teach_nothing_is_left_out(values, reason):
    assert recognised(values).left_out == [("a", reason)]


@pytest.mark.parametrize(
    "values",
    [
        [4, 4, None],
        [3, 1, 2, 0],
        [1, 2, 3, 5],
        [0.5, 1.5, 2.5],
        [f"p{k}" for k in range(51)] + ["p0"] * 51,
        [f"p{k}" for k in range(50)],
    ],
)
def test_column_that_may_teach_something_is_kept(values):
    assert recognised(values).left_out == []


@pytest.mark.parametrize(("n_texts", "refused"), [(1, True), (2, True), (3, False)])
def test_text_among_four_fifths_of_numbers_is_refused(n_texts, refused):
    values = [str(k / 2) for k in range(10 - n_texts)] + ["none yet"] * n_texts
    if refused:
        with pytest.raises(DataError, match=rf"column 'a', row {10 - n_texts}: 'none yet' is text in a numeric"):
            recognised(values)
    else:
        assert "none yet" in recognised(values).columns[0].categories


def test_encoding_tells_what_is_unknown_from_what_is_missing():
    columns = [Column(name="c", categories=("x", "y")), Column(name="n")]
    frame = pd.DataFrame({"n": ["1", None], "c": ["never", None]})
    X = encode(frame, ["n", "c"], columns, SOURCE)
    np.testing.assert_array_equal(X, [[2, 1], [np.nan, np.nan]])


@pytest.mark.parametrize(
    ("names", "target", "hint"),
    [
        (["a", "Label"], None, "Add --target Label (in Python"),
        (["a", "the class", "y"], None, "Add --target y (in Python"),
        (["a", "b"], None, "Add --target and its name (in Python"),
        (["a", "Class"], "class", "Did you mean 'Class'? Its columns are a, Class."),
        (["a", "b"], "zzz", "has no column 'zzz'. Its columns are a, b."),
        (["ash", "hue"], "class", "has no column 'class'. Its columns are ash, hue."),
        (list("abcdefghijk"), None, "Its columns are a, b, c, d, e, …, g, h, i, j, k (11 in all)."),
        (list("abcdefghij"), None, "Its columns are a, b, c, d, e, f, g, h, i, j."),
    ],
)
def test_target_that_is_not_there_is_suggested(names, target, hint):
    with pytest.raises(UsageError) as caught:
        find_target(names, target, SOURCE)
    assert hint in str(caught.value)


def test_long_lists_are_cut():
    assert listed(list(range(12))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert listed(["x" * 100], quoted=True) == f"'{'x' * 59}…'"


@pytest.mark.parametrize("kind", ["uint64", "str", "object"])
def test_integers_that_are_one_float_are_not_called_the_same(kind):
    frame = pd.DataFrame({"id": [2**63 + i for i in range(60)], "a": np.linspace(0, 1, 60) ** 2})
    frame["id"] = frame["id"].astype(kind)
    found = recognise(frame, ["id", "a"], Source("X"))
    reason = "integers that differ by less than a float can tell, as identifiers do"
    assert found.left_out == [("id", reason)]
    frame["id"] = frame["id"].iloc[0]
    assert recognise(frame, ["id", "a"], Source("X")).left_out == [("id", "the same everywhere")]


@pytest.mark.parametrize("value", ["1" + "0" * 400, "inf", np.inf])
def test_infinite_numbers_are_refused_where_all_are(value):
    frame = pd.DataFrame({"a": [value] * 60, "b": np.linspace(0, 1, 60) ** 2})
    with pytest.raises(DataError, match=r"column 'a', row 0: inf is infinite or too large"):
        recognise(frame, ["a", "b"], Source("X"))


def test_digits_that_no_parser_takes_for_a_number_are_text():
    frame = pd.DataFrame({"a": ["1" + "0" * 5000, "2" * 5000] * 30, "b": np.linspace(0, 1, 60) ** 2})
    kinds = [column.categories is None for column in recognise(frame, ["a", "b"], Source("X")).columns]
    assert kinds == [False, True]
