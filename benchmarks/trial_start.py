"""How long a Keras trial takes from submit to the first line of ``fit``, warm, against a fresh interpreter.

    python benchmarks/trial_start.py [--n 20]

Both ways are measured in one run, alternating, with the same tiny data and the same plugin file.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from nncompare.data.records import DataSpec
from nncompare.data.views import PreparedPart
from nncompare.execution.launch import Spawner
from nncompare.execution.runner import LocalRunner
from nncompare.execution.specs import FitSpec

TARGET_S = 0.05

PLUGIN = """
import time
from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import ModelTags


class Stamp(KerasPlugin):
    tags = ModelTags(accepts=("tabular",), framework="keras")

    def suggest_params(self, trial, data):
        return {}

    default_params = suggest_params

    def build(self, params, data):
        raise NotImplementedError

    def fit(self, params, train, valid, context):
        raise RuntimeError(f"entered at {time.time()!r}")
"""


def seconds_to_fit(runner: LocalRunner, folder: Path, number: int) -> float:
    """Return the seconds from the call of ``run`` to the first line of ``fit``."""
    part = PreparedPart(X=folder / "X.npy", y=folder / "y.npy")
    names = ("a", "b")
    data = DataSpec(name="toy", view="tabular", n_classes=2, class_names=names, sample_shape=(3,), n_train=10)
    spec = FitSpec(
        plugin=f"{folder / 'stamp.py'}:Stamp",
        framework="keras",
        result=folder / f"{number}.json",
        log=folder / f"{number}.log",
        data=data,
        train=part,
        valid=part,
        seed=number,
        max_epochs=1,
    )
    start = time.time()
    answer = runner.run(spec)
    if answer.failure is None or "entered at" not in answer.failure.message:
        raise SystemExit(f"unexpected answer: {answer}")
    return float(answer.failure.message.split("entered at ")[1].split(" ")[0]) - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=20, help="forked trials (a quarter as many fresh ones)")
    n = parser.parse_args().n
    with tempfile.TemporaryDirectory() as name, LocalRunner() as warm, LocalRunner() as cold:
        folder = Path(name)
        (folder / "stamp.py").write_text(PLUGIN)
        np.save(folder / "X.npy", np.zeros((10, 3), dtype=np.float32))
        np.save(folder / "y.npy", np.arange(10) % 2)
        cold._launchers["keras"] = Spawner()  # the fallback, forced
        start = time.time()
        seconds_to_fit(warm, folder, 0)
        server = time.time() - start
        forked, fresh = [], []
        for number in range(1, n + 1):
            forked.append(seconds_to_fit(warm, folder, number))
            if number % 4 == 0:
                fresh.append(seconds_to_fit(cold, folder, 1000 + number))
    print(f"fork server's imports, once: {server:.2f} s")
    print(f"{'start of a Keras trial':<28}{'min':>8}{'median':>8}{'max':>8}  n")
    for label, values in (("forked from the server", forked), ("fresh interpreter", fresh)):
        figures = "".join(f"{value:8.3f}" for value in (min(values), statistics.median(values), max(values)))
        print(f"{label:<28}{figures}  {len(values)}")
    median = statistics.median(forked)
    print(f"ratio of the medians: {median / statistics.median(fresh):.4f}")
    met = "met" if median <= TARGET_S else "missed"
    print(f"median when forked: {median:.3f} s  (target: at most {TARGET_S:g} s, {met})")
    return int(median > TARGET_S)


if __name__ == "__main__":
    sys.exit(main())
