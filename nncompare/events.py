"""What a run tells whoever watches it; a listener is any callable that takes an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nncompare.results import FinalRecord, RefitRecord, Results, StudyRecord, TrialRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadProgress:
    """A data set's file is being fetched; the fields are those of :class:`~nncompare.data.remote.Transfer`."""

    dataset: str
    file: str
    source: str
    received_bytes: int
    total_bytes: int
    state: Literal["waiting", "receiving", "done", "failed"]


@dataclass(frozen=True, slots=True)
class StudyStarted:
    """A search begins."""

    model: str
    dataset: str
    n_trials: int
    max_epochs: int
    n_refits: int
    n_finalists: int = 1


@dataclass(frozen=True, slots=True)
class EpochFinished:
    """A running trial, final or refit reported an epoch; ``role`` says which."""

    model: str
    dataset: str
    role: Literal["trial", "final", "refit"]
    number: int
    epoch: int
    max_epochs: int
    valid_loss: float | None


@dataclass(frozen=True, slots=True)
class TrialFinished:
    """A trial ended; ``best`` is the lowest validation log loss of the study so far."""

    model: str
    dataset: str
    trial: TrialRecord
    n_finished: int
    n_trials: int
    best: float | None


@dataclass(frozen=True, slots=True)
class FinalFinished:
    """A final ended: one of the best trials of a search on a sample, trained on all rows."""

    model: str
    dataset: str
    final: FinalRecord
    n_finished: int
    n_finals: int


@dataclass(frozen=True, slots=True)
class TrialChosen:
    """All finals of a study ended, so that its choice is made; ``n_samples`` are the rows of each final."""

    model: str
    dataset: str
    finals: tuple[FinalRecord, ...]
    n_samples: int


@dataclass(frozen=True, slots=True)
class RefitFinished:
    """A refit ended, with its test scores."""

    model: str
    dataset: str
    refit: RefitRecord
    n_finished: int
    n_refits: int


@dataclass(frozen=True, slots=True)
class StudyFinished:
    """A study has its final record."""

    study: StudyRecord


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user."""

    text: str
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class Stopping:
    """A signal came: nothing new starts, and trials that run may finish within ``grace_s`` seconds."""

    grace_s: float


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Everything is written; ``report`` is the path of report.html."""

    results: Results
    report: str


Event: TypeAlias = (
    DownloadProgress
    | StudyStarted
    | EpochFinished
    | TrialFinished
    | FinalFinished
    | TrialChosen
    | RefitFinished
    | StudyFinished
    | Notice
    | Stopping
    | RunFinished
)
Listener: TypeAlias = Callable[[Event], None]
