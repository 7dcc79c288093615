"""``nncompare predict``: options, files, what is said where, exit codes."""

import csv
import io
import json
import shutil
import sys
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.cli.predict import describe
from nncompare.prediction_table import Prediction

from .children import dataset, fault
from .whole_runs import compare_with

NAMES = ("no", "yes")
PROBABILITIES = np.array([[0.75, 0.25], [0.125, 0.875]])


def prediction(**updates):
    fields = {
        "run_id": "r",
        "model": "mlp",
        "dataset": "wine",
        "refit": 2,
        "seed": 7,
        "class_names": NAMES,
        "probabilities": PROBABILITIES,
        "labels": np.array([0, 0]),
    }
    return Prediction(**(fields | updates))


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Stand in for the library; return what it is called with."""
    asked = []

    def predict(*arguments, **options):
        asked.append((arguments, options))
        return prediction()

    comparison, module = ModuleType("nncompare.comparison"), ModuleType("nncompare.prediction")
    comparison.load_results = lambda folder: ("results of", folder)
    module.predict = predict
    monkeypatch.setitem(sys.modules, comparison.__name__, comparison)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (tmp_path / "reports" / "r").mkdir(parents=True)
    (tmp_path / "reports" / "r" / "results.json").write_text("{}")
    (tmp_path / "new.csv").write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    return asked


def invoke(*arguments):
    return CliRunner().invoke(main, ["predict", *map(str, arguments)])


def test_predict_hands_over_what_was_typed(calls, tmp_path):
    options = (
        "-m",
        "lstm",
        "-d",
        "wine",
        "--refit",
        "3",
        "--encoding",
        "latin-1",
        "--keep",
        "id",
        "--keep",
        "name",
    )
    done = invoke("latest", *options, "--input", "new.csv", "--output", "out.npz")
    ((arguments, given),) = calls
    assert arguments[1:] == (("results of", arguments[0]), "lstm", "wine", 3)
    assert arguments[0].resolve() == tmp_path / "reports" / "r"
    given.pop("runner")
    assert {key: str(value) for key, value in given.items()} == {
        "input": "new.csv",
        "output": "out.npz",
        "encoding": "latin-1",
        "keep": "('id', 'name')",
    }
    assert (done.exit_code, done.stdout) == (0, "out.npz\n")
    assert done.stderr == (
        "2 rows predicted by mlp, trained on wine (refit 2). Accuracy 0.5000 on the 2 rows whose class is known.\n"
    )


def test_predict_of_the_test_part_has_no_file(calls):
    assert invoke("r", "--test", "--output", "out.csv").exit_code == 0
    ((_, given),) = calls
    assert given["input"] is None


def test_predict_to_standard_output_is_clean_csv(calls):
    done = invoke("r", "--test", "--output", "-")
    assert list(csv.reader(io.StringIO(done.stdout))) == [
        ["row", "prediction", "p_no", "p_yes", "true"],
        ["0", "no", "0.75", "0.25", "no"],
        ["1", "yes", "0.125", "0.875", "no"],
    ]
    assert calls[0][1]["output"] is None


def test_predict_json_says_what_was_done(calls):
    done = invoke("r", "--test", "--output", "out.csv", "--json")
    found = json.loads(done.stdout)
    assert found["accuracy"] == 0.5
    assert (found["model"], found["refit"], found["n_samples"], found["n_known"]) == ("mlp", 2, 2, 2)
    assert (found["class_names"], found["output"]) == (["no", "yes"], "out.csv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("r", "--output", "o.csv"), "Say what to predict: either --input FILE, or --test"),
        (("r", "--output", "o.csv", "--test", "--input", "new.csv"), "Say what to predict"),
        (("r", "--test", "--output", "-", "--json"), "Standard output takes either the CSV or the JSON"),
        (("r", "--test"), "Missing option '--output'"),
        (("r", "--input", "absent.csv", "--output", "o.csv"), "'absent.csv' does not exist"),
        (("absent", "--test", "--output", "o.csv"), "There is no run 'absent'"),
        (("r", "--test", "--output", "o.csv", "--refit", "0"), "0 is not in the range"),
    ],
)
def test_predict_refuses_what_cannot_be_meant(calls, arguments, words):
    done = invoke(*arguments)
    assert (done.exit_code, calls) == (2, [])
    assert words in done.stderr


@pytest.mark.parametrize(
    ("updates", "line"),
    [
        ({"labels": None}, "2 rows predicted by mlp, trained on wine (refit 2)."),
        (
            {"labels": np.array([0, -1]), "reason": "it won the comparison on wine"},
            "2 rows predicted by mlp, trained on wine (refit 2). Why this model: it won the comparison on wine. "
            "Accuracy 1.0000 on the 1 row whose class is known.",
        ),
        (
            {"probabilities": PROBABILITIES[:1], "labels": None},
            "1 row predicted by mlp, trained on wine (refit 2).",
        ),
    ],
)
def test_predict_says_in_one_line_what_was_done(updates, line):
    assert describe(prediction(**updates)) == line


def test_predict_prints_a_warning_before_what_was_done(calls, monkeypatch):
    note = "Categories that the model never saw count as rare ones: 2 of 'c'."
    monkeypatch.setattr(sys.modules["nncompare.prediction"], "predict", lambda *a, **o: prediction(note=note))
    done = invoke("r", "--test", "--output", "-")
    assert done.stderr.splitlines()[0] == f"warning: {note}"
    assert note not in done.stdout
    assert json.loads(invoke("r", "--test", "--output", "out.csv", "--json").stdout)["note"] == note


def test_predict_help_says_that_no_refit_is_chosen_by_its_score():
    text = " ".join(invoke("--help").output.split())
    assert "none is chosen by its test score" in text
    assert "nncompare predict latest --input new.csv --output predictions.csv" in text


# --- against a real run: files that were changed -----------------------------------------------------------------


@pytest.fixture(scope="module")
def noted_run(runner, tmp_path_factory):
    """A run of a plugin that leaves a note when it is imported: the folder, its model's folder, the note."""
    home = tmp_path_factory.mktemp("noted")
    shutil.copy(fault("x").partition(":")[0], home / "nearest.py")
    (home / "noted.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        f"sys.path.insert(0, {str(home)!r})\nPath({str(home / 'imported')!r}).touch()\n"
        "from nearest import Nearest\n\n\nclass Noted(Nearest):\n    '''Nearest.'''\n"
    )
    plugin = f"{home / 'noted.py'}:Noted"
    results, folder = compare_with(
        runner, home / "reports", models=(plugin,), datasets=(dataset("Waves"),), n_trials=1, n_refits=1
    )
    return folder, folder / results.studies[0].refits[0].model, home / "imported"


@pytest.mark.parametrize(
    "name", ["means.npy", "preprocessing/state.npz", "preprocessing/conversion.json", "nncompare.json"]
)
def test_predict_with_a_byte_changed_is_refused_and_imports_nothing(noted_run, tmp_path, name):
    folder, model, note = noted_run
    path = model / name
    original = path.read_bytes()
    changed = bytearray(original)
    changed[len(changed) // 2] ^= 1
    note.unlink(missing_ok=True)
    path.write_bytes(changed)
    try:
        done = invoke(folder, "--test", "--output", tmp_path / "o.csv")
    finally:
        path.write_bytes(original)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"{path.name}' was changed after it was saved, so it is not loaded" in done.stderr
    assert not note.exists()
    assert not (tmp_path / "o.csv").exists()


def test_predict_with_a_file_more_is_refused_and_imports_nothing(noted_run, tmp_path):
    folder, model, note = noted_run
    note.unlink(missing_ok=True)
    (model / "extra.py").write_text("x")
    try:
        done = invoke(folder, "--test", "--output", tmp_path / "o.csv")
    finally:
        (model / "extra.py").unlink()
    assert done.exit_code == 1
    assert "extra.py' was added after the model was saved" in done.stderr
    assert not note.exists()


def test_predict_with_all_as_it_was_imports_the_plugin_in_a_child(noted_run, tmp_path):
    folder, _, note = noted_run
    note.unlink(missing_ok=True)
    done = invoke(folder, "--test", "--output", tmp_path / "o.csv")
    assert done.exit_code == 0, done.stderr
    assert note.exists()
    assert "noted" not in sys.modules
    assert len((tmp_path / "o.csv").read_text().splitlines()) == 1 + 20


def test_predict_does_not_overwrite_its_input(noted_run, tmp_path):
    folder, *_ = noted_run
    (tmp_path / "new.npz").write_bytes(b"mine")
    done = invoke(folder, "--input", tmp_path / "new.npz", "--output", tmp_path / "new.npz")
    assert done.exit_code == 2
    assert "would be lost" in done.stderr
    assert (tmp_path / "new.npz").read_bytes() == b"mine"
