"""Data sets loaded in children: what is told of their downloads, what a killed one leaves, what cannot be had."""

from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock

from nncompare import loading
from nncompare.data import download
from nncompare.data.files import cache_root
from nncompare.data.own import own_arrays
from nncompare.data.store import store_dataset
from nncompare.events import DownloadProgress, Notice
from nncompare.exceptions import DataError, UsageError
from nncompare.execution.specs import LoadAnswer
from nncompare.loading import load_dataset, load_datasets
from nncompare.owndata import dataset_names
from nncompare.registry import DATASETS, discover, find, load_class
from nncompare.settings import RunConfig

from .children import dataset
from .file_server import BODY, serve_body, serving

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


FROM = """
import os
from nncompare_plugins.datasets.digits import Digits
from nncompare.data.download import RemoteFile, fetch

class Here(Digits):
    def load(self, cache):
        os.environ["NNCOMPARE_DATA_MIRROR"] = {address!r}
        fetch({file!r}, cache)
        return super().load(cache)
"""


def test_loading_tells_of_a_download_from_its_begin_to_its_end(runner, tmp_path):
    events = []
    with serving(serve_body) as server:
        path = tmp_path / "here.py"
        path.write_text(FROM.format(address=server.address, file=server.file()))
        loaded = load_dataset("Here", find(f"{path}:Here", DATASETS), CONFIG, runner, tmp_path, events.append)
    assert (loaded.failure, loaded.n_test) == (None, 360)
    told = [(event.dataset, event.file, event.total_bytes, event.source) for event in events]
    assert set(told) == {("Here", "data.bin", len(BODY), server.address.removeprefix("http://"))}
    assert (events[0].state, events[0].received_bytes) == ("receiving", 0)
    assert (events[-1].state, events[-1].received_bytes) == ("done", len(BODY))


@pytest.mark.parametrize("name", ["mnist", "imdb"])
def test_loading_built_in_without_a_network_is_unavailable(runner, tmp_path, name):
    loaded = load_dataset(name, find(name, DATASETS), CONFIG, runner, tmp_path)
    assert loaded.unavailable
    assert f"'{name}.npz' could not be fetched from 127.0.0.1:9 in 2 tries." in loaded.failure.message


def test_loading_several_keeps_their_order_and_tells_absent_from_unknown(runner, tmp_path):
    catalog = discover(DATASETS)
    loaded = load_datasets(["atlantis", "digits"], RunConfig(), catalog, runner, tmp_path)
    assert list(loaded) == ["atlantis", "digits"]
    assert loaded["atlantis"].unavailable
    assert loaded["digits"].failure is None


def test_loading_unknown_name_is_told_before_anything_is_loaded(tmp_path):
    names = ("digits", "atlantis")
    nobody = None  # a runner that cannot be asked
    with pytest.raises(UsageError, match="No data set plugin is called 'atlantis'"):
        load_datasets(names, RunConfig(datasets=names), discover(DATASETS), nobody, tmp_path)


class Recording:
    """A runner that keeps the request, and answers that there is nothing."""

    def run(self, spec, _handler):
        self.spec = spec
        return LoadAnswer(status="failed", unavailable=True)


def test_loading_has_a_limit_of_its_own_and_not_that_of_a_trial(tmp_path, streamed):
    runner = Recording()
    load_dataset("Streamed", streamed, RunConfig(jobs=1, trial_timeout_s=1.0), runner, tmp_path)
    assert runner.spec.timeout_s == loading.LOAD_TIMEOUT_S


def store_for(name, /, **declared):
    """Store Waves as if the named data set had once been fetched, when it declared something else perhaps."""
    waves = load_class(dataset("Waves"))().load(None)
    return store_dataset(replace(load_class(dataset(name)).info, **declared), waves, cache_root())


def test_loading_unavailable_uses_the_stored_copy_and_says_so(runner, tmp_path):
    copy, events = store_for("Absent"), []
    loaded = load_dataset("away", find(dataset("Absent"), DATASETS), CONFIG, runner, tmp_path, events.append)
    assert (loaded.failure, loaded.unavailable) == (None, False)
    assert loaded.stored == replace(copy, name="away")
    assert (loaded.n_train + loaded.n_valid, loaded.n_test) == (60, 20)
    text = "away could not be fetched; the copy that was stored last is used (fingerprint "
    assert loaded.note == f"{text}{copy.fingerprint[:8]}…)."
    assert events == [Notice(loaded.note, "warning")]


@pytest.mark.parametrize(
    "declared",
    [{"name": "Remote"}, {"class_names": ("fast", "slow")}, {"n_train": 61}, {"homepage": "https://example.org"}],
)
def test_loading_unavailable_uses_no_copy_of_other_declarations(runner, tmp_path, declared):
    store_for("Absent", **declared)
    events = []
    loaded = load_dataset("Absent", find(dataset("Absent"), DATASETS), CONFIG, runner, tmp_path, events.append)
    assert (loaded.stored, loaded.unavailable, loaded.note, events) == (None, True, "", [])
    assert loaded.failure.message == "'Absent' cannot be fetched: no network."


def test_loading_damaged_uses_no_stored_copy(runner, tmp_path):
    store_for("Damaged")
    loaded = load_dataset("Damaged", find(dataset("Damaged"), DATASETS), CONFIG, runner, tmp_path)
    assert (loaded.stored, loaded.unavailable) == (None, False)


def test_loading_available_uses_what_it_brings_and_no_stored_copy(runner, tmp_path):
    plugin = load_class(dataset("Waves"))
    data = plugin().load(None)
    other = store_dataset(plugin.info, replace(data, X_train=data.X_train + 1), cache_root())
    loaded = load_dataset("Waves", find(dataset("Waves"), DATASETS), CONFIG, runner, tmp_path)
    assert loaded.stored.fingerprint != other.fingerprint
    assert loaded.note == ""


TABLE = "size,colour,class\n" + "".join(f"{k / 2},{'rgb'[k % 3]},{'no' if k % 2 else 'yes'}\n" for k in range(20))


def load_own(runner, folder, *paths, listener=None, **settings):
    names = tuple(map(str, paths))
    config = RunConfig(datasets=names, **settings)
    return load_datasets(names, config, discover(DATASETS), runner, folder, listener)


def test_loading_own_table_says_what_was_recognised(runner, tmp_path):
    path, events = tmp_path / "things.csv", []
    path.write_text(TABLE)
    (loaded,) = load_own(runner, tmp_path, path, listener=events.append, target="class").values()
    assert (loaded.name, loaded.stored.target, len(loaded.stored.columns)) == ("things", "class", 2)
    assert (loaded.n_train + loaded.n_valid, loaded.n_test) == (16, 4)
    text = "20 rows: 1 numeric and 1 categorical column; target 'class' with 2 classes: no, yes"
    assert events[0] == Notice(f"things: {text}", "info")
    found = [finding.text for finding in loaded.stored.findings if finding.level in ("problem", "warning")]
    assert events[1:] == [Notice(f"things: {text}", "warning") for text in found]
    assert found
    assert loaded.stored.description == text


@pytest.mark.parametrize(
    ("content", "target", "error", "sentence"),
    [
        (
            TABLE + "1\n",
            "class",
            DataError,
            "'things.csv' cannot be used: line 22 has 1 fields and the header has 3. ",
        ),
        (TABLE, "clas", UsageError, "'things.csv' has no column 'clas'. Did you mean 'class'? "),
        (TABLE, None, UsageError, "'things.csv' needs a column of classes. Add --target class "),
    ],
)
def test_loading_own_file_that_is_bad_ends_the_plan_and_writes_nothing(
    runner, tmp_path, content, target, error, sentence
):
    path = tmp_path / "things.csv"
    path.write_text(content)
    with pytest.raises(error) as caught:
        load_own(runner, tmp_path, path, "digits", target=target)
    assert str(caught.value).startswith(sentence)
    assert not (cache_root() / "data").exists()


def test_loading_own_file_that_is_missing_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"There is no file '.*missing.npz'"):
        load_own(None, tmp_path, tmp_path / "missing.npz")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"text": "review"},
            "--text is for a table (in Python: text=), and none is among the data sets. Name one",
        ),
        ({"target": "class"}, "--target is for a table (in Python: target=), and none is among the data sets."),
        (
            {"encoding": "latin-1"},
            "--encoding is for a table (in Python: encoding=), and none is among the data sets.",
        ),
        (
            {"view": "image"},
            "--view is for .npz and .npy files (in Python: view=), and none is among the data sets.",
        ),
        (
            {"image_size": 8},
            "--image-size is for a folder of images (in Python: image_size=), and none is among the data sets.",
        ),
    ],
)
def test_loading_refuses_options_of_files_where_there_is_none(tmp_path, settings, sentence):
    with pytest.raises(UsageError) as caught:
        load_own(None, tmp_path, "digits", **settings)
    assert str(caught.value).startswith(sentence)


def test_loading_refuses_a_view_for_a_table(tmp_path):
    with pytest.raises(
        UsageError, match=r"--view is for .npz and .npy files \(in Python: view=\), and a table is always tabular"
    ):
        load_own(None, tmp_path, "x.csv", view="image", target="y")


def test_loading_a_folder_opens_what_was_stored_of_arrays(tmp_path):
    samples = np.arange(60.0).reshape(20, 3)
    stored = store_dataset(*own_arrays("mine", samples, [0, 1] * 10), cache_root())
    events = []
    (loaded,) = load_own(None, tmp_path, stored.folder, listener=events.append).values()
    assert loaded.stored == stored
    told = [event.text for event in events if event.level == "info"]
    assert told == ["mine: 20 rows: 3 numeric columns; 2 classes: 0, 1"]
    (stored.folder / "y_test.npy").unlink()
    with pytest.raises(DataError, match=r"is damaged: y_test.npy is missing"):
        load_own(None, tmp_path, stored.folder)


def test_loading_what_was_stored_and_lacks_its_manifest_is_a_usage_error(tmp_path):
    folder = tmp_path / "data" / "0123456789abcdef-0123456789abcdef-01234567"
    folder.mkdir(parents=True)
    with pytest.raises(UsageError, match="holds no stored data set"):
        load_own(None, tmp_path, folder)


def test_own_files_are_named_by_their_stem_unless_that_is_installed():
    catalog = discover(DATASETS)
    names = ["a/My wine.csv", "digits.csv", "imdb.NPZ", "reference.csv", "digits", "x.py:Mine"]
    called = ["My-wine", "digits.csv", "imdb.npz", "reference.csv", "digits", "Mine"]
    assert list(dataset_names(names, catalog).values()) == called


def test_installed_data_set_goes_before_a_folder_of_its_name(runner, tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_own(runner, tmp_path, "digits")["digits"].n_test == 360
