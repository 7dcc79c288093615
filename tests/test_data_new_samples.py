"""New samples are encoded as the training was: byte for byte, whatever holds them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncompare.data.checks import check_dataset
from nncompare.data.native import Native
from nncompare.data.new_samples import NewSamples
from nncompare.data.own import own_arrays, read_own
from nncompare.data.records import Column
from nncompare.data.samples import open_samples
from nncompare.data.saved_conversion import load_conversion
from nncompare.data.splits import split_off_test
from nncompare.data.store import store_dataset
from nncompare.data.views import prepare_view
from nncompare.exceptions import DataError, UsageError

N = 40
Y = np.arange(N) % 2


def trained_on(X: Any, folder, y: Any = None, **options: Any) -> tuple[NewSamples, Any]:
    """Return what a model that was trained on X takes, and X as it was encoded then."""
    info, dataset = own_arrays("x", X, Y if y is None else y, **options)
    stored = store_dataset(info, dataset, folder)
    return NewSamples(Native.of(stored), stored.class_names), check_dataset(info, dataset).X_train


def assert_same(found: Any, expected: Any) -> None:
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tobytes() == expected.tobytes()


FLOATS = st.floats(-1e30, 1e30, width=64)
SERIES: dict[str, Callable[[Any], st.SearchStrategy[Any]]] = {
    "category": lambda n: st.lists(st.sampled_from([1, 2, 3]), min_size=n, max_size=n).map(
        lambda values: pd.Series(values).astype("category")
    ),
    "float category": lambda n: st.lists(st.sampled_from([1.0, 2.5, np.nan]), min_size=n, max_size=n).map(
        lambda values: pd.Series(values).astype("category")
    ),
    "float32 category": lambda n: st.lists(st.sampled_from([1.0, 2.0]), min_size=n, max_size=n).map(
        lambda values: pd.Series(np.array(values, np.float32)).astype("category")
    ),
    "texts": lambda n: st.lists(
        st.sampled_from(["NA", "None", "", " x ", "1.0", "01", "ä,;|\t\n", None]), min_size=n, max_size=n
    ).map(lambda values: pd.Series(values, dtype=object)),
    "bool": lambda n: st.lists(st.booleans(), min_size=n, max_size=n).map(pd.Series),
    "int": lambda n: st.lists(st.integers(-(2**40), 2**40), min_size=n, max_size=n).map(pd.Series),
    "uint8": lambda n: st.lists(st.integers(0, 255), min_size=n, max_size=n).map(
        lambda values: pd.Series(np.array(values, np.uint8))
    ),
    "nullable": lambda n: st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=n, max_size=n).map(
        lambda values: pd.Series(values, dtype="Int64")
    ),
    "float": lambda n: st.lists(st.one_of(st.just(np.nan), FLOATS), min_size=n, max_size=n).map(
        lambda values: pd.Series(values, dtype=float)
    ),
    "datetime": lambda n: st.lists(st.integers(0, 5), min_size=n, max_size=n).map(
        lambda values: pd.Series(pd.to_datetime("2020-01-01") + pd.to_timedelta(values, unit="D"))
    ),
    "mixed": lambda n: st.lists(st.sampled_from([1, 2.0, "x", True, None]), min_size=n, max_size=n).map(
        lambda values: pd.Series(values, dtype=object)
    ),
}
NAMES = st.sampled_from([0, 1, 7, "a", " a ", "Unnamed: 0", ("x", "y"), 1.5, "ä"])


@st.composite
def frames(draw: Any) -> pd.DataFrame:
    """Draw a table of one column or several, of any kinds and names."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str))
    series = [draw(SERIES[draw(st.sampled_from(sorted(SERIES)))](N)) for _ in names]
    frame = pd.concat(series, axis=1)
    frame.columns = pd.Index(names, dtype=object, tupleize_cols=False)
    return frame


@settings(max_examples=60, deadline=None)
@given(frames())
def test_new_frame_is_encoded_as_the_training_frame_was(tmp_path_factory, frame):
    try:
        model, expected = trained_on(frame, tmp_path_factory.mktemp("frames"))
    except DataError:
        return  # nothing to learn from, or refused: then there is no model
    taken = model.take(frame)
    assert_same(taken.X, expected)
    assert taken.note == ""
    shuffled = frame[list(reversed(frame.columns))]
    assert_same(model.take(shuffled).X, expected)
    assert_same(model.take(frame.iloc[:1]).X, expected[:1])


ARRAYS = {
    "int64": (np.int64, st.integers(-(2**30), 2**30)),
    "uint8": (np.uint8, st.integers(0, 255)),
    "bool": (bool, st.booleans()),
    "float32": (np.float32, st.floats(-(2.0**90), 2.0**90, width=32)),
    "float64": (np.float64, FLOATS),
    "gaps": (np.float64, st.one_of(st.just(np.nan), FLOATS)),
    "object": (object, st.sampled_from(["NA", "x", 1, 2.0, None])),
    "text": (str, st.sampled_from(["NA", "x", "None"])),
}


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(ARRAYS)), st.integers(1, 3))
def test_new_array_is_encoded_as_the_training_array_was(tmp_path_factory, data, kind, n_features):
    dtype, values = ARRAYS[kind]
    size = N * n_features
    flat = data.draw(st.lists(values, min_size=size, max_size=size))
    X = np.array(flat, dtype=dtype).reshape(N, n_features)
    try:
        model, expected = trained_on(X, tmp_path_factory.mktemp("arrays"))
    except DataError:
        return
    assert_same(model.take(X).X, expected)
    assert_same(model.take(X.tolist()).X, expected)


@pytest.mark.parametrize(
    ("shape", "dtype", "view"),
    [
        ((N, 5, 4), np.uint8, None),
        ((N, 5, 4, 3), np.int64, None),
        ((N, 5, 4, 1), float, None),
        ((N, 5, 4), bool, "image"),
        ((N, 5, 4), np.int64, None),
        ((N, 6), np.int32, "sequence"),
    ],
)
def test_new_images_and_sequences_are_encoded_as_those_of_the_training(tmp_path, shape, dtype, view):
    X = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    model, expected = trained_on(X, tmp_path, view=view)
    assert_same(model.take(X).X, expected)


def test_new_frame_with_category_of_floats_finds_its_categories(tmp_path):
    frame = pd.DataFrame({"c": pd.Series([1.0, 2.0] * 20).astype("category"), "n": np.linspace(0, 1, N) ** 2})
    model, _ = trained_on(frame, tmp_path)
    assert model.take(frame).X[:4, 0].tolist() == [0, 1, 0, 1]
    frame.to_csv(tmp_path / "new.csv", index=False)
    assert model.read(tmp_path / "new.csv").X[:4, 0].tolist() == [0, 1, 0, 1]


def test_new_file_has_texts_that_a_frame_had_as_categories(tmp_path):
    frame = pd.DataFrame({"c": ["NA", "x", None, "None"] * 10, "d": ["y", None] * 20})
    model, expected = trained_on(frame, tmp_path)
    frame.to_csv(tmp_path / "new.csv", index=False)
    assert_same(model.read(tmp_path / "new.csv").X, expected)


def test_categories_that_differ_by_a_fraction_stay_apart(tmp_path):
    frame = pd.DataFrame({"c": pd.Series(["1", "1.0"] * 20, dtype=object).astype("category")})
    model, expected = trained_on(frame, tmp_path)
    assert_same(model.take(frame).X, expected)
    assert set(expected[:, 0]) == {0, 1}


def test_categories_that_the_model_never_saw_are_told(tmp_path):
    frame = pd.DataFrame({"c": ["x", "y"] * 20})
    model, _ = trained_on(frame, tmp_path)
    taken = model.take(pd.DataFrame({"c": ["x", "z", None, "z"]}))
    np.testing.assert_array_equal(taken.X[:, 0], [0, 2, np.nan, 2])
    assert taken.note == "Categories that the model never saw count as rare ones: 2 of 'c'."


def test_category_that_only_the_test_part_has_becomes_what_a_new_one_does(tmp_path):
    frame = pd.DataFrame({"c": np.where(np.arange(40) % 2, "x", "y").astype(object)})
    frame.loc[::7, "c"] = None
    y = np.arange(40) // 2 % 2
    test = split_off_test(y)[1]
    frame.loc[test, "c"] = "green"
    stored = store_dataset(*own_arrays("own", frame, y), tmp_path)
    prepared = prepare_view(stored, "tabular", np.arange(32), None, tmp_path, with_test=True)
    model = NewSamples(Native.of(stored), stored.class_names)
    new = model.take(pd.DataFrame({"c": ["mauve", None]})).X
    conversion = load_conversion(prepared.conversion)
    (tmp_path / "new").mkdir()
    found = open_samples(conversion.write(tmp_path / "new", new, np.arange(2)))
    np.testing.assert_array_equal(found, [[0, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(open_samples(prepared.X_test), np.zeros((len(test), 3)))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float32"])
def test_numbers_of_new_samples_are_never_cut(dtype):
    model = NewSamples(Native(view="tabular", sample_shape=(3,), dtype=dtype), ("no", "yes"))
    np.testing.assert_array_equal(model.take([[1.9, 300.7, -0.5]]).X, np.float32([[1.9, 300.7, -0.5]]))


def test_images_of_floats_are_refused_where_those_of_the_training_were_bytes():
    model = NewSamples(Native(view="image", sample_shape=(2, 2, 1), dtype="uint8"), ("no", "yes"))
    with pytest.raises(DataError, match="images are float64, and the model was trained on uint8"):
        model.take(np.full((1, 2, 2), 0.5))
    with pytest.raises(DataError, match="images of int64 go from 300 to 300"):
        model.take(np.full((1, 2, 2), 300))


def test_number_that_float32_cannot_hold_is_refused():
    model = NewSamples(Native(view="tabular", sample_shape=(2,), dtype="float32"), ("no", "yes"))
    with pytest.raises(DataError, match="a value in row 1 is too large for float32"):
        model.take([[1.0, 2.0], [1.0, 1e300]])


def test_frame_goes_by_position_where_the_training_had_no_names(tmp_path):
    X = np.random.default_rng(0).random((N, 3))
    model, expected = trained_on(X, tmp_path)
    assert_same(model.take(pd.DataFrame(X)).X, expected)
    pd.DataFrame(X).to_csv(tmp_path / "counted.csv", index=False)
    assert_same(model.read(tmp_path / "counted.csv").X, expected)
    np.savetxt(tmp_path / "headless.csv", X, delimiter=",")
    with pytest.raises(DataError, match=r"holds numbers .* where the names of the columns are expected"):
        model.read(tmp_path / "headless.csv")


def test_frame_may_have_the_classes_too(tmp_path):
    frame = pd.DataFrame({"n": np.linspace(0, 1, N) ** 2})
    model, _ = trained_on(frame, tmp_path, y=pd.Series(["no", "yes"] * 20, name="class"))
    assert model.take(frame).labels is None
    taken = model.take(frame.assign(**{"class": ["yes", None] * 20}))
    assert taken.labels.tolist() == [1, -1] * 20


def test_classes_that_are_called_like_a_feature_are_not_looked_for(tmp_path):
    frame = pd.DataFrame({"c": ["x", "y"] * 20})
    model, _ = trained_on(frame, tmp_path, y=pd.Series(Y, name="c"))
    assert model.take(frame).labels is None


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        (pd.DataFrame({"b": [1]}), "it lacks the column 'a'"),
        (pd.DataFrame({"a": []}), "it has no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "columns 1 and 2 are both called 'a'"),
        (pd.DataFrame({"a": ["x"]}), "column 'a', row 0: 'x' is text in a numeric column"),
        (3, "it is an object of type int"),
        ([[1], [2, 3]], "it is no array"),
    ],
)
def test_samples_that_cannot_be_taken_get_one_sentence(X, sentence):
    native = Native(view="tabular", sample_shape=(1,), dtype="float64", columns=(Column(name="a"),))
    with pytest.raises(DataError, match=f"X cannot be used: {sentence}"):
        NewSamples(native, ("no", "yes")).take(X)


def test_tables_and_texts_are_not_taken_where_they_cannot_be_meant():
    frame = pd.DataFrame({"a": [1.5]})
    with pytest.raises(DataError, match=r"it is a table\. The model was trained on images: give an array"):
        NewSamples(Native(view="image", sample_shape=(2, 2, 1), dtype="uint8"), ("no", "yes")).take(frame)
    with pytest.raises(UsageError, match="the model was trained on texts"):
        NewSamples(Native(view="tokens", sample_shape=None, dtype="int32"), ("no", "yes")).take(frame)


# --- files ------------------------------------------------------------------------------------------------------


def model_of(path, target):
    info, dataset = read_own(path, target)
    found = check_dataset(info, dataset)
    native = Native(
        view="tabular",
        sample_shape=found.X_train.shape[1:],
        dtype="float64",
        columns=tuple(dataset.columns),
        target=dataset.target,
    )
    return info, found, NewSamples(native, info.class_names)


def test_new_file_may_have_one_column(tmp_path):
    (tmp_path / "wine.csv").write_text("alcohol,target\n" + "".join(f"{k / 3},{k % 2}\n" for k in range(12)))
    _, _, model = model_of(tmp_path / "wine.csv", "target")
    (tmp_path / "new.csv").write_text('alcohol\n0.5\n""\n0.25\n')
    np.testing.assert_array_equal(model.read(tmp_path / "new.csv").X, [[0.5], [np.nan], [0.25]])


def test_new_file_may_have_numbers_for_names(tmp_path):
    X = pd.DataFrame(np.random.default_rng(0).random((N, 2)), columns=[0, 7])
    model, expected = trained_on(X, tmp_path)
    X.to_csv(tmp_path / "new.csv", index=False)
    assert_same(model.read(tmp_path / "new.csv").X, expected)


def test_index_of_a_shuffled_table_is_left_out_in_training_and_not_needed(tmp_path):
    frame = pd.DataFrame({"a": np.linspace(0, 1, 30) ** 2, "class": ["no", "yes"] * 15})
    frame.index = np.random.default_rng(0).permutation(30) * 3
    frame.to_csv(tmp_path / "table.csv")
    info, found, model = model_of(tmp_path / "table.csv", "class")
    assert [column.name for column in found.columns] == ["a"]
    assert info.description.endswith("; left out: 'column 1' (numbers the rows)")
    assert_same(model.read(tmp_path / "table.csv").X, found.X_train)
    frame.drop(columns="class").to_csv(tmp_path / "new.csv", index=False)
    assert_same(model.read(tmp_path / "new.csv").X, found.X_train)


def test_unnamed_first_column_that_is_no_index_is_found_again(tmp_path):
    frame = pd.DataFrame({"": ["x", "y", "z"] * 10, "class": ["no", "yes"] * 15})
    frame.to_csv(tmp_path / "table.csv", index=False)
    _, found, model = model_of(tmp_path / "table.csv", "class")
    assert [column.name for column in found.columns] == ["column 1"]
    assert_same(model.read(tmp_path / "table.csv").X, found.X_train)


def test_index_in_a_file_is_no_feature_where_columns_go_by_position(tmp_path):
    X = np.random.default_rng(0).random((N, 2))
    model, expected = trained_on(X, tmp_path)
    pd.DataFrame(X, columns=["a", "b"]).to_csv(tmp_path / "new.csv")
    assert_same(model.read(tmp_path / "new.csv").X, expected)


@pytest.mark.parametrize(
    ("class_names", "content", "expected"),
    [
        (("1", "2"), "1\n1\n", [0, 0]),
        (("1", "2"), "0\n1\n", "'0' is none of the classes 1, 2"),
        (("no", "yes"), "0\n1\n", "'0' is none of the classes no, yes"),
        (("1.0", "x"), "1.0\n1.0\n", [0, 0]),
        (("1", "2"), "1.0\n2.0\n", [0, 1]),
        (("NA", "None"), "None\nNA\n", [1, 0]),
        (("01", "1"), "1\n01\n", [1, 0]),
    ],
)
def test_classes_in_a_table_are_names(tmp_path, class_names, content, expected):
    native = Native(
        view="tabular", sample_shape=(1,), dtype="float64", columns=(Column(name="a"),), target="class"
    )
    rows = "".join(f"{k},{name}\n" for k, name in enumerate(content.split()))
    (tmp_path / "new.csv").write_text(f"a,class\n{rows}")
    model = NewSamples(native, class_names)
    if isinstance(expected, str):
        with pytest.raises(DataError, match=expected):
            model.read(tmp_path / "new.csv")
    else:
        assert model.read(tmp_path / "new.csv").labels.tolist() == expected


@pytest.mark.parametrize(
    ("class_names", "y", "expected"),
    [
        (("no", "yes"), [0, 1], [0, 1]),
        (("no", "yes"), ["yes", "no"], [1, 0]),
        (("1", "2"), [0, 1], None),
        (("1", "2"), [1, 2], [0, 1]),
        (("1", "x"), [0, 0], None),
    ],
)
def test_classes_in_an_archive_are_codes_only_where_no_name_is_a_number(tmp_path, class_names, y, expected):
    np.savez(tmp_path / "new.npz", X=np.ones((2, 1)), y=y)
    model = NewSamples(Native(view="tabular", sample_shape=(1,), dtype="float32"), class_names)
    if expected is None:
        with pytest.raises(DataError, match="'0' is none of the classes"):
            model.read(tmp_path / "new.npz")
    else:
        assert model.read(tmp_path / "new.npz").labels.tolist() == expected
