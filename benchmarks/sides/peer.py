"""A peer's side of ``peers.py``: its search until the deadline, and the model that it delivers."""

from __future__ import annotations

import time
from typing import Any

from .memory import MemoryWatch
from .problem import open_problem


def search(job: dict[str, Any]) -> dict[str, Any]:
    """Import the tool, search, deliver; the clock stops there, and then the test part is predicted."""
    problem = open_problem(job)
    deadline = job["started"] + job["budget_s"]
    if job["tool"] == "optuna":
        from . import optuna_script

        watch = MemoryWatch()
        found = optuna_script.search(job["family"], problem, deadline)
    else:
        from . import keras_tuner_script

        watch = MemoryWatch()
        found = keras_tuner_script.search(job["tool"], job["family"], problem, deadline)
    if found.best.state is None:
        return {"wall_s": time.monotonic() - job["started"], "memory_mb": watch.stop(), "n_finished": 0}
    predict = found.deliver()
    wall_s, memory_mb = time.monotonic() - job["started"], watch.stop()
    return {
        "wall_s": wall_s,
        "memory_mb": memory_mb,
        "n_finished": found.n_finished,
        "valid_log_loss": float(found.best.loss),
        "valid_accuracy": float(found.best.accuracy),
        "params": found.best.params,
        "correct": (predict().argmax(1) == problem.y_test).tolist(),
    }
