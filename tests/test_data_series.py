"""Tables with a row for each step: which rows are one series, and what of them a model sees."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nncompare.data.conversion import fit_conversion
from nncompare.data.native import Native
from nncompare.data.new_samples import NewSamples
from nncompare.data.own import read_own
from nncompare.data.records import SeriesColumns
from nncompare.data.saved_conversion import load_conversion, save_conversion
from nncompare.data.series import as_array, sort_series
from nncompare.data.source import Source
from nncompare.data.splits import split_off_test
from nncompare.data.store import open_dataset, store_dataset
from nncompare.exceptions import DataError, UsageError

from .bad_inputs import BAD_SERIES, INPUTS, SERIES, make_input

BY = ("id", "t")


def read(path):
    return read_own(path, "class", series=BY, root=path.parent / "cache")


def write(folder, lengths, shuffled=False):
    """Write series of these lengths: series i has 100 i, 100 i + 1, ... in column a, and twice that in b."""
    rows = [
        (f"s{i}", f"2024-01-{step + 1:02}", 100 * i + step, 2 * (100 * i + step), "no" if i % 2 else "yes")
        for i, length in enumerate(lengths)
        for step in range(length)
    ]
    table = pd.DataFrame(rows, columns=["id", "t", "a", "b", "class"])
    if shuffled:
        table = table.sample(frac=1, random_state=0)
    table.to_csv(folder / "own.csv", index=False)
    return folder / "own.csv", table


@pytest.mark.parametrize("name", BAD_SERIES)
def test_bad_table_of_series_gets_one_sentence(tmp_path, name):
    make_input(name, tmp_path)
    with pytest.raises((DataError, UsageError)) as caught:
        read(tmp_path / "bad.csv")
    assert str(caught.value) == INPUTS[name]["sentence"]


def test_series_of_one_length_are_rows_by_steps_by_features(tmp_path):
    info, dataset = read(write(tmp_path, [4] * 12)[0])
    assert (info.view, info.class_names, info.n_train) == ("sequence", ("no", "yes"), 12)
    assert info.description == (
        "12 series (by column 'id') of 4 steps (by 't'), 2 features; target 'class' with 2 classes: no, yes"
    )
    assert dataset.series == SeriesColumns(group="id", time="t", features=("a", "b"))
    expected = 100 * np.arange(12)[:, np.newaxis] + np.arange(4)
    assert dataset.X_train.dtype == np.float32
    np.testing.assert_array_equal(dataset.X_train, np.stack([expected, 2 * expected], axis=2))
    assert dataset.y_train.tolist() == [1, 0] * 6


def test_order_of_the_rows_does_not_matter_but_for_the_order_of_the_series(tmp_path):
    path, table = write(tmp_path, range(3, 15), shuffled=True)
    _, dataset = read(path)
    ids = list(dict.fromkeys(table["id"]))
    for X, name in zip(dataset.X_train, ids, strict=True):
        there = X[X[:, -1] == 1, 0]
        assert there.tolist() == sorted(table[table["id"] == name]["a"])[-len(there) :]


def test_series_of_several_lengths_are_brought_to_that_of_the_longest_training_series(tmp_path):
    y = (np.arange(20) + 1) % 2
    train, test = split_off_test(y)
    lengths = np.full(20, 3)
    lengths[train[0]], lengths[test[0]] = 5, 9
    info, dataset = read(write(tmp_path, lengths)[0])
    assert (
        "20 series (by column 'id') of 3 to 9 steps (by 't'), 2 features, brought to 5 steps;" in info.description
    )
    assert dataset.series.is_padded
    first = dataset.X_train[..., 0] - 100 * np.arange(20)[:, np.newaxis]
    assert first[train[0]].tolist() == [0, 1, 2, 3, 4]
    assert first[test[0]].tolist() == [4, 5, 6, 7, 8]
    assert first[train[1]].tolist() == [0, 1, 2, 2, 2]
    assert dataset.X_train[train[1], :, 2].tolist() == [1, 1, 1, 0, 0]
    assert dataset.X_train[test[0], :, 2].tolist() == [1] * 5


def test_columns_that_number_the_rows_are_left_out(tmp_path):
    path, table = write(tmp_path, [4] * 12)
    table.assign(number=range(len(table))).to_csv(path, index=False)
    info, dataset = read(path)
    assert dataset.series.features == ("a", "b")
    assert info.description.endswith("; left out: 'number' (numbers the rows)")


def test_order_of_numbers_is_theirs_and_not_that_of_their_digits():
    groups, times = pd.Series(["a"] * 3), pd.Series(["10", "9", "11"])
    series = sort_series(groups, times, BY, Source("X"))
    assert as_array(series, np.array([[10.0], [9.0], [11.0]]), 3, is_padded=False)[0, :, 0].tolist() == [9, 10, 11]


def test_store_keeps_series_apart_from_arrays_and_knows_their_columns(tmp_path):
    info, dataset = read(write(tmp_path, range(3, 15))[0])
    stored = store_dataset(info, dataset, tmp_path / "cache")
    assert open_dataset(stored.folder).series == dataset.series
    assert Native.of(stored).series == dataset.series
    assert store_dataset(info, replace(dataset, series=None), tmp_path / "cache").folder != stored.folder


@pytest.mark.parametrize("lengths", [[4] * 12, range(3, 15)])
def test_features_are_standardised_over_the_steps_of_training_series(tmp_path, lengths):
    info, dataset = read(write(tmp_path, lengths)[0])
    stored = store_dataset(info, dataset, tmp_path / "cache")
    rows, X = np.arange(6), stored.X_train()
    conversion = fit_conversion(Native.of(stored), "sequence", X, rows)
    save_conversion(conversion, tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    found = np.load(load_conversion(tmp_path).write(work, X, np.arange(len(X))))
    assert found.shape == X.shape
    there = X[..., -1] == 1 if dataset.series.is_padded else np.ones(X.shape[:2], dtype=bool)
    known = found[:6][there[:6]][:, :2]
    np.testing.assert_allclose(known.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(known.std(axis=0), 1, rtol=1e-5)
    if dataset.series.is_padded:
        np.testing.assert_array_equal(found[..., 2], X[..., 2])


# --- new series -------------------------------------------------------------------------------------------------


def model(is_padded, n_steps=4):
    columns = SeriesColumns(group="id", time="t", features=("b", "a"), is_padded=is_padded)
    shape = (n_steps, 3 if is_padded else 2)
    native = Native(view="sequence", sample_shape=shape, dtype="float32", target="class", series=columns)
    return NewSamples(native, ("no", "yes"))


def test_new_series_are_one_sample_each_with_what_tells_them(tmp_path):
    path, table = write(tmp_path, [4, 4, 4])
    taken = model(is_padded=False).read(path)
    assert taken.kept == {"id": ["s0", "s1", "s2"]}
    assert taken.labels.tolist() == [1, 0, 1]
    assert taken.X.shape == (3, 4, 2)
    assert taken.X[1, :, 1].tolist() == [100, 101, 102, 103]
    assert taken.X[1, :, 0].tolist() == [200, 202, 204, 206]
    np.testing.assert_array_equal(model(is_padded=False).take(table).X, taken.X)


def test_new_series_without_classes_or_with_some_are_taken(tmp_path):
    path, table = write(tmp_path, [4, 4])
    table.drop(columns="class").to_csv(path, index=False)
    assert model(is_padded=False).read(path).labels is None
    table.assign(**{"class": table["class"].where(table["id"] == "s1", "")}).to_csv(path, index=False)
    assert model(is_padded=False).read(path).labels.tolist() == [-1, 0]


def test_new_series_of_other_lengths_are_brought_to_that_of_training_and_longer_ones_told(tmp_path):
    taken = model(is_padded=True).read(write(tmp_path, [1, 4, 6])[0])
    assert taken.X[0].tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert taken.X[2, :, 1].tolist() == [202, 203, 204, 205]
    assert taken.note == "1 series is longer than the 4 steps of the training: the last ones count."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop(columns="b"), "it lacks the column 'b', from which the model was trained"),
        (lambda table: table.drop(columns="t"), "it lacks the column 't', from which the model was trained"),
        (lambda table: table.iloc[1:], "the series 's0' has 3 steps, and all of the training had 4"),
        (lambda table: table.assign(a=""), "column 'a', line 2 has no value"),
        (
            lambda table: table.assign(**{"class": ["yes", "no"] * 4}),
            "column 'class' varies within the series 's0'",
        ),
        (
            lambda table: table.assign(**{"class": "maybe"}),
            "column 'class', line 2: 'maybe' is none of the classes",
        ),
    ],
)
def test_new_table_that_holds_no_such_series_is_refused(tmp_path, change, words):
    path, table = write(tmp_path, [4, 4])
    change(table).to_csv(path, index=False)
    with pytest.raises(DataError, match=rf"^'own\.csv' cannot be used: {words}"):
        model(is_padded=False).read(path)


def test_columns_of_steps_are_not_kept(tmp_path):
    with pytest.raises(UsageError, match=r"^'own\.csv' has no columns to keep"):
        model(is_padded=False).read(write(tmp_path, [4, 4])[0], keep=["a"])


def test_good_table_of_the_bad_ones_is_good(tmp_path):
    (tmp_path / "own.csv").write_text(SERIES)
    assert read(tmp_path / "own.csv")[0].n_train == 12
