"""``nncompare verify``: runs that come out again, runs that do not, and runs that cannot be replayed."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.comparison import load_results
from nncompare.exceptions import ResultsError, UsageError
from nncompare.verifying import verify

from .children import FAULTS
from .whole_runs import compare_with, files_of

pytestmark = pytest.mark.slow
TABLE = [f"{i % 7},{i % 5}.5,{'ab'[i % 2]}" for i in range(60)]


@pytest.fixture(scope="module")
def made(runner, tmp_path_factory):
    """Return the folder of a small deterministic run of a plugin in a file that may be changed."""
    where = tmp_path_factory.mktemp("verified")
    shutil.copy(FAULTS, where / "mine.py")
    names = (f"{where / 'mine.py'}:Nearest", f"{where / 'mine.py'}:Raises")
    (where / "table.csv").write_text("\n".join(["x,y,kind", *TABLE]) + "\n")
    data = ("digits", str(where / "table.csv"))
    settings = {"target": "kind", "n_trials": 8, "n_refits": 2, "deterministic": True}
    _, folder = compare_with(runner, where / "reports", names, data, **settings)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """Return a copy of that run, to be falsified."""
    return shutil.copytree(made, tmp_path / made.name)


def rewrite(folder, change):
    """Change results.json: ``change`` gets the study on digits as plain values."""
    found = json.loads((folder / "results.json").read_text())
    change(next(study for study in found["studies"] if study["dataset"] == "digits"))
    (folder / "results.json").write_text(json.dumps(found))


def told(found):
    """Return what was replayed, and what of it differs."""
    return [
        (
            replayed.kind,
            replayed.number,
            [difference.what for difference in replayed.differences],
            replayed.weights,
        )
        for replayed in found.replays
    ]


def test_verify_a_run_as_it_was_agrees_and_changes_nothing(made):
    before = {path: path.read_bytes() for path in files_of(made)}
    done = CliRunner().invoke(main, ["verify", str(made), "--json"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["agrees"], found["deterministic"], found["warnings"]) == (True, True, [])
    assert [(study["model"], study["dataset"]) for study in found["studies"]] == [
        ("Nearest", "digits"),
        ("Nearest", "table"),  # Raises has no result that could come out again
    ]
    best = load_results(made).studies[0].best_trial
    assert [(r["kind"], r["number"], r["weights"]) for r in found["studies"][0]["replays"]] == [
        ("trial", best, None),
        ("refit", 1, "equal"),
    ]
    assert "All 4 replays give what the run recorded." in done.stderr
    levels = {check.level for data in load_results(made).datasets for check in data.data_checks}
    assert "warning" in levels
    assert "Warning" not in done.stderr  # the run said it
    assert {path: path.read_bytes() for path in files_of(made)} == before


def test_verify_tells_what_differs_and_exits_3(folder):
    def change(study):
        best = next(trial for trial in study["trials"] if trial["number"] == study["best_trial"])
        best["valid_log_loss"] += 1e-15
        study["refits"][0]["curve"]["epoch"].append(4)
        study["refits"][0]["manifest_sha256"] = "0" * 64
        study["refits"][0]["confusion_matrix"][0][0] += 1

    rewrite(folder, change)
    done = CliRunner().invoke(main, ["verify", str(folder), "-m", "Nearest", "-d", "digits"])
    assert done.exit_code == 3, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "Nearest on digits"
    assert lines[1].endswith(": differs")
    assert lines[2].startswith("    valid_log_loss: ")
    assert lines[3] == "  refit 1: differs"
    assert lines[4].startswith("    confusion_matrix: [[")
    assert lines[-1] == "2 of 2 replays do not give what the run recorded."


def test_verify_names_a_mean_that_its_refits_do_not_give(folder):
    rewrite(folder, lambda study: study["test"]["accuracy"].update(mean=0.99, high=0.995))
    done = CliRunner().invoke(main, ["verify", str(folder), "-m", "Nearest", "-d", "digits"])
    assert done.exit_code == 3, done.output
    last = done.stdout.splitlines()[-1]
    assert last.startswith("All 2 replays give what the run recorded. results.json contradicts itself: ")
    assert "test.accuracy of Nearest on digits is 0.99, and the mean of its refits' test_accuracy is 0." in last


def test_verify_names_saved_files_that_differ(runner, folder):
    results = load_results(folder)
    model = folder / results.studies[0].refits[0].model
    manifest = json.loads((model / "nncompare.json").read_text())
    manifest["sha256"]["means.npy"] = "f" * 64
    (model / "means.npy").write_bytes(b"other")
    manifest["sha256"]["means.npy"] = hashlib.sha256(b"other").hexdigest()
    content = json.dumps(manifest).encode()
    (model / "nncompare.json").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    rewrite(folder, lambda study: study["refits"][0].update(manifest_sha256=digest))
    found = verify(folder, runner, dataset="digits")
    assert told(found)[1] == ("refit", 1, ["saved file means.npy"], "differ")


GONE = "Nearest on digits: saved files not compared: the run's are gone or changed."


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_verify_of_saved_files_that_are_gone_compares_their_digest(runner, folder, damage):
    model = folder / load_results(folder).studies[0].refits[0].model
    if damage == "gone":
        shutil.rmtree(model)
    else:
        (model / "means.npy").write_bytes(b"other")
    found = verify(folder, runner, dataset="digits")
    assert (found.agrees, found.warnings) == (True, [])  # the digest in the record is that of the files now
    assert told(found)[1] == ("refit", 1, [], "equal")
    rewrite(folder, lambda study: study["refits"][0].update(manifest_sha256="0" * 64))
    done = CliRunner().invoke(main, ["verify", str(folder), "-d", "digits"])
    assert done.exit_code == 3, done.output
    assert "  refit 1: differs\n    digest of the saved files: 000000000000 in the run, " in done.stdout
    assert f"warning: {GONE}\n" in done.stderr


def test_verify_warns_of_saved_files_that_nobody_knows(runner, folder):
    shutil.rmtree(folder / load_results(folder).studies[0].refits[0].model)
    rewrite(folder, lambda study: study["refits"][0].update(manifest_sha256=None))  # as by an early version
    found = verify(folder, runner, dataset="digits")
    assert told(found)[1] == ("refit", 1, [], None)
    assert found.warnings == [GONE]


def test_verify_replays_a_pruned_trial_up_to_the_epoch_that_ended_it(runner, made):
    study = load_results(made).studies[0]
    pruned = next(trial for trial in study.trials if trial.state == "pruned")
    found = verify(made, runner, dataset="digits", trial=pruned.number)
    assert told(found)[0] == ("trial", pruned.number, [], None)
    assert found.replays[0].epochs == pruned.epochs


def test_verify_warns_of_other_versions(runner, folder):
    found = json.loads((folder / "results.json").read_text())
    found["environment"]["packages"]["numpy"] = "0.1"
    (folder / "results.json").write_text(json.dumps(found))
    warnings = verify(folder, runner, dataset="digits").warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("The run was made with numpy 0.1, and ")


def test_verify_refuses_what_is_not_the_runs_any_more(runner, made, folder):
    for study in load_results(folder).studies[:2]:
        shutil.rmtree(folder / study.refits[0].model)  # the other refit knows the code as well
    where = made.parent.parent
    code, table = where / "mine.py", where / "table.csv"
    before = code.read_text(), table.read_text()
    code.write_text(before[0] + "\n# changed\n")
    with pytest.raises(ResultsError, match=r"'.*mine\.py' was changed after the model was saved\. Give the old"):
        verify(folder, runner)
    code.unlink()
    with pytest.raises(ResultsError, match=r"mine\.py"):
        verify(folder, runner)
    code.write_text(before[0])
    table.write_text(before[1] + "9,9.5,a\n")
    with pytest.raises(ResultsError, match="The data set 'table' is not the one of the run"):
        verify(folder, runner)
    table.write_text(before[1])
    run_file = json.loads((folder / "run.json").read_text())
    run_file["plugins"]["Nearest"] = "other 1.0"
    (folder / "run.json").write_text(json.dumps(run_file))
    with pytest.raises(ResultsError, match=r"its model is of other 1\.0, and \(local\) is installed"):
        verify(folder, runner)


def test_verify_refuses_what_the_run_does_not_have(runner, made):
    with pytest.raises(
        UsageError, match=r"has no such study\. It has: Nearest on digits, Nearest on table, Raises on"
    ):
        verify(made, runner, model="nearest")
    with pytest.raises(UsageError, match="Nearest on digits has no trial 99; choose one from 0 to 7"):
        verify(made, runner, trial=99)
    with pytest.raises(ResultsError, match="Raises on digits has no result in the run"):
        verify(made, runner, model="Raises")
    done = CliRunner().invoke(main, ["verify", "nobody", "--out", str(made.parent)])
    assert done.exit_code == 2
    assert "Error: " in done.stderr


def test_verify_refuses_a_trial_that_failed(runner, folder):
    failure = {"category": "plugin", "message": "It broke."}
    rewrite(folder, lambda study: study["trials"][0].update(state="failed", failure=failure))
    with pytest.raises(
        UsageError, match=r"Trial 0 of Nearest on digits has no result to compare with: It broke\."
    ):
        verify(folder, runner, trial=0)


def test_verify_of_one_data_set_needs_no_other(runner, made):
    table = made.parent.parent / "table.csv"
    moved = table.rename(table.with_name("moved.csv"))
    try:
        assert verify(made, runner, dataset="digits").agrees
        with pytest.raises((ResultsError, UsageError), match=r"table\.csv"):
            verify(made, runner, dataset="table")
    finally:
        moved.rename(table)
