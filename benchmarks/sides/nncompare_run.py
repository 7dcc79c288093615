"""nncompare's side of ``peers.py``: one study whose search leaves room for its refit within the budget."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from nncompare.comparison import run
from nncompare.estimate import N_MEASURED, study_work
from nncompare.execution.runner import LocalRunner
from nncompare.metrics import predicted, read_probabilities
from nncompare.pace import measure_pace
from nncompare.plan import Plan
from nncompare.planning import make_plan
from nncompare.results import StudyRecord
from nncompare.session import quiet_session
from nncompare.settings import RunConfig

from .homes import HOMES
from .memory import MemoryWatch

MOST_TRIALS = 1_000
"""More than any budget has time for."""

MARGIN_S = 1.0
"""For the report and the end of the process."""


def search(job: dict[str, Any]) -> dict[str, Any]:
    """Carry out a run as ``compare()`` does, its ``timeout_s`` set from the pace of an epoch or two."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        config = RunConfig(
            models=(job["family"],),
            datasets=(HOMES[job["family"]],),
            n_trials=MOST_TRIALS,
            max_epochs=job["epochs"],
            n_refits=1,
            jobs=job["jobs"],
            seed=job["seed"],
            out=Path(folder),
        )
        with LocalRunner() as runner:
            plan = make_plan(config, runner)
            watch = MemoryWatch()
            reserve_s = job["reserve"] * _tail_s(plan, runner, Path(folder)) + MARGIN_S
            search_s = job["started"] + job["budget_s"] - time.monotonic() - reserve_s
            plan = replace(plan, config=replace(config, timeout_s=max(0.001, search_s)))
            results = run(plan, runner)
            memory_mb = watch.stop()
        wall_s = time.monotonic() - job["started"]
        times = {"wall_s": wall_s, "search_s": search_s, "reserve_s": reserve_s}
        return {**times, "memory_mb": memory_mb, **_found(plan, results.studies[0])}


def _tail_s(plan: Plan, runner: LocalRunner, folder: Path) -> float:
    """Return what comes after the last trial has begun: that trial, the refit, the timing of the saved model."""
    study, dataset = plan.studies[0], plan.datasets[0]
    pace = measure_pace(study, dataset, quiet_session(plan.config, runner, folder, plan.jobs))
    work = study_work(study, pace, dataset.n_valid, dataset.n_test, plan.config.trial_timeout_s)
    predict_s = pace.epoch_s / study.search_samples / 3
    return work.trials[-1] + work.refits[0] + N_MEASURED * predict_s


def _found(plan: Plan, study: StudyRecord) -> dict[str, Any]:
    """Return the scores of the one refit; of validation those of the refit, or of its trial where it had none."""
    refit, stored = study.refits[0], plan.datasets[0].stored
    if stored is None or refit.predictions is None:
        raise RuntimeError(f"the refit has no predictions: {refit.failure}")
    y = stored.y_test()
    probabilities = read_probabilities(plan.folder / refit.predictions, len(y), len(stored.class_names))
    losses = [(loss, epoch) for epoch, loss in enumerate(refit.curve.valid_loss) if loss is not None]
    loss, accuracy = study.valid_log_loss, study.valid_accuracy
    if losses:
        loss, epoch = min(losses)
        accuracy = refit.curve.valid_accuracy[epoch]
    return {
        "n_finished": sum(trial.state in ("complete", "pruned") for trial in study.trials),
        "valid_log_loss": loss,
        "valid_accuracy": accuracy,
        "params": study.best_params,
        "refit_s": refit.fit_time_s,
        "correct": (predicted(probabilities) == y).tolist(),
    }
