"""Data that come with packages, in every form that is read: equal parts, and predictions as right as reported."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.data import parts, splits
from nncompare.data.own import own_arrays
from nncompare.data.ragged import decode
from nncompare.data.store import open_dataset, store_dataset
from nncompare.data.texts import words_of
from nncompare.execution.reading import read
from nncompare.execution.specs import ReadSpec
from nncompare.report import results_in

from .own_forms import ARRAYS, IMAGES, TABLES, bundled, reviews, table

NAMES = ("iris", "wine", "breast_cancer", "digits")
FORMS = [
    *((name, form, False) for name in NAMES for form in (*TABLES, *ARRAYS, "DataFrame")),
    *((name, form, True) for name in NAMES for form in ARRAYS),
    *(("digits", form, has_test) for form in IMAGES for has_test in (False, True)),
]
WRITERS = TABLES | ARRAYS | IMAGES
ROUNDED = 5.1e-5  # scores are recorded with four digits
FASHION = Path("/usr/share/datasets/fashion-mnist")


def stored_by_run(path, root, **options):
    """Return what ``nncompare run -d path`` stores, by the function that its child calls."""
    files = {"result": root / "result.json", "log": root / "log"}
    answer = read(ReadSpec(**files, timeout_s=60, path=path, root=root, name="own", **options))
    assert answer.failure is None, answer.failure.message
    return open_dataset(answer.folder)


@pytest.fixture
def nothing_found(monkeypatch):
    """Look for nothing in the data: other tests do, and it takes longer than all else."""
    monkeypatch.setattr(parts, "find_in_data", lambda looked: [])


@pytest.fixture
def draws(monkeypatch):
    """Count how often parts are drawn."""
    counts, draw = Counter(), splits._stratified

    def counted(*arguments):
        counts["draws"] += 1
        return draw(*arguments)

    monkeypatch.setattr(splits, "_stratified", counted)
    return counts


@pytest.mark.usefixtures("nothing_found")
@pytest.mark.parametrize(("name", "form", "has_test"), FORMS)
def test_data_set_has_the_same_parts_in_every_form(tmp_path, draws, name, form, has_test):
    X, y = bundled(name)
    train, test = splits.split_off_test(y)
    draws.clear()
    if form == "DataFrame":
        frame = table(X, y)
        stored = store_dataset(*own_arrays("own", frame.drop(columns="target"), frame["target"]), tmp_path)
    else:
        arrays = (X[train], y[train], X[test], y[test]) if has_test else (X, y)
        options = {"target": "target"} if form in TABLES else {}
        stored = stored_by_run(WRITERS[form](tmp_path, *arrays), tmp_path / "cache", **options)
    kept = slice(None)
    if stored.columns:
        kept = np.ptp(X[train], axis=0) > 0  # what is the same everywhere teaches nothing
        assert [column.name for column in stored.columns] == [f"x{k}" for k in np.flatnonzero(kept)]
    for rows, samples, codes in (
        (train, stored.X_train(), stored.y_train()),
        (test, stored.X_test(), stored.y_test()),
    ):
        expected = X[rows][:, kept].astype(np.float32)
        np.testing.assert_array_equal(samples.reshape(len(rows), -1).astype(np.float32), expected)
        np.testing.assert_array_equal(codes, y[rows])
    assert stored.class_names == tuple(map(str, range(y.max() + 1)))
    assert (stored.split_by, draws["draws"]) == (("given", 0) if has_test else ("class", 1))


@pytest.mark.usefixtures("nothing_found")
@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "list", "Series"])
def test_texts_have_the_same_words_in_every_form(tmp_path, form):
    texts, classes = reviews()
    frame = pd.DataFrame({"review": texts, "label": classes, "price": 1.5})
    if form in ("list", "Series"):
        X = texts if form == "list" else frame["review"]
        stored = store_dataset(*own_arrays("own", X, classes, view="tokens"), tmp_path)
    else:
        path = tmp_path / f"own.{form}"
        frame.to_parquet(path) if form == "parquet" else frame.to_csv(path, sep="\t" if form == "tsv" else ",")
        stored = stored_by_run(path, tmp_path / "cache", target="label", text="review")
    names, y = np.unique(classes, return_inverse=True)
    assert stored.class_names == tuple(names)
    words = stored.words()
    for rows, X, codes in zip(
        splits.split_off_test(y),
        (stored.X_train(), stored.X_test()),
        (stored.y_train(), stored.y_test()),
        strict=True,
    ):
        assert [decode(ids, words) for ids in X] == [[w.decode() for w in words_of(texts[row])] for row in rows]
        np.testing.assert_array_equal(codes, y[rows])


def written(folder, form, name):
    """Write a data set in a form, and its test part as a file of new rows; return both paths."""
    X, y = bundled(name)
    train, test = splits.split_off_test(y)
    (folder / "new").mkdir(parents=True)
    arrays = (X, y) if form in TABLES else (X[train], y[train], X[test], y[test])
    return WRITERS[form](folder, *arrays), WRITERS[form](folder / "new", X[test], y[test])


def run(folder, *arguments):
    """Run a comparison that is small; return its folder, and the results as the report holds them."""
    small = ("--trials", "1", "--seeds", "1", "--epochs", "20", "--out", str(folder / "runs"), "--json")
    done = CliRunner().invoke(main, ["run", "-m", "mlp", *arguments, *small])
    assert done.exit_code == 0, done.stderr
    report = Path(json.loads(done.stdout)["report"])
    return report.parent, results_in(report.read_text(encoding="utf-8"))


def accuracy(folder, dataset, new):
    """Return the accuracy that predict says of new rows, and that of the predictions that it wrote."""
    output = folder / f"{dataset}.csv"
    words = ("predict", folder, "-d", dataset, "--input", new, "--output", output, "--json")
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 0, done.stderr
    written = pd.read_csv(output, dtype=str)
    return json.loads(done.stdout)["accuracy"], (written["prediction"] == written["true"]).mean()


RUN_AND_PREDICTED = {
    "flowers": ("csv with decimal commas", "iris"),
    "wine": ("npz", "wine"),
    "cancer": ("parquet", "breast_cancer"),
    "lines": ("sequences", "digits"),
    "pictures": ("folder of images", "digits"),
}


@pytest.mark.slow
def test_forms_go_from_file_to_report_to_predictions_that_are_as_right_as_reported(tmp_path):
    paths = {called: written(tmp_path / called, *form) for called, form in RUN_AND_PREDICTED.items()}
    typed = [word for given, _ in paths.values() for word in ("-d", str(given))]
    folder, results = run(tmp_path, *typed, "--target", "target")
    assert [dataset.name for dataset in results.datasets] == list(paths)
    for study in results.studies:
        (refit,) = study.refits
        found = accuracy(folder, study.dataset, paths[study.dataset][1])
        assert found == (pytest.approx(refit.test_accuracy, abs=ROUNDED),) * 2
        assert refit.test_accuracy > 0.8


@pytest.mark.slow
def test_texts_go_from_file_to_report_to_predictions_that_are_as_right_as_reported(tmp_path):
    texts, classes = reviews()
    frame = pd.DataFrame({"review": texts, "label": classes})
    frame.to_csv(tmp_path / "reviews.tsv", sep="\t", index=False)
    test = splits.split_off_test(np.unique(classes, return_inverse=True)[1])[1]
    frame.iloc[test].to_parquet(tmp_path / "new.parquet")
    folder, results = run(tmp_path, "-d", str(tmp_path / "reviews.tsv"), "--text", "review", "--target", "label")
    (refit,) = results.studies[0].refits
    assert (
        accuracy(folder, "reviews", tmp_path / "new.parquet")
        == (pytest.approx(refit.test_accuracy, abs=ROUNDED),) * 2
    )
    assert refit.test_accuracy > 0.8


@pytest.mark.slow
def test_fashion_mnist_goes_from_published_files_to_a_folder_of_images_to_predictions(tmp_path):
    """A part of it, by the script that compares on the whole."""
    if not FASHION.is_dir():
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    script = Path(__file__).parents[1] / "benchmarks" / "fashion_mnist.py"
    small = ("--per-class", "100", "--trials", "1", "--seeds", "1", "--epochs", "4")
    done = subprocess.run(
        [sys.executable, script, "--folder", tmp_path, "--form", "images", *small],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        "1,000 images and 1,000 test images of 28 × 28, grey; 10 classes: Ankle boot, Bag, Coat" in done.stdout
    ), done.stderr
    (report,) = tmp_path.glob("reports/*/report.html")
    studies = {study.model: study for study in results_in(report.read_text(encoding="utf-8")).studies}
    assert {model: study.status for model, study in studies.items()} == {"mlp": "complete", "cnn": "complete"}
    assert all(study.test.accuracy.mean > 0.5 for study in studies.values())
    predictions = pd.read_csv(tmp_path / "predictions.csv", dtype=str)
    assert (predictions["true"] == predictions["file"].str.partition("/")[0]).all()
    right = (predictions["prediction"] == predictions["true"]).mean()
    assert right == pytest.approx(studies["cnn"].refits[0].test_accuracy, abs=0.0015)  # one image, by a last digit
