"""``nncompare check-plugin``: what it prints, and how it ends."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.cli.check import _beginning
from nncompare.registry import DATASETS, LOCAL, MODELS, PluginRef
from nncompare.testing.catalog import DATASET_CHECKS, MODEL_CHECKS, building_on

PLUGINS = Path(__file__).parent / "plugins"


def check(*arguments):
    return CliRunner().invoke(main, ["check-plugin", *map(str, arguments)])


def mutant(name, file="mutants"):
    return f"{PLUGINS / file}.py:{name}"


def test_check_plugin_prints_a_line_for_each_check_and_a_sum():
    done = check(mutant("Softmax"), "--check", "check_tags", "--check", "check_trains")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert lines[0].startswith("Softmax, from (local) (/")
    assert [line.split()[:2] for line in lines[3:5]] == [["check_tags", "passed"], ["check_trains", "passed"]]
    assert lines[-1].startswith("2 checks of the model 'Softmax' in ")
    assert lines[-1].endswith(": 2 passed.")
    assert (
        done.stderr.splitlines()[0] == "Checking Softmax: 2 checks, each in at most 120 s, once it is imported ..."
    )


def test_check_plugin_gives_the_wall_time_with_what_comes_before_the_first_check(monkeypatch):
    ends = iter([100.0, 118.04])
    monkeypatch.setattr("nncompare.cli.check.time", SimpleNamespace(monotonic=lambda: next(ends)))
    assert " in 18.0 s: 1 passed." in check(mutant("Softmax"), "--check", "check_tags").stdout


@pytest.mark.parametrize(
    ("ref", "what"),
    [
        (PluginRef("mlp", MODELS, "m:M", "nncompare", "1"), f"{len(MODEL_CHECKS)} checks"),
        (PluginRef("digits", DATASETS, "m:D", "nncompare", "1"), f"{len(DATASET_CHECKS)} checks"),
        (PluginRef("M", MODELS, "m.py:M", LOCAL, ""), "All checks"),
    ],
    ids=["model", "data set", "file"],
)
def test_check_plugin_says_in_a_pipe_how_many_checks_come(ref, what):
    assert f": {what}, each in at most 5 s," in _beginning(ref, 0, 5.0)


def test_check_plugin_that_fails_says_what_and_ends_with_3():
    done = check(mutant("ReturnsLogits"), "--check", "check_probabilities_sum_to_one")
    assert done.exit_code == 3
    assert "\n    Values of predict_proba() go from -" in done.stdout
    assert done.stdout.endswith(": 1 failed.\n")


def test_check_plugin_that_fails_as_expected_ends_with_0():
    done = check(mutant("Fixed"), "--check", "check_other_seed_other_predictions")
    assert done.exit_code == 0
    assert "expected failure" in done.stdout
    assert "\n    Nothing in it is random.\n" in done.stdout


def test_check_plugin_sums_up_what_builds_on_a_check_that_failed():
    done = check(mutant("ReturnsADict"))
    failed, skipped = (line for line in done.stdout.splitlines() if "check_trains" in line)
    assert failed.startswith("check_trains ")
    n_skipped = len(building_on("check_trains", MODEL_CHECKS)) - 2  # one is for Keras, one for texts
    assert skipped.split()[:-1] == f"{n_skipped} checks that build on check_trains skipped".split()
    assert "It builds on" not in done.stdout


def test_check_plugin_shows_the_failure_that_its_only_check_builds_on():
    done = check(mutant("ReturnsADict"), "--check", "check_predicts")
    lines = done.stdout.splitlines()
    assert done.exit_code == 3
    assert lines[3].split()[:2] == ["check_trains", "failed"]
    assert lines[5].split()[:2] == ["check_predicts", "skipped"]
    assert lines[6] == "    It builds on check_trains, which failed."
    assert lines[-1].startswith("2 checks of the model 'ReturnsADict' in ")


def test_check_plugin_as_json():
    done = check(mutant("CountsWrong", "dataset_mutants"), "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 3
    assert {key: found[key] for key in ("plugin", "kind", "distribution", "passed")} == {
        "plugin": "CountsWrong",
        "kind": "data set",
        "distribution": "(local)",
        "passed": False,
    }
    assert [result["name"] for result in found["results"]] == [c.__name__ for c in DATASET_CHECKS]
    assert {r["name"] for r in found["results"] if r["status"] == "failed"} == {"check_sizes_match"}
    assert set(found["results"][0]) == {"name", "status", "message", "seconds", "category", "builds_on"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "No plugin is called 'nothing'. Installed: cnn, lstm, mlp, digits"),
        (["mlp", "--check", "check_train"], "No check is called 'check_train'. Did you mean 'check_trains'?"),
        (
            ["mlp", "--check", "check_info"],
            "Error: 'check_info' is a check of data sets, which this",
        ),
        (["digits", "--check", "check_trains"], "Error: 'check_trains' is a check of models, which this plugin"),
        ([mutant("Softmax"), "--check", "check_info"], "Error: 'check_info' is a check of data sets, which this"),
        (["mlp", "--timeout", "0"], "'0' is no time above 0"),
        (["nowhere.py:Model"], "There is no file 'nowhere.py'"),
        (["lsmt"], "No plugin is called 'lsmt'. Did you mean 'lstm'? Installed: cnn, lstm, mlp"),
        ([mutant("Sotfmax")], "'mutants.py' has no class 'Sotfmax'. Did you mean 'Softmax'?"),
        ([str(PLUGINS / "unruly.py")], "unruly.py' names no class. Add it: '"),
        ([mutant("Softmax", "mutant")], f"Did you mean '{PLUGINS / 'mutants.py'}'?"),
    ],
)
def test_check_plugin_with_a_wrong_word_ends_with_2_before_anything_runs(arguments, words):
    done = check(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "check_tags" not in done.stdout


def test_check_plugin_that_is_none_ends_with_3():
    done = check(mutant("Weights"))
    assert done.exit_code == 3
    assert "'Weights' is no plugin" in done.stderr
