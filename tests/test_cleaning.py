"""What takes space and can go: sizes, what stays and why, and that nothing outside is touched."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from nncompare.cleaned import PARTS, cleaned_sentence, read_cleaned
from nncompare.cleaning import cache_items, remove, run_items
from nncompare.cli import main
from nncompare.data.cache import LOCK, TAG, is_used, make_download_folder, using
from nncompare.exceptions import BusyError, StorageError, UsageError
from nncompare.execution.runner import LocalRunner
from nncompare.runfile import RecordedData, RunFile, hold, write_run_file
from nncompare.settings import RunConfig

from . import report_fixtures as fixtures
from .children import dataset
from .whole_runs import compare_with

DATA = f"data/{'a' * 16}-{'b' * 16}-{'c' * 8}"
UNUSED = f"downloads/digits/{TAG}"
VIEW = f"views/{'d' * 32}"


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
    for name in ("mnist", "digits"):  # digits loads nothing
        make_download_folder(tmp_path / "cache" / "downloads" / name)
    for place, n_bytes in ((DATA, 500), (VIEW, 70), ("downloads/mnist", 90)):
        (tmp_path / "cache" / place).mkdir(parents=True, exist_ok=True)
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
    assert "the saved models, so that it can neither predict nor be exported nor extended (20" in cleaned_sentence(
        out / "done"
    )
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


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("don", "'don' is not the full id of a run"),
        ("latest", "is not the full id"),
        ("", "The name of the run is empty"),
    ],
)
def test_whole_runs_are_named_in_full(out, monkeypatch, name, words):
    monkeypatch.chdir(out / "done")  # where no name would be the folder itself
    done = clean(out, name, "--runs", "--yes")
    assert (done.exit_code, words in done.stderr) == (2, True)
    assert sorted(path.name for path in out.iterdir()) == ["done", "stopped"]


def test_a_run_that_is_not_complete_goes_as_a_whole_where_it_is_named_and_says_what_that_costs(out):
    (whole,) = (item for item in run_items(out / "stopped") if item.kind == "runs")
    assert (whole.stays, whole.lost) == ("", "all of the run, which could be resumed")
    assert clean(out, "stopped", "--runs", "--yes").exit_code == 0
    assert [path.name for path in out.iterdir()] == ["done"]


@pytest.mark.parametrize("content", ['{"mine": 1}', "{"])
def test_a_folder_whose_results_are_of_another_program_is_no_run(out, content):
    project = out / "project"
    project.mkdir()
    (project / "results.json").write_text(content)
    before = names(project)
    done = clean(out, "project", "--runs", "--yes")
    assert (done.exit_code, done.stderr) == (0, "Nothing was removed.\n")
    assert [item.stays for item in run_items(project)] == [
        "neither its results.json nor its run.json is one of nncompare"
    ]
    assert names(project) == before


def test_a_run_with_files_of_others_does_not_go_as_a_whole(out):
    (out / "done" / "thesis.tex").touch()
    done = clean(out, "done", "--runs", "--yes")
    assert (out / "done" / "thesis.tex").is_file()
    assert "stays: it holds 'thesis.tex', which no run wrote" in done.stdout


def test_what_changed_since_it_was_looked_at_stays(out):
    items = [item for item in run_items(out / "done") if item.kind in ("models", "runs")]
    (out / "done" / "thesis.tex").touch()
    results = fixtures.full().model_copy(update={"state": "interrupted"})
    (out / "done" / "results.json").write_text(results.to_json())
    before = names(out / "done")
    for item in items:
        with pytest.raises(UsageError, match=r"stays: (it holds|the run is not complete)"):
            remove([item])
    assert [name for name in names(out / "done") if name != "run.lock"] == before


def test_of_the_database_only_its_own_files_go(out):
    for name in ("study.db-wal", "study.db.backup"):
        (out / "done" / name).touch()
    assert clean(out, "done", "--trials", "--yes").exit_code == 0
    assert {path.name for path in (out / "done").glob("study.db*")} == {"study.db.backup"}


def test_what_is_lost_says_all_that_goes_with_it(out):
    """resume refuses a run that lacks any part."""
    for part, lost in PARTS.items():
        assert "be extended" in lost or "nor extended" in lost, part


def test_yes_without_a_choice_is_refused(out):
    done = clean(out, "--yes")
    assert done.exit_code == 2
    assert "Say what to remove" in done.stderr


def test_the_cache_goes_when_asked_and_downloads_apart(out):
    cache = out.parent / "cache"
    assert clean(out, "--cache", "--yes").exit_code == 0
    assert names(cache) == [LOCK, UNUSED, f"downloads/mnist/{TAG}", "downloads/mnist/file"]
    assert clean(out, "--downloads", "--yes").exit_code == 0
    assert names(cache) == [LOCK, UNUSED]


def test_the_cache_keeps_what_nncompare_did_not_write(out):
    """NNCOMPARE_CACHE_DIR may be a folder of the user, on macOS even the home with its Downloads."""
    cache = out.parent / "cache"
    own = ["data/thesis/file", "downloads/holiday/file", "views/abc/file", f"{Path(VIEW).parent}/file"]
    for name in own:
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_text("mine")
    assert {item.path.name for item in cache_items(cache, [])} == {Path(DATA).name, "views", "mnist"}
    assert clean(out, "--cache", "--downloads", "--yes").exit_code == 0
    assert names(cache) == sorted([LOCK, UNUSED, *own])


def test_downloads_into_a_folder_with_other_files_are_not_taken_for_nncompares(tmp_path):
    (tmp_path / "downloads" / "holiday").mkdir(parents=True)
    (tmp_path / "downloads" / "holiday" / "beach.jpg").touch()
    make_download_folder(tmp_path / "downloads" / "holiday")
    assert names(tmp_path) == ["downloads/holiday/beach.jpg"]
    assert cache_items(tmp_path, []) == []


def test_the_cache_stays_while_any_process_uses_it(out, tmp_path):
    """As one whose run is in another folder, or that only predicts."""
    cache = out.parent / "cache"
    items = cache_items(cache, [])
    with using(cache):
        before = names(cache)
        done = clean(out, "--cache", "--yes")
        assert (done.exit_code, done.stderr) == (0, "Nothing was removed.\n")
        assert {item.stays for item in cache_items(cache, [])} == {"a process of nncompare uses the cache"}
        with pytest.raises(BusyError, match="uses the cache"):
            remove(items)  # nobody used it when it was looked at
        assert names(cache) == before
    remove(items)
    assert names(cache) == [LOCK, UNUSED]


def test_whoever_starts_children_uses_the_cache(out):
    cache = out.parent / "cache"
    with LocalRunner():
        assert is_used(cache)
    assert not is_used(cache)


def test_a_cache_that_cannot_be_locked_is_used_all_the_same(tmp_path):
    (tmp_path / "file").touch()
    with using(tmp_path / "file" / "cache"):
        assert names(tmp_path) == ["file"]


def test_a_cache_that_cannot_be_locked_is_listed_and_not_emptied(out):
    cache = out.parent / "cache"
    (cache / LOCK).unlink(missing_ok=True)
    (cache / LOCK).symlink_to(cache / "nowhere" / "lock")
    before = names(cache / "data")
    items = cache_items(cache, [])
    assert {item.stays for item in items} == {""}
    with pytest.raises(StorageError, match=r"cache\.lock"):
        remove(items)
    assert names(cache / "data") == before


def test_data_of_a_run_that_is_not_complete_stay(out):
    """Those of compare(X=...) are nowhere else."""
    cache = out.parent / "cache"
    recorded = RecordedData(fingerprint="a" * 64, test_fingerprint="b" * 64, split_fingerprint="")
    for name, datasets, asked in (("stopped", {"wine": recorded}, []), ("done", {}, [str(cache / DATA)])):
        config = {**asdict(RunConfig()), "out": str(out), "datasets": asked}
        write_run_file(RunFile(run_id=name, created_at="", config=config, datasets=datasets), out / name)
    reason = "the run 'stopped' is not complete, and nncompare resume needs it"
    stays = {item.name: item.stays for item in cache_items(cache, [out / "stopped", out / "done"])}
    assert stays == {Path(DATA).name: reason, "prepared data": "", "mnist": ""}
    assert clean(out, "--cache", "--yes").exit_code == 0
    assert names(cache / "data") == [f"{Path(DATA).name}/file"]
    results = fixtures.full().model_copy(update={"state": "interrupted"})
    (out / "done" / "results.json").write_text(results.to_json())
    assert next(item.stays for item in cache_items(cache, [out / "done"])).startswith("the run 'done' is not")


def test_nothing_of_a_run_at_work(out):
    (item,) = (item for item in run_items(out / "done") if item.kind == "models")
    with hold(out / "done"):
        before = names(out.parent)
        done = clean(out, "--models", "--yes")
        assert (done.exit_code, done.stderr) == (0, "Nothing was removed.\n")
        assert all(item.stays.startswith("it is held by process") for item in run_items(out / "done"))
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

    monkeypatch.setattr("nncompare.disk.shutil.rmtree", refuse)
    with pytest.raises(StorageError, match=r"Cannot remove '.*models.*'\. PermissionError: Permission denied"):
        remove([item for item in run_items(out / "done") if item.kind == "models"])
    assert list((out / "done" / "models").iterdir()) == []  # no half of it
    assert list(read_cleaned(out / "done")) == ["models"]


def test_what_cannot_be_written_down_is_not_removed(out, monkeypatch):
    def refuse(folder, parts):
        raise StorageError("No space left.")

    before = names(out / "done")
    monkeypatch.setattr("nncompare.cleaning.note_cleaned", refuse)
    with pytest.raises(StorageError, match="No space left"):
        remove([item for item in run_items(out / "done") if item.kind == "models"])
    assert [name for name in names(out / "done") if name != "run.lock"] == before


def test_reports_of_a_cleaned_run_say_what_it_lacks(out):
    clean(out, "done", "--models", "--yes")
    done = CliRunner().invoke(main, ["report", str(out / "done"), "--format", "json"])
    assert done.exit_code == 0
    assert done.stderr.startswith("note: nncompare clean removed from it the saved models")


@pytest.mark.slow
def test_all_that_a_run_writes_is_known(runner, tmp_path):
    _, folder = compare_with(runner, tmp_path, datasets=(dataset("Waves"),), n_trials=1, n_refits=1)
    assert [item.stays for item in run_items(folder)] == [""] * 4
    remove([item for item in run_items(folder) if item.kind == "runs"])
    assert not folder.exists()
