"""Data sets that do one thing each: sealed labels, absence, damage, another view."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import numpy as np
from nncompare_plugins.datasets.digits import Digits

from nncompare.data.download import RemoteFile, fetch
from nncompare.data.records import Column
from nncompare.exceptions import DataUnavailableError
from nncompare.plugin import Dataset, DatasetInfo, DatasetPlugin, Ragged


class Sealed(Digits):
    """Digits; the test labels are permuted where the environment says so."""

    info = replace(Digits.info, name="Sealed")

    def load(self, cache):
        data = super().load(cache)
        if "NNCOMPARE_TEST_PERMUTE" not in os.environ:
            return data
        y_test = np.random.default_rng(1).permutation(data.y_test)
        return Dataset(data.X_train, data.y_train, data.X_test, y_test)


class Waves(DatasetPlugin):
    """Short sequences."""

    info = DatasetInfo(name="Waves", view="sequence", n_train=60, n_test=20, class_names=("slow", "fast"))

    def load(self, cache):
        y = np.arange(80) % 2
        rng = np.random.default_rng(0)
        steps = np.arange(12)[None, :] * (1 + y[:, None]) + rng.normal(size=(80, 1))
        X = np.sin(steps)[..., None].astype(np.float32)
        return Dataset(X[:60], y[:60], X[60:], y[60:])


class Texts(DatasetPlugin):
    """Texts of unequal length; one word in each decides."""

    info = DatasetInfo(name="Texts", view="tokens", n_train=160, n_test=40, class_names=("bad", "good"))

    def load(self, cache):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 2, 200)
        filler = [rng.integers(8, 60, rng.integers(2, 30)) for _ in y]
        rows = [
            [1, *text, 4 + 2 * label + rng.integers(2), *text[:3]] for label, text in zip(y, filler, strict=True)
        ]
        X = Ragged.from_rows(rows)
        words = ["awful", "dull", "fine", "superb", *(f"word{rank}" for rank in range(5, 57))]
        return Dataset(X[:160], y[:160], X[160:], y[160:], words=words)


class SealedTexts(Texts):
    """Texts; the test labels are permuted where the environment says so."""

    info = replace(Texts.info, name="SealedTexts")

    def load(self, cache):
        data = super().load(cache)
        if "NNCOMPARE_TEST_PERMUTE" not in os.environ:
            return data
        return replace(data, y_test=1 - data.y_test)


class OneWord(Texts):
    """The first text alone holds a word."""

    info = replace(Texts.info, name="OneWord")

    def load(self, cache):
        data = super().load(cache)
        silent = [[1, 2]] * 199
        return replace(data, X_train=Ragged.from_rows([[1, 4], *silent[:159]]), X_test=data.X_test)


class Remote(Waves):
    """Has to be downloaded, as it says."""

    info = replace(
        Waves.info,
        name="Remote",
        download_bytes=17_464_789,
        description="Waves from afar",
        licence="CC BY 4.0, for research and teaching only",
        citation="Nobody (2020). Waves.",
        homepage="https://example.org/waves",
    )


class Streamed(Waves):
    """Fetches a file before anything else."""

    info = replace(Waves.info, name="Streamed", download_bytes=256_000)

    def load(self, cache):
        digest = hashlib.sha256(bytes(range(256)) * 1000).hexdigest()
        fetch(RemoteFile("data.bin", "https://home.example/data.bin", 256_000, f"sha256:{digest}"), cache)
        return super().load(cache)


class Many(DatasetPlugin):
    """More rows than a search looks at, of two numbers each."""

    info = DatasetInfo(name="Many", view="tabular", n_train=26_000, n_test=100, class_names=("low", "high"))

    def load(self, cache):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 2, 26_100)
        X = (rng.normal(size=(26_100, 2)) + y[:, None]).astype(np.float32)
        return Dataset(X[:26_000], y[:26_000], X[26_000:], y[26_000:])


class Absent(Waves):
    """Cannot be downloaded."""

    info = replace(Waves.info, name="Absent")

    def load(self, cache):
        raise DataUnavailableError("'Absent' cannot be fetched: no network.")


class Damaged(Waves):
    """Has more samples than labels."""

    info = replace(Waves.info, name="Damaged")

    def load(self, cache):
        data = super().load(cache)
        return Dataset(data.X_train, data.y_train[:-1], data.X_test, data.y_test)


class Hangs(Waves):
    """Waits for ever."""

    info = replace(Waves.info, name="Hangs")

    def load(self, cache):
        import time

        time.sleep(1e6)


class Wine(DatasetPlugin):
    """A table with named columns: numbers, one of them with gaps, and a column of categories with some too."""

    info = DatasetInfo(
        name="Wine", view="tabular", n_train=178, n_test=0, class_names=("barolo", "=gri", "barbera")
    )

    def load(self, cache):
        from sklearn.datasets import load_wine

        X, y = load_wine(return_X_y=True)
        shades = np.digitize(X[:, -4], [4, 6]).astype(float)
        X[:, -4] = np.where(np.arange(len(X)) % 11 == 0, np.nan, shades)
        X[::7, 2] = np.nan
        names = load_wine().feature_names
        columns = [Column(name=name) for name in names]
        columns[-4] = Column(name=names[-4], categories=("light", "medium", "deep, dark"))
        return Dataset(X, y, columns=columns, target="cultivar")
