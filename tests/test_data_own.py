"""The user's own files: what is recognised, and the one sentence that each bad file gets."""

import codecs
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncompare.data.native import Native
from nncompare.data.new_samples import NewSamples
from nncompare.data.own import is_own_file, own_arrays, own_name, read_own
from nncompare.data.splits import split_off_test
from nncompare.data.store import open_dataset, store_dataset
from nncompare.exceptions import DataError, UsageError
from nncompare.registry import _NAME

from .bad_inputs import BAD_ARCHIVES, BAD_TABLES, GOOD, INPUTS, OPTIONS, X, Y, make_input


@pytest.mark.parametrize("name", sorted(set(BAD_TABLES) - set(OPTIONS)))
def test_bad_table_gets_one_sentence_with_file_place_and_remedy(tmp_path, name):
    make_input(name, tmp_path)
    with pytest.raises(DataError) as caught:
        read_own(tmp_path / "bad.csv", "class")
    assert str(caught.value) == INPUTS[name]["sentence"]


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_bad_archive_gets_one_sentence_with_file_place_and_remedy(tmp_path, name):
    make_input(name, tmp_path)
    with pytest.raises(DataError) as caught:
        read_own(tmp_path / "bad.npz")
    assert str(caught.value) == INPUTS[name]["sentence"]


def test_archive_that_is_none_or_cut_short_gets_one_sentence(tmp_path):
    path = tmp_path / "bad.npz"
    path.write_bytes(b"PK nonsense")
    with pytest.raises(DataError, match=r"'bad.npz' cannot be used: it is no .npz file or is damaged"):
        read_own(path)
    np.savez(path, X=X, y=Y)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"'bad.npz' cannot be used: it is no .npz file or is damaged"):
        read_own(path)


def test_archive_that_unpacks_to_a_multiple_of_its_size_is_refused_unless_it_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr("nncompare.data.npzfile.LARGE_BYTES", 100_000)
    arrays = {"X": np.zeros((100, 1000)), "y": np.arange(100) % 2}
    np.savez_compressed(tmp_path / "bomb.npz", **arrays)
    with pytest.raises(DataError) as caught:
        read_own(tmp_path / "bomb.npz")
    assert re.sub(r"its [\d,]+", "its N", str(caught.value)) == (
        "'bomb.npz' cannot be used: its N bytes unpack to 801,056, more than 200 times as many. If that is meant, "
        "write it with numpy.savez, which packs nothing."
    )
    np.savez(tmp_path / "stored.npz", **arrays)
    assert read_own(tmp_path / "stored.npz")[0].n_train == 100
    np.savez_compressed(tmp_path / "honest.npz", **{"X": np.random.default_rng(0).random((12, 2000)), "y": Y})
    assert read_own(tmp_path / "honest.npz")[0].n_train == 12


def test_archive_that_unpacks_to_more_than_is_read_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("nncompare.data.npzfile.MOST_BYTES", 400)
    monkeypatch.setattr("numpy.lib.format.read_array", None)
    np.savez(tmp_path / "large.npz", X=X, y=Y)
    with pytest.raises(
        DataError, match=r"^'large.npz' cannot be used: it unpacks to 640 bytes\. At most 400 are re"
    ):
        read_own(tmp_path / "large.npz")


@pytest.mark.parametrize("place", ["../X.npy", "/X.npy", "..\\X.npy", "sub/X.npy"])
def test_archive_whose_members_lie_elsewhere_is_refused_and_nothing_is_unpacked(tmp_path, place):
    import zipfile

    folder = tmp_path / "inside"
    folder.mkdir()
    np.savez(folder / "good.npz", X=X, y=Y)
    with zipfile.ZipFile(folder / "good.npz") as good, zipfile.ZipFile(folder / "bad.npz", "w") as bad:
        bad.writestr(place, good.read("X.npy"))
        bad.writestr("y.npy", good.read("y.npy"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=r"^'bad.npz' cannot be used: it holds y and no 'X'"):
        read_own(folder / "bad.npz")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("twice", ["X.npy", "y.npy"])
def test_archive_with_a_member_twice_takes_one_of_them_and_checks_that_one(tmp_path, twice, monkeypatch):
    """A small first member must not vouch for the size of a second one of the same name."""
    import warnings
    import zipfile

    monkeypatch.setattr("nncompare.data.npzfile.MOST_BYTES", 2000)
    np.savez(tmp_path / "good.npz", X=X, y=Y)
    np.savez(tmp_path / "large.npz", X=np.zeros((1000, 3)), y=np.zeros(1000, int))
    with (
        zipfile.ZipFile(tmp_path / "good.npz") as good,
        zipfile.ZipFile(tmp_path / "large.npz") as large,
        zipfile.ZipFile(tmp_path / "bad.npz", "w") as bad,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # zipfile says that the name is there twice
        for name in ("X.npy", "y.npy"):
            bad.writestr(name, good.read(name))
        bad.writestr(twice, large.read(twice))
    with pytest.raises(DataError, match=r"it unpacks to [\d,]+ bytes"):
        read_own(tmp_path / "bad.npz")


def test_archive_that_the_memory_cannot_hold_is_refused(tmp_path, monkeypatch):
    np.savez(tmp_path / "large.npz", X=X, y=Y)
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=500))
    with pytest.raises(DataError, match=r"it unpacks to \d+ bytes, and 500 of memory are free\. Cut it, or end"):
        read_own(tmp_path / "large.npz")


def test_archive_that_claims_more_than_it_holds_reserves_no_memory(tmp_path):
    import io
    import zipfile

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 1)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("X.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())
    with pytest.raises(DataError, match=r"'bomb.npz' cannot be used: the array 'X' is cut short"):
        read_own(tmp_path / "bomb.npz")


@pytest.mark.parametrize(
    ("name", "target", "encoding", "sentence"),
    [
        ("missing.csv", "class", None, "There is no file '"),
        (
            "good.csv",
            None,
            None,
            "'good.csv' needs a column of classes. Add --target class (in Python: target=...). ",
        ),
        (
            "good.csv",
            "clas",
            None,
            "'good.csv' has no column 'clas'. Did you mean 'class'? Its columns are a, b, class.",
        ),
        ("good.csv", "class", "latin-x", "No encoding is called 'latin-x'."),
        ("good.csv", "class", "hex", "No encoding is called 'hex'."),
        ("good.xlsx", "class", None, "'good.xlsx' is not read: .csv, .tsv, .parquet, .npz and .npy files are."),
    ],
)
def test_wrong_option_is_a_usage_error(tmp_path, name, target, encoding, sentence):
    for there in ("good.csv", "good.xlsx"):
        (tmp_path / there).write_text(GOOD)
    with pytest.raises(UsageError) as caught:
        read_own(tmp_path / name, target, encoding)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (GOOD.encode(), None),
        (codecs.BOM_UTF8 + GOOD.encode(), None),
        (GOOD.encode("utf-16"), "utf-16"),
        (GOOD.replace(",", ";").encode(), None),
        (GOOD.replace(",", "\t").encode(), None),
        (GOOD.replace(",", "|").encode(), None),
        (GOOD.replace("\n", "\r\n").encode(), None),
        (GOOD.replace(",", ", ").encode(), None),
        (GOOD.replace("\n", "\n\n").encode(), None),
    ],
)
def test_good_table_is_the_same_in_every_dress(tmp_path, content, encoding):
    (tmp_path / "good.csv").write_bytes(content)
    info, dataset = read_own(tmp_path / "good.csv", "class", encoding)
    assert (info.name, info.class_names, dataset.target) == ("good", ("no", "yes"), "class")
    text = "12 rows: 1 numeric and 1 categorical column; target 'class' with 2 classes: no, yes"
    assert info.description == text
    np.testing.assert_array_equal(dataset.X_train, np.column_stack([np.arange(12) * 0.5, np.arange(12) % 3]))
    np.testing.assert_array_equal(dataset.y_train, (np.arange(12) + 1) % 2)


def test_table_tells_what_is_left_out_and_what_is_missing(tmp_path):
    frame = pd.DataFrame({"id": range(120), "age": [None, 30.0, 41.0] * 40, "name": [f"n{i}" for i in range(120)]})
    frame = frame.assign(one=1, member=[True, False] * 60, work=["a", "?", "b", "b"] * 30)
    frame["class"] = [10, 9, 2] * 40
    frame.to_csv(tmp_path / "people.csv")
    info, dataset = read_own(tmp_path / "people.csv", "class")
    assert info.class_names == ("2", "9", "10")
    assert info.description == (
        "120 rows: 1 numeric and 2 categorical columns, 70 missing values; target 'class' with 3 classes: "
        "2, 9, 10; left out: 'column 1' (numbers the rows), 'id' (numbers the rows), 'name' "
        "(96 different texts), 'one' (the same everywhere)"
    )
    kept = {column.name: column.categories for column in dataset.columns}
    assert kept == {"age": None, "member": ("False", "True"), "work": ("a", "b")}


def test_archive_as_keras_writes_it_is_images_with_a_test_part(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 5, 4), dtype=np.uint8)
    y = np.arange(20) % 2
    np.savez(tmp_path / "x.npz", x_train=images, y_train=y, x_test=images[:6], y_test=y[:6])
    info, dataset = read_own(tmp_path / "x.npz")
    assert (info.view, info.scale, info.n_train, info.n_test) == ("image", 1 / 255, 20, 6)
    assert dataset.X_test.shape == (6, 5, 4, 1)
    assert info.description == "20 rows and 6 test rows: images of 5 × 4 × 1, uint8; 2 classes: 0, 1"


@pytest.mark.parametrize(
    ("shape", "dtype", "view", "expected"),
    [
        ((12, 3), float, None, "tabular"),
        ((12, 5, 4), float, None, "sequence"),
        ((12, 5, 4), np.uint8, None, "image"),
        ((12, 5, 4), np.uint8, "sequence", "sequence"),
        ((12, 5, 4), float, "image", "image"),
        ((12, 5, 4, 3), np.int64, None, "image"),
        ((12, 5), float, "sequence", "sequence"),
    ],
)
def test_view_follows_from_rank_and_dtype_unless_it_is_named(shape, dtype, view, expected, tmp_path):
    samples = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    info, dataset = own_arrays("x", samples, Y, view=view)
    stored = store_dataset(info, dataset, tmp_path)
    assert (stored.view, stored.n_train + stored.n_test) == (expected, 12)


def test_lists_and_text_labels_are_taken():
    info, dataset = own_arrays("x", X.tolist(), ["no", "yes"] * 6)
    assert (info.class_names, info.view, dataset.columns) == (("no", "yes"), "tabular", ())
    np.testing.assert_array_equal(dataset.y_train, Y)


@pytest.mark.parametrize(
    ("y", "class_names"),
    [
        (["01", "1"] * 6, ("01", "1")),
        (["007", "7", "1"] * 4, ("007", "7", "1")),
        (["1", "10", "9"] * 4, ("1", "9", "10")),
        (["1.0", "2.0"] * 6, ("1", "2")),
        (["1.0", "1"] * 6, ("1.0", "1")),
        (["None", "NA"] * 6, ("NA", "None")),
        ([1.0, 2.0] * 6, ("1", "2")),
        (np.array(["01", "1"] * 6), ("01", "1")),
        (["1e3", "1000"] * 6, ("1000", "1e3")),
        ([True, False] * 6, ("False", "True")),
    ],
)
def test_labels_of_text_stay_apart(tmp_path, y, class_names):
    info, dataset = own_arrays("x", X, y)
    assert set(info.class_names) == set(class_names)
    codes = [class_names.index(info.class_names[code]) for code in dataset.y_train]
    assert len(set(zip(y, codes, strict=True))) == len(class_names)  # one code for each label
    if not isinstance(y[0], bool | float):
        pd.DataFrame(X, columns=list("abc")).assign(target=y).to_csv(tmp_path / "t.csv", index=False)
        assert read_own(tmp_path / "t.csv", "target")[0].class_names == info.class_names


MASKED_X = np.ma.masked_array(X, mask=np.arange(36).reshape(12, 3) % 7 == 0)


@pytest.mark.parametrize(
    ("X", "y", "sentence"),
    [
        (X + 1j, Y, "X cannot be used: it holds complex numbers. Give real numbers, such as the real and the"),
        (pd.DataFrame(X + 1j), Y, "X cannot be used: column '0' holds complex numbers. Give real numbers,"),
        (X.astype(object) + 1j, Y, "X cannot be used: column 'x0' holds complex numbers. Give real numbers,"),
        (X, Y + 1j, "y cannot be used: it holds complex numbers."),
        (
            X,
            pd.Series([1j, 2j] * 6, dtype=object),
            "y cannot be used: y, row 0: '1j' is a complex number.",
        ),
        (
            X,
            np.where(Y == 1, np.inf, 0.0),
            "y cannot be used: y, row 1: 'inf' is no class but an infinite number.",
        ),
        (X, np.array(["2020-01-01", "2020-01-02"] * 6, "M8[D]"), "y cannot be used: it holds dates or durations,"),
        (X, pd.Series(pd.to_timedelta([1, 2] * 6)), "y cannot be used: it holds dates or durations, which name"),
        (X, ["", "a", "b"] * 4, "y cannot be used: 4 rows have no class in y, the first in row 0. Fill it in"),
        (X, ["a", "a\0", "b"] * 4, "y cannot be used: y, row 1: the class holds a NUL character. Correct it"),
        (X, np.ma.masked_array(Y, Y == 1), "y cannot be used: 6 rows have no class in y, the first in row 1."),
        (np.ma.masked_array(X.astype(str), X > 0), Y, "X cannot be used: it masks values of dtype <U"),
    ],
)
def test_values_that_would_change_in_silence_are_refused(X, y, sentence):
    with pytest.raises(DataError) as caught:
        own_arrays("x", X, y)
    assert str(caught.value).startswith(sentence)


def test_masked_values_are_missing_values():
    info, dataset = own_arrays("x", MASKED_X, Y)
    assert "6 missing values" in info.description
    np.testing.assert_array_equal(np.isnan(dataset.X_train), MASKED_X.mask)


def test_text_that_names_no_class_is_shown(tmp_path):
    (tmp_path / "t.csv").write_text(GOOD + "1,x,?\n2,y,\n")
    with pytest.raises(
        DataError, match=r"2 rows have no class in column 'class', the first in line 14 \('\?'\)\."
    ):
        read_own(tmp_path / "t.csv", "class")


def test_scale_of_images_is_that_of_the_training_part():
    images = np.random.default_rng(0).random((20, 4, 4, 1)) * 10
    y = np.arange(20) % 2
    train, test = split_off_test(y)
    images[test[0]] = 1000
    info, _ = own_arrays("x", images, y)
    assert info.scale == pytest.approx(1 / images[train].max())
    info, _ = own_arrays("x", images[train], y[train], images[test], y[test])
    assert info.scale == pytest.approx(1 / images[train].max())


@pytest.mark.parametrize("from_file", [False, True])
def test_rows_of_the_test_part_tell_nothing_about_columns(tmp_path, from_file):
    y = np.arange(60) % 2
    _, test = split_off_test(y)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.random(60), "same": 1.0, "empty": np.nan, "text": ["u", "w"] * 30})
    frame.loc[test[0], ["same", "empty"]] = 7.5
    frame.loc[test[0], "text"] = "z"
    if from_file:
        frame.assign(target=y).to_csv(tmp_path / "t.csv", index=False)
        info, dataset = read_own(tmp_path / "t.csv", "target")
    else:
        info, dataset = own_arrays("x", frame, y)
    assert {column.name: column.categories for column in dataset.columns} == {"a": None, "text": ("u", "w", "z")}
    assert info.description.endswith(
        "; left out: 'same' (the same everywhere), 'empty' (no values in the training part)"
    )


def test_fault_among_the_training_rows_names_its_row_of_the_whole_table():
    y = np.arange(60) % 2
    row = int(split_off_test(y)[0][-1])
    values = np.random.default_rng(0).random(60).astype(object)
    values[row] = "abc"
    with pytest.raises(DataError, match=rf"column 'a', row {row}: 'abc' is text in a numeric column"):
        own_arrays("x", pd.DataFrame({"a": values}), y)


def test_array_with_gaps_becomes_a_table_of_numeric_columns(tmp_path):
    samples = X.copy()
    samples[3, 1] = np.nan
    info, dataset = own_arrays("x", samples, Y)
    assert [column.name for column in dataset.columns] == ["x0", "x1", "x2"]
    assert info.description == "12 rows: 3 numeric columns, 1 missing values; 2 classes: 0, 1"
    assert store_dataset(info, dataset, tmp_path).columns == tuple(dataset.columns)


def test_frames_share_their_columns_and_categories():
    frame = pd.DataFrame({"n": X[:, 0], "c": pd.Categorical(list("abc") * 4), "t": ["u", None] * 6})
    test = pd.DataFrame({"t": ["w"] * 4, "c": list("abca"), "n": [1, 2, 3, 4]})
    info, dataset = own_arrays("x", frame, pd.Series(Y, name="class"), test, Y[:4])
    assert {column.name: column.categories for column in dataset.columns} == {
        "n": None,
        "c": ("a", "b", "c"),
        "t": ("u", "w"),
    }
    assert (dataset.target, info.n_test) == ("class", 4)
    np.testing.assert_array_equal(dataset.X_test, [[1, 0, 1], [2, 1, 1], [3, 2, 1], [4, 0, 1]])
    np.testing.assert_array_equal(dataset.X_train[:2, 2], [0, np.nan])


def test_frames_of_other_columns_get_one_sentence():
    frame = pd.DataFrame(X, columns=list("abc"))
    with pytest.raises(DataError, match=r"X_test cannot be used: it lacks the column 'c' of X"):
        own_arrays("x", frame, Y, frame[["a", "b"]], Y)
    with pytest.raises(DataError, match=r"X_test cannot be used: one part is a table and the other an array"):
        own_arrays("x", frame, Y, X, Y)


SAMPLES = {"view": "tabular", "sample_shape": (2,), "dtype": "float64"}


def read_samples(path, class_names=("no", "yes"), **native):
    """Read new samples for a model that was trained on data of this form."""
    return NewSamples(Native(**native), class_names).read(path)[:2]


@pytest.fixture
def columns(tmp_path):
    (tmp_path / "good.csv").write_text(GOOD)
    return read_own(tmp_path / "good.csv", "class")[1].columns


def test_new_samples_come_by_name_in_any_order(tmp_path, columns):
    (tmp_path / "new.csv").write_text("more,more,b,a\n1,2,z,0.5\n1,2,never,?\n")
    samples, labels = read_samples(tmp_path / "new.csv", columns=tuple(columns), target="class", **SAMPLES)
    np.testing.assert_array_equal(samples, [[0.5, 2], [np.nan, 3]])
    assert labels is None


def test_new_samples_of_the_same_file_are_those_of_the_data_set(tmp_path, columns):
    _, dataset = read_own(tmp_path / "good.csv", "class")
    samples, labels = read_samples(tmp_path / "good.csv", columns=tuple(columns), target="class", **SAMPLES)
    np.testing.assert_array_equal(samples, dataset.X_train)
    np.testing.assert_array_equal(labels, dataset.y_train)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            "b,c\nx,1\n",
            "it lacks the column 'a', from which the model was trained. Add them; its columns are b, c.",
        ),
        (
            "a,b\nx,x\n",
            "column 'a', line 2: 'x' is text in a numeric column. Correct it, or leave the cell empty where the "
            "value is missing.",
        ),
        (
            "a,b,class\n1,x,maybe\n",
            "column 'class', line 2: 'maybe' is none of the classes no, yes. Correct it, or leave such rows out.",
        ),
        ("a,b,a\n1,x,1\n", "columns 1 and 3 are both called 'a'. Rename one of them."),
    ],
)
def test_bad_new_samples_get_one_sentence(tmp_path, columns, content, sentence):
    (tmp_path / "new.csv").write_text(content)
    with pytest.raises(DataError) as caught:
        read_samples(tmp_path / "new.csv", columns=tuple(columns), target="class", **SAMPLES)
    assert str(caught.value) == f"'new.csv' cannot be used: {sentence}"


def test_new_samples_of_an_archive_are_checked_against_the_training(tmp_path):
    form = {"view": "image", "sample_shape": (5, 4, 1), "dtype": "uint8"}
    np.savez(tmp_path / "new.npz", X=np.ones((3, 5, 4), np.uint8), y=[1, 0, 1])
    samples, labels = read_samples(tmp_path / "new.npz", **form)
    assert (samples.shape, samples.dtype, labels.tolist()) == ((3, 5, 4, 1), np.uint8, [1, 0, 1])
    with pytest.raises(
        DataError, match=r"a sample has the shape \(5, 4, 1\), and the model was trained on \(8, 8, 1\)"
    ):
        read_samples(tmp_path / "new.npz", **{**form, "sample_shape": (8, 8, 1)})
    with pytest.raises(DataError, match=r"images are uint8, and the model was trained on float32"):
        read_samples(tmp_path / "new.npz", **{**form, "dtype": "float32"})


def test_new_samples_come_by_position_where_the_table_had_no_names(tmp_path):
    (tmp_path / "new.csv").write_text("p,q\n1,2\n3,4\n")
    form = {**SAMPLES, "dtype": "float32"}
    samples, _ = read_samples(tmp_path / "new.csv", **form)
    np.testing.assert_array_equal(samples, [[1, 2], [3, 4]])
    with pytest.raises(DataError, match="it has 2 columns, and the model was trained on 3 features"):
        read_samples(tmp_path / "new.csv", **{**form, "sample_shape": (3,)})


NUMBERS = st.one_of(st.none(), st.floats(-1e30, 1e30), st.integers(-1000, 1000).map(float))
TEXTS = st.one_of(st.none(), st.sampled_from(["red", "green", "dark blue", 'a "b", c', "x\ny", "ä;|\tz"]))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(NUMBERS, TEXTS), min_size=7, max_size=30))
def test_values_and_gaps_survive_file_and_store(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("own")
    some = [(0.25, "red"), (0.5, "green"), (0.5, None)] * 8  # so that the training part has all kinds
    frame = pd.DataFrame([*some, *values], columns=["number", "text"])
    frame["number"] = frame["number"].astype(float)
    frame["class"] = [k % 2 for k in range(len(frame))]
    frame.to_csv(folder / "table.csv", index=False)
    info, dataset = read_own(folder / "table.csv", "class")
    np.testing.assert_array_equal(dataset.X_train[:, 0], frame["number"])
    names = dataset.columns[1].categories
    found = [None if np.isnan(code) else names[int(code)] for code in dataset.X_train[:, 1]]
    assert found == [None if pd.isna(text) else text for text in frame["text"]]
    stored = store_dataset(info, dataset, folder)
    assert open_dataset(stored.folder).columns == tuple(dataset.columns)
    everything = np.vstack([stored.X_train(), stored.X_test()])
    order = np.lexsort(np.nan_to_num(everything, nan=-1e31).T)
    expected = np.lexsort(np.nan_to_num(dataset.X_train, nan=-1e31).T)
    np.testing.assert_array_equal(everything[order], dataset.X_train[expected])


@given(st.text(max_size=100))
def test_own_name_is_a_name_that_the_registry_allows(text):
    assert _NAME.fullmatch(own_name(text))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("x.csv", True), ("a/X.TSV", True), ("x.npz", True), ("x.py:Own", False), ("digits", False)],
)
def test_own_files_are_known_by_their_suffix(name, expected):
    assert is_own_file(name) == expected


def test_importing_the_module_loads_no_pandas():
    code = "import sys, nncompare.data.own; sys.exit('pandas' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ";"), ("t.tsv", "\t")])
def test_decimal_commas_are_read_where_the_comma_separates_nothing(tmp_path, name, delimiter):
    b = ["" if i == 3 else f"-{i},25e1" for i in range(30)]
    cells = [(f"{i},5", b[i], f"x,{i % 2}", "no" if i % 2 else "yes") for i in range(30)]
    lines = map(delimiter.join, cells)
    header = delimiter.join(("a", "b", "c", "class"))
    (tmp_path / name).write_text("\n".join([header, *lines]) + "\n")
    info, dataset = read_own(tmp_path / name, "class")
    expected = "30 rows: 2 numeric and 1 categorical column, 1 missing value, with decimal commas;"
    assert info.description.startswith(expected)
    np.testing.assert_array_equal(dataset.X_train[:, 0], np.arange(30) + 0.5)
    assert dataset.X_train[4, 1] == -42.5
    form = {"view": "tabular", "sample_shape": (3,), "dtype": "float64", "columns": dataset.columns}
    new, _ = read_samples(tmp_path / name, **form)
    np.testing.assert_array_equal(new, dataset.X_train.astype(new.dtype))


def test_file_that_its_encoding_cannot_read_at_no_certain_byte_is_one_sentence(tmp_path):
    (tmp_path / "t.csv").write_text("a,class\n1,x-?\n2,y\n")
    with pytest.raises(DataError, match=r"^'t.csv' cannot be used: it is not utf-16 \("):
        read_own(tmp_path / "t.csv", "class", encoding="utf-16")


def test_commas_of_thousands_are_not_read_as_decimal_ones(tmp_path):
    rows = [f"{k}\t{'1,075' if k % 2 else 300 + k}\t{'ab'[k % 2]}" for k in range(30)]
    (tmp_path / "t.tsv").write_text("\n".join(["a\tprice\tclass", *rows]))
    with pytest.raises(
        DataError, match="column 'price' holds numbers with a decimal comma, such as '1,075' in line 3"
    ):
        read_own(tmp_path / "t.tsv", "class")


def test_category_that_looks_like_a_decimal_comma_stays_one_in_new_files(tmp_path):
    rows = "".join(f"{('1,5', 'x')[i % 2]};{i * i}.5;{'no' if i % 3 else 'yes'}\n" for i in range(30))
    (tmp_path / "t.csv").write_text("a;b;class\n" + rows)
    _, dataset = read_own(tmp_path / "t.csv", "class")
    (tmp_path / "new.csv").write_text("a;b\n1,5;3\n1,5;4\n")
    form = {"view": "tabular", "sample_shape": (2,), "dtype": "float64", "columns": dataset.columns}
    new, _ = read_samples(tmp_path / "new.csv", **form)
    assert new.tolist() == [[0, 3], [0, 4]]


@pytest.mark.parametrize(
    ("X", "y", "sentence"),
    [
        (
            X,
            Y.reshape(1, 12),
            "y cannot be used: it has the shape (1, 12). Give one class per row, of shape (rows,): y.",
        ),
        (
            X,
            pd.DataFrame({"a": Y, "b": Y}),
            "y cannot be used: it has the shape (12, 2). Give one class per row, of",
        ),
        (
            X,
            [("a", 1)] * 12,
            "y cannot be used: it has the shape (12, 2). Give one class per row, of shape (rows,).",
        ),
        (X, np.eye(3)[Y], "y cannot be used: it is one-hot, of shape (12, 3). Give one class per row: y.argmax("),
        (
            X,
            np.zeros((12, 2, 2)),
            "y cannot be used: it has the shape (12, 2, 2). Give one class per row, of shape",
        ),
        (X, [], "y cannot be used: it is empty, of shape (0,). Give one row or more."),
        (X[:0], [], "X cannot be used: it is empty, of shape (0, 3). Give one row or more."),
        (pd.DataFrame(X[:0]), Y[:0], "X cannot be used: it is empty, of shape (0, 3). Give one row or more."),
    ],
)
def test_labels_of_another_shape_are_told_what_came_and_what_is_expected(X, y, sentence):
    with pytest.raises(DataError) as caught:
        own_arrays("x", X, y)
    assert str(caught.value).startswith(sentence)


def test_text_in_the_test_part_is_placed_in_the_test_part():
    frame = pd.DataFrame({"a": np.random.default_rng(0).random(60)})
    test = frame[:10].astype(object)
    test.iloc[0, 0] = "abc"
    with pytest.raises(DataError, match=r"^X_test cannot be used: column 'a', row 0: 'abc' is text"):
        own_arrays("x", frame, np.arange(60) % 2, test, np.arange(10) % 2)


def test_numbers_with_other_spaces_beside_them_are_numbers(tmp_path):
    rows = "".join(f"{i / 4}\u00a0,\u2009{i % 7 / 8},{'no' if i % 2 else 'yes'}\n" for i in range(120))
    (tmp_path / "t.csv").write_text(f"a,b,class\n{rows}", encoding="utf-8")
    info, dataset = read_own(tmp_path / "t.csv", "class")
    assert "120 rows: 2 numeric columns; target" in info.description
    np.testing.assert_array_equal(dataset.X_train[:3], [[0, 0], [0.25, 0.125], [0.5, 0.25]])


@pytest.mark.parametrize("name", ["idna", "punycode", "raw_unicode_escape", "unicode_escape"])
def test_codec_of_host_names_or_literals_is_refused(tmp_path, name):
    (tmp_path / "t.csv").write_text("a,class\n")
    with pytest.raises(UsageError, match=rf"^'{name}' is no encoding of files\. Common ones are utf-8"):
        read_own(tmp_path / "t.csv", "class", encoding=name)
