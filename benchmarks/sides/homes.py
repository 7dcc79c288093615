"""The three home studies: what a refit of each is, and what the searches of all three take."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nncompare.data.seeds import derive_seed
from nncompare.exceptions import NNCompareError
from nncompare.execution.runner import LocalRunner
from nncompare.plan import Plan, PlannedStudy
from nncompare.planning import make_plan
from nncompare.results import Results, StudyRecord
from nncompare.session import Session, quiet_session
from nncompare.settings import RunConfig

HOMES = {"mlp": "digits", "cnn": "mnist", "lstm": "imdb"}


@dataclass(frozen=True, slots=True)
class Home:
    """What both sides of one training need: the data, and the refit of a configuration."""

    name: str
    data: Path
    params: dict[str, Any]
    source: str
    max_epochs: int
    pilot: dict[str, Any] | None
    refit: dict[str, Any]
    seeds: list[int]


def plan_homes(names: list[str], run: Path | None, n_seeds: int, threads: int) -> list[Home]:
    """Return the refits of a finished run, or of the default configurations; a wrong run ends the script."""
    try:
        results = None if run is None else Results.read(run / "results.json" if run.is_dir() else run)
        with tempfile.TemporaryDirectory() as folder, LocalRunner() as runner:
            return [_plan_home(name, results, n_seeds, threads, runner, Path(folder)) for name in names]
    except NNCompareError as error:
        sys.exit(str(error))


def _plan_home(
    name: str, results: Results | None, n_seeds: int, threads: int, runner: LocalRunner, folder: Path
) -> Home:
    config = RunConfig(models=(name,), datasets=(HOMES[name],), jobs=1, threads=threads)
    record = None
    if results is not None:
        record = next((s for s in results.studies if (s.model, s.dataset) == (name, HOMES[name])), None)
        if record is None or not record.best_params or record.budget is None:
            sys.exit(f"The run {results.run_id} has no finished study of {name} on {HOMES[name]}.")
        config = replace(config, seed=results.seed, max_epochs=record.budget.max_epochs)
    plan = make_plan(config, runner)
    study, dataset = plan.studies[0], plan.datasets[0]
    if study.failure is not None or dataset.stored is None:
        sys.exit(f"{name} on {HOMES[name]} cannot be trained: {study.failure and study.failure.message}")
    session = quiet_session(config, runner, folder, 1)
    params = dict(study.defaults) if record is None else record.best_params
    refit = session.fit_spec(
        study,
        session.refit_data(study, dataset),
        "refit",
        seed=0,
        max_epochs=_epochs(study, record),
        params=params,
    )
    job = {
        "spec": refit.model_dump(mode="json"),
        "X_test": str(session.refit_data(study, dataset).X_test),
        "y_test": str(dataset.stored.folder / "y_test.npy"),
    }
    return Home(
        name=name,
        data=dataset.stored.folder,
        params=params,
        source="default configuration" if results is None else f"run {results.run_id}",
        max_epochs=_epochs(study, record),
        pilot=_pilot(plan, session, params, job) if record is None and not study.valid_in_refit else None,
        refit=job,
        seeds=[derive_seed(config.seed, name, HOMES[name], "refit", number) for number in range(n_seeds)],
    )


def _epochs(study: PlannedStudy, record: StudyRecord | None) -> int:
    """Return how long a refit trains: the best trial's epochs where it has no validation part."""
    if study.valid_in_refit or record is None:
        return study.max_epochs
    return record.best_epoch or study.max_epochs


def _pilot(plan: Plan, session: Session, params: dict[str, Any], refit: dict[str, Any]) -> dict[str, Any]:
    """Return the job of trial 0, which tells for how many epochs the default configuration is refitted."""
    study = plan.studies[0]
    seed = derive_seed(plan.config.seed, study.model, study.dataset, "trial", 0)
    data = session.search_data(study, plan.datasets[0])
    spec = session.fit_spec(study, data, "pilot", seed=seed, max_epochs=study.max_epochs, params=params)
    return {**refit, "spec": spec.model_dump(mode="json")}


def with_seed(job: dict[str, Any], seed: int, max_epochs: int | None = None) -> dict[str, Any]:
    """Return the job of one refit."""
    changed = {"seed": seed} | ({} if max_epochs is None else {"max_epochs": max_epochs})
    return {**job, "spec": {**job["spec"], **changed}}


def run_homes(job: dict[str, Any]) -> dict[str, Any]:
    """Carry out a run of just the three home studies, as ``nncompare run`` would if it could be asked for them."""
    from nncompare.comparison import run
    from nncompare.estimate import estimate_plan

    config = RunConfig(models=tuple(HOMES), preset=job["preset"], jobs=job["jobs"], out=Path(job["out"]))
    with LocalRunner() as runner:
        plan = make_plan(config, runner)
        plan = replace(
            plan,
            studies=tuple(study for study in plan.studies if HOMES[study.model] == study.dataset),
            datasets=tuple(dataset for dataset in plan.datasets if dataset.name in HOMES.values()),
        )
        results = run(plan, runner, estimate=estimate_plan(plan, runner))
    return {
        "folder": str(plan.folder),
        "wall_s": time.monotonic() - job["started"],
        "states": {study.model: study.status for study in results.studies},
        "accuracy": {s.model: s.test.accuracy.mean for s in results.studies if s.test is not None},
    }


def home_wall_s(run: Path) -> float | None:
    """Return for how long a finished run had a trial or refit of a home study under way.

    That is the union of their intervals: trials count from the start of their study, which run.log tells, as it
    does the end of each refit. None where the run was resumed, so that a study has several beginnings.
    """
    results = Results.read(run / "results.json")
    if results.resumed_at or not (run / "run.log").is_file():
        return None
    log = [line.split(" ", 1) for line in (run / "run.log").read_text(encoding="utf-8").splitlines()]
    intervals: list[tuple[float, float]] = []
    for study in results.studies:
        if HOMES.get(study.model) == study.dataset:
            intervals += _intervals(study, log)
    return _union(intervals)


def _intervals(study: StudyRecord, log: list[list[str]]) -> Iterator[tuple[float, float]]:
    """Yield the beginning and the end of each training of a study, in seconds since 1970."""
    who = f"{study.model} {study.dataset}"
    begun = next(_seconds(stamp) for stamp, text in log if text.startswith(f"study {who}:"))
    for trial in study.trials:
        if trial.started_s is not None and trial.finished_s is not None:
            yield begun + trial.started_s, begun + trial.finished_s
    ended = {text.split()[3].rstrip(":"): stamp for stamp, text in log if text.startswith(f"refit {who} ")}
    for refit in study.refits:
        if str(refit.seed) in ended:
            end = _seconds(ended[str(refit.seed)])
            yield end - (refit.fit_time_s or 0.0) - (refit.predict_time_s or 0.0), end


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _union(intervals: list[tuple[float, float]]) -> float:
    """Return the length of what the intervals cover together."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def read_job(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the job that the parent wrote."""
    found: dict[str, Any] = json.loads(arguments.job.read_text())
    return found
