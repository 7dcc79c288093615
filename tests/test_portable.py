"""Exported models: the preprocessing in other forms, what is refused, and that nothing half-written stays."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import nncompare
from nncompare.comparison import Comparison
from nncompare.data.conversion import fit_conversion
from nncompare.data.encoding import encode
from nncompare.data.files import cache_root
from nncompare.data.native import Native
from nncompare.data.ragged import Ragged
from nncompare.data.records import Column
from nncompare.data.samples import open_samples
from nncompare.data.source import Source
from nncompare.exceptions import ExportError, PluginError, StorageError, UsageError
from nncompare.execution.specs import CallAnswer
from nncompare.inventory import find_stored
from nncompare.portable import export, exporting, formats
from nncompare.portable.card_code import as_trained
from nncompare.portable.formats import FORMATS, check_format, check_installed
from nncompare.portable.place import check_target, put
from nncompare.portable.raw import as_columns, as_frame, random_samples, user_rows
from nncompare.results import Failure

from .children import dataset
from .whole_runs import compare_with

MANY = tuple(sorted(f"c{k}" for k in range(60)))
TABLE = Native(
    view="tabular",
    sample_shape=(5,),
    dtype="float64",
    columns=(
        Column(name="size"),
        Column(name="colour", categories=("blue", "green", "red")),
        Column(name="X"),
        Column(name="with gap"),
        Column(name="place", categories=MANY),
    ),
)


def table_rows(n_rows=400, *, gaps=True):
    """Return rows of TABLE: gaps in its last number and in its colours, and rare places."""
    random = np.random.default_rng(1)
    X = np.column_stack(
        [
            random.normal(1e6, 3, n_rows),
            random.integers(0, 3, n_rows),
            random.normal(size=n_rows),
            random.normal(size=n_rows),
            np.minimum(random.geometric(0.08, n_rows) - 1, 58),
        ]
    )
    if gaps:
        X[::7, 3] = np.nan
        X[::11, 1] = np.nan
    return X


def converted(conversion, X, tmp_path):
    return np.asarray(open_samples(conversion.write(tmp_path, X, np.arange(len(X)))))


def run_onnx(conversion, X):
    """Return what the ONNX operations make of native samples."""
    onnx, ort = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    from nncompare.portable.onnx_inputs import SAMPLES, onnx_inputs, onnx_preprocessing

    model = onnx_preprocessing(conversion, {"": 17, "ai.onnx.ml": 2}, 8)
    onnx.checker.check_model(model)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run([SAMPLES], onnx_inputs(conversion, X))[0]


def encoded(table, columns):
    """Return a table as nncompare predict encodes it."""
    return encode(table, list(table.columns), columns, Source("X"))


DENSE = {
    "table": (Native(view="tabular", sample_shape=(4,), dtype="float32"), "tabular"),
    "table as steps": (Native(view="tabular", sample_shape=(4,), dtype="float32"), "sequence"),
    "image": (Native(view="image", sample_shape=(3, 2, 1), dtype="uint8", scale=1 / 255), "image"),
    "image as steps": (Native(view="image", sample_shape=(3, 2, 3), dtype="uint8", scale=1 / 255), "sequence"),
    "image as table": (Native(view="image", sample_shape=(3, 2, 1), dtype="uint8", scale=1 / 255), "tabular"),
    "sequence": (Native(view="sequence", sample_shape=(5, 2), dtype="float32"), "sequence"),
    "sequence as table": (Native(view="sequence", sample_shape=(5, 2), dtype="float32"), "tabular"),
}


@pytest.mark.parametrize("case", DENSE)
def test_onnx_prepares_arrays_as_the_run_did(case, tmp_path):
    native, view = DENSE[case]
    X = random_samples(native, 20)
    conversion = fit_conversion(native, view, X, np.arange(12))
    expected = converted(conversion, X, tmp_path)
    found = run_onnx(conversion, X)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("view", ["tabular", "sequence"])
@pytest.mark.parametrize("gaps", [True, False])
def test_onnx_prepares_tables_as_the_run_did(view, gaps, tmp_path):
    X = table_rows(gaps=gaps)
    conversion = fit_conversion(TABLE, view, X, np.arange(300))
    new = np.concatenate([table_rows(50), random_samples(TABLE, 200)])
    new[::5, 4] = 59  # a place that no row has
    expected = converted(conversion, new, tmp_path)
    found = run_onnx(conversion, as_frame(TABLE.columns, new))
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


WORDS = Native(
    view="tabular",
    sample_shape=(4,),
    dtype="float64",
    columns=(
        Column(name="work", categories=("", "Private", "State")),
        Column(name="code", categories=("0", "01", "1", "2.0")),
        Column(name="paid", categories=("False", "True")),
        Column(name="probabilities"),
    ),
)
"""An empty text and numbers among the categories, and a column that is called as the output of an ONNX file."""


def words_rows(n_rows=60):
    random = np.random.default_rng(2)
    codes = [random.integers(0, n, n_rows) for n in (3, 4, 2)]
    X = np.column_stack([*codes, random.normal(size=n_rows)])
    X[::9] = np.nan
    return X


def as_users_have_it():
    """Return rows of WORDS with spaces, fractions, bool, gaps and categories that there were not."""
    return pd.DataFrame(
        {
            "paid": [True, False, None, " True ", "true", np.True_],
            "probabilities": ["1", 2, None, "2.5", np.float32(3), 4.0],
            "work": [" Private", "State\t", "", None, "?", "private"],
            "code": [1, 1.0, "1.0", "01", 2, np.nan],
            "other": 1,
        }
    )


def test_onnx_reads_a_table_as_predict_does(tmp_path):
    conversion = fit_conversion(WORDS, "tabular", words_rows(), np.arange(60))
    expected = converted(conversion, encoded(as_users_have_it(), WORDS.columns), tmp_path)
    assert len(np.unique(expected, axis=0)) == 6
    np.testing.assert_array_equal(run_onnx(conversion, as_users_have_it().set_axis([0] * 6)), expected)


def test_card_code_reads_a_table_as_predict_does():
    rows = as_users_have_it()
    X = encoded(rows, WORDS.columns)
    assert X[:5, 0].tolist()[:3] == [1, 2, 0]
    assert np.isnan(X).sum() == 4
    found = as_trained(rows, as_columns(WORDS.columns))
    np.testing.assert_array_equal(encoded(found, WORDS.columns), X)
    assert found["work"].tolist()[:3] == ["Private", "State", ""]


def test_card_code_refuses_text_among_numbers():
    with pytest.raises(ValueError, match="many"):
        as_trained(as_users_have_it().assign(probabilities="many"), as_columns(WORDS.columns))


@pytest.mark.parametrize("native", [TABLE, WORDS], ids=["table", "words"])
def test_rows_of_the_comparison_have_gaps_all_categories_and_texts_written_otherwise(native):
    X = table_rows(80, gaps=False) if native is TABLE else words_rows(80)
    rows = user_rows(native.columns, X)
    pd.testing.assert_frame_equal(rows, user_rows(native.columns, X))
    pd.testing.assert_frame_equal(rows[: len(X)], as_frame(native.columns, X))
    codes = encoded(rows, native.columns)
    for k, column in enumerate(native.columns):
        made = rows[column.name][len(X) :]
        assert made.isna().any()
        if column.categories is not None:
            assert set(np.unique(codes[len(X) :, k])) >= set(range(len(column.categories)))
            assert made.dropna().str.startswith("not ").any()
            assert (made.dropna() != made.dropna().str.strip()).any()


@pytest.mark.parametrize("gaps", [True, False])
def test_skops_pipeline_prepares_tables_as_the_run_did(gaps, tmp_path):
    pytest.importorskip("skops")
    from sklearn.neural_network import MLPClassifier

    from nncompare.portable.skops_files import pipeline_of

    X = table_rows(gaps=gaps)
    conversion = fit_conversion(TABLE, "tabular", X, np.arange(300))
    new = table_rows(60) if gaps else table_rows(60, gaps=False)
    new[0, 4] = 59  # a place that no row has
    prepare = pipeline_of(MLPClassifier(), conversion).named_steps["preprocessing"]
    found = prepare.transform(as_frame(TABLE.columns, new).assign(other=1))
    np.testing.assert_allclose(found, converted(conversion, new, tmp_path), atol=1e-6)


def test_skops_pipeline_reads_a_table_as_predict_does(tmp_path):
    """By the code of the card; the categories of scikit-learn's encoder take no text that is written otherwise."""
    pytest.importorskip("skops")
    from sklearn.neural_network import MLPClassifier

    from nncompare.portable.skops_files import pipeline_of

    conversion = fit_conversion(WORDS, "tabular", words_rows(), np.arange(60))
    prepare = pipeline_of(MLPClassifier(), conversion).named_steps["preprocessing"]
    for rows in (as_users_have_it(), user_rows(WORDS.columns, words_rows())):
        (tmp_path / str(len(rows))).mkdir()
        expected = converted(conversion, encoded(rows, WORDS.columns), tmp_path / str(len(rows)))
        found = prepare.transform(as_trained(rows, as_columns(WORDS.columns)))
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_output_of_an_onnx_file_has_a_name_that_no_column_has(tmp_path):
    onnx, ort = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    from onnx import helper

    from nncompare.portable.onnx_files import open_onnx, write_onnx

    conversion = fit_conversion(WORDS, "tabular", words_rows(), np.arange(60))
    (n_features,) = conversion.sample_shape
    X, P = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", n_features]) for name in "XP")
    graph = helper.make_graph([helper.make_node("Identity", ["X"], ["P"])], "model", [X], [P])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    write_onnx(model, conversion, [str(k) for k in range(n_features)], tmp_path / "model.onnx")
    session = ort.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_outputs()] == ["probabilities_"]
    found = open_onnx(tmp_path / "model.onnx", conversion)(as_users_have_it())
    np.testing.assert_array_equal(
        found, converted(conversion, encoded(as_users_have_it(), WORDS.columns), tmp_path)
    )


def test_comparison_exports_as_the_command_does(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("nncompare.comparison.export", lambda *given, **options: asked.append((given, options)))
    Comparison("results", tmp_path).export("onnx", tmp_path / "x", model="mlp", refit=2, replace=True)
    assert asked == [((tmp_path, "results", "onnx", tmp_path / "x", "mlp", None, 2), {"replace": True})]


# --- what is refused -------------------------------------------------------------------------------------------


class Kind:
    """Stands in for a conversion."""

    def __init__(self, kind):
        self.kind = kind


@pytest.mark.parametrize(
    ("form", "framework", "kind", "words"),
    [
        ("skops", "keras", "dense", "as skops: it is a model of Keras. Use --format keras or --format onnx."),
        ("keras", "sklearn", "columns", "it is a model of scikit-learn. Use --format onnx or --format skops."),
        ("onnx", "keras", "tokens", "whose vocabulary an ONNX file does not hold. Use --format keras."),
        ("keras", "keras", "columns", "by steps that a Keras file does not hold. Use --format onnx."),
        ("onnx", "sklearn", "tfidf", "cannot be exported: it reads texts as weighted counts of words"),
        ("pickle", "keras", "dense", "no format 'pickle'. Choose one of these: keras, onnx, skops."),
        ("onnx", None, "dense", "cannot be exported: its plugin names neither Keras nor scikit-learn"),
    ],
)
def test_a_format_that_a_model_cannot_have_is_refused_with_those_that_it_can(form, framework, kind, words):
    with pytest.raises(UsageError) as caught:
        check_format(form, framework, Kind(kind), "The model 'm' on d")
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", ["dense", "columns", "tokens", "vocabulary", "tfidf"])
@pytest.mark.parametrize("framework", ["keras", "sklearn", None])
def test_formats_that_a_refusal_names_are_not_refused(framework, kind):
    for form in FORMATS:
        try:
            check_format(form, framework, Kind(kind), "m")
        except UsageError as error:
            for named in re.findall(r"--format (\w+)", str(error)):
                check_format(named, framework, Kind(kind), "m")


def test_each_kind_of_model_has_the_formats_that_the_documentation_promises():
    promised = {
        ("keras", "dense"): {"keras", "onnx"},
        ("keras", "columns"): {"onnx"},
        ("keras", "tokens"): {"keras"},
        ("sklearn", "columns"): {"onnx", "skops"},
    }
    for (framework, kind), expected in promised.items():
        assert set(formats.possible_formats(framework, Kind(kind))) == expected


def test_missing_converters_are_named_with_what_to_install(monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name in ("onnx", "tf2onnx") else object())
    with pytest.raises(ExportError, match=r"needs onnx, tf2onnx, which are not .*pip install 'nncompare\[onnx\]'"):
        check_installed("onnx", "keras")
    with pytest.raises(ExportError, match="needs onnx, which is not installed"):
        check_installed("onnx", "sklearn")
    check_installed("keras", "keras")


def test_a_place_with_other_files_is_never_replaced(tmp_path):
    run, target = tmp_path / "run", tmp_path / "target"
    run.mkdir()
    check_target(target, run, replace=False)
    target.mkdir()
    check_target(target, run, replace=False)  # empty
    (target / "MODEL_CARD.md").touch()
    with pytest.raises(UsageError, match=r"There is an export in .* already.*--force"):
        check_target(target, run, replace=False)
    check_target(target, run, replace=True)
    (target / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"holds 'thesis\.tex', which is of no export"):
        check_target(target, run, replace=True)
    with pytest.raises(UsageError, match=r"There is no folder '.*nowhere' for the export\. Make it first"):
        check_target(tmp_path / "nowhere" / "export", run, replace=True)
    with pytest.raises(UsageError, match="inside of the run directory"):
        check_target(run / "export", run, replace=True)
    with pytest.raises(UsageError, match="is no folder"):
        check_target(target / "thesis.tex", run, replace=True)
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(UsageError, match="is no folder"):
        check_target(tmp_path / "link", run, replace=True)


@pytest.fixture
def made(tmp_path):
    """Return a finished export, and where it shall go."""
    (tmp_path / "work" / "export").mkdir(parents=True)
    (tmp_path / "work" / "export" / "model.onnx").write_text("new")
    (tmp_path / "out").mkdir()
    return tmp_path / "work" / "export", tmp_path / "out" / "target"


def earlier_export(target):
    target.mkdir()
    (target / "MODEL_CARD.md").write_text("old")


def tree(folder):
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_an_earlier_export_is_back_where_the_new_one_cannot_take_its_place(made, monkeypatch, error):
    new, target = made
    earlier_export(target)

    def refuse(*_):
        raise error

    monkeypatch.setattr("nncompare.portable.place._move", refuse)
    with pytest.raises((StorageError, KeyboardInterrupt)):
        put(new, target, replace=True)
    shutil.rmtree(new.parent)  # as the caller does
    assert tree(target.parent) == {"MODEL_CARD.md": "old"}
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_what_came_to_the_place_meanwhile_stays(made):
    new, target = made
    earlier_export(target)
    with pytest.raises(UsageError, match=r"There is an export in .*target' already"):
        put(new, target, replace=False)
    (target / "thesis.tex").write_text("mine")
    for replace in (False, True):
        with pytest.raises(UsageError, match=r"target' holds 'thesis\.tex', which is of no export"):
            put(new, target, replace=replace)
    assert tree(target.parent) == {"MODEL_CARD.md": "old", "thesis.tex": "mine"}
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_an_earlier_export_is_replaced_as_a_whole(made):
    new, target = made
    earlier_export(target)
    put(new, target, replace=True)
    assert tree(target.parent) == {"model.onnx": "new"}
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_samples_of_the_comparison_are_of_the_whole_training_part():
    """Folders of images and many tables are sorted by class."""

    class Stored:
        def X_train(self):
            return np.arange(5000.0)[:, np.newaxis]

    found = exporting._samples(TABLE, Stored())
    assert found.shape == (256, 1)
    assert len(np.unique(found)) == 256
    assert found.max() > 4500
    np.testing.assert_array_equal(found, exporting._samples(TABLE, Stored()))


def test_random_samples_have_the_form_of_the_data():
    X = random_samples(TABLE, 50)
    assert X.shape == (50, 5)
    assert np.isnan(X).any()
    assert set(X[~np.isnan(X[:, 1]), 1]) <= {0, 1, 2}
    texts = random_samples(Native(view="tokens", sample_shape=None, dtype="int32"), 5)
    assert isinstance(texts, Ragged)
    assert len(texts) == 5


# --- a whole export --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(runner, tmp_path_factory):
    """A run of a model that trains at once."""
    return compare_with(
        runner, tmp_path_factory.mktemp("run"), datasets=(dataset("Waves"),), n_trials=1, n_refits=1
    )


class Answers:
    """A runner whose child is said to have written something."""

    def __init__(self, **answer):
        self.answer = CallAnswer(**answer)

    def run(self, spec, handler):
        self.spec = spec
        (exporting.Path(spec.arguments["output"]) / "model.onnx").write_bytes(b"onnx")
        return self.answer


def export_with(run, target, runner, **options):
    results, folder = run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "check_format", lambda *_: None)
        return export(folder, results, "onnx", target, runner=runner, **options)


FINE = {"max_difference": 1e-6, "n_samples": 7}


def test_export_appears_as_a_whole_and_says_what_was_compared(run, tmp_path):
    runner = Answers(status="complete", returned=FINE)
    (tmp_path / "new").mkdir()
    found = export_with(run, tmp_path / "new" / "export", runner)
    assert found.files == ("model.onnx", "MODEL_CARD.md")
    assert (found.model, found.dataset, found.n_samples, found.own_samples) == ("Nearest", "Waves", 7, True)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["export"]
    assert runner.spec.arguments["class_names"] == ["slow", "fast"]
    replaced = export_with(run, found.folder, runner, replace=True)
    assert sorted(path.name for path in replaced.folder.iterdir()) == ["MODEL_CARD.md", "model.onnx"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["export"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"status": "complete", "returned": FINE | {"max_difference": 0.5}},
            "a probability differs by 0.5, where",
        ),
        ({"status": "complete", "returned": FINE | {"max_difference": None}}, "a probability is no finite number"),
        (
            {"status": "failed", "failure": Failure(category="plugin", message="RuntimeError: no.")},
            "'Nearest' on Waves could not be written as onnx: RuntimeError: no.",
        ),
    ],
)
def test_export_that_fails_or_differs_leaves_nothing_and_keeps_what_was_there(run, tmp_path, answer, words):
    target = tmp_path / "export"
    for before in ((), ("MODEL_CARD.md",)):
        if before:
            target.mkdir()
            (target / "MODEL_CARD.md").write_text("old")
        with pytest.raises(ExportError) as caught:
            export_with(run, target, Answers(**answer), replace=True)
        assert words in str(caught.value)
        assert [path.name for path in tmp_path.iterdir()] == (["export"] if before else [])
    assert (target / "MODEL_CARD.md").read_text() == "old"


def test_export_of_a_model_that_is_not_what_its_tags_say_is_refused(run, tmp_path):
    from nncompare.portable.writing import write

    results, folder = run
    refit = results.studies[0].refits[0]
    for name in ("work", "output"):
        (tmp_path / name).mkdir()
    X = exporting.write_samples(tmp_path, "X", stored_of(results).X_test())
    arguments = {
        "model": str(folder / refit.model),
        "manifest_sha256": refit.manifest_sha256,
        "format": "skops",
        "X": str(X),
        "work": str(tmp_path / "work"),
        "output": str(tmp_path / "output"),
    }
    with pytest.raises(PluginError, match="of the class Centroids, where a SklearnModel is expected"):
        write("", arguments, None)


def stored_of(results):
    data = results.datasets[0]
    return find_stored(cache_root(), data.fingerprint, data.test_fingerprint)


def exported(runner, run, form, target):
    """Export a model, and return it with the raw test samples and the run's own probabilities of them."""
    results, folder = run
    found = export(folder, results, form, target, runner=runner)
    assert found.max_difference <= 1e-4
    with np.load(folder / results.studies[0].refits[0].predictions) as stored:
        return found, np.asarray(stored_of(results).X_test()), stored["probabilities"]


def ask_onnx(folder, X):
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].name == "X"
    return session.run(None, {"X": X})[0]


TINY = {"n_trials": 1, "n_refits": 1, "max_epochs": 1}


@pytest.mark.slow
def test_exported_mlp_predicts_the_test_part_as_the_run_did(runner, tmp_path):
    pytest.importorskip("skl2onnx")
    skops = pytest.importorskip("skops.io")
    run = compare_with(runner, tmp_path / "runs", models=("mlp",), **TINY)
    found, X, expected = exported(runner, run, "onnx", tmp_path / "onnx")
    np.testing.assert_allclose(ask_onnx(found.folder, X), expected, atol=1e-4)
    found, X, expected = exported(runner, run, "skops", tmp_path / "skops")
    loaded = skops.load(found.folder / "model.skops", trusted=[])
    np.testing.assert_allclose(loaded.predict_proba(X.reshape(len(X), -1)), expected, atol=1e-4)


def people(n_rows, seed):
    """Return a table as users have them, and a class that its categories decide."""
    random = np.random.default_rng(seed)
    work = random.choice([" Private", " State", "", "Self"], n_rows)
    rows = pd.DataFrame(
        {
            "work": pd.Series(work, dtype=object),
            "code": random.choice([1.0, 2.0, 3.0], n_rows).astype(str),
            "paid": random.choice([True, False], n_rows),
            "place": random.choice(MANY, n_rows, p=np.r_[np.full(10, 0.09), np.full(50, 0.002)]),
            "probabilities": random.normal(50, 9, n_rows).round(1),
        }
    )
    rows.loc[::8, "code"] = None
    rows.loc[::9, "probabilities"] = np.nan
    y = np.where((work == " Private") ^ (rows["paid"] & (rows["probabilities"] > 50)), "rich", "poor")
    return rows, y


@pytest.fixture(scope="module")
def people_run(tmp_path_factory):
    """A run of mlp on a table with named columns."""
    X, y = people(600, 0)
    return nncompare.compare(
        ["mlp"], X=X.assign(code=X["code"].str.replace(".0", "").map({"1": "1", "2": "2", "3": "x"})), y=y,
        name="people", out=tmp_path_factory.mktemp("people"), n_trials=1, n_refits=1, max_epochs=3, jobs=1,
        estimate=False, progress=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("form", "needs"), [("onnx", "skl2onnx"), ("skops", "skops")])
def test_code_of_a_card_predicts_a_table_as_nncompare_does(people_run, tmp_path, monkeypatch, form, needs):
    pytest.importorskip(needs)
    found = people_run.export(form, tmp_path / form)
    assert set(found.files) == {f"model.{form}", "MODEL_CARD.md", "columns.json"}
    table, _ = people(200, 1)
    table["work"] = table["work"].where(np.arange(200) % 7 > 0, "never seen")
    table.loc[3, "work"] = None
    with pytest.warns(UserWarning, match="never saw count as rare ones: 29 of 'work'"):
        expected = people_run.predict(table).probabilities
    assert len(np.unique(expected, axis=0)) > 100
    (code,) = re.findall(r"```python\n(.*?)```", (tmp_path / form / "MODEL_CARD.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path / form)
    names = {"table": table}
    exec(code, names)
    np.testing.assert_allclose(names["probabilities"], expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "data"), [("cnn", "digits"), ("lstm", dataset("Waves")), ("lstm", "digits")], ids=str
)
def test_exported_keras_models_predict_the_test_part_as_the_run_did(runner, tmp_path, model, data):
    import zipfile

    run = compare_with(runner, tmp_path / "runs", models=(model,), datasets=(data,), **TINY)
    found, X, expected = exported(runner, run, "keras", tmp_path / "keras")
    assert found.note == ""
    assert b"nncompare" not in zipfile.ZipFile(found.folder / "model.keras").read("config.json")
    pytest.importorskip(
        "tf2onnx", reason="pip install '.[onnx]' after all other tests: it hides the package 'tests'"
    )
    found, X, expected = exported(runner, run, "onnx", tmp_path / "onnx")
    np.testing.assert_allclose(ask_onnx(found.folder, X), expected, atol=1e-4)


@pytest.mark.slow
def test_exported_models_of_texts_bring_their_vocabulary_and_say_what_they_need(runner, tmp_path):
    run = compare_with(runner, tmp_path / "runs", models=("lstm",), datasets=(dataset("Texts"),), **TINY)
    found = export(run[1], run[0], "keras", tmp_path / "keras", runner=runner)
    assert found.files[0] == "model.keras"
    assert set(found.files) == {"model.keras", "MODEL_CARD.md", "vocabulary.json"}
    assert "layers of nncompare.frameworks.keras_tokens, nncompare_plugins" in found.note
    vocabulary = json.loads((found.folder / "vocabulary.json").read_text())
    assert vocabulary["ids"] == {"padding": 0, "start": 1, "unknown": 2, "first_word": 4}
    assert vocabulary["max_length"] == run[0].studies[0].best_params["max_length"]
    with pytest.raises(UsageError, match="Use --format keras"):
        export(run[1], run[0], "onnx", tmp_path / "onnx", runner=runner)
