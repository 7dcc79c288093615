"""Parquet files of the user: the same recognition as of text tables, with types that are known."""

import datetime
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from nncompare.data.native import Native
from nncompare.data.new_samples import NewSamples
from nncompare.data.own import read_own
from nncompare.data.records import Column
from nncompare.data.store import store_dataset
from nncompare.exceptions import DataError, UsageError

N = 24


def frame():
    """Return a table with a column of each kind that Parquet has."""
    days = pd.date_range("2024-01-31", periods=N, freq="D")
    return pd.DataFrame(
        {
            "width": np.arange(N) * 0.5,
            "count": pd.array([None, 3, 7] * (N // 3), dtype="Int64"),
            "price": [Decimal("1.50"), Decimal("2.25")] * (N // 2),
            "zip": ["01067", "10115", None] * (N // 3),
            "size": pd.Categorical(["S", "L"] * (N // 2)),
            "member": [True, False] * (N // 2),
            "at": days,
            "day": days.date,
            "took": pd.to_timedelta(np.arange(N), unit="h"),
            "tags": [["a", "b"], ["c"]] * (N // 2),
            "place": [{"x": 1, "y": 2}] * N,
            "raw": [b"ab"] * N,
            "class": ["no", "yes"] * (N // 2),
        }
    )


@pytest.fixture
def path(tmp_path):
    pytest.importorskip("pyarrow")
    frame().to_parquet(tmp_path / "t.parquet", index=False)
    return tmp_path / "t.parquet"


def test_parquet_columns_are_what_their_types_say_and_dates_and_lists_are_left_out(path):
    info, dataset = read_own(path, "class")
    assert info.description == (
        "24 rows: 3 numeric and 3 categorical columns, 16 missing values; target 'class' with 2 classes: no, yes; "
        "left out: 'at' (dates), 'day' (dates), 'took' (durations), 'tags' (lists or records), "
        "'place' (lists or records), 'raw' (bytes); to use dates, add columns of numbers such as their year, "
        "month, weekday or age in days; to use durations, add a column with their number of days or seconds; "
        "to use lists or records, give each of their elements a column; to use bytes, decode them to text or "
        "numbers"
    )
    assert list(dataset.columns) == [
        *(Column(name=name) for name in ("width", "count", "price")),
        Column(name="zip", categories=("01067", "10115")),
        Column(name="size", categories=("L", "S")),
        Column(name="member", categories=("False", "True")),
    ]
    np.testing.assert_array_equal(dataset.X_train[:3, 1], [np.nan, 3, 7])
    np.testing.assert_array_equal(dataset.X_train[:3, 2:4], [[1.5, 0], [2.25, 1], [1.5, np.nan]])
    np.testing.assert_array_equal(dataset.y_train, np.arange(N) % 2)


@pytest.mark.parametrize("trained_on", ["parquet", "csv", "tsv"])
@pytest.mark.parametrize("new", ["parquet", "csv", "tsv"])
def test_new_rows_are_encoded_alike_from_either_kind_of_file(tmp_path, path, trained_on, new):
    kept = frame()[["width", "count", "size", "member", "class"]]
    for name in ("a", "b"):
        kept.to_csv(tmp_path / f"{name}.csv", index=False)
        kept.to_csv(tmp_path / f"{name}.tsv", index=False, sep="\t")
        kept.to_parquet(tmp_path / f"{name}.parquet", index=False)
    info, dataset = read_own(tmp_path / f"a.{trained_on}", "class")
    stored = store_dataset(info, dataset, tmp_path)
    model = NewSamples(Native.of(stored), stored.class_names)
    taken = model.read(tmp_path / f"b.{new}", keep=["count", "size"])
    np.testing.assert_array_equal(taken.X, dataset.X_train)
    np.testing.assert_array_equal(taken.labels, dataset.y_train)
    assert (taken.kept["count"][:3], taken.kept["size"][:2], taken.note) == (["", "3", "7"], ["S", "L"], "")


def test_new_parquet_rows_without_classes_or_with_some_are_taken(tmp_path, path):
    kept = frame()[["width", "class"]]
    kept.to_parquet(path, index=False)
    stored = store_dataset(*read_own(path, "class"), tmp_path)
    model = NewSamples(Native.of(stored), stored.class_names)
    kept.drop(columns="class").to_parquet(path)
    assert model.read(path).labels is None
    kept.assign(**{"class": ["yes", None] * (N // 2)}).to_parquet(path)
    assert model.read(path).labels.tolist() == [1, -1] * (N // 2)


def test_parquet_has_texts_too(tmp_path):
    pytest.importorskip("pyarrow")
    reviews = pd.DataFrame({"review": ["a fine film", "a dull film", None] * 8, "stars": [5, 1, 1] * 8})
    reviews.to_parquet(tmp_path / "r.parquet")
    info, dataset = read_own(tmp_path / "r.parquet", "stars", text="review")
    assert (info.view, dataset.words) == ("tokens", ["a", "film", "dull", "fine"])
    assert "(0 to 3 words, median 3, 8 empty; 4 different words outside the test part)" in info.description
    reviews.assign(day=pd.Timestamp("2024-05-01")).to_parquet(tmp_path / "r.parquet")
    with pytest.raises(DataError, match=r"^'r.parquet' cannot be used: column 'day' holds dates, not texts\."):
        read_own(tmp_path / "r.parquet", "stars", text="day")


def test_index_of_a_frame_is_no_feature(tmp_path):
    pytest.importorskip("pyarrow")
    frame()[["width", "class"]].rename_axis("nr").to_parquet(tmp_path / "t.parquet")
    assert [column.name for column in read_own(tmp_path / "t.parquet", "class")[1].columns] == ["width"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.iloc[:0], "it has no rows. Give one row or more."),
        (lambda t: t.assign(**{"class": t["at"]}), "column 'class' holds dates, which name no classes. Choose a"),
        (
            lambda t: t.assign(**{"class": t["tags"]}),
            "column 'class' holds lists or records, which name no cl",
        ),
        (
            lambda t: t.assign(**{"class": t["width"]}),
            "column 'class' holds numbers with fractions, such as 0.5",
        ),
        (lambda t: t.assign(width=np.inf), "column 'width', row 0: inf is infinite or too large. Correct it, or"),
        (
            lambda t: t[["day", "class"]],
            "no column is left to learn from: 'day' dates. Add features; to use da",
        ),
    ],
)
def test_bad_parquet_gets_one_sentence(path, change, sentence):
    change(frame()).to_parquet(path, index=False)
    with pytest.raises(DataError) as caught:
        read_own(path, "class")
    assert str(caught.value).startswith(f"'t.parquet' cannot be used: {sentence}")


@pytest.mark.parametrize("damage", [lambda whole: b"PAR1 nonsense", lambda whole: whole[:-40], lambda whole: b""])
def test_damaged_parquet_gets_one_sentence(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"^'t.parquet' cannot be used: it is no Parquet file or is damaged \("):
        read_own(path, "class")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError) as caught:
        read_own(tmp_path / "t.parquet", "class")
    assert str(caught.value) == (
        "'t.parquet' is not read: pyarrow, which reads Parquet files, is not installed. Install it: "
        "pip install 'nncompare[parquet]'."
    )


def test_dates_of_a_text_table_are_left_out_with_what_to_do(tmp_path):
    days = [datetime.date(2024, 1, 1 + k % 28).strftime("%d.%m.%Y") for k in range(N)]
    frame()[["width", "class"]].assign(born=days).to_csv(tmp_path / "t.csv", index=False)
    assert read_own(tmp_path / "t.csv", "class")[0].description.endswith(
        "yes; left out: 'born' (dates); to use dates, add columns of numbers such as their year, month, weekday "
        "or age in days"
    )


def test_arrow_types_of_pandas_are_left_out_as_those_of_objects_are(tmp_path):
    pa = pytest.importorskip("pyarrow")
    table = frame()[["width", "class"]].set_axis(pd.Index(range(7, 7 + N), name="patient"))
    table["tags"] = pd.Series([[1, 2]] * N, index=table.index, dtype=pd.ArrowDtype(pa.list_(pa.int64())))
    table["raw"] = pd.Series([b"ab", b"c"] * (N // 2), index=table.index, dtype=pd.ArrowDtype(pa.binary()))
    table["code"] = pd.Categorical([b"ab", b"c"] * (N // 2))
    table["year"] = pd.Categorical(pd.to_datetime(["2024-01-01", "2025-01-01"] * (N // 2)))
    left_out = {"raw": "bytes", "code": "bytes", "year": "dates"}
    table.drop(columns="tags").to_parquet(tmp_path / "t.parquet")
    assert dict(read_own(tmp_path / "t.parquet", "class")[1].left_out) == left_out
    table.to_parquet(tmp_path / "t.parquet")
    dataset = read_own(tmp_path / "t.parquet", "class")[1]
    assert dict(dataset.left_out) == {"tags": "lists or records", **left_out}
    assert [column.name for column in dataset.columns] == ["width"]


@pytest.mark.parametrize("kind", ["objects", "categories"])
def test_parquet_classes_that_are_days_are_refused(path, kind):
    days = [datetime.date(2024, 1, 31), datetime.date(2024, 2, 1)] * (N // 2)
    table = frame()[["width"]].assign(day=pd.Categorical(days) if kind == "categories" else days)
    table.to_parquet(path, index=False)
    with pytest.raises(DataError, match="column 'day' holds dates, which name no classes"):
        read_own(path, "day")
