"""``nncompare report``: finding the run, and rendering it through the library."""

import json
import os
import sys
from types import ModuleType

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.cli.report import find_run
from nncompare.exceptions import UsageError

from . import report_fixtures as fixtures


@pytest.fixture
def runs(tmp_path):
    """Two runs, the later one first in the alphabet."""
    out = tmp_path / "reports"
    for age, name in enumerate(["a-new", "b-old"]):
        (out / name).mkdir(parents=True)
        (out / name / "results.json").write_text("{}")
        os.utime(out / name / "results.json", (1000 - age, 1000 - age))
    (out / "empty").mkdir()
    return out


def test_find_run_latest_is_the_newest(runs):
    assert find_run("latest", runs) == runs / "a-new"


def test_find_run_by_id_folder_and_file(runs):
    assert find_run("b-old", runs) == runs / "b-old"
    assert find_run(str(runs / "b-old"), runs.parent) == runs / "b-old"
    assert find_run(str(runs / "b-old" / "results.json"), runs.parent) == runs / "b-old"


@pytest.mark.parametrize("name", ["c", "empty"])
def test_find_run_unknown_names_the_newest(runs, name):
    with pytest.raises(UsageError, match=rf"no run '{name}' in .* The newest are a-new, b-old\."):
        find_run(name, runs)


def test_find_run_without_any_run(tmp_path):
    with pytest.raises(UsageError, match=r"no run in .* yet\. Start one: nncompare run --all"):
        find_run("latest", tmp_path / "absent")


def test_report_renders_into_the_run_directory_and_prints_the_path(runs, monkeypatch):
    written = []
    comparison, report = ModuleType("nncompare.comparison"), ModuleType("nncompare.report")
    comparison.load_results = lambda path: ("results of", path)
    report.write_report = lambda results, folder: written.append((results, folder))
    monkeypatch.setitem(sys.modules, comparison.__name__, comparison)
    monkeypatch.setitem(sys.modules, report.__name__, report)
    done = CliRunner().invoke(main, ["report", "latest", "--out", str(runs)])
    folder = runs / "a-new"
    assert (done.exit_code, done.stdout) == (0, f"{folder / 'report.html'}\n")
    assert written == [(("results of", folder / "results.json"), folder)]


def test_report_unknown_run_exits_2(tmp_path):
    assert CliRunner().invoke(main, ["report", "absent", "--out", str(tmp_path)]).exit_code == 2


def test_report_of_edited_results_is_refused_in_one_sentence(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    records = json.loads(fixtures.four_studies().to_json())
    records["datasets"][0]["class_names"] = []
    (folder / "results.json").write_text(json.dumps(records))
    done = CliRunner().invoke(main, ["report", str(folder)])
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: No report can be made of '{folder / 'results.json'}': ")
    assert done.stderr.count("\n") == 1
    assert "--debug" not in done.stderr
