"""What can be seen of a sample, ready to be drawn: an image, a curve, words or the columns of a row."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nncompare.report import formats
from nncompare.results import Sample

NOTHING = "nothing to show"
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
HEIGHT, _EDGE = 48, 4


@dataclass(frozen=True, slots=True)
class Picture:
    """A small image, a PNG file in base64, or the points of a curve, a unit apart; ``text`` names it."""

    text: str
    png: str = ""
    points: str = ""
    box: str = ""


def picture(sample: Sample) -> Picture | None:
    """Return the image or the curve of a sample; None where it has neither, or one that cannot be drawn."""
    if sample.thumbnail and _BASE64.fullmatch(sample.thumbnail):
        return Picture(f"image of row {sample.id}", png=sample.thumbnail)
    if len(sample.series) < 2:
        return None
    return Picture(
        f"curve of row {sample.id}", points=_points(sample.series), box=f"0 0 {len(sample.series) - 1} {HEIGHT}"
    )


def said(sample: Sample) -> str:
    """Return what of a sample is words: its text or its columns, empty where there is a picture instead."""
    if sample.words:
        return sample.words
    if sample.row:
        return formats.params(sample.row)
    return "" if picture(sample) is not None else NOTHING


def _points(values: list[float]) -> str:
    low, high = min(values), max(values)
    scale = (HEIGHT - 2 * _EDGE) / ((high - low) or 1.0)
    return " ".join(f"{k},{HEIGHT - _EDGE - scale * (value - low):.0f}" for k, value in enumerate(values))
