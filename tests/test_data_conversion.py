import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nncompare.data import column_table
from nncompare.data import samples as data_samples
from nncompare.data.conversion import CONVERSIONS, choose_view, fit_conversion
from nncompare.data.native import Native
from nncompare.data.ragged import Ragged
from nncompare.data.records import Column
from nncompare.data.samples import open_samples
from nncompare.data.saved_conversion import CONVERSION_FILES, load_conversion, save_conversion
from nncompare.exceptions import DataError

SHAPES = {"tabular": (20, 3), "image": (20, 4, 5, 2), "sequence": (20, 6, 2)}
PAIRS = [(native, view) for native in SHAPES for view in CONVERSIONS[native]]
FIT = np.arange(10)


def samples(native):
    rng = np.random.default_rng(0)
    if native == "image":
        return rng.integers(0, 256, SHAPES[native], dtype=np.uint8)
    return rng.normal(3, 5, SHAPES[native]).astype(np.float32)


def fit(native, view, X):
    shape = None if native == "tokens" else X.shape[1:]
    dtype = "int32" if native == "tokens" else X.dtype.name
    return fit_conversion(Native(view=native, sample_shape=shape, dtype=dtype, scale=1 / 255), view, X, FIT)


@pytest.fixture
def convert(tmp_path_factory):
    def convert(native, view, X, rows=None):
        converter = fit(native, view, X)
        rows = np.arange(len(X)) if rows is None else rows
        return converter, open_samples(converter.write(tmp_path_factory.mktemp("view"), X, rows))

    return convert


@pytest.mark.parametrize(
    ("native", "accepts", "expected"),
    [  # of a model that does not take sparse tables
        ("image", ["image", "tabular"], "image"),
        ("image", ["tabular", "image"], "tabular"),
        ("image", ["tokens", "sequence"], "sequence"),
        ("sequence", ["image", "tabular"], "tabular"),
        ("sequence", ["image"], None),
        ("tabular", ["image", "sequence"], "sequence"),
        ("tabular", ["image"], None),
        ("tokens", ["tabular", "tokens"], "tokens"),
        ("tokens", ["tabular"], None),
        ("tabular", [], None),
    ],
)
def test_choose_view_takes_the_first_that_is_possible(native, accepts, expected):
    assert choose_view(native, accepts) == expected


def test_choose_view_makes_tokens_a_table_for_models_that_take_sparse_ones():
    assert choose_view("tokens", ["tabular", "tokens"], sparse=True) == "tabular"
    assert choose_view("tokens", ["image", "tabular"], sparse=True) == "tabular"


@pytest.mark.parametrize(("native", "view"), PAIRS)
def test_conversion_gives_the_shape_and_dtype_that_it_announces(native, view, convert):
    converter, converted = convert(native, view, samples(native))
    assert converted.shape[1:] == converter.sample_shape
    assert converted.dtype == converter.dtype == ("uint8" if view == "image" else "float32")


@pytest.mark.parametrize(("native", "view"), PAIRS)
def test_conversion_does_not_depend_on_the_chunk_size(native, view, monkeypatch, convert):
    X = samples(native)
    rows = np.array([3, 1, 17, 0])
    _, whole = convert(native, view, X, rows)
    monkeypatch.setattr(data_samples, "CHUNK_BYTES", 1)
    _, by_row = convert(native, view, X, rows)
    np.testing.assert_allclose(by_row, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("native", SHAPES)
def test_table_is_standardised_on_the_fit_rows_only(native, convert):
    X = samples(native)
    _, converted = convert(native, "tabular", X)
    flat = X.reshape(len(X), -1).astype(np.float64)
    expected = (flat - flat[FIT].mean(axis=0)) / flat[FIT].std(axis=0)
    np.testing.assert_allclose(converted, expected, rtol=1e-4, atol=1e-5)
    X[10:] = 0
    _, again = convert(native, "tabular", X)
    np.testing.assert_array_equal(again[FIT], converted[FIT])


def test_constant_columns_are_divided_by_one(convert):
    X = samples("tabular")
    X[FIT, 1] = 7
    X[10, 1] = 9
    _, converted = convert("tabular", "tabular", X)
    np.testing.assert_array_equal(converted[FIT, 1], 0)
    assert converted[10, 1] == 2


def test_table_as_sequence_is_the_standardised_table_with_columns_as_steps(convert):
    X = samples("tabular")
    converter, sequence = convert("tabular", "sequence", X)
    _, table = convert("tabular", "tabular", X)
    np.testing.assert_array_equal(sequence, table[:, :, np.newaxis])
    assert converter.remaining_scale == 1.0


def test_image_as_sequence_is_its_rows_in_unit_range(convert):
    X = samples("image")
    converter, sequence = convert("image", "sequence", X)
    assert sequence.shape == (20, 4, 10)
    np.testing.assert_allclose(sequence[3, 2], X[3, 2].ravel() / 255, rtol=1e-6)
    assert converter.remaining_scale == 1.0


@pytest.mark.parametrize("native", ["image", "sequence"])
def test_native_images_and_sequences_stay_as_they_are(native, convert):
    X = samples(native)
    converter, same = convert(native, native, X)
    np.testing.assert_array_equal(same, X)
    assert converter.remaining_scale == 1 / 255


@pytest.mark.parametrize("native", SHAPES)
def test_tables_need_no_further_scaling(native, convert):
    converter, _ = convert(native, "tabular", samples(native))
    assert converter.remaining_scale == 1.0


def test_tokens_stay_as_they_are_and_know_the_vocabulary_of_the_fit_rows(convert):
    texts = Ragged.from_rows([[1, 4 + i] * (i + 1) for i in range(20)])
    converter, same = convert("tokens", "tokens", texts, np.array([19, 0, 3]))
    assert [same[i].tolist() for i in range(3)] == [texts[19].tolist(), texts[0].tolist(), texts[3].tolist()]
    assert (converter.vocabulary_size, converter.sample_shape, converter.dtype) == (14, None, "int32")


def test_tokens_are_written_in_chunks(tmp_path, monkeypatch):
    texts = Ragged.from_rows([[1, *range(4, 4 + i)] for i in range(20)])
    rows = np.array([19, 0, 3, 3])
    seen = []

    def note(X, chosen):
        for chunk in gather(X, chosen):
            seen.append(len(chunk))
            yield chunk

    gather = data_samples.gather
    monkeypatch.setattr(data_samples, "gather", note)
    monkeypatch.setattr(data_samples, "CHUNK_BYTES", 1)
    found = open_samples(fit("tokens", "tokens", texts).write(tmp_path, texts, rows))
    assert seen == [1, 1, 1, 1]
    assert [found[i].tolist() for i in range(4)] == [texts[i].tolist() for i in rows]
    assert (found.values.dtype, found.offsets.dtype) == (np.int32, np.int64)


def test_tokens_vocabulary_has_room_for_unknown_words():
    texts = Ragged.from_rows([[1]] * 10 + [[1, 9]])
    assert fit("tokens", "tokens", texts).vocabulary_size == 3


def test_tokens_as_a_table_are_sparse_and_as_wide_as_announced(convert):
    texts = Ragged.from_rows([[1, 4 + i % 3, 5] for i in range(20)])
    converter, table = convert("tokens", "tabular", texts)
    assert converter.sparse
    assert table.shape == (20, 3) == (20, *converter.sample_shape)
    assert table.dtype == converter.dtype == "float32"


COLUMNS = (
    Column(name="height"),
    Column(name="colour", categories=("red", "green", "blue")),
    Column(name="weight"),
)


def table(n_rows=20):
    """Heights with gaps in every part, weights with gaps after the fitted rows only, three colours and none."""
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.normal(170, 9, n_rows), rng.integers(0, 3, n_rows), rng.normal(70, 9, n_rows)])
    X[[1, 4, 15], 0] = np.nan
    X[[2, 16], 1] = np.nan
    X[17, 2] = np.nan
    X[:4, 1] = [0, 1, np.nan, 2]
    return X


def fit_table(X, view="tabular", rows=FIT, columns=COLUMNS):
    native = Native(view="tabular", sample_shape=X.shape[1:], dtype="float64", columns=columns)
    return fit_conversion(native, view, X, rows)


def converted(converter, X, folder, rows=None):
    folder.mkdir()
    return open_samples(converter.write(folder, X, np.arange(len(X)) if rows is None else rows))


def test_columns_numbers_are_filled_with_the_median_standardised_and_gaps_told(tmp_path):
    X = table()
    found = converted(fit_table(X), X, tmp_path / "a")
    median = np.nanmedian(X[FIT, 0])
    height, weight, gap = found[:, 0], found[:, 1], found[:, 2]
    filled = np.where(np.isnan(X[:, 0]), median, X[:, 0])
    np.testing.assert_allclose(height, (filled - filled[FIT].mean()) / filled[FIT].std(), rtol=1e-5, atol=1e-6)
    assert len(set(gap[np.isnan(X[:, 0])])) == len(set(gap[~np.isnan(X[:, 0])])) == 1
    assert gap[1] > gap[0]
    weights = np.where(np.isnan(X[:, 2]), np.nanmedian(X[FIT, 2]), X[:, 2])  # no gap among the fitted rows
    np.testing.assert_allclose(
        weight[17], (weights[17] - weights[FIT].mean()) / weights[FIT].std(), rtol=1e-4, atol=1e-6
    )


def test_columns_categories_become_a_column_each_and_missing_one_too(tmp_path):
    X = table()
    converter = fit_table(X)
    found = converted(converter, X, tmp_path / "a")[:, -4:]
    expected = np.where(np.isnan(X[:, 1]), 3, X[:, 1]).astype(int)
    np.testing.assert_array_equal(found, np.eye(4)[expected])
    assert (converter.dtype, found.dtype, converter.sample_shape, converter.remaining_scale) == (
        "float32",
        np.float32,
        (7,),
        1.0,
    )


def test_columns_category_that_was_never_seen_is_none_of_them(tmp_path):
    X = table()
    X[:, 1] = np.arange(20) % 2
    X[18:, 1] = [2, np.nan]
    found = converted(fit_table(X), X, tmp_path / "a")
    np.testing.assert_array_equal(found[18:, -2:], 0)


def test_columns_equal_what_a_column_transformer_gives(tmp_path):
    X = table()
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    transformer = ColumnTransformer([("numbers", numbers, [0, 2]), ("categories", categories, [1])])
    expected = transformer.fit(X[FIT]).transform(X).astype(np.float32)
    np.testing.assert_array_equal(converted(fit_table(X), X, tmp_path / "a"), expected)


def test_columns_rare_categories_share_a_column_with_new_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(column_table, "MAX_CATEGORIES", 3)
    codes = np.array([0] * 8 + [1] * 6 + [2, 3, 4, 5], dtype=np.float64)[:, None]
    columns = (Column(name="town", categories=tuple("abcdefg")),)
    converter = fit_table(codes, rows=np.arange(len(codes)), columns=columns)
    found = converted(converter, np.array([[0.0], [1], [2], [5], [6]]), tmp_path / "a")
    np.testing.assert_array_equal(found, np.eye(3)[[0, 1, 2, 2, 2]])


def test_columns_are_fitted_on_the_fit_rows_only(tmp_path):
    X = table()
    before = converted(fit_table(X), X, tmp_path / "a", FIT)
    X[10:] = [1e6, 2, -1e6]
    np.testing.assert_array_equal(converted(fit_table(X), X, tmp_path / "b", FIT), before)


def test_columns_that_hold_nothing_or_one_value_are_harmless(tmp_path):
    X = table()
    X[FIT, 0], X[FIT, 2] = np.nan, 5
    found = converted(fit_table(X), X, tmp_path / "a")
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[FIT][:, :2], 0)


@pytest.mark.parametrize("kinds", ["numbers", "categories"])
def test_columns_may_be_all_of_one_kind(tmp_path, kinds):
    X = np.arange(20.0).reshape(20, 1) % 3
    columns = (Column(name="a", categories=("x", "y", "z") if kinds == "categories" else None),)
    assert converted(fit_table(X, columns=columns), X, tmp_path / "a").shape == (
        20,
        3 if kinds != "numbers" else 1,
    )


def test_columns_as_a_sequence_are_steps(tmp_path):
    X = table()
    as_table = converted(fit_table(X), X, tmp_path / "a")
    steps = fit_table(X, "sequence")
    np.testing.assert_array_equal(converted(steps, X, tmp_path / "b"), as_table[:, :, np.newaxis])
    assert steps.sample_shape == (7, 1)


def test_columns_do_not_depend_on_the_chunk_size(tmp_path, monkeypatch):
    X = table()
    whole = converted(fit_table(X), X, tmp_path / "a")
    monkeypatch.setattr(data_samples, "CHUNK_BYTES", 1)
    np.testing.assert_array_equal(converted(fit_table(X), X, tmp_path / "b"), whole)


def texts():
    return Ragged.from_rows([[1, 4 + i % 7, 5, *range(4, 4 + i)] for i in range(20)])


def files_of(path):
    return sorted(path.rglob("*")) if path.is_dir() else [path]


EVERY = [
    *(pytest.param(lambda n=n, v=v: (fit(n, v, samples(n)), samples(n)), id=f"{n} to {v}") for n, v in PAIRS),
    *(
        pytest.param(lambda v=v: (fit_table(table(), v), table()), id=f"columns to {v}")
        for v in CONVERSIONS["tabular"]
    ),
    *(
        pytest.param(lambda v=v: (fit("tokens", v, texts()), texts()), id=f"tokens to {v}")
        for v in CONVERSIONS["tokens"]
    ),
]


@pytest.mark.parametrize("make", EVERY)
def test_saved_conversion_converts_equally_byte_for_byte(make, tmp_path):
    converter, X = make()
    folder = tmp_path / "saved"
    folder.mkdir()
    save_conversion(converter, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(CONVERSION_FILES)
    loaded = load_conversion(folder)
    for name in (
        "native",
        "view",
        "kind",
        "sample_shape",
        "dtype",
        "remaining_scale",
        "vocabulary_size",
        "sparse",
    ):
        assert getattr(loaded, name) == getattr(converter, name)
    written = []
    for name, conversion in [("first", converter), ("again", loaded)]:
        (tmp_path / name).mkdir()
        path = conversion.write(tmp_path / name, X, np.arange(20))
        written.append([(file.name, file.read_bytes()) for file in files_of(path) if file.is_file()])
    assert written[0] == written[1]


def damage(folder, how):
    if how == "missing":
        (folder / "state.npz").unlink()
    elif how == "no json":
        (folder / "conversion.json").write_text("{")
    elif how == "another kind":
        text = (folder / "conversion.json").read_text()
        (folder / "conversion.json").write_text(text.replace('"dense"', '"other"'))
    elif how == "cut":
        (folder / "state.npz").write_bytes((folder / "state.npz").read_bytes()[:100])
    else:
        np.savez(folder / "state.npz", mean=np.array([{}], dtype=object), deviation=np.ones(1))


@pytest.mark.parametrize("how", ["missing", "no json", "another kind", "cut", "pickle"])
def test_saved_conversion_that_is_damaged_is_refused_in_one_sentence(tmp_path, how):
    save_conversion(fit("tabular", "tabular", samples("tabular")), tmp_path)
    damage(tmp_path, how)
    with pytest.raises(
        DataError, match=r"^The fitted conversion in '.*' cannot be read\. .*run again\.$"
    ) as caught:
        load_conversion(tmp_path)
    assert "\n" not in str(caught.value)
