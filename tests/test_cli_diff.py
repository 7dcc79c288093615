"""``nncompare diff``: what is printed where, exit codes, and two real runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nncompare.cli import main

from . import report_fixtures as fixtures


def write(folder: Path, results) -> Path:
    folder.mkdir()
    (folder / "results.json").write_text(results.to_json())
    return folder


def at_level(level: float, seed: int = 42):
    """Return one model's results with fingerprints and without predictions: intervals alone are compared."""
    study = fixtures.study("cnn", "d", ["a", "b"], level=level, n_trials=2, epochs=2)
    data = fixtures.dataset("d", ["a", "b"], fixtures.no_verdict())
    prints = dict.fromkeys(("fingerprint", "test_fingerprint", "split_fingerprint"), "f" * 64)
    return fixtures.results([data.model_copy(update=prints)], [study], seed=seed)


@pytest.fixture
def runs(tmp_path):
    return [str(write(tmp_path / "a", at_level(0.95, 1))), str(write(tmp_path / "b", at_level(0.9, 2)))]


def diff(*arguments):
    return CliRunner().invoke(main, ["diff", *arguments])


def test_diff_prints_words_and_exits_0_whatever_it_finds(runs):
    done = diff(*runs)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Changed: seed 1 → 2." in done.stdout
    assert "worse in B" in done.stdout
    assert "not compared item by item, because the test part is not in the cache any more" in done.stdout


def test_diff_fail_under_exits_3_and_says_why_on_standard_error(runs):
    done = diff(*runs, "--fail-under", "2")
    assert done.exit_code == 3
    assert done.stderr == "cnn on d is worse by 5.0 points, at least 4.2; 2 are allowed.\n"
    assert "worse in B" in done.stdout
    assert diff(*runs, "--fail-under", "4.5").exit_code == 0
    assert diff(*reversed(runs), "--fail-under", "0").exit_code == 0


def test_diff_fail_under_exits_4_where_nothing_is_comparable(tmp_path, runs):
    results = at_level(0.9)
    moved = results.datasets[0].model_copy(update={"fingerprint": "0" * 64})
    other = write(tmp_path / "c", results.model_copy(update={"datasets": [moved]}))
    done = diff(runs[0], str(other), "--fail-under", "0")
    assert (done.exit_code, done.stderr) == (4, "No score of B could be compared with A.\n")
    assert diff(runs[0], str(other)).exit_code == 0


def test_diff_json_is_one_object_on_standard_output(runs):
    done = diff(*runs, "--json", "--fail-under", "2")
    told = json.loads(done.stdout)
    assert done.exit_code == told["exit_code"] == 3
    assert told["reasons"] == done.stderr.splitlines()
    assert set(told) == {"a", "b", "changes", "datasets", "studies", "exit_code", "reasons", "warnings"}
    assert told["studies"][0]["score"]["state"] == "worse"
    assert told["studies"][0]["score"]["difference"] == pytest.approx(-0.05)


def test_diff_fail_under_exits_3_where_b_has_other_data_sets(tmp_path, runs):
    other = write(tmp_path / "c", fixtures.four_studies())
    done = diff(runs[0], str(other), "--fail-under", "0")
    assert (done.exit_code, done.stderr) == (
        3,
        "cnn on d has no result in B any more: run B does not have this model.\n",
    )
    assert diff(runs[0], str(other)).exit_code == 0


@pytest.mark.parametrize("points", ["-1", "101", "x", "nan"])
def test_diff_refuses_points_that_cannot_be(runs, points):
    done = diff(*runs, "--fail-under", points)
    assert (done.exit_code, done.stdout) == (2, "")


def test_diff_of_a_damaged_run_is_one_sentence(tmp_path, runs):
    (tmp_path / "b" / "results.json").write_text("{}")
    done = diff(*runs)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


def test_diff_of_an_unknown_run_exits_2(runs, tmp_path):
    assert diff(runs[0], "absent", "--out", str(tmp_path)).exit_code == 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_diff_of_two_real_runs_pairs_their_test_items(tmp_path):
    """The same command twice is identical; another number of epochs is compared item by item."""
    for epochs in ("8", "8", "2"):
        command = ["run", "-m", "mlp", "-d", "digits", "--trials", "1", "--seeds", "2", "--epochs", epochs]
        more = ["--jobs", "1", "--no-estimate", "--quiet", "--out", str(tmp_path)]
        call = [sys.executable, "-c", "from nncompare.cli import main; main()", *command, *more]
        subprocess.run(call, check=True, capture_output=True)
    first, again, short = sorted(tmp_path.iterdir(), key=lambda folder: (folder / "results.json").stat().st_mtime)
    same = json.loads(diff(str(first), str(again), "--json", "--fail-under", "0").stdout)
    assert (same["exit_code"], same["studies"][0]["score"]["state"]) == (0, "identical")
    assert same["changes"] == []
    found = json.loads(diff(str(first), str(short), "--json").stdout)
    (study,) = found["studies"]
    assert study["score"]["method"].startswith("paired t interval, 2 seeds, 360 test items")
    assert study["score"]["reason"] == ""
    assert {(c["name"], c["a"], c["b"]) for c in study["budget"]} == {("max_epochs", 8, 2)}
    assert np.isclose(
        study["score"]["difference"], study["score"]["b"]["mean"] - study["score"]["a"]["mean"], atol=1e-9
    )
