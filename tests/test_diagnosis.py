"""``nncompare doctor``: what is wrong with a run directory, said in one line each, and nothing changed."""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.diagnosis import KINDS, diagnose
from nncompare.results import Results
from nncompare.runfile import hold

from .children import FAULTS, dataset
from .damages import DAMAGES, Ground
from .whole_runs import compare_with, files_of

pytestmark = pytest.mark.slow  # one real run of a small model


@pytest.fixture(scope="module")
def whole(runner, tmp_path_factory):
    """A finished run of one model, whose plugin is a file of its own: its folder and that file."""
    place = tmp_path_factory.mktemp("doctor")
    plugin = place / "model.py"
    shutil.copy(FAULTS, plugin)
    settings = {"models": (f"{plugin}:Nearest",), "datasets": (dataset("Waves"),), "n_trials": 2}
    return compare_with(runner, place / "reports", **settings)[1], plugin


@pytest.fixture
def ground(whole, tmp_path, monkeypatch):
    """A copy of the run that may be damaged; the plugin's file is restored afterwards."""
    folder, plugin = whole
    content = plugin.read_bytes()
    copy = tmp_path / "reports" / folder.name
    shutil.copytree(folder, copy)
    with ExitStack() as stack:
        yield Ground(folder=copy, plugin=plugin, patch=monkeypatch, stack=stack)
    plugin.write_bytes(content)


def called(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def contents(folder):
    """Return all that lies in a folder; the lock of a process that works is not read."""
    return {path: path.read_bytes() for path in files_of(folder) if path.name != "run.lock"}


def test_doctor_of_a_whole_run_finds_nothing(ground):
    before = contents(ground.folder)
    done = called("doctor", ground.folder)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"Nothing is wrong with the run '{ground.folder.name}'.\n"
    assert contents(ground.folder) == before


@pytest.mark.parametrize("name", DAMAGES)
def test_doctor_names_damage_place_and_remedy_and_changes_nothing(ground, name):
    make, kind, place, words, level = DAMAGES[name]
    make(ground)
    before = contents(ground.folder)
    done = called("doctor", ground.folder)
    told = json.loads(called("doctor", ground.folder, "--json").stdout)
    assert contents(ground.folder) == before
    found = [f for f in told["findings"] if f["kind"] == kind and words in f"{f['what']} {f['remedy']}"]
    assert len(found) >= 1, told["findings"]
    assert place in found[0]["where"]
    assert found[0]["remedy"].strip()
    assert found[0]["level"] == level == KINDS[kind][0]
    line = f"{level}: {found[0]['where']}: {found[0]['what']} {found[0]['remedy']}"
    assert line in done.stdout.splitlines()
    assert done.exit_code == told["exit_code"] == (3 if level == "problem" else 0)
    assert "Traceback" not in done.output


def test_doctor_has_a_damage_for_every_kind():
    assert {kind for _make, kind, *_ in DAMAGES.values()} | {"plugin-version"} == set(KINDS)


def test_doctor_says_what_one_damage_means_and_no_more(ground):
    """A damage must not set off the findings of others: each remedy would be work for nothing."""
    expected = {"predictions_gone": 1, "model_changed": 1, "record_truncated": 1, "report_gone": 1}
    for name, n in expected.items():
        copy = ground.folder.with_name(name)
        shutil.copytree(ground.folder, copy)
        DAMAGES[name][0](Ground(folder=copy, plugin=ground.plugin))
        assert len(diagnose(copy).findings) == n, name


def test_doctor_notes_another_version_of_a_plugin(ground, monkeypatch):
    monkeypatch.setattr("nncompare.diagnosis.surroundings.version_note", lambda code: "mine 1 was; mine 2 is.")
    found = diagnose(ground.folder)
    assert [finding.kind for finding in found.findings] == ["plugin-version"]
    assert found.is_well


def test_doctor_takes_any_number_from_data_and_plugins(ground):
    def change(values):
        values["studies"][0]["best_params"]["delta_s"] = -1.5
        values["studies"][0]["trials"][0]["curve"]["train_loss"] = [-0.5]
        values["studies"][0]["mistakes"] = [
            {"id": 1, "true": "slow", "predicted": "fast", "probability": 0.9, "row": {"accuracy": -3.0}}
        ]

    ground.edit("results.json", change)
    assert {finding.kind for finding in diagnose(ground.folder).findings} <= {"report-old", "results-contradict"}


def test_doctor_of_a_run_that_is_held_looks_at_nothing_that_changes(ground):
    (ground.trials / "0001.json").write_text("{ half")
    with hold(ground.folder):
        found = diagnose(ground.folder)
    assert found.state == "running"
    assert [finding.kind for finding in found.findings] == ["held"]


@pytest.mark.parametrize("arguments", [["doctor", "latest"], ["doctor", "no-such-run"], ["doctor"]])
def test_doctor_of_no_run_is_a_usage_error(tmp_path, arguments):
    done = called(*arguments, *(["--out", tmp_path] if len(arguments) > 1 else []))
    assert done.exit_code == 2
    assert done.stdout == ""


def test_doctor_does_what_it_says_for_results_that_are_gone(ground, runner):
    """The remedy that is told works: the run is whole again, and no trial was run again."""
    before = Results.read(ground.folder / "results.json")
    (ground.folder / "results.json").write_text("{ half")
    (said,) = (f for f in diagnose(ground.folder).findings if f.kind == "results-damaged")
    assert f"move it away; then nncompare resume {ground.folder}" in said.remedy
    (ground.folder / "results.json").rename(Path(ground.folder.parent / "away.json"))
    assert called("resume", ground.folder).exit_code == 0
    after = Results.read(ground.folder / "results.json")
    assert after.studies[0].trials == before.studies[0].trials
    assert [r.test_accuracy for r in after.studies[0].refits] == [
        r.test_accuracy for r in before.studies[0].refits
    ]
    assert diagnose(ground.folder).findings == []


def test_doctor_does_what_it_says_for_a_database_that_is_damaged(ground):
    (ground.folder / "study.db").write_bytes(b"no database")
    (said,) = diagnose(ground.folder).findings
    assert said.remedy.startswith("Move study.db, and study.db-wal and -shm where they are, away.")
    assert "resumed with more --trials" in said.remedy
    for path in ground.folder.glob("study.db*"):
        path.unlink()
    done = called("resume", ground.folder, "--trials", "3")
    assert done.exit_code == 0, done.output
    assert "2 were put back from the run directory" in done.stderr
    assert diagnose(ground.folder).findings == []


# --- what the other commands do with each damage ---------------------------------------------------------------

COMMANDS = {
    "runs": lambda run, whole: ("runs", "--out", run.folder.parent),
    "table": lambda run, whole: ("report", run.folder, "--format", "leaderboard-csv"),
    "diff": lambda run, whole: ("diff", whole, run.folder),
    "report": lambda run, whole: ("report", run.folder),
    "predict": lambda run, whole: ("predict", run.folder, "--test", "--output", "-"),
    "resume": lambda run, whole: ("resume", run.folder),
    "extend": lambda run, whole: ("resume", run.folder, "--trials", "3"),
}
UNREADABLE = dict.fromkeys(("table", "diff", "report", "predict", "resume", "extend"), 1)
CODES = {
    "results-missing": UNREADABLE | {"resume": 0, "extend": 0},
    "results-damaged": UNREADABLE,
    "results-version": UNREADABLE,
    "results_contradict": {"report": 1, "predict": 3, "resume": 1},
    "held": {"resume": 75, "extend": 75},
    "run-file-missing": {"resume": 1, "extend": 1},
    "run-file-damaged": {"resume": 1, "extend": 1},
    "both_records_gone": dict.fromkeys(UNREADABLE, 2),
    "database_not_one": {"extend": 74},
    "database_page_overwritten": {"extend": 74},
    "database-elsewhere": {"extend": 74},
    "model-missing": {"predict": 1},
    "model-changed": {"predict": 1},
    "plugin-gone": {"predict": 3, "extend": 2},
    "plugin-changed": {"predict": 1},
    "data_gone": {"predict": 1},
    "own_file_gone": {"extend": 2},
    "cleaned": {"predict": 1, "extend": 2},
}
"""Exit codes other than 0, by damage or by the kind of finding."""
TRAINS = {
    "results_gone": (),
    "trial_left_running": ("extend",),
    "trial_twice": ("extend",),
    "trial_lost": ("extend",),
    "record_truncated": ("extend",),
    "stopped": ("resume",),
    "killed": (),
}
"""What goes on with the run in earnest; elsewhere "resume" finds it complete and "extend" has to be refused."""


def commands_for(name, codes):
    """Return the commands that say something of a damage: predictions and trainings take their time."""
    kind = DAMAGES[name][1]
    concerned = kind.startswith(("cleaned", "model", "plugin", "data-", "results", "run-file", "predictions"))
    free = {"runs", "table", "diff", "report", *(("predict",) if concerned else ())}
    going_on = TRAINS.get(name, ("resume", *(("extend",) if codes.get("extend") else ())))
    return [command for command in COMMANDS if command in free or command in going_on]


@pytest.mark.parametrize("name", [name for name in DAMAGES if name != "disk_nearly_full"])
def test_commands_on_a_damaged_run_work_or_say_why_in_one_sentence(ground, whole, name):
    make, kind, *_ = DAMAGES[name]
    make(ground)
    codes = CODES.get(name, CODES.get(kind, {}))
    done = {command: called(*COMMANDS[command](ground, whole[0])) for command in commands_for(name, codes)}
    assert {command: result.exit_code for command, result in done.items()} == {
        command: codes.get(command, 0) for command in done
    }
    for command, result in done.items():
        assert "Traceback" not in result.output
        assert "--debug" not in result.stderr, command  # what advises a traceback is a surprise, and no message
        if result.exit_code:
            assert result.stderr.startswith("Error: ") or command == "extend"
            assert result.stderr.splitlines()[-1].startswith("Error: ")
