"""What tests of whole runs share: one call that plans and runs with a warm runner, and what must repeat."""

import json
import math
from pathlib import Path

from nncompare.comparison import run
from nncompare.planning import make_plan
from nncompare.results import Results
from nncompare.settings import RunConfig

from .children import fault

NOT_REPEATED = {
    "run_id", "created_at", "finished_at", "duration_s", "environment", "search_time_s", "fit_time_s", "fit_cpu_s",
    "first_batch_s", "predict_time_s", "peak_memory_mb", "started_s", "finished_s", "latency_ms", "search_cpu_s",
    "finals_cpu_s",
    "throughput_per_s", "trial_memory_mb", "manifest_sha256",
}  # fmt: skip
LABEL_FREE = (
    "trials",
    "finals",
    "best_trial",
    "best_params",
    "best_epoch",
    "valid_log_loss",
    "valid_accuracy",
    "importance",
)


def compare_with(runner, out, models=("Nearest",), datasets=("digits",), listener=None, **settings):
    """Run models of faults.py (or paths, or installed ones), small and one trial at a time by default."""
    names = tuple(name if ":" in name or name.islower() else fault(name) for name in models)
    budget = {"n_trials": 3, "max_epochs": 3, "n_refits": 2, "jobs": 1}
    config = RunConfig(models=names, datasets=tuple(datasets), out=out, **(budget | settings))
    plan = make_plan(config, runner, listener)
    return run(plan, runner, listener), plan.folder


def repeated(value):
    """Return what must be equal between two equal runs: no times, memory or dates."""
    if isinstance(value, Results):
        return repeated(json.loads(value.to_json()))
    if isinstance(value, dict):
        return {name: repeated(item) for name, item in value.items() if name not in NOT_REPEATED}
    return [repeated(item) for item in value] if isinstance(value, list) else value


def differing(ours, theirs):
    """Return a line for each value in which the results of two runs differ, but for times and the like.

    Runs in two processes may differ in last digits: sums of products depend on how arrays lie in memory.
    """
    ours, theirs = repeated(ours), repeated(theirs)
    return [line for part in ("studies", "datasets") for line in unlike(part, ours[part], theirs[part])]


def unlike(place, ours, theirs):
    """Return where two values of JSON differ by more than last digits."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return [line for name in ours for line in unlike(f"{place}.{name}", ours[name], theirs[name])]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [line for i in range(len(ours)) for line in unlike(f"{place}[{i}]", ours[i], theirs[i])]
    floats = isinstance(ours, float) and isinstance(theirs, float)
    equal = math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-6) if floats else ours == theirs
    return [] if equal else [f"{place}: {ours!r}, {theirs!r}"]


def selection(study):
    """Return all that a search decided: nothing of it may depend on test labels."""
    fields = repeated(json.loads(study.model_dump_json()))
    refits = [(refit["seed"], refit["epochs"], refit["curve"]) for refit in fields["refits"]]
    return {name: fields[name] for name in LABEL_FREE} | {"refits": refits}


def files_of(folder):
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())
