"""How fast a study trains: a child that trains the default configuration for an epoch or two, and is forgotten."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nncompare.data.seeds import derive_seed
from nncompare.execution.specs import Answer, FitAnswer
from nncompare.execution.supervisor import RefusedError
from nncompare.plan import PlannedDataset, PlannedStudy
from nncompare.session import Session

__all__ = ["Pace", "Unmeasured", "measure_pace"]

N_EPOCHS = 2
ENOUGH_S = 1.5
"""Where the first epoch takes longer, building the model is a small part of it and there is no second one."""


class Unmeasured(Exception):  # noqa: N818 - no error: a run does not need to know how long it takes
    """Why the pace of a study is not known, in one sentence."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a training of the default configuration costs, in seconds of wall time.

    Parameters
    ----------
    startup_s : float
        Process, data and graph, once per training.
    epoch_s : float
        One epoch with its validation, on the rows of the search.
    at_once : bool
        The model is fitted in one go: there is one epoch, whatever the budget says.
    """

    startup_s: float
    epoch_s: float
    at_once: bool = False


@dataclass(slots=True)
class _Stopwatch:
    """Answers a child in place of a search, and notes when its epochs ended."""

    study: PlannedStudy
    started: float = 0.0
    reports: list[tuple[int, float]] = field(default_factory=list)

    def answer(self, kind: str, message: Mapping[str, Any]) -> Any:
        if kind == "suggest":
            return self._suggest(message["name"], message["distribution"], message["arguments"])
        if kind == "report":
            seconds = time.monotonic() - self.started
            self.reports.append((message["epoch"], seconds))
            return len(self.reports) < N_EPOCHS and seconds < ENOUGH_S
        raise RefusedError(f"A training that is timed cannot ask for '{kind}'.")

    def _suggest(self, name: str, distribution: str, arguments: Mapping[str, Any]) -> Any:
        """Return the pinned or the default value; of a parameter that is new because of a pin, the middle one."""
        for known in (self.study.pins, self.study.defaults):
            if name in known:
                return known[name]
        if distribution == "categorical":
            return arguments["choices"][0]
        low, high = arguments["low"], arguments["high"]
        middle = math.sqrt(low * high) if arguments.get("log") else (low + high) / 2
        return min(high, max(low, round(middle))) if distribution == "int" else middle


def measure_pace(study: PlannedStudy, dataset: PlannedDataset, session: Session) -> Pace:
    """Train the default configuration, with the pins in it, for an epoch or two on the rows of the search.

    Nothing of it but the time is used or kept: it is not a trial.

    Parameters
    ----------
    study : PlannedStudy
        Without a failure.
    dataset : PlannedDataset
        That of the study, loaded.
    session : Session
        Its folder receives log and answer of the child, its time limit holds.

    Raises
    ------
    Unmeasured
        The training failed, took too long or reported no epoch.
    DataError
        The data cannot become the study's view.
    StorageError
        The cache cannot be written.
    """
    watch = _Stopwatch(study)
    n_epochs = min(N_EPOCHS, study.max_epochs)
    seed = derive_seed(session.config.seed, study.model, study.dataset, "estimate")
    data = session.search_data(study, dataset)  # a run finds it in the cache afterwards
    spec = session.fit_spec(study, data, "estimate", seed=seed, max_epochs=n_epochs)
    watch.started = time.monotonic()
    answer = session.runner.run(spec, watch.answer)
    if not isinstance(answer, FitAnswer) or answer.status == "failed":
        raise Unmeasured(_reason(answer, watch, spec.timeout_s))
    if not watch.reports:
        raise Unmeasured("It reports no epochs, so nothing is known of their time.")
    return _pace(watch.reports, answer, n_epochs)


def _pace(reports: list[tuple[int, float]], answer: FitAnswer, n_epochs: int) -> Pace:
    """Return the pace between two reports, else that of the first one without its first batch."""
    epoch, seconds = reports[0]
    if len(reports) > 1:
        last, later = reports[1]
        epoch_s = max(0.0, later - seconds) / max(1, last - epoch)
        return Pace(max(0.0, seconds - epoch * epoch_s), epoch_s)
    if answer.status == "complete" and epoch < n_epochs:
        return Pace(0.0, seconds, at_once=True)
    startup_s = min(answer.first_batch_s or 0.0, seconds)
    return Pace(startup_s, (seconds - startup_s) / max(1, epoch))


def _reason(answer: Answer, watch: _Stopwatch, limit_s: float) -> str:
    if answer.failure is None:
        return "The training ended without a result."
    if answer.failure.category == "timeout" and not watch.reports:
        return f"Its first epoch takes more than {limit_s:g} s."
    return answer.failure.message
