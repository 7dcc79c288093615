"""Rows that stay together: by group and by time, in the test part and in validation."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncompare.data.keyed_splits import find_split_fault
from nncompare.data.own import own_arrays, read_own
from nncompare.data.records import Dataset, DatasetInfo, SplitBy
from nncompare.data.source import Source
from nncompare.data.split_columns import SplitColumn
from nncompare.data.splits import split_off_test, validation_split
from nncompare.data.store import open_dataset, store_dataset
from nncompare.exceptions import DataError, UsageError

CLASSES = ("x", "y", "z")


def visits(n=300):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "patient": rng.integers(0, 40, n),
            "class": rng.choice(CLASSES, n, p=(0.5, 0.3, 0.2)),
            "day": pd.date_range("2024-01-01", periods=n)[rng.permutation(n)].astype(str),
        }
    )


@settings(deadline=None, max_examples=10)
@given(st.integers(12, 60), st.integers(0, 500), st.integers(0, 99))
def test_groups_never_straddle_and_all_parts_have_all_classes(n_groups, seed, generator):
    rng = np.random.default_rng(generator)
    keys = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, 300)])
    y = rng.integers(0, 3, len(keys))
    by = SplitBy("group", "who", keys)
    assert find_split_fault(by, y, CLASSES, has_test=False) is None
    train, test = split_off_test(y, by)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(y)))
    assert not set(keys[train]) & set(keys[test])
    left = SplitBy("group", "who", keys[train])
    split = validation_split(y[train], seed, left)
    assert not set(left.keys[split.train]) & set(left.keys[split.valid])
    for rows in (test, train[split.train], train[split.valid]):
        assert set(y[rows]) == {0, 1, 2}
    assert 0.08 < len(test) / len(y) < 0.35


def test_groups_are_split_near_the_proportions_of_the_classes_and_validation_moves_with_the_seed():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 60, 2000)
    y = (rng.random(2000) < 0.1).astype(int)
    by = SplitBy("group", "who", keys)
    _, test = split_off_test(y, by)
    np.testing.assert_array_equal(test, split_off_test(y, by)[1])
    shares = np.bincount(y[test]) / np.bincount(y)
    np.testing.assert_allclose(shares, 0.2, atol=0.03)
    digests = [validation_split(y, seed, by).fingerprint for seed in (1, 2, 1)]
    assert digests[0] == digests[2] != digests[1]


@given(st.lists(st.integers(0, 40), min_size=60, max_size=300))
def test_time_splits_by_order_and_equal_times_stay_together(times):
    keys = np.array([*times, 0, 10, 20, 30, 40] * 2)
    y = np.tile([0, 1], len(keys))[: len(keys)]
    by = SplitBy("time", "when", keys)
    if find_split_fault(by, y, CLASSES[:2], has_test=False) is not None:
        return
    train, test = split_off_test(y, by)
    assert keys[train].max() < keys[test].min()
    split = validation_split(y[train], 3, SplitBy("time", "when", keys[train]))
    assert keys[train][split.train].max() < keys[train][split.valid].min()


@pytest.mark.parametrize(("kind", "column"), [("group", "patient"), ("time", "day")])
def test_file_is_split_by_a_column_that_is_no_feature(tmp_path, kind, column):
    visits().to_csv(tmp_path / "own.csv", index=False)
    split = SplitColumn(kind, column)
    stored = store_dataset(*read_own(tmp_path / "own.csv", "class", split=split), tmp_path)
    assert column not in {known.name for known in stored.columns}
    assert (stored.split_by, stored.split_column) == (kind, column)
    assert stored.description.endswith(f"split by {kind}, by column '{column}'")
    assert open_dataset(stored.folder) == stored
    assert {path.name for path in stored.folder.iterdir()} >= set(stored.files()) > {"keys_train.npy"}
    keys = stored.keys()
    if kind == "group":
        assert not set(keys.keys) & set(keys.keys_test)
    else:
        assert keys.keys.max() < keys.keys_test.min()
    table = visits()
    same = own_arrays("own", table.drop(columns="class"), table["class"], split=split)
    assert store_dataset(*same, tmp_path).fingerprint == stored.fingerprint
    plain = store_dataset(*read_own(tmp_path / "own.csv", "class"), tmp_path)
    assert plain.split_by == "class"
    assert plain.keys() is None


@pytest.mark.parametrize(("kind", "column"), [("group", "patient"), ("time", "day")])
def test_words_of_texts_that_are_split_by_a_column_are_those_of_its_parts(tmp_path, kind, column):
    table = visits().assign(said=lambda visits: [f"it hurts like{key}" for key in visits[column]])
    table.to_csv(tmp_path / "own.csv", index=False)
    info, dataset = read_own(tmp_path / "own.csv", "class", text="said", split=SplitColumn(kind, column))
    assert info.description.endswith(f"; split by {kind}, by column '{column}'")
    assert f"'{column}'" not in info.description.partition("; left out")[2].partition("; split")[0]
    stored = store_dataset(info, dataset, tmp_path / "cache")
    assert stored.split_by == kind
    keys = stored.keys()
    assert not set(keys.keys) & set(keys.keys_test)
    # A word tells each key, so that the words of the training part are as many as its keys, and two more.
    assert stored.text.n_words == len(set(keys.keys)) + 2


def test_equal_parts_with_other_keys_are_stored_apart(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    info = DatasetInfo(name="own", view="tabular", n_train=30, n_test=30, class_names=("a", "b"))
    folders = {
        store_dataset(info, Dataset(X, y, X + 9, y, split_by=by), tmp_path).folder
        for by in (None, *(SplitBy("group", "who", np.arange(30) // k) for k in (2, 3)))
    }
    assert len(folders) == 3


@pytest.mark.parametrize(
    ("split", "change", "sentence"),
    [
        (
            SplitColumn("group", "patient"),
            lambda t: t.assign(patient=t["patient"] % 2),
            "column 'patient' holds 2 groups. 3 are needed, for train, validation and test: leave --group out.",
        ),
        (
            SplitColumn("group", "patient"),
            lambda t: t.assign(patient=np.where(t["class"] == "z", 0, t["patient"])),
            "class 'z' lies in 1 group of column 'patient'. 3 are needed, for train, validation and test: leave "
            "the class out, or --group.",
        ),
        (
            SplitColumn("group", "patient"),
            lambda t: t.assign(patient=t["patient"].where(t.index != 7)),
            "column 'patient', line 9: the group is missing. Fill it in, or leave such rows out.",
        ),
        (
            SplitColumn("time", "day"),
            lambda t: t.assign(day="2024-01-01"),
            "column 'day' holds 1 different time. 3 are needed, for train, validation and test: leave --time out.",
        ),
        (
            SplitColumn("time", "day"),
            lambda t: t.assign(day=np.arange(300), **{"class": np.where(t.index < 230, t["class"], "x")}),
            "the last rows by column 'day', for test, hold no class 'y'. Leave the class out, or --time.",
        ),
        (
            SplitColumn("time", "day"),
            lambda t: t.assign(day=np.arange(300), **{"class": np.where(t.index > 250, t["class"], "x")}),
            "the rows before test hold no class 'y'. Leave the class out, or --time.",
        ),
        (
            SplitColumn("time", "day"),
            lambda t: t.assign(day=np.where(t.index == 5, "31.01.2024", t["day"])),
            "column 'day', line 7: '31.01.2024' is no time. Write dates as 2024-01-31, with a time of day behind "
            "or without, or use numbers.",
        ),
    ],
)
def test_rows_that_cannot_be_split_are_one_sentence(tmp_path, split, change, sentence):
    change(visits()).to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(DataError) as caught:
        read_own(tmp_path / "own.csv", "class", split=split)
    assert str(caught.value) == f"'own.csv' cannot be used: {sentence}"


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (
            SplitColumn("group", "pateint"),
            "'own.csv' has no column 'pateint' (--group). Did you mean 'patient'? Its columns are a, patient, "
            "class, day.",
        ),
        (SplitColumn("time", "class"), "--time and --target both name the column 'class'. Name two columns."),
    ],
)
def test_split_column_that_cannot_be_is_one_sentence(tmp_path, split, sentence):
    visits().to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(UsageError) as caught:
        read_own(tmp_path / "own.csv", "class", split=split)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("has_test", [False, True])
@pytest.mark.parametrize(("kind", "column"), [("group", "patient"), ("time", "day")])
def test_arrays_in_files_are_split_by_an_array_beside_them(tmp_path, kind, column, has_test):
    table, split = visits(), SplitColumn(kind, column)
    features, y = table[["a", column]], table["class"]
    test = (features[:60], y[:60]) if has_test else ()
    expected = store_dataset(*own_arrays("own", features, y, *test, split=split), tmp_path)
    arrays = {"X": table[["a"]].to_numpy(), "y": y.to_numpy(str), column: table[column].to_numpy(str)}
    if has_test:
        arrays |= {f"{role}_test": array[:60] for role, array in arrays.items()}
    np.savez(tmp_path / "own.npz", **arrays)
    for role, array in arrays.items():
        np.save(tmp_path / f"own_{role}.npy", array)
    for name in ("own.npz", "own_X.npy"):
        stored = store_dataset(*read_own(tmp_path / name, split=split, root=tmp_path), tmp_path)
        assert (stored.split_by, stored.split_column) == (kind, column)
        np.testing.assert_allclose(stored.X_train(), expected.X_train(), rtol=1e-6)
        found = (stored.y_train(), stored.y_test(), stored.keys().keys, stored.keys().keys_test)
        keys = expected.keys()
        for ours, theirs in zip(
            found, (expected.y_train(), expected.y_test(), keys.keys, keys.keys_test), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("arrays", "npz", "npy"),
    [
        (
            {},
            "'own.npz' has no array 'who' (--group). Save one in it with a value for each row of X.",
            "There is no 'own_who.npy' beside 'own_X.npy' (--group). Save an array there with a value for each "
            "row.",
        ),
        (
            {"X_test": np.zeros((4, 2)), "y_test": np.arange(4) % 2, "who": np.arange(30)},
            "'own.npz' has no array 'who_test' (--group). Save one in it with a value for each row of X_test.",
            "There is no 'own_who_test.npy' beside 'own_X_test.npy' (--group). Save an array there with a value "
            "for each row.",
        ),
        (
            {"who": np.zeros((30, 1))},
            "'own.npz', array 'who', cannot be used: it has the shape (30, 1), and there are 30 rows. Give one "
            "value for each row.",
            "'own_who.npy' cannot be used: it has the shape (30, 1), and there are 30 rows. Give one value for "
            "each row.",
        ),
        (
            {"who": np.where(np.arange(30) == 4, np.nan, np.arange(30))},
            "'own.npz', array 'who', cannot be used: column 'who', row 4: the group is missing. Fill it in, or "
            "leave such rows out.",
            "'own_who.npy' cannot be used: column 'who', row 4: the group is missing. Fill it in, or leave such "
            "rows out.",
        ),
    ],
)
def test_array_to_split_by_that_cannot_be_is_one_sentence(tmp_path, arrays, npz, npy):
    arrays = {"X": np.random.default_rng(0).normal(size=(30, 2)), "y": np.arange(30) % 2, **arrays}
    np.savez(tmp_path / "own.npz", **arrays)
    for role, array in arrays.items():
        np.save(tmp_path / f"own_{role}.npy", array)
    for name, sentence in (("own.npz", npz), ("own_X.npy", npy)):
        with pytest.raises((DataError, UsageError)) as caught:
            read_own(tmp_path / name, split=SplitColumn("group", "who"), root=tmp_path)
        assert str(caught.value) == sentence


def test_arrays_have_no_column_to_split_by():
    with pytest.raises(UsageError, match=r"^group= names a column, and X is no DataFrame. Leave it out.$"):
        own_arrays("own", np.ones((9, 2)), [0, 1, 2] * 3, split=SplitColumn("group", "who"))


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (["2024-03-01", "2024-01-15T10:00:00", "2023-12-31 23:59"], 2),
        (pd.to_datetime(["2024-03-01", "2023-01-15", "2023-12-31"]), 1),
        (["10", "9", "11.5"], 1),
    ],
)
def test_times_are_dates_or_numbers(times, first):
    from nncompare.data.source import Source

    keys = SplitColumn("time", "when").keys(pd.Series(times), Source("X"))
    assert int(keys.argmin()) == first
    assert sorted(keys) == [0, 1, 2]


def test_plugins_keys_that_do_not_fit_are_refused(tmp_path):
    X, y = np.ones((30, 2)), np.arange(30) % 2
    info = DatasetInfo(name="own", view="tabular", n_train=30, n_test=0, class_names=("a", "b"))
    for keys, sentence in (
        (np.arange(9), "split_by.keys has 9 rows, not 30. Give one key per row."),
        (np.arange(30.0), "split_by.keys is float64. Give one whole number per row."),
        (np.zeros(30, int), "column 'who' holds 1 group. 3 are needed, for train, validation and test"),
    ):
        with pytest.raises(DataError, match=f"Data set 'own' cannot be used: {sentence}"):
            store_dataset(info, Dataset(X, y, split_by=SplitBy("group", "who", keys)), tmp_path)


def keys(kind, values):
    return SplitColumn(kind, "k").keys(pd.Series(values), Source("'t.csv'")).tolist()


@pytest.mark.parametrize(
    "times",
    [
        ["0001-01-01", "1600-02-03", "2024-01-31", "9999-12-31"],
        [datetime.date(1, 1, 1), datetime.date(1600, 2, 3), datetime.date(2024, 1, 31), datetime.date.max],
        np.array(["0001-01-01", "1600-02-03", "2024-01-31", "9999-12-31"], dtype="datetime64[s]"),
    ],
)
def test_dates_of_all_years_are_in_their_order(times):
    assert keys("time", times) == [0, 1, 2, 3]


def test_times_to_the_nanosecond_are_told_apart():
    assert keys("time", ["2024-01-31T00:00:00.000000002", "2024-01-31T00:00:00.000000001"]) == [1, 0]


@pytest.mark.parametrize("word", ["now", "today"])
def test_words_are_no_times(word):
    with pytest.raises(DataError, match=f"row 1: '{word}' is no time"):
        keys("time", ["2024-01-31", word, "2024-02-01"])


@pytest.mark.parametrize("values", [[0.0, 1.0, np.inf, 3.0], ["0", "1", "inf", "3"], [0.0, 1.0, -np.inf, np.inf]])
def test_infinite_time_is_named_where_it_stands(values):
    with pytest.raises(DataError, match=r"row 2: '-?inf' is no time"):
        keys("time", values)


def test_one_number_is_one_group_however_it_is_written_and_codes_stay_apart():
    assert keys("group", ["1", "1.0", "1.00", " 1", "01", "1.5"]) == [1, 1, 1, 1, 0, 2]
