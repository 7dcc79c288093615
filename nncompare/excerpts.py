"""What a person can see of a test sample: a small picture, a curve, words, or the columns of a row."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nncompare.data.ragged import decode
from nncompare.data.records import Array, Column
from nncompare.data.store import StoredDataset
from nncompare.png import encode_png
from nncompare.results import CellValue

__all__ = ["excerpts"]

Floats = npt.NDArray[np.float64]

PIXELS = 32
STEPS = 64
MOST_COLUMNS = 20
WORDS_AT_EACH_END = 30
CHARACTERS_OF_A_WORD = 40
NAMES = {"image": "pictures", "sequence": "curves", "tokens": "words", "tabular": "rows"}
"""What the excerpts of a view are called."""


def excerpts(stored: StoredDataset, rows: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return what can be seen of test samples, as fields of :class:`~nncompare.results.Sample`, by row.

    Parameters
    ----------
    stored : StoredDataset
        Only the samples that are asked for are read. Texts without words have no excerpt.
    rows : sequence of int
        Of the test part.

    Raises
    ------
    OSError, EOFError, ValueError
        The files of the data set are gone, cut off or changed.
    """
    X_test = stored.X_test()
    if stored.view == "tokens":
        words = stored.words()
        return {row: {"words": _text(decode(X_test[row], words))} for row in rows} if words else {}
    if stored.view == "image":
        return {row: {"thumbnail": thumbnail(X_test[row], stored.scale), **_file(stored, row)} for row in rows}
    if stored.view == "sequence":
        return {row: {"series": _series(X_test[row])} for row in rows}
    return {row: {"row": _columns(X_test[row], stored.columns)} for row in rows}


def _file(stored: StoredDataset, row: int) -> dict[str, str]:
    """Return the file that a test sample came from, where it is known."""
    return {"file": stored.test_files[row]} if stored.test_files else {}


def thumbnail(image: Array, scale: float) -> str:
    """Return an image as a PNG file in base64, at most 32 pixels wide and high.

    Parameters
    ----------
    image : ndarray of shape (height, width, channels)
        With three channels or more the first three are red, green and blue; else the first is grey.
    scale : float
        Multiply by this for unit range. What lies outside of it is stretched from its lowest to its highest value.
    """
    small = _shrunk(np.asarray(image, dtype=np.float64) * scale)
    low, high = small.min(), small.max()
    if low < 0 or high > 1:
        small = (small - low) / ((high - low) or 1.0)
    pixels = np.rint(255 * small).astype(np.uint8)
    channels = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., 0]
    return base64.b64encode(encode_png(channels)).decode("ascii")


def _shrunk(image: Floats) -> Floats:
    """Return the means of square blocks of pixels, of as few pixels as make the image small enough."""
    side = math.ceil(max(image.shape[:2]) / PIXELS)
    return _block_means(_block_means(image, side, 0), side, 1)


def _block_means(values: Floats, length: int, axis: int) -> Floats:
    """Return the means of consecutive blocks along an axis; the last block may be shorter."""
    size = values.shape[axis]
    starts = np.arange(0, size, length)
    counts = np.diff(np.append(starts, size))
    shape = [1] * values.ndim
    shape[axis] = len(starts)
    return np.asarray(np.add.reduceat(values, starts, axis=axis) / counts.reshape(shape), dtype=np.float64)


def _series(sequence: Array) -> list[float]:
    """Return the first feature in at most 64 steps, means of equally many, to a hundredth of their span."""
    first = np.asarray(sequence[:, 0], dtype=np.float64)
    means = _block_means(first, math.ceil(len(first) / STEPS), 0)
    span = float(np.ptp(means))
    decimals = 2 - math.floor(math.log10(span)) if span > 0 else 2
    return [round(float(value), decimals) for value in means]


def _columns(values: Array, columns: Sequence[Column]) -> dict[str, CellValue]:
    """Return the first columns by name, categories as words; columns without names are numbered."""
    named = list(columns) or [Column(name=f"column {k}") for k in range(len(values))]
    pairs = zip(named[:MOST_COLUMNS], values[:MOST_COLUMNS].tolist(), strict=True)
    return {column.name: _value(column, value) for column, value in pairs}


def _value(column: Column, value: float) -> CellValue:
    if math.isnan(value):
        return None
    if column.categories is not None:
        return _cut(column.categories[int(value)])
    return float(f"{value:.6g}")


def _text(words: Sequence[str]) -> str:
    """Return words as one text, of a long one only the beginning and the end, of a long word the beginning."""
    if len(words) > 2 * WORDS_AT_EACH_END:
        words = [*words[:WORDS_AT_EACH_END], "…", *words[-WORDS_AT_EACH_END:]]
    return " ".join(map(_cut, words))


def _cut(word: str) -> str:
    return word if len(word) <= CHARACTERS_OF_A_WORD else f"{word[:CHARACTERS_OF_A_WORD]}…"
