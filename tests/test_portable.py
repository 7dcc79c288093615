"""Exported models: the preprocessing in other forms, what is refused, and that nothing half-written stays."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nncompare.comparison import Comparison
from nncompare.data.conversion import fit_conversion
from nncompare.data.files import cache_root
from nncompare.data.native import Native
from nncompare.data.ragged import Ragged
from nncompare.data.records import Column
from nncompare.data.samples import open_samples
from nncompare.exceptions import ExportError, PluginError, UsageError
from nncompare.execution.specs import CallAnswer
from nncompare.inventory import find_stored
from nncompare.portable import export, exporting, formats
from nncompare.portable.exporting import check_target
from nncompare.portable.formats import check_format, check_installed, possible_formats
from nncompare.portable.raw import as_frame, random_samples
from nncompare.results import Failure

from .children import dataset
from .whole_runs import compare_with

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

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
    from nncompare.portable.onnx_inputs import SAMPLES, onnx_inputs, onnx_preprocessing

    model = onnx_preprocessing(conversion, {"": 17, "ai.onnx.ml": 2}, 8)
    onnx.checker.check_model(model)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run([SAMPLES], onnx_inputs(conversion, X))[0]


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
    found = run_onnx(conversion, new)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


def test_onnx_takes_empty_texts_for_missing_and_unknown_ones_for_rare(tmp_path):
    from nncompare.portable.onnx_inputs import SAMPLES, onnx_inputs, onnx_preprocessing

    X = table_rows()
    conversion = fit_conversion(TABLE, "tabular", X, np.arange(300))
    inputs = onnx_inputs(conversion, X[:3])
    inputs["colour"] = np.array([["mauve"], [""], ["red"]], dtype=object)
    model = onnx_preprocessing(conversion, {"": 17, "ai.onnx.ml": 2}, 8)
    found = ort.InferenceSession(model.SerializeToString()).run([SAMPLES], inputs)[0]
    X[:3, 1] = len(TABLE.columns[1].categories), np.nan, 2
    np.testing.assert_array_equal(found, converted(conversion, X[:3], tmp_path))


@pytest.mark.parametrize("gaps", [True, False])
def test_skops_pipeline_prepares_tables_as_the_run_did(gaps, tmp_path):
    from sklearn.neural_network import MLPClassifier

    from nncompare.portable.skops_files import pipeline_of

    X = table_rows(gaps=gaps)
    conversion = fit_conversion(TABLE, "tabular", X, np.arange(300))
    new = table_rows(60) if gaps else table_rows(60, gaps=False)
    new[0, 4] = 59  # a place that no row has
    prepare = pipeline_of(MLPClassifier(), conversion).named_steps["preprocessing"]
    found = prepare.transform(as_frame(TABLE.columns, new).assign(other=1))
    np.testing.assert_allclose(found, converted(conversion, new, tmp_path), atol=1e-6)


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


def test_every_possible_format_passes():
    for (framework, kind), possible in formats._POSSIBLE.items():
        assert possible_formats(framework, Kind(kind)) == possible
        for form in possible:
            check_format(form, framework, Kind(kind), "m")


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
    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].name == "X"
    return session.run(None, {"X": X})[0]


TINY = {"n_trials": 1, "n_refits": 1, "max_epochs": 1}


@pytest.mark.slow
def test_exported_mlp_predicts_the_test_part_as_the_run_did(runner, tmp_path):
    import skops.io

    run = compare_with(runner, tmp_path / "runs", models=("mlp",), **TINY)
    found, X, expected = exported(runner, run, "onnx", tmp_path / "onnx")
    np.testing.assert_allclose(ask_onnx(found.folder, X), expected, atol=1e-4)
    found, X, expected = exported(runner, run, "skops", tmp_path / "skops")
    loaded = skops.io.load(found.folder / "model.skops", trusted=[])
    np.testing.assert_allclose(loaded.predict_proba(X.reshape(len(X), -1)), expected, atol=1e-4)


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
