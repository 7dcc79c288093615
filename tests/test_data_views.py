import subprocess
import sys

import numpy as np
import pytest
from pydantic import TypeAdapter

from nncompare.data import views
from nncompare.data.ragged import Ragged
from nncompare.data.records import Column, Dataset, DatasetInfo, DataSpec
from nncompare.data.saved_conversion import load_conversion
from nncompare.data.store import store_dataset
from nncompare.data.views import PreparedView, open_part, open_samples, prepare_view
from nncompare.exceptions import DataError, StorageError

TRAIN = np.array([0, 2, 3, 5, 8, 9])
VALID = np.array([1, 4, 6, 7])
Y = np.tile([0, 1], 5)


def store(root, view="tabular", X=None, name="toy", scale=1.0, y_test=Y):
    shape = {"tabular": (10, 3), "image": (10, 4, 4, 1), "sequence": (10, 5, 2)}[view]
    if X is None:
        X = np.random.default_rng(1).integers(0, 255, (2, *shape)).astype(np.uint8)
    info = DatasetInfo(name=name, view=view, n_train=10, n_test=10, class_names=("no", "yes"), scale=scale)
    return store_dataset(info, Dataset(X[0], Y, X[1], y_test), root)


def files(root):
    return {p.relative_to(root): p.stat().st_mtime_ns for p in (root / "views").rglob("*.npy")}


def test_prepared_view_holds_the_rows_of_each_part(tmp_path):
    stored = store(tmp_path, "image", scale=1 / 255)
    prepared = prepare_view(stored, "image", TRAIN, VALID, tmp_path, with_test=True)
    train, valid = open_part(prepared.train, prepared.spec), open_part(prepared.valid, prepared.spec)
    np.testing.assert_array_equal(train.X, stored.X_train()[TRAIN])
    np.testing.assert_array_equal(train.y, Y[TRAIN])
    np.testing.assert_array_equal(valid.X, stored.X_train()[VALID])
    np.testing.assert_array_equal(valid.y, Y[VALID])
    np.testing.assert_array_equal(open_samples(prepared.X_test), stored.X_test())
    assert train.spec == DataSpec(
        name="toy",
        view="image",
        n_classes=2,
        class_names=("no", "yes"),
        sample_shape=(4, 4, 1),
        dtype="uint8",
        scale=1 / 255,
        n_train=6,
    )


def test_opened_part_is_read_only(tmp_path):
    prepared = prepare_view(store(tmp_path), "tabular", TRAIN, None, tmp_path, with_test=False)
    data = open_part(prepared.train, prepared.spec)
    assert (data.X.dtype, data.y.dtype) == (np.float32, np.int64)
    for array in (data.X, data.y):
        assert isinstance(array, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_table_is_standardised_with_the_training_rows_everywhere(tmp_path):
    stored = store(tmp_path)
    prepared = prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)
    fit = stored.X_train()[TRAIN].astype(np.float64)
    for path, X in [
        (prepared.train.X, fit),
        (prepared.valid.X, stored.X_train()[VALID]),
        (prepared.X_test, stored.X_test()),
    ]:
        np.testing.assert_allclose(open_samples(path), (X - fit.mean(0)) / fit.std(0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("view", ["image", "sequence", "tabular"])
def test_spec_agrees_with_the_files(tmp_path, view):
    prepared = prepare_view(store(tmp_path, "image"), view, TRAIN, VALID, tmp_path, with_test=True)
    for path in (prepared.train.X, prepared.valid.X, prepared.X_test):
        array = open_samples(path)
        assert array.shape[1:] == prepared.spec.sample_shape
        assert array.dtype == prepared.spec.dtype


def test_parts_that_were_not_asked_for_are_absent(tmp_path):
    prepared = prepare_view(store(tmp_path), "tabular", TRAIN, None, tmp_path, with_test=False)
    assert prepared.valid is None
    assert prepared.X_test is None
    assert len(files(tmp_path)) == 2


def test_test_samples_lie_apart_and_test_labels_nowhere(tmp_path):
    stored = store(tmp_path)
    prepared = prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)
    assert prepared.X_test.parent not in (prepared.train.X.parent, prepared.valid.X.parent)
    assert [p.name for p in prepared.X_test.parent.iterdir()] == ["X.npy"]


def test_prepared_view_is_reused(tmp_path):
    stored = store(tmp_path)
    first = prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)
    before = files(tmp_path)
    assert prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True) == first
    assert files(tmp_path) == before


def test_prepared_view_does_not_depend_on_test_labels(tmp_path):
    first = prepare_view(store(tmp_path), "tabular", TRAIN, VALID, tmp_path, with_test=True)
    permuted = store(tmp_path, y_test=Y[::-1])
    assert prepare_view(permuted, "tabular", TRAIN, VALID, tmp_path, with_test=True) == first


@pytest.mark.parametrize(
    "change",
    [{"view": "sequence"}, {"train_rows": TRAIN[::-1]}, {"train_rows": TRAIN[:4]}, {"stored": {"scale": 0.5}}],
)
def test_prepared_view_is_another_where_anything_that_shapes_it_is(tmp_path, change):
    arguments = {"view": "tabular", "train_rows": TRAIN, "valid_rows": VALID, "root": tmp_path, "with_test": True}
    first = prepare_view(store(tmp_path, "image"), **arguments)
    stored = store(tmp_path, "image", **change.pop("stored", {}))
    other = prepare_view(stored, **{**arguments, **change})
    assert {first.train.X, first.valid.X, first.X_test}.isdisjoint({other.train.X, other.valid.X, other.X_test})


def test_prepared_view_of_another_format_is_not_reused(tmp_path, monkeypatch):
    stored = store(tmp_path)
    first = prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)
    monkeypatch.setattr(views, "FORMAT", views.FORMAT + 1)
    other = prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)
    assert {first.train.X, first.valid.X, first.X_test}.isdisjoint({other.train.X, other.valid.X, other.X_test})


def test_impossible_view_is_a_data_error(tmp_path):
    with pytest.raises(
        DataError, match=r"'toy' is of view 'tabular' and cannot become 'image'.*tabular, sequence\."
    ):
        prepare_view(store(tmp_path), "image", TRAIN, None, tmp_path, with_test=False)


@pytest.mark.parametrize("with_all", [True, False])
def test_prepared_view_survives_json(tmp_path, with_all):
    valid = VALID if with_all else None
    prepared = prepare_view(store(tmp_path, "image"), "image", TRAIN, valid, tmp_path, with_test=with_all)
    adapter = TypeAdapter(PreparedView)
    again = adapter.validate_json(adapter.dump_json(prepared))
    assert again == prepared
    assert isinstance(again.spec.sample_shape, tuple)
    assert isinstance(again.spec.class_names, tuple)
    spec = TypeAdapter(DataSpec)
    assert spec.validate_json(spec.dump_json(prepared.spec)) == prepared.spec


def test_importing_views_is_light_because_trial_children_do():
    code = "import sys, nncompare.data.views; print({'sklearn', 'scipy', 'optuna', 'pandas'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def texts(n=10, seed=1):
    rng = np.random.default_rng(seed)
    return Ragged.from_rows([rng.integers(4, 60, rng.integers(1, 9)) for _ in range(n)])


def store_texts(root, X_train=None):
    info = DatasetInfo(name="texts", view="tokens", n_train=10, n_test=10, class_names=("no", "yes"))
    words = [f"w{rank}" for rank in range(1, 60)]
    return store_dataset(info, Dataset(X_train or texts(), Y, texts(seed=2), Y, words=words), root)


def test_tokens_are_prepared_as_ragged_on_memory_maps(tmp_path):
    stored = store_texts(tmp_path)
    prepared = prepare_view(stored, "tokens", TRAIN, VALID, tmp_path, with_test=True)
    train = open_part(prepared.train, prepared.spec)
    assert isinstance(train.X.values, np.memmap)
    assert [row.tolist() for row in map(train.X.__getitem__, range(6))] == [
        texts()[int(i)].tolist() for i in TRAIN
    ]
    assert len(open_samples(prepared.X_test)) == 10
    assert (prepared.spec.sample_shape, prepared.spec.dtype, prepared.spec.sparse) == (None, "int32", False)
    assert prepared.spec.vocabulary_size == max(train.X.values) + 1


def test_tokens_become_a_sparse_table_fitted_on_the_training_rows(tmp_path):
    prepared = prepare_view(store_texts(tmp_path), "tabular", TRAIN, VALID, tmp_path, with_test=True)
    train = open_part(prepared.train, prepared.spec)
    assert prepared.spec.sparse
    assert train.X.shape == (6, *prepared.spec.sample_shape)
    assert open_samples(prepared.X_test).shape == (10, *prepared.spec.sample_shape)
    np.testing.assert_allclose(train.X.multiply(train.X).sum(axis=1), 1, rtol=1e-5)


def test_prepared_sparse_view_survives_json_and_is_reused(tmp_path):
    stored = store_texts(tmp_path)
    first = prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)
    before = files(tmp_path)
    adapter = TypeAdapter(PreparedView)
    assert adapter.validate_json(adapter.dump_json(first)) == first
    assert prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True) == first
    assert files(tmp_path) == before


def test_prepared_view_brings_the_conversion_that_was_fitted_on_the_training_rows(tmp_path):
    stored = store(tmp_path)
    prepared = prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)
    (tmp_path / "again").mkdir()
    again = load_conversion(prepared.conversion).write(tmp_path / "again", stored.X_test(), np.arange(10))
    assert again.read_bytes() == prepared.X_test.read_bytes()


def test_prepared_view_whose_conversion_is_damaged_says_which_folder_to_delete(tmp_path):
    stored = store(tmp_path)
    prepared = prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)
    (prepared.conversion / "conversion.json").write_text("{")
    with pytest.raises(DataError, match=f"'{prepared.conversion}' cannot be read.*Delete that folder"):
        prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)
    (prepared.conversion / "conversion.json").unlink()
    with pytest.raises(StorageError, match=r"conversion\.json is missing"):
        prepare_view(stored, "tabular", TRAIN, VALID, tmp_path, with_test=True)


def store_table(root, categories=("a", "b", "c")):
    X = np.column_stack([np.arange(20.0), np.arange(20) % 3, np.arange(20) % 2]).reshape(2, 10, 3)
    X[:, 3, 0] = np.nan
    columns = (Column(name="n"), Column(name="kind", categories=categories), Column(name="m"))
    info = DatasetInfo(name="own", view="tabular", n_train=10, n_test=10, class_names=("no", "yes"))
    return store_dataset(info, Dataset(X[0], Y, X[1], Y, columns=columns), root)


def test_tables_with_columns_are_prepared_as_dense_numbers(tmp_path):
    prepared = prepare_view(store_table(tmp_path), "tabular", TRAIN, VALID, tmp_path, with_test=True)
    train = open_part(prepared.train, prepared.spec)
    assert train.X.shape == (6, *prepared.spec.sample_shape)
    assert (prepared.spec.dtype, prepared.spec.scale, prepared.spec.sparse) == ("float32", 1.0, False)
    for path in (prepared.train.X, prepared.valid.X, prepared.X_test):
        assert np.isfinite(open_samples(path)).all()


def test_tables_with_other_categories_are_prepared_anew(tmp_path):
    views = {
        prepare_view(store_table(tmp_path, names), "tabular", TRAIN, VALID, tmp_path, with_test=True).conversion
        for names in [("a", "b", "c"), ("a", "c", "b")]
    }
    assert len(views) == 2
