"""The user's data in every form: samples and classes written as each kind of file that is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from PIL import Image

Rows: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Samples of shape (n, features) and codes."""
Write: TypeAlias = Callable[..., Path]


def bundled(name: str) -> Rows:
    """Return one of scikit-learn's data sets, class after class, as folders of classes have it."""
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.argsort(y, kind="stable")
    return (X * 15 if name == "digits" else X)[order], y[order]  # pixels from 0 to 240


def reviews(n: int = 240) -> tuple[list[str], list[str]]:
    """Return texts with commas, quotation marks and line breaks, and what each is."""
    rng = np.random.default_rng(0)
    words = {"good": ["fine", "moving", 'a "must"', "splendid, really"], "bad": ["dull", "flat", "far\ntoo long"]}
    others = ["film", "the actors,", "my son", "music", "in short:"]
    classes = ["good", "bad"] * (n // 2)
    return [" ".join([*rng.choice(others, 3), *rng.choice(words[name], 2)]) for name in classes], classes


def table(X: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])]).assign(target=y)


def named(folder: Path, ending: str) -> Path:
    """Return a path that is called after its folder, as the data set in it will be."""
    return folder / f"{folder.name}{ending}"


def write_csv(folder: Path, X: np.ndarray, y: np.ndarray, **form: str) -> Path:
    table(X, y).to_csv(named(folder, ".csv"), index=False, **form)
    return named(folder, ".csv")


def write_decimal_commas(folder: Path, X: np.ndarray, y: np.ndarray) -> Path:
    return write_csv(folder, X, y, sep=";", decimal=",")


def write_tsv(folder: Path, X: np.ndarray, y: np.ndarray) -> Path:
    return write_csv(folder, X, y, sep="\t").rename(named(folder, ".tsv"))


def write_parquet(folder: Path, X: np.ndarray, y: np.ndarray) -> Path:
    table(X, y).to_parquet(named(folder, ".parquet"))
    return named(folder, ".parquet")


def write_npz(folder: Path, X: np.ndarray, y: np.ndarray, *test: np.ndarray) -> Path:
    np.savez(named(folder, ".npz"), X=X, y=y, **dict(zip(("X_test", "y_test"), test, strict=False)))
    return named(folder, ".npz")


def write_npy(folder: Path, X: np.ndarray, y: np.ndarray, *test: np.ndarray) -> Path:
    for role, array in zip(("X", "y", "X_test", "y_test"), (X, y, *test), strict=False):
        np.save(named(folder, f"_{role}.npy"), array)
    return named(folder, "_X.npy")


def write_sequences(folder: Path, X: np.ndarray, y: np.ndarray, *test: np.ndarray) -> Path:
    """Write steps of one feature, of the digits 8 steps of 8 features."""
    parts = [(_steps(part), codes) for part, codes in _pairs(X, y, *test)]
    return write_npy(folder, *(array for part in parts for array in part))


def write_image_arrays(folder: Path, X: np.ndarray, y: np.ndarray, *test: np.ndarray) -> Path:
    parts = [(_pixels(part), codes) for part, codes in _pairs(X, y, *test)]
    return write_npz(folder, *(array for part in parts for array in part))


def write_image_folder(folder: Path, X: np.ndarray, y: np.ndarray, *test: np.ndarray) -> Path:
    """Write a folder for each class, with a test part within ``train`` and ``test``."""
    for part, (samples, codes) in zip(("train", "test"), _pairs(X, y, *test), strict=False):
        for k, (image, code) in enumerate(zip(_pixels(samples), codes, strict=True)):
            file = named(folder, "") / (part if test else "") / str(code) / f"{k:04}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(file)
    return named(folder, "")


TABLES: dict[str, Write] = {
    "csv": write_csv,
    "csv with decimal commas": write_decimal_commas,
    "tsv": write_tsv,
    "parquet": write_parquet,
}
ARRAYS: dict[str, Write] = {"npz": write_npz, "npy": write_npy, "sequences": write_sequences}
IMAGES: dict[str, Write] = {"images in npz": write_image_arrays, "folder of images": write_image_folder}


def _pairs(*arrays: np.ndarray) -> Iterator[Rows]:
    return zip(arrays[::2], arrays[1::2], strict=True)


def _steps(X: np.ndarray) -> np.ndarray:
    return X.reshape(len(X), 8, 8) if X.shape[1] == 64 else X[..., np.newaxis]


def _pixels(X: np.ndarray) -> np.ndarray:
    return X.reshape(len(X), 8, 8).astype(np.uint8)
