"""The records of single test samples: what models get wrong, alone or together, and what a sample looks like."""

from __future__ import annotations

from typing import TypeAlias

from pydantic import Field

from nncompare.results.base import Record

CellValue: TypeAlias = float | str | None


class Sample(Record):
    """A test sample: its row in the test part, its class, and what a person can see of it, where that is kept.

    ``words`` is a text, of a long one its first and last 30 words; ``thumbnail`` an image of 32 pixels at most, a
    PNG file in base64; ``file`` where that image came from; ``series`` a sequence's first feature in 64 steps at
    most, of 4 significant digits; ``row`` the columns of a table, 20 at most, which are kept only where they were
    asked for.
    """

    id: int
    true: str
    words: str | None = None
    thumbnail: str | None = None
    file: str | None = None
    series: list[float] = Field(default_factory=list)
    row: dict[str, CellValue] = Field(default_factory=dict)


class Mistake(Sample):
    """A test sample that a model gets wrong with high probability, in the mean over its refits.

    ``true`` and ``predicted`` are class names, ``probability`` is that of the predicted class, rounded to 4
    digits. ``by`` names all models of the data set whose mean prediction for this sample is wrong, references not
    among them: where it names every model that was tested, the sample is hard or its label odd.
    """

    predicted: str
    probability: float
    by: list[str] = Field(default_factory=list)


class SharedSample(Sample):
    """A test sample on which models agree in being wrong: all of them, or all but one.

    ``predicted`` gives what each model takes it for, in the mean over its refits; ``right`` names the only model
    that is right, None where none is.
    """

    predicted: dict[str, str] = Field(default_factory=dict)
    right: str | None = None


class ErrorOverlap(Record):
    """How the errors of two or more models overlap on one data set, by their mean predictions over the refits.

    ``only_right`` counts for each model the test samples that it alone gets right. ``wrong_by_all`` and
    ``right_by_one`` are examples, the surest first: at most 5, and at most 3 for each model.
    """

    only_right: dict[str, int] = Field(default_factory=dict)
    wrong_by_all: list[SharedSample] = Field(default_factory=list)
    right_by_one: list[SharedSample] = Field(default_factory=list)
