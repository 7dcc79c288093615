"""How far a run is: counts what the events say, and estimates the time that is left."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from nncompare.events import (
    DownloadProgress,
    EpochFinished,
    Event,
    FinalFinished,
    RefitFinished,
    Stopping,
    StudyFinished,
    StudyStarted,
    TrialChosen,
    TrialFinished,
)
from nncompare.results import StudyRecord, TrialRecord
from nncompare.settings import final_epochs

if TYPE_CHECKING:
    from nncompare.plan import Plan

RUNNING = frozenset({"search", "final", "refit"})
"""The phases of a study under way."""
_FIRST_ESTIMATE = 0.03
_MINUTE_S = 60

Phase: TypeAlias = Literal["waiting", "search", "final", "refit", "done"]


@dataclass(slots=True)
class StudyProgress:
    """One study while it runs; work is counted in samples x epochs."""

    model: str
    dataset: str
    n_trials: int
    n_refits: int
    max_epochs: int
    search_samples: int = 1
    refit_samples: int = 1
    n_finals: int = 0
    phase: Phase = "waiting"
    n_trials_done: int = 0
    n_finals_done: int = 0
    n_refits_done: int = 0
    best_loss: float | None = None
    best_accuracy: float | None = None
    started_at: float | None = None
    final: StudyRecord | None = None
    running: dict[tuple[str, int], int] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def label(self) -> str:
        """The study in words."""
        return f"{self.model} on {self.dataset}"

    @property
    def work(self) -> int:
        """All that the study may cost."""
        trials, refits = self.n_trials * self.search_samples, self.n_refits * self.refit_samples
        return self.max_epochs * (trials + refits) + self.n_finals * self.final_epochs * self.refit_samples

    @property
    def final_epochs(self) -> int:
        """Most epochs of a final."""
        return final_epochs(self.max_epochs)

    @property
    def work_done(self) -> int:
        """What is behind it; a trial that ended early counts as a whole one."""
        if self.phase == "done":
            return self.work
        epochs = {
            "trial": self.n_trials_done * self.max_epochs,
            "final": self.n_finals_done * self.final_epochs,
            "refit": self.n_refits_done * self.max_epochs,
        }
        for (role, _number), epoch in self.running.items():
            epochs[role] += min(epoch, self.max_epochs)
        on_all_rows = (epochs["final"] + epochs["refit"]) * self.refit_samples
        return min(self.work, epochs["trial"] * self.search_samples + on_all_rows)


class Foretold(Protocol):
    """What is used of an estimate: the wall seconds of the run, None where they are not known."""

    @property
    def seconds(self) -> float | None: ...  # noqa: D102 - said above


class Tracker:
    """The state of a run, moved on by its events.

    Parameters
    ----------
    clock : callable
        Returns seconds that never go backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started_at = clock()
        self._foretold_s: float | None = None
        self.studies: dict[tuple[str, str], StudyProgress] = {}
        self.downloads: dict[tuple[str, str], DownloadProgress] = {}
        self.stopping_s: float | None = None

    def follow(self, plan: Plan, estimate: Foretold | None = None) -> None:
        """Take over what is going to run, so that the time left covers studies that have not started.

        Parameters
        ----------
        plan : Plan
        estimate : Estimate, optional
            What was foretold for the whole run: the time left until enough of it is done to go by.
        """
        self._started_at = self._clock()
        self._foretold_s = estimate.seconds if estimate is not None else None
        self.downloads.clear()
        for study in plan.studies:
            if study.failure is None:
                self.studies[study.model, study.dataset] = StudyProgress(
                    model=study.model,
                    dataset=study.dataset,
                    n_trials=study.n_trials,
                    n_refits=study.n_refits,
                    max_epochs=study.max_epochs,
                    search_samples=max(1, study.search_samples),
                    refit_samples=max(1, study.refit_samples),
                    n_finals=study.n_finals,
                )

    def update(self, event: Event) -> StudyProgress | None:
        """Count one event; return its study, or None where it belongs to none that is planned."""
        match event:
            case DownloadProgress():
                self._follow_download(event)
            case Stopping(grace_s=grace_s):
                self.stopping_s = grace_s
            case StudyStarted():
                return self._start(event)
            case StudyFinished(study=record):
                study = self.studies.get((record.model, record.dataset))
                if study is not None:
                    study.phase, study.final = "done", record
                return study
            case TrialChosen():
                return self.studies[event.model, event.dataset]
            case EpochFinished() | TrialFinished() | FinalFinished() | RefitFinished():
                study = self.studies[event.model, event.dataset]
                if study.started_at is None:
                    study.phase, study.started_at = "search", self._clock()
                _count(study, event)
                return study
        return None

    def _follow_download(self, event: DownloadProgress) -> None:
        """Keep how far a file is, until it is here or given up."""
        self.downloads.pop((event.dataset, event.file), None)
        if event.state in {"waiting", "receiving"}:
            self.downloads[event.dataset, event.file] = event

    def _start(self, event: StudyStarted) -> StudyProgress:
        """Return the study, which still waits for its turn: its clock starts with its first report."""
        key = (event.model, event.dataset)
        if key not in self.studies:
            budget = (event.n_trials, event.n_refits, event.max_epochs)
            self.studies[key] = StudyProgress(*key, *budget, n_finals=event.n_finals)
        return self.studies[key]

    def study_left_s(self, study: StudyProgress) -> float | None:
        """Estimate the seconds that a running study still takes; None while there is too little to go by."""
        if study.started_at is None or study.phase == "done":
            return None
        return _left(self._clock() - study.started_at, study.work_done, study.work)

    def elapsed_s(self) -> float:
        """Return the seconds since the beginning, or since the plan was made."""
        return self._clock() - self._started_at

    def left_s(self) -> float | None:
        """Estimate the seconds that the run still takes; None while there is too little to go by."""
        done = sum(study.work_done for study in self.studies.values())
        left = _left(self.elapsed_s(), done, sum(study.work for study in self.studies.values()))
        if left is None and self._foretold_s is not None and self._foretold_s > self.elapsed_s():
            return self._foretold_s - self.elapsed_s()
        return left

    @property
    def n_done(self) -> int:
        """Studies that have ended."""
        return sum(study.phase == "done" for study in self.studies.values())


def _count(study: StudyProgress, event: EpochFinished | TrialFinished | FinalFinished | RefitFinished) -> None:
    """Move one running study on."""
    match event:
        case EpochFinished(role=role, number=number, epoch=epoch):
            study.phase = study.phase if role == "trial" else role
            study.running[role, number] = epoch
        case TrialFinished(trial=trial):
            study.n_trials_done = event.n_finished
            study.running.pop(("trial", trial.number), None)
            _keep_best(study, trial)
            if trial.failure is not None:
                study.errors[trial.failure.message] += 1
        case FinalFinished(final=final):
            study.phase, study.n_finals_done = "final", event.n_finished
            study.n_finals = event.n_finals
            study.running.pop(("final", final.trial), None)
        case RefitFinished():
            study.phase, study.n_refits_done = "refit", event.n_finished
            refits = [key for key in study.running if key[0] == "refit"]
            if refits:  # the event does not say which one: it is the one that is furthest
                del study.running[max(refits, key=study.running.__getitem__)]


def _keep_best(study: StudyProgress, trial: TrialRecord) -> None:
    loss = trial.valid_log_loss
    if trial.state == "complete" and loss is not None and (study.best_loss is None or loss < study.best_loss):
        study.best_loss, study.best_accuracy = loss, trial.valid_accuracy


def _left(elapsed_s: float, done: int, total: int) -> float | None:
    """Extend the pace so far to what remains."""
    if total == 0 or done / total < _FIRST_ESTIMATE:
        return None
    return elapsed_s * (total - done) / done


def duration(seconds: float) -> str:
    """Return a length of time in words: ``40 s``, ``3 min``, ``2 h 05 min``."""
    if seconds < _MINUTE_S:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / _MINUTE_S)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{minutes} min"
