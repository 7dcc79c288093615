import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nncompare.data.files import cache_root, fill_folder, write_atomic
from nncompare.exceptions import StorageError


def test_cache_root_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path))
    assert cache_root() == tmp_path


def test_cache_root_is_absolute_so_that_plugins_may_change_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", "relative")
    monkeypatch.chdir(tmp_path)
    assert cache_root() == tmp_path / "relative"


def test_cache_root_without_environment_is_the_users(monkeypatch):
    monkeypatch.delenv("NNCOMPARE_CACHE_DIR", raising=False)
    assert cache_root().name == "nncompare"
    assert cache_root().is_absolute()


@pytest.mark.parametrize(("data", "expected"), [("é\n", "é\n".encode()), (b"\x00\xff", b"\x00\xff")])
def test_write_atomic_replaces_the_content(tmp_path, data, expected):
    path = tmp_path / "results.json"
    path.write_bytes(b"old")
    write_atomic(path, data)
    assert path.read_bytes() == expected
    assert list(tmp_path.iterdir()) == [path]


def test_write_atomic_leaves_a_reader_the_old_content(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with path.open() as reader:
        write_atomic(path, "new content")
        assert reader.read() == "old"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "Free some space"), (errno.EACCES, "you may write to"), (errno.EIO, "Check that its folder")],
)
def test_write_atomic_that_fails_keeps_the_old_file(tmp_path, monkeypatch, number, remedy):
    path = tmp_path / "results.json"
    path.write_bytes(b"old")

    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("nncompare.data.files.os.fsync", fail)
    with pytest.raises(StorageError, match=remedy) as caught:
        write_atomic(path, b"new content")
    assert str(path) in str(caught.value)
    assert "11 bytes" in str(caught.value)
    assert os.strerror(number) in str(caught.value)
    assert caught.value.exit_code == 74
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_atomic_into_a_missing_folder_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        write_atomic(tmp_path / "missing" / "file", b"")


def test_write_atomic_gives_the_usual_permissions(tmp_path):
    write_atomic(tmp_path / "atomic", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_fill_folder_creates_it_once(tmp_path):
    calls = []

    def fill(folder: Path) -> None:
        calls.append(folder)
        (folder / "a").write_text("content")

    target = tmp_path / "deep" / "target"
    fill_folder(target, fill, ["a"])
    fill_folder(target, fill, ["a"])
    assert len(calls) == 1
    assert (target / "a").read_text() == "content"
    assert list(target.parent.iterdir()) == [target]


def test_fill_folder_that_fails_leaves_nothing(tmp_path):
    def fill(folder: Path) -> None:
        (folder / "a").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        fill_folder(tmp_path / "target", fill, ["a"])
    assert list(tmp_path.iterdir()) == []


def test_fill_folder_made_by_another_meanwhile_is_used(tmp_path):
    target = tmp_path / "target"

    def fill(folder: Path) -> None:
        (folder / "a").write_text("mine")
        target.mkdir()
        (target / "a").write_text("theirs")

    fill_folder(target, fill, ["a"])
    assert (target / "a").read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_fill_folder_sweeps_what_killed_writers_left(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ages = {"old": 90_000, "recent": 7_200, "new": 60}
    for pid in (os.getpid(), dead.pid):
        for word, age in ages.items():
            folder = tmp_path / f".{word}.{pid}.0123abcd.tmp"
            folder.mkdir()
            (folder / "X.npy").write_text("half")
            os.utime(folder, (time.time() - age, time.time() - age))
    other = tmp_path / ".old.tmp"
    other.mkdir()
    os.utime(other, (0, 0))
    fill_folder(tmp_path / "target", lambda folder: None, [])
    assert {path.name for path in tmp_path.iterdir()} == {
        "target",
        ".old.tmp",
        f".recent.{os.getpid()}.0123abcd.tmp",
        f".new.{os.getpid()}.0123abcd.tmp",
        f".new.{dead.pid}.0123abcd.tmp",
    }


def test_fill_folder_names_what_a_damaged_folder_lacks(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    (target / "a").touch()
    with pytest.raises(StorageError, match=r"target' is damaged: b is missing. Delete"):
        fill_folder(target, lambda folder: None, ["a", "b"])
