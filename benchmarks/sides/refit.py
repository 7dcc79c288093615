"""nncompare's side of ``textbook.py``: one refit as a run does it, and what it would deliver after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nncompare.data.arrays import open_array
from nncompare.data.samples import open_samples
from nncompare.data.views import open_part
from nncompare.execution.plugins import load_plugin
from nncompare.execution.process import limit_threads, seed_globals
from nncompare.execution.specs import FitSpec
from nncompare.plugin import EpochReport, FitContext, ModelPlugin

from .clock import Clock


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Fit once and return, by epoch, the seconds so far and the accuracy on test of the weights to be delivered.

    Those are the weights of the best epoch so far where there is a validation part, else the last ones. Predicting
    the test part stands outside the clock: only the benchmark does it.
    """
    spec = FitSpec.model_validate(job["spec"])
    limit_threads(spec.n_threads, spec.framework)
    seed_globals(spec.seed)
    plugin = load_plugin(spec.plugin, ModelPlugin)
    train_part = open_part(spec.train, spec.data)
    valid = open_part(spec.valid, spec.data) if spec.valid is not None else None
    X_test, y_test = open_samples(Path(job["X_test"])), np.array(open_array(Path(job["y_test"])))
    learners = _watch_learners()
    epochs: list[dict[str, float]] = []

    def on_report(report: EpochReport) -> bool:
        wall, cpu = clock.read()
        with clock.paused():
            right = learners[-1].predict_proba(X_test).argmax(1) == y_test
            epochs.append({"wall_s": wall, "cpu_s": cpu, "accuracy": float(right.mean())})
            if report.epoch != (context.best_epoch() or report.epoch):
                epochs[-1]["accuracy"] = epochs[-2]["accuracy"]
        return True

    context = FitContext(seed=spec.seed, max_epochs=spec.max_epochs, n_threads=spec.n_threads, on_report=on_report)
    clock = Clock()
    model = plugin.fit(spec.params or {}, train_part, valid, context)
    wall, cpu = clock.read()
    final = float((model.predict_proba(X_test).argmax(1) == y_test).mean())
    return {
        "accuracy": final,
        "wall_s": wall,
        "cpu_s": cpu,
        "epochs": len(epochs),
        "best_epoch": context.best_epoch(),
        "by_epoch": epochs,
    }


def _watch_learners() -> list[Any]:
    """Note each learner whose training begins: nncompare hands it to nobody else."""
    from nncompare.frameworks import keras, sklearn

    seen: list[Any] = []

    def watched(train: Callable[..., None]) -> Callable[..., None]:
        def train_and_note(learner: Any, *arguments: Any, **options: Any) -> None:
            seen.append(learner)
            train(learner, *arguments, **options)

        return train_and_note

    keras.train_learner = watched(keras.train_learner)
    sklearn.train = watched(sklearn.train)
    return seen
