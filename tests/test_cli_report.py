"""``nncompare report``: finding the run, and rendering it through the library."""

import json
import os
import sys
from types import ModuleType

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.cli.report import FORMATS, find_run
from nncompare.exceptions import UsageError
from nncompare.exports import EXPORTS

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
    report.write_report_again = lambda results, folder: written.append((results, folder))
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


@pytest.fixture
def folder(tmp_path):
    """A run directory with results."""
    found = tmp_path / "run"
    found.mkdir()
    (found / "results.json").write_text(fixtures.four_studies().to_json())
    return found


def report(folder, *arguments):
    return CliRunner().invoke(main, ["report", str(folder), *arguments])


@pytest.mark.parametrize("form", FORMATS)
def test_report_in_another_form_is_standard_output_and_nothing_else(folder, form):
    done = report(folder, "--format", form)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == EXPORTS[form](fixtures.four_studies())
    assert [path.name for path in folder.iterdir()] == ["results.json"]


def test_report_formats_are_those_that_the_library_has():
    assert set(FORMATS) == set(EXPORTS)


@pytest.mark.parametrize(
    ("name", "arguments", "form"),
    [
        ("x.html", [], "html"),
        ("x.HTM", [], "html"),
        ("x.md", [], "md"),
        ("x.json", [], "json"),
        ("x.csv", ["--format", "trials-csv"], "trials-csv"),
        ("x.txt", ["--format", "md"], "md"),
    ],
)
def test_report_into_a_file_prints_its_path(folder, tmp_path, name, arguments, form):
    done = report(folder, "--output", str(tmp_path / name), *arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{tmp_path / name}\n", "")
    assert (tmp_path / name).read_text("utf-8") == EXPORTS[form](fixtures.four_studies())


def test_report_to_standard_output_by_name_needs_a_format(folder):
    assert report(folder, "--output", "-", "--format", "md").stdout.startswith("# Model comparison")
    done = report(folder, "--output", "-")
    assert (done.exit_code, done.stdout) == (2, "")


def test_report_into_a_csv_asks_which_table(folder, tmp_path):
    done = report(folder, "--output", str(tmp_path / "x.csv"))
    assert done.exit_code == 2
    assert "does not say what to write. Add --format with one of: html, md, json, leaderboard-csv" in done.stderr
    assert not (tmp_path / "x.csv").exists()


def test_report_keeps_the_files_of_the_run(folder):
    before = (folder / "results.json").read_text()
    done = report(folder, "--output", str(folder / "results.json"))
    assert done.exit_code == 2
    assert "is a file of the run, which would be lost" in done.stderr
    assert (folder / "results.json").read_text() == before
    assert report(folder, "--output", str(folder / "report.md")).exit_code == 0
    assert report(folder, "--output", str(folder / "report.md")).exit_code == 0


def test_report_into_a_missing_folder_exits_74(folder, tmp_path):
    done = report(folder, "--output", str(tmp_path / "absent" / "x.md"))
    assert done.exit_code == 74
    assert "Traceback" not in done.stderr


def test_report_of_edited_results_is_refused_in_every_form(folder):
    records = json.loads(fixtures.four_studies().to_json())
    records["datasets"][0]["class_names"] = []
    (folder / "results.json").write_text(json.dumps(records))
    done = report(folder, "--format", "md")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: No report can be made of ")
