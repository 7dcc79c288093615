"""One data set loaded in a child: what is told of its downloads, and what a killed one leaves behind."""

import pytest
from filelock import FileLock

from nncompare.data import download
from nncompare.data.files import cache_root
from nncompare.events import DownloadProgress
from nncompare.loading import load_dataset
from nncompare.registry import DATASETS, find
from nncompare.settings import RunConfig

from .children import dataset

CONFIG = RunConfig(jobs=1)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "RELEASE_S", 0.0)


@pytest.fixture
def streamed():
    return find(dataset("Streamed"), DATASETS)


class Interrupted:
    """A runner whose child is killed in the midst of a download; another process may hold the file's lock."""

    def __init__(self, held):
        self.held = held

    def run(self, spec, handler):
        folder = spec.root / "downloads" / spec.name
        folder.mkdir(parents=True)
        (folder / ".data.bin.part").touch()
        self.lock = FileLock(folder / ".data.bin.lock")
        if self.held:
            self.lock.acquire()
        raise KeyboardInterrupt


@pytest.mark.parametrize("held", [False, True])
def test_loading_interrupted_discards_what_nobody_receives_any_more(tmp_path, streamed, held):
    runner = Interrupted(held)
    with pytest.raises(KeyboardInterrupt):
        load_dataset("Streamed", streamed, CONFIG, runner, tmp_path)
    assert (cache_root() / "downloads" / "Streamed" / ".data.bin.part").exists() == held
    runner.lock.release()


def test_loading_tells_of_downloads_and_that_one_failed(runner, tmp_path, streamed):
    events = []
    loaded = load_dataset("Streamed", streamed, CONFIG, runner, tmp_path, events.append)
    assert (loaded.stored, loaded.unavailable) == (None, True)
    assert loaded.failure.category == "data"
    fields = {"dataset": "Streamed", "file": "data.bin", "source": "127.0.0.1:9", "received_bytes": 0}
    assert events == [
        DownloadProgress(**fields, total_bytes=256_000, state=state) for state in ("receiving", "failed")
    ]


def test_loading_without_a_listener_is_silent(runner, tmp_path):
    loaded = load_dataset("Waves", find(dataset("Waves"), DATASETS), CONFIG, runner, tmp_path)
    assert (loaded.n_train + loaded.n_valid, loaded.n_test) == (60, 20)
