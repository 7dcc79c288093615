"""Runs are found by path, id, beginning or age, and listed whatever state they are in."""

import json
import os
import re
from contextlib import nullcontext

import pytest

from nncompare.exceptions import UsageError
from nncompare.results import DatasetRecord, Results, StudyRecord, VerdictRecord
from nncompare.runfile import hold
from nncompare.runs import find_run, list_runs, run_folders


def make_run(out, name, state="complete", age=0, when="2026-01-02T03:04:05+00:00"):
    folder = out / name
    folder.mkdir(parents=True)
    mlp = StudyRecord(model="mlp", dataset="digits", status="complete")
    found = Results(run_id=name, state=state, created_at=when, seed=42, preset="quick", studies=[mlp])
    (folder / "results.json").write_text(found.to_json())
    stamp = 1_700_000_000 - age
    os.utime(folder / "results.json", (stamp, stamp))
    return folder


def test_find_run_by_path_id_beginning_and_age(tmp_path):
    old, new = make_run(tmp_path, "20260101-quick", age=60), make_run(tmp_path, "20260202-quick")
    assert find_run(str(old), tmp_path / "other") == old
    assert find_run(str(old / "results.json"), tmp_path) == old
    assert find_run("20260101-quick", tmp_path) == old
    assert find_run("202602", tmp_path) == new
    assert find_run("latest", tmp_path) == new


def test_latest_is_the_run_that_was_started_last_whatever_was_written_since(tmp_path):
    make_run(tmp_path, "b-older", age=0, when="2026-01-02T09:00:00+02:00")
    newer = make_run(tmp_path, "a-newer", age=500, when="2026-01-02T08:00:00+00:00")
    assert find_run("latest", tmp_path) == newer
    assert [run.run_id for run in list_runs(tmp_path)] == ["a-newer", "b-older"]
    killed = tmp_path / "c-killed-early"
    killed.mkdir()
    (killed / "run.json").write_text('{"run_id": "c-killed-early", "created_at": "2026-01-02T08:30:00+00:00"}')
    os.utime(killed / "run.json", (1, 1))
    assert find_run("latest", tmp_path) == killed


def test_a_run_that_does_not_say_when_it_was_started_goes_by_its_files(tmp_path):
    new = make_run(tmp_path, "a", age=0)
    old = make_run(tmp_path, "b", age=60)
    for folder in (old, new):
        stamp = (folder / "results.json").stat().st_mtime
        (folder / "results.json").write_text('{"created_at": "yesterday"}')
        os.utime(folder / "results.json", (stamp, stamp))
    assert run_folders(tmp_path) == [old, new]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2026", r"'2026' is the beginning of 2 runs: 20260202-quick, 20260101-quick\."),
        ("lastest", r"Did you mean 'latest'\?"),
        ("20260111-quick", r"Did you mean '20260101-quick'\?"),
        ("x", r"There is no run 'x' in .* The newest are 20260202-quick, 20260101-quick\."),
    ],
)
def test_find_run_that_is_not_there_names_those_that_are(tmp_path, name, message):
    make_run(tmp_path, "20260101-quick", age=60)
    make_run(tmp_path, "20260202-quick")
    with pytest.raises(UsageError, match=message):
        find_run(name, tmp_path)


def test_list_runs_tells_states_and_hides_none(tmp_path):
    make_run(tmp_path, "a", age=50)
    make_run(tmp_path, "b", state="running", age=40)
    held = make_run(tmp_path, "c", state="running", age=30)
    make_run(tmp_path, "d", age=20)
    (tmp_path / "d" / "results.json").write_text("{ half")
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "run.json").write_text("{}")
    with hold(held):
        found = {run.run_id: run for run in list_runs(tmp_path)}
    assert {name: run.state for name, run in found.items()} == {
        "a": "complete",
        "b": "interrupted",
        "c": "running",
        "d": "damaged",
        "e": "interrupted",
    }
    assert "is not a results file" in found["d"].reason
    assert found["a"].models == ("mlp",)


def test_runs_command_prints_a_table_and_json(tmp_path, cli):
    make_run(tmp_path, "a")
    text = cli("runs", "--out", str(tmp_path)).stdout
    assert text.startswith("RUN")
    assert "complete" in text
    listed = json.loads(cli("runs", "--out", str(tmp_path), "--json").stdout)
    assert [run["run_id"] for run in listed["runs"]] == ["a"]


VERDICT = "Undecided on digits: " + "mlp and cnn are practically equal here, and more than that is not known. " * 2


def with_verdict(out, name, state, *statuses):
    folder = make_run(out, name, state)
    found = Results.from_json((folder / "results.json").read_text())
    studies = [StudyRecord(model=f"m{n}", dataset="digits", status=status) for n, status in enumerate(statuses)]
    verdict = VerdictRecord(state="undecided", text=VERDICT)
    sizes = {"n_train": 9, "n_valid": 3, "n_test": 3, "class_names": ["a", "b"], "fingerprint": "f"}
    digits = DatasetRecord(name="digits", kind="tabular", **sizes, verdict=verdict)
    found = found.model_copy(update={"studies": studies, "datasets": [digits]})
    (folder / "results.json").write_text(found.to_json())
    return folder


@pytest.mark.parametrize(
    ("state", "held", "statuses", "told"),
    [
        ("complete", False, ("complete", "failed"), VERDICT.strip()),
        ("running", True, ("complete", "interrupted"), "1 of 2 studies done."),
        ("running", False, ("complete", "interrupted"), f"1 of 2 studies done. {VERDICT.strip()}"),
        ("interrupted", False, ("interrupted", "interrupted"), "0 of 2 studies done."),
    ],
)
def test_runs_command_in_a_pipe_says_all_and_how_far_a_run_is(tmp_path, cli, state, held, statuses, told):
    folder = with_verdict(tmp_path, "a", state, *statuses)
    with hold(folder) if held else nullcontext():
        line = cli("runs", "--out", str(tmp_path)).stdout.splitlines()[1]
    assert re.search(rf"digits +{re.escape(told)}$", line)


def test_runs_command_on_a_narrow_terminal_says_what_is_left_out(tmp_path, cli, monkeypatch):
    with_verdict(tmp_path, "20260101-120000-quick", "complete", "complete")
    monkeypatch.setattr("nncompare.cli.runs.terminal_width", lambda: 50)
    done = cli("runs", "--out", str(tmp_path))
    shown = done.stdout.splitlines()[0].split("  ")
    hidden = [title for title in ("STARTED", "PRESET", "MODELS", "DATA SETS", "VERDICT") if title not in shown]
    assert len(hidden) >= 2
    text = f"{len(hidden)} columns do not fit here: {', '.join(hidden)}. --json or a wider terminal shows all.\n"
    assert done.stderr == text
    monkeypatch.setattr("nncompare.cli.runs.terminal_width", lambda: None)
    assert cli("runs", "--out", str(tmp_path)).stderr == ""


def test_runs_command_without_runs_says_how_to_start_one(tmp_path, cli):
    done = cli("runs", "--out", str(tmp_path))
    assert (done.exit_code, done.stdout) == (0, "")
    assert "nncompare run --all --preset quick" in done.stderr


@pytest.fixture
def cli():
    from click.testing import CliRunner

    from nncompare.cli import main

    return lambda *arguments: CliRunner().invoke(main, arguments)
