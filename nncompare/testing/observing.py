"""Trainings of a plugin during which the kit looks at what else it does."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nncompare.data.fingerprint import fingerprint
from nncompare.data.records import Data
from nncompare.data.samples import arrays_of
from nncompare.execution.process import seed_globals
from nncompare.plugin import EpochReport
from nncompare.testing.calling import Trained, call_fit
from nncompare.testing.problems import copy_data
from nncompare.testing.watching import ThreadWatch, WatchedContext, changes, preserved, state_of_process

if TYPE_CHECKING:
    from nncompare.testing.subject import ModelSubject

__all__ = ["GLOBAL_SEEDS", "Observed", "observed", "observed_threads"]

GLOBAL_SEEDS = 1000
"""The global generators are seeded too, as in a run, but with other numbers: whoever seeds them anew is seen."""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Observed:
    """A training together with what it changed: names of shared things, and of its own arguments."""

    trained: Trained
    shared: list[str]
    arguments: list[str]


def observed(subject: ModelSubject, *, seed: int, max_epochs: int) -> Observed:
    """Train the test configuration on the plain problem, and see what that changes."""
    problem = subject.problem()
    parts = {"train": copy_data(problem.train), "valid": copy_data(problem.valid)}
    params = subject.test_params(problem.spec)
    given, plugin = copy.deepcopy(params), subject.plugin()
    context = WatchedContext(seed=seed, max_epochs=max_epochs)
    with preserved():
        seed_globals(GLOBAL_SEEDS + seed)
        before, digests = state_of_process(), _digests(parts)
        trained = call_fit(plugin, params, parts["train"], parts["valid"], context)
        shared = changes(before, state_of_process())
    changed = changes(digests, _digests(parts)) + (["params"] if params != given else [])
    return Observed(trained, shared, changed)


def observed_threads(subject: ModelSubject) -> tuple[Trained, str | None]:
    """Train with a deadline an hour away; return the training, and which threads it used beyond its number."""
    from threadpoolctl import threadpool_limits

    problem = subject.problem()
    with threadpool_limits(1):
        watch = ThreadWatch(1)

        def look(_report: EpochReport) -> bool:
            watch.look()
            return True

        with watch.watching():
            deadline = time.monotonic() + HOUR_S
            trained = subject.fit(problem.train, problem.valid, deadline=deadline, on_report=look)
        return trained, watch.found


def _digests(parts: dict[str, Data]) -> dict[str, str]:
    samples = {f"{name}.X": fingerprint(**arrays_of("X", part.X)) for name, part in parts.items()}
    return samples | {f"{name}.y": fingerprint(y=part.y) for name, part in parts.items()}
