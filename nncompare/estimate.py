"""How long a run will take, foretold from an epoch or two of each study.

A training costs ``startup + epoch * max_epochs * share``: the probe measures the first two, and ``share`` is the
part of its epochs that a training uses before it is pruned or stops early. The shares below were read from the
ledgers of 49 searches of the built-in models (benchmarks/README.md). There is no factor for what other
configurations cost: in the mean a search costs 0.98 times, and the chosen configuration 1.00 times, what the
default one does, though a half and twice both occur. The trainings then fill the slots as in a run.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from nncompare.events import Listener, Notice
from nncompare.exceptions import DataError, StorageError
from nncompare.execution.runner import LocalRunner
from nncompare.pace import Pace, Unmeasured, measure_pace
from nncompare.plan import Plan, PlannedDataset, PlannedStudy
from nncompare.refit import REFERENCE_ROWS
from nncompare.samplers import n_unpruned_trials
from nncompare.schedule import StudyWork, wall_time
from nncompare.session import Session, quiet_session, search_limit_s

__all__ = ["Estimate", "estimate_plan", "in_words", "later_share", "refit_share", "study_work"]

PROBE_TIMEOUT_S = 60.0
LIKELY_FACTOR = 1.6
"""Three of four studies lie between the estimate divided and multiplied by it; a run of several is nearer."""

FIRST_TRIALS_SHARE = 0.92
"""Of ``max_epochs``, before there is anything to prune by: they only stop early, as finals do."""
PREDICT_COST = 1 / 3
"""Of a sample, against training on it."""
N_MEASURED = 220 * 256
"""Samples that are predicted while a saved model is timed."""
CHILD_S = 0.15
REFERENCES_S = 0.8
LOGISTIC_S = {"tokens": 3e-4}
LOGISTIC_DEFAULT_S = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How long a run will take.

    Parameters
    ----------
    seconds : float or None
        Wall time from the first trial to the report; None where a study has no estimate, or nothing runs.
    studies : mapping of (model, data set) to float
        Wall time of each study in seconds, with all slots to itself.
    reasons : mapping of (model, data set) to str
        Why a study that will run has no estimate.
    jobs : int
        Trainings at a time.
    probe_s : float
        What the estimate itself took.
    busy : bool
        More wanted to run than there are processors before the estimate began, so that it is likely too long.
    """

    seconds: float | None
    studies: Mapping[tuple[str, str], float] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    jobs: int = 1
    probe_s: float = 0.0
    busy: bool = False

    @property
    def text(self) -> str:
        """The estimate in one sentence, with how far off it may be; empty where there is none."""
        if self.seconds is None:
            return ""
        low, high = in_words(self.seconds / LIKELY_FACTOR), in_words(self.seconds * LIKELY_FACTOR)
        if " h" not in low + high and low.split()[1] == high.split()[1]:
            low = low.split()[0]
        trials = "1 trial" if self.jobs == 1 else f"{self.jobs} trials"
        return (
            f"The run takes about {in_words(self.seconds)}, likely {low} to {high}, {trials} at a time "
            "(estimated from an epoch or two of each study)."
            + (" Other work is running, so this may be off." if self.busy else "")
        )

    def of_study(self, model: str, dataset: str) -> str:
        """Return the estimate of one study in words."""
        seconds = self.studies.get((model, dataset))
        return "unknown" if seconds is None else in_words(seconds)


def estimate_plan(plan: Plan, runner: LocalRunner, listener: Listener | None = None) -> Estimate:
    """Train each study's default configuration for an epoch or two and foretell the time of the run.

    Studies are probed side by side, as many at a time as trials will be, so that what they take from each other is
    in the times. Nothing is written into the run directory, and no score is used.

    Parameters
    ----------
    plan : Plan
    runner : LocalRunner
    listener : callable, optional
        Receives the estimate in words.

    Returns
    -------
    Estimate
        A study whose training fails, reports no epoch or takes more than 60 s for the first one has a reason
        instead.
    """
    started, busy = time.monotonic(), _is_busy()
    studies = [study for study in plan.studies if study.failure is None]
    datasets = {dataset.name: dataset for dataset in plan.datasets}
    paces: dict[tuple[str, str], Pace | str] = {}
    with tempfile.TemporaryDirectory(prefix="nncompare-estimate-") as folder:
        config = replace(plan.config, trial_timeout_s=min(PROBE_TIMEOUT_S, plan.config.trial_timeout_s))
        session = quiet_session(config, runner, Path(folder), plan.jobs)
        with ThreadPoolExecutor(max_workers=plan.jobs) as pool:
            try:
                found = pool.map(lambda study: _pace(study, datasets[study.dataset], session), studies)
                paces = {(s.model, s.dataset): pace for s, pace in zip(studies, found, strict=True)}
            except KeyboardInterrupt:
                runner.kill()
                raise
    estimate = _estimate(plan, studies, datasets, paces, time.monotonic() - started)
    estimate = replace(estimate, busy=busy and estimate.seconds is not None)
    if listener is not None and estimate.text:
        listener(Notice(estimate.text))
    return estimate


def _is_busy() -> bool:
    """Tell whether more processes wanted to run in the last minute than there are processors."""
    try:
        return os.getloadavg()[0] > (os.cpu_count() or 1)
    except OSError:
        return False


def _pace(study: PlannedStudy, dataset: PlannedDataset, session: Session) -> Pace | str:
    try:
        return measure_pace(study, dataset, session)
    except (Unmeasured, DataError, StorageError, OSError) as error:
        return str(error)


def _estimate(
    plan: Plan,
    studies: Sequence[PlannedStudy],
    datasets: Mapping[str, PlannedDataset],
    paces: Mapping[tuple[str, str], Pace | str],
    probe_s: float,
) -> Estimate:
    """Put the run together from the paces of its studies."""
    share_s = search_limit_s(plan)
    limit_s = None if share_s is None else share_s / plan.jobs
    work: dict[tuple[str, str], StudyWork] = {}
    measured: dict[tuple[str, str], float] = {}
    for study in studies:
        key, dataset = (study.model, study.dataset), datasets[study.dataset]
        pace = paces[key]
        if isinstance(pace, Pace):
            work[key] = study_work(study, pace, dataset.n_valid, dataset.n_test, plan.config.trial_timeout_s)
            measured[key] = CHILD_S + N_MEASURED * _predict_s(study, pace, dataset.n_valid)
    alone = {key: wall_time([one], plan.jobs, 0.0, limit_s) + measured[key] for key, one in work.items()}
    references_s = sum(_references_s(datasets[name]) for name in dict.fromkeys(study.dataset for study in studies))
    reasons = {key: pace for key, pace in paces.items() if isinstance(pace, str)}
    seconds = None
    if studies and not reasons:
        seconds = wall_time(list(work.values()), plan.jobs, references_s, limit_s) + sum(measured.values())
    return Estimate(seconds=seconds, studies=alone, reasons=reasons, jobs=plan.jobs, probe_s=probe_s)


def study_work(study: PlannedStudy, pace: Pace, n_valid: int, n_test: int, longest_s: float) -> StudyWork:
    """Return what each training of a study is likely to take.

    Parameters
    ----------
    study : PlannedStudy
    pace : Pace
    n_valid, n_test : int
        Samples that are predicted after each epoch, and after each refit.
    longest_s : float
        The time limit of a training.
    """
    n_first = min(study.n_trials, n_unpruned_trials(study))
    shares = [FIRST_TRIALS_SHARE] * n_first + [later_share(study.max_epochs)] * (study.n_trials - n_first)
    trials = [_training_s(pace, study.max_epochs * share) for share in shares]
    sample_s = _sample_s(study, pace, n_valid)
    valid_rows = PREDICT_COST * n_valid if study.valid_in_refit else 0.0
    refit_pace = replace(pace, epoch_s=sample_s * (study.refit_samples + valid_rows))
    final = _training_s(refit_pace, study.final_epochs * FIRST_TRIALS_SHARE)
    refit = _training_s(refit_pace, study.max_epochs * refit_share(study.max_epochs))
    refit += CHILD_S + n_test * _predict_s(study, pace, n_valid)
    return StudyWork(
        [min(longest_s, s) for s in trials],
        [min(longest_s, refit)] * study.n_refits,
        [min(longest_s, final)] * study.n_finals,
    )


def _training_s(pace: Pace, epochs: float) -> float:
    return pace.startup_s + pace.epoch_s * (1.0 if pace.at_once else max(1.0, epochs))


def later_share(max_epochs: int) -> float:
    """Return the part of its epochs that a trial uses once there are others to prune by."""
    return min(FIRST_TRIALS_SHARE, 0.4 + 1.0 / max_epochs)


def refit_share(max_epochs: int) -> float:
    """Return where the best epoch is expected: the later, the fewer there are."""
    return min(0.95, 0.55 + 3.5 / max_epochs)


def _sample_s(study: PlannedStudy, pace: Pace, n_valid: int) -> float:
    """Return the seconds of training on one sample, the validation taken out."""
    return pace.epoch_s / max(1.0, study.search_samples + PREDICT_COST * n_valid)


def _predict_s(study: PlannedStudy, pace: Pace, n_valid: int) -> float:
    """Return the seconds of predicting one sample; of a model that is fitted in one go nothing is known."""
    return 0.0 if pace.at_once else PREDICT_COST * _sample_s(study, pace, n_valid)


def _references_s(dataset: PlannedDataset) -> float:
    """Return the seconds of both baselines."""
    if dataset.stored is None:
        return 0.0
    n_rows = min(REFERENCE_ROWS, dataset.n_train + dataset.n_valid)
    return REFERENCES_S + n_rows * LOGISTIC_S.get(dataset.stored.view, LOGISTIC_DEFAULT_S)


def in_words(seconds: float) -> str:
    """Return a length of time as coarsely as it is known: ``25 s``, ``90 s``, ``12 min``, ``2 h 30 min``."""
    for below, step in ((20, 1), (60, 5), (120, 10), (1200, 60), (3600, 300), (36_000, 600)):
        rounded = max(1, round(seconds / step)) * step
        if rounded <= below:
            break
    else:
        return f"{round(seconds / 3600):,} h"
    if rounded < 120:
        return f"{rounded} s"
    hours, minutes = divmod(rounded // 60, 60)
    return (f"{hours} h {minutes:02d} min" if minutes else f"{hours} h") if hours else f"{minutes} min"
