"""What takes space and can go: sizes, what stays and why, and that nothing outside is touched."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from nncompare.cleaned import PARTS, cleaned_sentence, read_cleaned
from nncompare.cleaning import cache_items, remove, run_items
from nncompare.cli import main
from nncompare.exceptions import BusyError, StorageError, UsageError
from nncompare.runfile import hold

from . import report_fixtures as fixtures


@pytest.fixture
def out(tmp_path, monkeypatch):
    """A folder of two runs, one complete and one not, and a cache of its own; return the folder."""
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    for name, state in (("done", "complete"), ("stopped", "interrupted")):
        run = tmp_path / "reports" / name
        for part, n_bytes in (("models", 3000), ("predictions", 200), ("trials", 40)):
            (run / part / "mlp--digits").mkdir(parents=True)
            (run / part / "mlp--digits" / "file").write_bytes(b"x" * n_bytes)
        (run / "study.db").write_bytes(b"x" * 60)
        (run / "results.json").write_text(fixtures.full().model_copy(update={"state": state}).to_json())
        (run / "report.html").write_text("<html>")
    for place, n_bytes in (("data/damaged", 500), ("views/abc", 70), ("downloads/mnist", 90)):
        (tmp_path / "cache" / place).mkdir(parents=True)
        (tmp_path / "cache" / place / "file").write_bytes(b"x" * n_bytes)
    return tmp_path / "reports"


def clean(out, *arguments):
    return CliRunner().invoke(main, ["clean", *map(str, arguments), "--out", str(out)])


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


KEPT = ["cleaned.json", "report.html", "results.json", "run.lock"]


def test_items_of_a_run_are_its_parts_and_the_whole(out):
    sizes = {item.kind: item.n_bytes for item in run_items(out / "done")}
    rest = sum((out / "done" / name).stat().st_size for name in ("results.json", "report.html"))
    assert sizes == {"models": 3000, "predictions": 200, "trials": 100, "runs": 3300 + rest}


def test_clean_lists_everything_the_largest_first_and_removes_nothing(out):
    before = names(out.parent)
    done = clean(out)
    assert (done.exit_code, done.stderr) == (0, "Nothing was removed.\n")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["SIZE", "WHAT", "NAME", "LOST", "WITH", "IT"]
    listed = json.loads(clean(out, "--json").stdout)["items"]
    assert len(lines) == 1 + len(listed)
    sizes = [item["n_bytes"] for item in listed]
    assert sizes == sorted(sizes, reverse=True)
    assert {item["kind"] for item in listed} == {*PARTS, "runs", "cache", "downloads"}
    assert any(
        "3.0 kB" in line and "models" in line and "so that it can neither predict" in line for line in lines
    )
    assert names(out.parent) == before


def test_clean_asks_for_yes_and_removes_parts_of_complete_runs_alone(out):
    before = names(out / "stopped")
    listed = clean(out, "--models", "--predictions", "--trials")
    assert "stays: the run is not complete, and nncompare resume needs it" in listed.stdout
    assert listed.stderr == "Nothing was removed. Add --yes to remove it.\n"
    assert (out / "done" / "models" / "mlp--digits" / "file").is_file()
    done = clean(out, "--models", "--predictions", "--trials", "--yes")
    assert (done.exit_code, done.stderr) == (0, "Removed: 3.3 kB.\n")
    assert names(out / "done") == KEPT
    assert (out / "done" / "models").is_dir()
    assert [name for name in names(out / "stopped") if name != "run.lock"] == before
    assert set(read_cleaned(out / "done")) == set(PARTS)
    assert "the saved models, so that it can neither predict nor be exported (20" in cleaned_sentence(out / "done")
    assert cleaned_sentence(out / "stopped") == ""


def test_clean_of_one_run_leaves_the_others_and_the_cache(out):
    shutil.copytree(out / "done", out / "other")
    before = names(out / "other"), names(out.parent / "cache")
    assert clean(out, "done", "--models", "--yes").exit_code == 0
    assert (names(out / "other"), names(out.parent / "cache")) == before
    assert list(read_cleaned(out / "done")) == ["models"]
    assert "cache" not in clean(out, "done").stdout


def test_whole_runs_go_only_where_they_are_named(out):
    done = clean(out, "--runs", "--yes")
    assert (done.exit_code, (out / "done").is_dir()) == (2, True)
    assert "name each of them" in done.stderr
    assert clean(out, "done", "--runs", "--models", "--yes").exit_code == 0
    assert [path.name for path in out.iterdir()] == ["stopped"]


def test_yes_without_a_choice_is_refused(out):
    done = clean(out, "--yes")
    assert done.exit_code == 2
    assert "Say what to remove" in done.stderr


def test_the_cache_goes_when_asked_and_downloads_apart(out):
    cache = out.parent / "cache"
    assert clean(out, "--cache", "--yes").exit_code == 0
    assert names(cache) == ["downloads/mnist/file"]
    assert clean(out, "--downloads", "--yes").exit_code == 0
    assert names(cache) == []


def test_nothing_of_a_run_at_work_and_nothing_of_the_cache_meanwhile(out):
    cache = out.parent / "cache"
    (item,) = (item for item in run_items(out / "done") if item.kind == "models")
    with hold(out / "done"):
        before = names(out.parent)
        for choice in ("--models", "--cache"):
            done = clean(out, choice, "--yes")
            assert (done.exit_code, done.stderr) == (0, "Nothing was removed.\n")
        assert all(item.stays.startswith("it is held by process") for item in run_items(out / "done"))
        assert {item.stays for item in cache_items(cache, [out / "done"])} == {"the run 'done' is at work"}
        with pytest.raises(BusyError):
            remove([item])  # it was free when it was looked at
        assert names(out.parent) == before
    with pytest.raises(UsageError, match="stays"):
        remove([item for item in run_items(out / "stopped") if item.kind == "models"])


def test_links_are_never_followed(out, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.move(out / "done" / "models", elsewhere)
    (out / "done" / "models").symlink_to(elsewhere)
    (out / "done" / "trials" / "link").symlink_to(elsewhere)
    (out / "link").symlink_to(out / "done")
    assert "models" not in {item.kind for item in run_items(out / "done")}
    assert {item.stays for item in run_items(out / "link")} == {"it is a link"}
    assert clean(out, "--models", "--trials", "--yes").exit_code == 0
    assert names(elsewhere) == ["mlp--digits/file"]
    assert not (out / "done" / "trials" / "link").is_symlink()


def test_what_cannot_be_removed_is_named(out, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("nncompare.cleaning.shutil.rmtree", refuse)
    with pytest.raises(StorageError, match=r"Cannot remove '.*mlp--digits'\. PermissionError: Permission denied"):
        remove([item for item in run_items(out / "done") if item.kind == "models"])


def test_reports_of_a_cleaned_run_say_what_it_lacks(out):
    clean(out, "done", "--models", "--yes")
    done = CliRunner().invoke(main, ["report", str(out / "done"), "--format", "json"])
    assert done.exit_code == 0
    assert done.stderr.startswith("note: nncompare clean removed from it the saved models")
