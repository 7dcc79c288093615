"""How long work takes that is shared among slots as a run shares it: a rehearsal with numbers for trainings."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["StudyWork", "wall_time"]

_REFERENCES = -1


@dataclass(frozen=True, slots=True)
class StudyWork:
    """The seconds of each trial of a study, in their order, of each final and of each refit.

    Finals begin after all trials, refits after all finals.
    """

    trials: Sequence[float]
    refits: Sequence[float] = ()
    finals: Sequence[float] = ()


@dataclass(slots=True)
class _Study:
    """A study under way."""

    work: StudyWork
    started: float | None = None
    n_trials: int = 0
    n_finals: int = 0
    n_refits: int = 0
    n_running: int = 0

    def begin_task(self, now: float, limit_s: float | None) -> float | None:
        """Return the seconds of the next task and count it as running; None where there is none now."""
        begun = now if self.started is None else self.started
        in_time = limit_s is None or self.n_trials == 0 or now - begun < limit_s
        if self.n_trials < len(self.work.trials) and in_time:
            seconds = self.work.trials[self.n_trials]
            self.n_trials += 1
        elif self.n_finals < len(self.work.finals) and (self.n_finals or not self.n_running):
            seconds = self.work.finals[self.n_finals]
            self.n_finals += 1
        elif self.n_refits < len(self.work.refits) and (self.n_refits or not self.n_running):
            seconds = self.work.refits[self.n_refits]
            self.n_refits += 1
        else:
            return None
        self.started = begun
        self.n_running += 1
        return seconds


def wall_time(
    studies: Sequence[StudyWork], n_slots: int, references_s: float = 0.0, search_limit_s: float | None = None
) -> float:
    """Return the seconds from the first task to the end of the last one.

    Parameters
    ----------
    studies : sequence of StudyWork
        An earlier one has priority: a later one gets the slots that it leaves idle.
    n_slots : int
        Tasks at a time, at least 1.
    references_s : float
        Seconds of the baselines, which hold one slot from the beginning.
    search_limit_s : float, optional
        No trial of a study begins later than this after its first one.
    """
    waiting = [_Study(work) for work in studies]
    running = [(references_s, _REFERENCES)] if references_s > 0 else []
    now = 0.0
    while True:
        while len(running) < n_slots and (task := _next_task(waiting, now, search_limit_s)) is not None:
            heapq.heappush(running, task)
        if not running:
            return now
        now, index = heapq.heappop(running)
        if index != _REFERENCES:
            waiting[index].n_running -= 1


def _next_task(studies: Sequence[_Study], now: float, limit_s: float | None) -> tuple[float, int] | None:
    """Begin the next task of the first study that has one; return when it ends, and whose it is."""
    for index, study in enumerate(studies):
        seconds = study.begin_task(now, limit_s)
        if seconds is not None:
            return now + seconds, index
    return None
