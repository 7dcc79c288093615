"""MNIST: where its file comes from, which files are refused, and what the real one holds."""

import hashlib
import zipfile

import numpy as np
import pytest
from nncompare_plugins.datasets import mnist
from nncompare_plugins.datasets.mnist import MNIST

from nncompare.data.checks import check_dataset
from nncompare.data.download import RemoteFile
from nncompare.exceptions import DataError, DataUnavailableError

from .file_server import serve_404, serve_body, serving


def arrays(**changes):
    rng = np.random.default_rng(0)
    parts = {}
    for part, n in (("train", mnist.N_TRAIN), ("test", mnist.N_TEST)):
        parts[f"x_{part}"] = np.zeros((n, 28, 28), np.uint8)
        parts[f"y_{part}"] = rng.integers(0, 10, n, dtype=np.uint8)
    return {name: array for name, array in (parts | changes).items() if array is not None}


@pytest.fixture
def given(tmp_path, monkeypatch):
    """Put a file into a folder that NNCOMPARE_DATA_DIR names."""
    folder = tmp_path / "given"
    folder.mkdir()
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(folder))

    def put(content):
        path = folder / "mnist.npz"
        if isinstance(content, dict):
            np.savez_compressed(path, **content)
        else:
            path.write_bytes(content)
        return path

    return put


def test_mnist_file_is_the_one_of_keras():
    assert (
        RemoteFile(
            "mnist.npz",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            11_490_434,
            "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        )
        == mnist.IMAGES
    )
    assert MNIST.info.download_bytes == 11_490_434


def test_mnist_from_the_given_folder(given, tmp_path):
    content = arrays()
    content["x_train"][1, 2, 3] = 255
    given(content)
    data = check_dataset(MNIST.info, MNIST().load(tmp_path))
    assert (data.X_train.shape, data.X_train.dtype) == ((60_000, 28, 28, 1), np.uint8)
    assert data.X_test.shape == (10_000, 28, 28, 1)
    assert data.X_train[1, 2, 3, 0] == 255
    assert np.array_equal(data.y_train, content["y_train"])
    assert np.array_equal(data.y_test, content["y_test"])


def test_mnist_downloaded_and_kept(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "file.npz", **arrays())
    body = (tmp_path / "file.npz").read_bytes()
    home = RemoteFile(
        "mnist.npz", "https://home/mnist.npz", len(body), f"sha256:{hashlib.sha256(body).hexdigest()}"
    )
    monkeypatch.setattr(mnist, "IMAGES", home)
    with serving(lambda request: serve_body(request, body), serve_404) as server:
        monkeypatch.setenv("NNCOMPARE_DATA_MIRROR", server.address)
        first, second = (MNIST().load(tmp_path / "cache") for _ in range(2))
        assert server.asked == ["/mnist.npz"]
    assert np.array_equal(first.X_train, second.X_train)


def test_mnist_without_a_network(tmp_path):
    with pytest.raises(DataUnavailableError, match=r"'mnist\.npz' could not be fetched from 127\.0\.0\.1:9"):
        MNIST().load(tmp_path)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "BadZipFile: File is not a zip file"),
        (b"no archive", "BadZipFile: File is not a zip file"),
        (b"PK\x03\x04 cut short", "BadZipFile: File is not a zip file"),
        (arrays(y_test=None), "y_test is not a file in the archive"),
        (
            arrays(x_train=np.zeros((5, 28, 28), np.uint8)),
            "x_train is uint8 of shape (5, 28, 28), and uint8 of shape",
        ),
        (
            arrays(x_train=np.zeros((1, 1))),
            "x_train is float64 of shape (1, 1), and uint8 of shape (60000, 28, 28) is",
        ),
        (
            arrays(y_train=np.zeros((60_000, 10), np.uint8)),
            "y_train is uint8 of shape (60000, 10), and uint8 of shape",
        ),
        (
            arrays(x_train=np.zeros((60_000, 28, 28, 2), np.uint8)),
            "x_train has 94,080,128 bytes, and at most 47,041,024 are expected",
        ),
        (arrays(x_test=np.array([{}])), "ValueError: Object arrays cannot be loaded when allow_pickle=False"),
    ],
    ids=["empty", "text", "cut", "missing", "few", "float", "one-hot", "large", "objects"],
)
def test_mnist_other_content_is_refused(given, tmp_path, content, cause):
    path = given(content)
    with pytest.raises(DataError) as caught:
        MNIST().load(tmp_path)
    text = str(caught.value)
    assert text.startswith(f"'{path}' cannot be used: {cause}")
    assert text.endswith(f" Replace it by {mnist.IMAGES.url}, or take it away to have that downloaded.")


def test_mnist_damaged_archive_is_refused(given, tmp_path):
    path = given(arrays())
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(255 - byte for byte in content[middle : middle + 100])
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"mnist\.npz' cannot be used: "):
        MNIST().load(tmp_path)


def archive(path, header, body=b"", compression=zipfile.ZIP_STORED):
    """Write arrays of MNIST, the first with its own header."""
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body
    with zipfile.ZipFile(path, "w", compression) as stored:
        stored.writestr("x_train.npy", member)
        for name, array in arrays(x_train=None).items():
            with stored.open(f"{name}.npy", "w") as stream:
                np.lib.format.write_array(stream, array)


HUGE = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }"


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        (b"{" * 900, "TokenError: "),
        (HUGE % 10**30, "OverflowError: "),
        (HUGE % 10**17, "(MemoryError|_ArrayMemoryError): "),
    ],
    ids=["token", "overflow", "memory"],
)
def test_mnist_header_that_cannot_be_is_refused(given, tmp_path, header, cause):
    path = given(b"")
    archive(path, header.ljust(999) + b"\n")
    with pytest.raises(DataError, match=rf"mnist\.npz' cannot be used: {cause}"):
        MNIST().load(tmp_path)


def test_mnist_damaged_lzma_archive_is_refused(given, tmp_path):
    path = given(b"")
    body = np.random.default_rng(0).bytes(5000)
    archive(path, (HUGE % len(body)).ljust(99) + b"\n", body, zipfile.ZIP_LZMA)
    content = bytearray(path.read_bytes())
    content[80:140] = b"\xff" * 60
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"mnist\.npz' cannot be used: LZMAError: "):
        MNIST().load(tmp_path)


def test_mnist_real_file(data_dir, tmp_path):
    data = check_dataset(MNIST.info, MNIST().load(tmp_path))
    assert data.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(data.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.X_train.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
