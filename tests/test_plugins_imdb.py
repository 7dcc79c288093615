"""IMDB: both layouts, the words that belong to them, which files are refused, and what the real ones hold."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from nncompare_plugins.datasets import imdb
from nncompare_plugins.datasets.imdb import IMDB
from nncompare_plugins.datasets.npz import read_pickled_arrays
from numpy._core.multiarray import _reconstruct

from nncompare.data.download import RemoteFile, listening
from nncompare.exceptions import DataError, DataUnavailableError

from .file_server import serve_404, serve_body, serving

TRAIN, TEST = [[1, 3, 2], [4], [2, 2], [300, 1]], [[2], [1, 70000], [3], []]
LABELS = [1, 0, 0, 1]
INDEX = {"the": 1, "film": 2, "good": 3, "bad": 4}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(imdb, "N_REVIEWS", len(TRAIN))


def flat(**changes):
    parts = {}
    for part, reviews in (("train", TRAIN), ("test", TEST)):
        parts[f"x_{part}"] = np.concatenate([np.array(review, np.int32) for review in reviews])
        parts[f"x_{part}_offsets"] = np.cumsum([0, *map(len, reviews)])
        parts[f"y_{part}"] = np.array(LABELS, np.uint8)
    return {name: array for name, array in (parts | changes).items() if array is not None}


def lists(train=TRAIN):
    """Return the arrays of Keras's layout."""

    def objects(reviews):
        array = np.empty(len(reviews), object)
        array[:] = reviews
        return array

    return {
        "x_train": objects(train),
        "y_train": np.array(LABELS),
        "x_test": objects(TEST),
        "y_test": np.array(LABELS),
    }


def pack(folder, name, content):
    path = folder / name
    if name.endswith(".json"):
        path.write_text(json.dumps(content))
    else:
        np.savez(path, **content)
    return path


def home_of(path, algorithm="sha256"):
    digest = hashlib.new(algorithm, path.read_bytes()).hexdigest()
    return RemoteFile(path.name, f"https://home/{path.name}", path.stat().st_size, f"{algorithm}:{digest}")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the folder that NNCOMPARE_DATA_DIR names."""
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Take small files for the published ones; return the folder where they lie."""
    folder = tmp_path / "published"
    folder.mkdir()

    def publish(reviews=None):
        path = pack(folder, "imdb.npz", lists()) if reviews is None else reviews
        monkeypatch.setattr(imdb, "REVIEWS", home_of(path))
        monkeypatch.setattr(imdb, "WORD_INDEX", home_of(pack(folder, "imdb_word_index.json", INDEX), "md5"))
        return folder

    return publish


def assert_is_expected(data):
    rows = [[1, *(rank + 3 for rank in review)] for review in TRAIN]
    assert [data.X_train[i].tolist() for i in range(len(data.X_train))] == rows
    assert [data.X_test[i].tolist() for i in range(len(data.X_test))] == [[1, 5], [1, 4, 70003], [1, 6], [1]]
    for X in (data.X_train, data.X_test):
        assert (X.values.dtype, X.offsets.dtype) == (np.int32, np.int64)
    assert (data.y_train.tolist(), data.y_test.tolist()) == (LABELS, LABELS)


def test_imdb_files_are_those_of_keras():
    base = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
    assert (
        RemoteFile(
            "imdb.npz",
            f"{base}imdb.npz",
            17_464_789,
            "sha256:69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
        )
        == imdb.REVIEWS
    )
    assert (
        RemoteFile(
            "imdb_word_index.json",
            f"{base}imdb_word_index.json",
            1_641_221,
            "md5:bfafd718b763782e994055a2d397834f",
        )
        == imdb.WORD_INDEX
    )
    assert IMDB.info.download_bytes == 19_106_010


def test_imdb_flat_layout_with_its_words(folder, tmp_path):
    pack(folder, "imdb.npz", flat())
    pack(folder, "imdb_word_index.json", INDEX)
    data = IMDB().load(tmp_path / "cache")
    assert_is_expected(data)
    assert list(data.words) == ["the", "film", "good", "bad"]
    assert [data.words[i - 4] for i in data.X_train[0][1:]] == ["the", "good", "film"]


def test_imdb_without_a_word_index_beside_it_has_no_words(folder, tmp_path, published, monkeypatch):
    published()
    cache = tmp_path / "cache"
    cache.mkdir()
    pack(cache, "imdb_word_index.json", INDEX)
    pack(folder, "imdb.npz", flat())
    with serving(serve_404) as server:
        monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", server.address)
        assert list(IMDB().load(cache).words) == []
        assert server.asked == []


def test_imdb_word_index_alone_in_the_given_folder_is_not_used(folder, tmp_path, published, monkeypatch):
    bodies = [(published() / name).read_bytes() for name in ("imdb.npz", "imdb_word_index.json")]
    pack(folder, "imdb_word_index.json", {"other": 1})
    with serving(*(lambda request, body=body: serve_body(request, body) for body in bodies)) as server:
        monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", server.address)
        assert list(IMDB().load(tmp_path / "cache").words) == list(INDEX)


def test_imdb_lists_of_keras_downloaded_and_kept(tmp_path, published, monkeypatch):
    bodies = [(published() / name).read_bytes() for name in ("imdb.npz", "imdb_word_index.json")]
    answers = [lambda request, body=body: serve_body(request, body) for body in bodies]
    with serving(*answers, serve_404) as server:
        monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", server.address)
        for _ in range(2):
            data = IMDB().load(tmp_path / "cache")
            assert_is_expected(data)
            assert list(data.words) == list(INDEX)
        assert server.asked == ["/imdb.npz", "/imdb_word_index.json"]


def test_imdb_lists_in_the_given_folder(tmp_path, published, monkeypatch):
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(published()))
    data = IMDB().load(tmp_path / "cache")
    assert_is_expected(data)
    assert list(data.words) == list(INDEX)


def test_imdb_lists_in_the_cache_of_keras(tmp_path, published, monkeypatch):
    (tmp_path / "keras").mkdir()
    published().rename(tmp_path / "keras" / "datasets")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert_is_expected(IMDB().load(tmp_path / "cache"))


def test_imdb_without_a_network_for_the_word_index_has_no_words_and_says_so(tmp_path, published, monkeypatch):
    there = published()
    (there / "imdb_word_index.json").unlink()
    there.rename(tmp_path / "datasets")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    transfers = []
    with listening(transfers.append):
        data = IMDB().load(tmp_path / "cache")
    assert_is_expected(data)
    assert list(data.words) == []
    assert (transfers[-1].file, transfers[-1].state) == ("imdb_word_index.json", "failed")


def test_imdb_given_lists_without_a_word_index_fetch_it(tmp_path, published, monkeypatch):
    there = published()
    body = (there / "imdb_word_index.json").read_bytes()
    (there / "imdb_word_index.json").unlink()
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(there))
    with serving(lambda request: serve_body(request, body)) as server:
        monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", server.address)
        assert list(IMDB().load(tmp_path / "cache").words) == list(INDEX)
        assert server.asked == ["/imdb_word_index.json"]


def test_imdb_lists_with_labels_as_objects(tmp_path, published, monkeypatch):
    path = pack(tmp_path, "imdb.npz", lists() | {"y_test": np.array(LABELS, object)})
    published(path)
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match="the labels are object with 1 dimensions, not whole numbers in one"):
        IMDB().load(tmp_path / "cache")


def test_imdb_lists_beside_another_word_index_are_refused(tmp_path, published, monkeypatch):
    there = published()
    (there / "imdb_word_index.json").write_text('{"other": 1}')
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(there))
    with pytest.raises(
        DataError, match=r"word_index\.json' cannot be used: it is not the word index of the 'imdb\.np"
    ):
        IMDB().load(tmp_path / "cache")


def test_imdb_pickles_of_another_file_are_not_opened(folder, tmp_path):
    pack(folder, "imdb.npz", lists())
    with pytest.raises(DataError, match="Object arrays cannot be loaded when allow_pickle=False"):
        IMDB().load(tmp_path / "cache")


def test_imdb_reader_of_pickles_looks_at_the_digest_itself(tmp_path):
    path = pack(tmp_path, "imdb.npz", lists())
    home = replace(home_of(path), digest="sha256:0")
    with pytest.raises(DataError, match=r"it is not the published file \(sha256:0\), and no other is unpickled"):
        read_pickled_arrays(path, ["x_train"], home)


class Command:
    """A pickle that runs a command where it is let."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize(
    ("function", "name"),
    [(os.mkdir, f"{os.mkdir.__module__}.mkdir"), (eval, "(__builtin__|builtins).eval"), (np.load, "numpy.load")],
)
def test_imdb_pickle_that_asks_for_something_else_is_refused(
    tmp_path, published, monkeypatch, function, name, protocol
):
    trace = tmp_path / "trace"
    argument = f"__import__('os').mkdir({str(trace)!r})" if function is eval else str(trace)
    path = with_pickle(tmp_path / "imdb.npz", pickle.dumps(Command(function, argument), protocol))
    published(path)
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(tmp_path))
    with pytest.raises(
        DataError, match=rf"imdb\.npz' cannot be used: UnpicklingError: it asks for {name}, which no"
    ):
        IMDB().load(tmp_path / "cache")
    assert not trace.exists()


def with_pickle(path, payload):
    """Write Keras's layout with ``payload`` in place of the pickled training reviews."""
    np.savez(path, **lists())
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header, mark, _ = members["x_train.npy"].partition(b"\n")
    members["x_train.npy"] = header + mark + payload
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("payload", [b"", b"no pickle", pickle.dumps([[1], 2]), pickle.dumps("text")])
def test_imdb_pickle_of_something_else_is_refused(tmp_path, published, monkeypatch, payload):
    published(with_pickle(tmp_path / "imdb.npz", payload))
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match=r"imdb\.npz' cannot be used: "):
        IMDB().load(tmp_path / "cache")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_imdb_lists_of_each_protocol_are_read(tmp_path, published, monkeypatch, protocol):
    published(with_pickle(tmp_path / "imdb.npz", pickle.dumps(lists()["x_train"], protocol)))
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(tmp_path))
    assert_is_expected(IMDB().load(tmp_path / "cache"))


@pytest.mark.parametrize("review", [7, ["good"], [2**40], [None]])
def test_imdb_lists_of_something_else_are_refused(tmp_path, published, monkeypatch, review):
    published(pack(tmp_path, "imdb.npz", lists([*TRAIN[:-1], review])))
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match="in its train part, the reviews are not lists of numbers: "):
        IMDB().load(tmp_path / "cache")


def test_imdb_lists_of_one_length_stay_lists(tmp_path):
    reviews = [[1, 2], [3, 4], [5, 6], [7, 8]]
    path = pack(tmp_path, "imdb.npz", lists(reviews))
    assert read_pickled_arrays(path, ["x_train"], home_of(path))["x_train"].tolist() == reviews


def rebuilt(*state):
    """Return the pickle of an array that takes ``state`` on itself."""
    return pickle.dumps(Command(_reconstruct, np.ndarray, (0,), b"b", state=(1, *state)), 4)


BENT = Command(np.dtype, "V8", False, True, state=(3, "<", (np.dtype("O"), (1,)), None, None, 8, 8, 0))
FORGED = {
    "elements": (
        pickle.dumps(Command(np.ndarray, (1,), "O", b"A" * 8), 4),
        "holds a pickled _Inert, not an array",
    ),
    "dtype": (rebuilt((1,), BENT, False, b"A" * 8), "it asks for the dtype 'V8', and only lists are expected"),
    "bytes": (rebuilt((1,), np.dtype("O"), False, b"A" * 8), "an array that is not one of objects from a list"),
    "shape": (rebuilt((9,), np.dtype("O"), False, [1]), "it holds 1 objects for the shape (9,)"),
    "short": (rebuilt((1,), np.dtype("O")), "it holds an array whose state is not that of NumPy"),
    "kind": (pickle.dumps(Command(_reconstruct, dict, (0,), b"b"), 4), "it asks for builtins.dict"),
    "size": (pickle.dumps(Command(_reconstruct, np.ndarray, (9,), b"b"), 4), "it makes an array otherwise than"),
    "state": (b"\x80\x04\x8c\x05numpy\x8c\x05dtype\x93}\x8c\x01xK\x01sb.", "missing 1 required positional"),
    "class": (b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93N}\x8c\x01xK\x01s\x86b.", "missing 1 required pos"),
}
READ = """
import sys
from pathlib import Path
from nncompare_plugins.datasets.npz import read_pickled_arrays
from nncompare.data.download import RemoteFile
from nncompare.exceptions import DataError
path = Path(sys.argv[1])
try:
    print(read_pickled_arrays(path, ["x_train"], RemoteFile("", "", path.stat().st_size, sys.argv[2]))["x_train"])
except DataError as error:
    print(error)
"""


@pytest.mark.parametrize("forgery", FORGED)
def test_imdb_forged_pickle_is_refused_and_ends_no_interpreter(tmp_path, forgery):
    payload, cause = FORGED[forgery]
    path = with_pickle(tmp_path / "imdb.npz", payload)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), home_of(path).digest], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert cause in done.stdout
    assert "cannot be used: " in done.stdout


def test_imdb_old_name_of_numpys_module_is_understood(tmp_path, published, monkeypatch):
    payload = pickle.dumps(lists()["x_train"], 3)  # as older versions of NumPy wrote it
    old = payload.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert old != payload
    published(with_pickle(tmp_path / "imdb.npz", old))
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(tmp_path))
    assert_is_expected(IMDB().load(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (flat(x_test_offsets=None), "x_test_offsets is not a file in the archive"),
        (
            flat(x_train=np.array([[1]])),
            "in its train part, the ranks are int64 with 2 dimensions, not whole numbers",
        ),
        (
            flat(x_test=np.array([0.5])),
            "in its test part, the ranks are float64 with 1 dimensions, not whole numbers",
        ),
        (flat(y_train=np.array([1, 0])), "in its train part, there are 4 reviews and 2 labels, not 4 of each"),
        (
            flat(x_train_offsets=np.array([0, 8])),
            "in its train part, there are 1 reviews and 4 labels, not 4 of each",
        ),
        (
            flat(x_train_offsets=np.array([0, 3, 4, 6, 9])),
            "in its train part, the offsets do not rise from 0 to the 8",
        ),
        (
            flat(x_train_offsets=np.array([1, 3, 4, 6, 8])),
            "in its train part, the offsets do not rise from 0 to the 8",
        ),
        (
            flat(x_train_offsets=np.array([0, 4, 3, 6, 8], np.uint64)),
            "in its train part, the offsets do not rise from",
        ),
        (
            flat(x_train=np.array([1, 3, 2, 4, 2, 2, 0, 1])),
            "in its train part, the ranks are not all from 1 to 1,000,",
        ),
        (
            flat(x_train=np.array([1, 3, 2, 4, 2, 2, 2**40, 1])),
            "in its train part, the ranks are not all from 1 to 1,",
        ),
        (flat(y_test=np.array([0, 1, 2, 0])), "in its test part, the labels are not all 0 or 1"),
    ],
)
def test_imdb_flat_layout_that_does_not_agree_is_refused(folder, tmp_path, content, cause):
    path = pack(folder, "imdb.npz", content)
    with pytest.raises(DataError) as caught:
        IMDB().load(tmp_path / "cache")
    assert str(caught.value).startswith(f"'{path}' cannot be used: {cause}")
    assert "Replace it by https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz" in str(
        caught.value
    )


def test_imdb_flat_layout_with_unsigned_numbers(folder, tmp_path):
    pack(folder, "imdb.npz", {name: array.astype(np.uint64) for name, array in flat().items()})
    assert_is_expected(IMDB().load(tmp_path / "cache"))


def test_imdb_file_may_be_four_times_the_published_one_and_no_more():
    assert imdb.MOST_BYTES == 100_000_000


def test_imdb_flat_layout_that_is_too_large_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(imdb, "MOST_BYTES", 159)
    pack(folder, "imdb.npz", flat())
    with pytest.raises(DataError, match="x_train has 160 bytes, and at most 159 are expected"):
        IMDB().load(tmp_path / "cache")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"the": 0}', '{"the": 1.5}', '{"the": true}', '{"the": 100000000}', "\xff", "[" * 100_000],
)
def test_imdb_word_index_of_something_else_is_refused(folder, tmp_path, text):
    pack(folder, "imdb.npz", flat())
    (folder / "imdb_word_index.json").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=r"imdb_word_index\.json' cannot be used: "):
        IMDB().load(tmp_path / "cache")


def test_imdb_word_index_with_a_gap(folder, tmp_path):
    pack(folder, "imdb.npz", flat())
    pack(folder, "imdb_word_index.json", {"the": 1, "good": 3})
    assert list(IMDB().load(tmp_path / "cache").words) == ["the", "", "good"]


def test_imdb_without_a_network(tmp_path):
    with pytest.raises(DataUnavailableError, match=r"'imdb\.npz' could not be fetched from 127\.0\.0\.1:9"):
        IMDB().load(tmp_path)


@for_all(st.lists(st.lists(st.integers(1, 1000), max_size=6), min_size=1).filter(any))
def test_imdb_encoding_puts_a_start_before_each_review(reviews):
    ranks = np.array([rank for review in reviews for rank in review], np.int32)
    offsets = np.cumsum([0, *map(len, reviews)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imdb, "N_REVIEWS", len(reviews))
        X, _ = imdb._encode(None, "train", ranks, offsets, np.zeros(len(reviews), np.uint8))
    assert [X[i].tolist() for i in range(len(X))] == [[1, *(rank + 3 for rank in review)] for review in reviews]


def test_imdb_real_files(data_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(imdb, "N_REVIEWS", 25_000)
    data = IMDB().load(tmp_path)
    for X, y in ((data.X_train, data.y_train), (data.X_test, data.y_test)):
        assert len(X) == 25_000
        assert np.bincount(y).tolist() == [12_500, 12_500]
        assert (X.values[X.offsets[:-1]] == 1).all()
        assert 230 < X.lengths.mean() < 250
    assert data.words[0] == "the"
    assert int(data.X_train.values.max()) - 4 < len(data.words)
    texts = [" ".join(data.words[i - 4] for i in data.X_train[row][1:]) for row in range(2000)]
    bad = np.array(["worst" in text.split() for text in texts])
    assert data.y_train[:2000][bad].mean() < 0.2


LOADING = """
import sys
from pathlib import Path
from nncompare_plugins.datasets import imdb

imdb.N_REVIEWS = 4
data = imdb.IMDB().load(Path("nowhere"))
heavy = ("keras", "tensorflow", "requests", "filelock")
print(len(data.X_train), len(data.words), *(name for name in heavy if name in sys.modules))
"""


def test_imdb_loading_does_not_import_keras(folder):
    pack(folder, "imdb.npz", flat())
    pack(folder, "imdb_word_index.json", INDEX)
    done = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["4", "4"]
