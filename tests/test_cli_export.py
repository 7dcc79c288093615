"""``nncompare export``: options, what is said where, exit codes."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.portable import FORMATS, Exported

FOUND = {
    "folder": Path("out"),
    "files": ("model.onnx", "MODEL_CARD.md"),
    "model": "mlp",
    "dataset": "wine",
    "refit": 2,
    "reason": "",
    "max_difference": 1.25e-7,
    "n_samples": 142,
    "own_samples": True,
    "note": "",
}


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Stand in for the library; return what it is called with, and what it finds."""
    told = SimpleNamespace(asked=[], found=dict(FOUND))

    def export(*arguments, **options):
        told.asked.append((arguments, options))
        return Exported(**told.found)

    comparison, portable = ModuleType("nncompare.comparison"), ModuleType("nncompare.portable")
    comparison.load_results = lambda folder: ("results of", folder)
    portable.export = export
    monkeypatch.setitem(sys.modules, comparison.__name__, comparison)
    monkeypatch.setitem(sys.modules, portable.__name__, portable)
    (tmp_path / "reports" / "r").mkdir(parents=True)
    (tmp_path / "reports" / "r" / "results.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return told


def invoke(*arguments):
    return CliRunner().invoke(main, ["export", *arguments])


def test_export_hands_over_what_was_typed_and_says_what_was_written(calls):
    options = ("-m", "mlp", "-d", "wine", "--refit", "2", "--format", "onnx", "--output", "out", "--force")
    done = invoke("latest", *options)
    ((arguments, given),) = calls.asked
    assert arguments[1:] == (("results of", arguments[0]), "onnx", Path("out"), "mlp", "wine", 2)
    assert given.pop("runner") is not None
    assert given == {"replace": True}
    assert (done.exit_code, done.stdout) == (0, "out/model.onnx\nout/MODEL_CARD.md\n")
    assert done.stderr == (
        "mlp, trained on wine (refit 2). On 142 rows of its data, its probabilities differ from those of "
        "the run's model by at most 1.2e-07.\n"
    )


def test_export_says_why_a_model_was_taken_what_it_needs_and_that_rows_were_random(calls):
    calls.found |= {"reason": "it won", "note": "Needs\nmore.", "own_samples": False}
    done = invoke("latest", "--format", "keras", "--output", "out")
    assert done.stderr.startswith(
        "warning: Needs more.\nmlp, trained on wine (refit 2). Why this model: it won. On "
    )
    assert "142 random rows (its data are not in the cache any more)" in done.stderr
    ((arguments, given),) = calls.asked
    assert (arguments[4:], given["replace"]) == ((None, None, 1), False)


def test_export_as_json(calls):
    done = invoke("latest", "--format", "skops", "--output", "out", "--json")
    assert json.loads(done.stdout) == FOUND | {"folder": "out", "files": ["model.onnx", "MODEL_CARD.md"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("latest", "--output", "out"), "Missing option '--format'"),
        (("latest", "--format", "onnx"), "Missing option '--output'"),
        (("latest", "--format", "pickle", "--output", "out"), "'pickle' is not one of"),
        (("latst", "--format", "onnx", "--output", "out"), "Did you mean 'latest'?"),
    ],
)
def test_export_refuses_what_it_cannot_do(calls, arguments, words):
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert calls.asked == []


def test_export_offers_all_formats():
    (option,) = (each for each in main.commands["export"].params if each.name == "form")
    assert tuple(option.type.choices) == FORMATS
