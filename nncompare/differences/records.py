"""The records of ``nncompare diff``: what two runs differ in; ``difference`` is always B minus A."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from nncompare.results import Interval, Record, StudyStatus

DataState: TypeAlias = Literal[
    "same", "other data", "other test labels", "other split", "unknown", "only a", "only b"
]
ScoreState: TypeAlias = Literal["better", "worse", "equal", "undecided", "identical", "not compared"]


class RunName(Record):
    """One of the two runs."""

    run_id: str
    folder: str
    created_at: str


class Change(Record):
    """Something that has another value in B than in A; None where one of them lacks it."""

    name: str
    a: Any = None
    b: Any = None


class DataDifference(Record):
    """Whether both runs saw the same data: scores are compared only where ``state`` is "same".

    ``verdict_changed`` tells whether another model wins or shares the first place, whatever the words are.
    """

    dataset: str
    state: DataState
    reason: str = ""
    verdict_a: str = ""
    verdict_b: str = ""
    verdict_changed: bool = False


class ScoreDifference(Record):
    """The accuracy of a model in both runs, and whether the difference is real.

    "better" and "worse" say that the interval of B minus A excludes 0, "equal" that it lies inside the margin,
    "identical" that every probability is the same. With ``single_seed`` one of the runs has a single seed, so the
    interval knows nothing of what another seed would do. ``failed_refits`` says why a difference
    whose interval excludes 0 is "undecided": the run ahead leads by the refits that worked. ``reason`` says why
    nothing is compared, or why not item by item.
    """

    state: ScoreState
    a: Interval | None = None
    b: Interval | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    reason: str = ""
    single_seed: bool = False
    failed_refits: str = ""


class StudyDifference(Record):
    """One model on one data set in both runs; a status is None where a run does not have the pair."""

    model: str
    dataset: str
    status_a: StudyStatus | None
    status_b: StudyStatus | None
    score: ScoreDifference
    params: list[Change] = Field(default_factory=list)
    budget: list[Change] = Field(default_factory=list)
    costs: list[Change] = Field(default_factory=list)


class RunDifference(Record):
    """Everything in which run B differs from run A; ``changes`` are settings and versions."""

    a: RunName
    b: RunName
    changes: list[Change] = Field(default_factory=list)
    datasets: list[DataDifference] = Field(default_factory=list)
    studies: list[StudyDifference] = Field(default_factory=list)
