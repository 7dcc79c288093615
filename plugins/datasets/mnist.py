"""MNIST: 70,000 handwritten digits, fetched from where Keras has them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from nncompare.data.download import RemoteFile, fetch, given_file
from nncompare.plugin import Dataset, DatasetInfo, DatasetPlugin

from .npz import read_arrays, unusable

IMAGES = RemoteFile(
    name="mnist.npz",
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    n_bytes=11_490_434,
    digest="sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
)
"""As in keras.datasets.mnist."""

N_TRAIN, N_TEST = 60_000, 10_000
_SHAPES = {
    "x_train": (N_TRAIN, 28, 28),
    "y_train": (N_TRAIN,),
    "x_test": (N_TEST, 28, 28),
    "y_test": (N_TEST,),
}
_MOST_BYTES = math.prod(_SHAPES["x_train"]) + 1024
"""Of the largest array and its header."""


class MNIST(DatasetPlugin):
    """Images of 28 x 28 pixels in 256 grey levels, in their original order and split.

    ``mnist.npz`` in ``NNCOMPARE_DATA_DIR`` is taken before all others; it may hold the same arrays in other bytes.
    """

    info = DatasetInfo(
        name="mnist",
        view="image",
        n_train=N_TRAIN,
        n_test=N_TEST,
        class_names=tuple("0123456789"),
        scale=1 / 255,
        download_bytes=IMAGES.n_bytes,
        description="Handwritten digits, 28 x 28 pixels",
        licence="CC BY-SA 3.0",
        citation=(
            "LeCun, Y., Bottou, L., Bengio, Y. and Haffner, P. (1998). Gradient-Based Learning Applied to "
            "Document Recognition. Proceedings of the IEEE 86(11), 2278-2324. https://doi.org/10.1109/5.726791"
        ),
        homepage="http://yann.lecun.com/exdb/mnist/",
    )

    def load(self, cache: Path) -> Dataset:
        """Return images of shape (n, 28, 28, 1), uint8 from 0 to 255.

        Raises
        ------
        DataUnavailableError
            The file is nowhere, and cannot be downloaded.
        DataError
            A file that was found does not hold these arrays.
        """
        path = given_file(IMAGES.name) or fetch(IMAGES, cache)
        arrays = read_arrays(path, list(_SHAPES), IMAGES, _MOST_BYTES)
        for name, shape in _SHAPES.items():
            found = arrays[name]
            if found.shape != shape or found.dtype != np.uint8:
                cause = f"{name} is {found.dtype} of shape {found.shape}, and uint8 of shape {shape} is expected"
                raise unusable(path, cause, IMAGES)
        X_train, X_test = (arrays[name][..., np.newaxis] for name in ("x_train", "x_test"))
        return Dataset(X_train, arrays["y_train"], X_test, arrays["y_test"])
