"""By how many MB the resident memory of a run grows over 100 trials, beside the same trials in one process.

    python benchmarks/memory.py [--trials 100]

A tiny Keras model (the documentation's) and the installed mlp, one epoch on a table of 60 rows: what is left of a
trial counts, not what it trains. The growth is that from the fifth trial to the last one: the first ones load
libraries late.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil

LIMIT_MB = 20.0
FIRST = 5
HERE = Path(__file__).resolve()
PLUGINS = {
    "keras": f"{HERE.parents[1] / 'docs' / 'examples' / 'dense.py'}:Dense",
    "sklearn": "nncompare_plugins.mlp:MLP",
}


def resident_mb(process: psutil.Process) -> float:
    """Return the resident memory of a process in MB (10**6 bytes)."""
    return process.memory_info().rss / 1e6


def in_run(plugin: str, n_trials: int) -> dict[str, float]:
    """Search with nncompare; return the growth of this process and of its servers."""
    from sides.small_run import compare_on_a_small_table

    from nncompare.events import TrialFinished

    seen: dict[int, dict[str, float]] = {}

    def look(event) -> None:
        if isinstance(event, TrialFinished) and event.n_finished in (FIRST, n_trials):
            me = psutil.Process()
            servers = {f"server '{server.cmdline()[-1]}'": resident_mb(server) for server in me.children()}
            seen[event.n_finished] = {"coordinator": resident_mb(me), **servers}

    compare_on_a_small_table(plugin, n_trials, max_epochs=1, listener=look)
    return {name: seen[n_trials][name] - seen[FIRST][name] for name in seen[FIRST]}


def in_process(plugin: str, n_trials: int) -> dict[str, float]:
    """Train the same number of models in this process; return its growth."""
    import optuna

    from nncompare.data.records import Data, DataSpec
    from nncompare.plugin import FitContext
    from nncompare.registry import load_class

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    y = np.arange(48) % 2
    X = np.random.default_rng(0).normal(size=(48, 2)).astype(np.float32)
    spec = DataSpec(
        name="table", view="tabular", n_classes=2, class_names=("a", "b"), sample_shape=(2,), n_train=len(y)
    )
    data, model, me = Data(X, y, spec), load_class(plugin)(), psutil.Process()
    seen = []

    def objective(trial: optuna.Trial) -> float:
        context = FitContext(seed=trial.number, max_epochs=1, n_threads=1)
        model.fit(model.suggest_params(trial, spec), data, data, context)
        return context.history[-1].valid_loss

    study = optuna.create_study()
    study.optimize(objective, n_trials, callbacks=[lambda _study, _trial: seen.append(resident_mb(me))])
    return {"one process": seen[-1] - seen[FIRST - 1]}


SIDES = {"run": in_run, "process": in_process}


def measure(side: str, plugin: str, n_trials: int) -> dict[str, float]:
    """Return the growth of one side in a process of its own."""
    command = [sys.executable, str(HERE), "--side", side, "--plugin", plugin, "--trials", str(n_trials)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--plugin", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(SIDES[options.side](options.plugin, options.trials)))
        return 0
    print(f"growth of the resident memory from trial {FIRST} to trial {options.trials}, in MB")
    late = False
    for name, plugin in PLUGINS.items():
        for side in SIDES:
            growth = measure(side, plugin, options.trials)
            told = ", ".join(f"{who} {grown:.1f}" for who, grown in growth.items())
            if side == "run":
                total = sum(growth.values())
                late = late or total > LIMIT_MB
                met = "missed" if total > LIMIT_MB else "met"
                told += f": {total:.1f} in all  (target: at most {LIMIT_MB:g}, {met})"
            print(f"{name:<9}{told}", flush=True)
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
