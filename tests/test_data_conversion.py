import numpy as np
import pytest

from nncompare.data import samples as data_samples
from nncompare.data.conversion import CONVERSIONS, choose_view, fit_conversion
from nncompare.data.native import Native
from nncompare.data.ragged import Ragged
from nncompare.data.samples import open_samples

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
