"""A folder in which no run directory can be made is named before anything is loaded or estimated."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from nncompare import compare
from nncompare.cli import main
from nncompare.exceptions import StorageError
from nncompare.outfolder import check_out


@pytest.mark.parametrize("out", [".", "new", "new/and/deeper", "~no"])
def test_folder_that_can_be_made_passes_and_is_not_made(tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    check_out(Path(out))
    assert list(tmp_path.iterdir()) == []


def test_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"in '.*file/runs': '.*file' is no folder\. Name another --out\."):
        check_out(tmp_path / "file" / "runs")


def test_folder_that_is_not_writable_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("nncompare.outfolder.os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(StorageError, match=r"in '.*new': '.*' is not writable for you\."):
        check_out(tmp_path / "new")


def test_run_and_compare_look_before_they_plan(tmp_path, monkeypatch):
    def plan(*_):
        raise AssertionError("it was planned")

    monkeypatch.setattr("nncompare.planning.make_plan", plan)
    monkeypatch.setattr("nncompare.api.make_plan", plan)
    (tmp_path / "file").touch()
    done = CliRunner().invoke(main, ["run", "--all", "--out", str(tmp_path / "file" / "runs")])
    assert done.exit_code == 74
    assert "is no folder" in done.stderr
    with pytest.raises(StorageError, match="is no folder"):
        compare("all", out=tmp_path / "file" / "runs")
