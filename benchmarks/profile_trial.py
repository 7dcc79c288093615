"""Where the time of a training goes: each family's default configuration on all rows of its data, one thread.

Run ``python benchmarks/profile_trial.py [--only lstm]``. Each family is a fresh process: one epoch of a Keras
model, 40 of scikit-learn's. Of Keras models TensorFlow's profiler counts the wall time in each kind of operation;
what remains is Python, tracing and waiting. Of scikit-learn's, Python's profiler counts the time in each
function without what it calls. Profiling adds some per cent. The last line is the floor that this processor sets:
the speed of a large product of float32 matrices on one thread, by the same kernels.

Needs the data sets ``mnist`` and ``imdb``: they are downloaded, or found in ``NNCOMPARE_DATA_DIR``.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sides.fresh import answer, in_fresh_process
from sides.homes import HOMES, plan_homes, read_job

SHOWN = 12
SIZE = 1024
WRAPPERS = (
    "Eager",
    "Execut",
    "Run",
    "Process",
    "__inference",
    "train_on_chunk",
    "<lambda>",
    "TFE_",
    "FunctionRun",
)
"""Events that contain others: they would be counted twice."""


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(HOMES), action="append", help="one of the families; repeatable")
    parser.add_argument("--side", choices=["child"], help=argparse.SUPPRESS)
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        answer(job := read_job(arguments), _profile(job))
        return 0
    from nncompare.execution.launch import child_environment

    for home in plan_homes(arguments.only or list(HOMES), None, 1, 1):
        found = in_fresh_process(__file__, "child", home.refit, child_environment())
        print(f"\n{home.name} on {HOMES[home.name]}: {found['epochs']} epochs, {found['wall_s']:.1f} s")
        for name, seconds, count in found["rows"]:
            print(f"{seconds / found['wall_s']:7.1%} {seconds:7.2f} s {count:7d} x  {name}")
        if found["gflops"]:
            print(f"a product of {SIZE} x {SIZE} matrices: {found['gflops']:.0f} GFLOP/s")
    return 0


def _profile(job: dict[str, Any]) -> dict[str, Any]:
    from nncompare.data.views import open_part
    from nncompare.execution.plugins import load_plugin
    from nncompare.execution.process import limit_threads, seed_globals
    from nncompare.execution.specs import FitSpec
    from nncompare.plugin import FitContext, ModelPlugin

    spec = FitSpec.model_validate(job["spec"])
    limit_threads(1, spec.framework)
    seed_globals(spec.seed)
    plugin = load_plugin(spec.plugin, ModelPlugin)
    train = open_part(spec.train, spec.data)
    valid = open_part(spec.valid, spec.data) if spec.valid is not None else None
    epochs = 1 if spec.framework == "keras" else 40

    def fit() -> None:
        plugin.fit(spec.params or {}, train, valid, FitContext(seed=spec.seed, max_epochs=epochs))

    count = _operations if spec.framework == "keras" else _functions
    start = time.perf_counter()
    rows = count(fit)
    wall = time.perf_counter() - start
    gflops = _gflops() if spec.framework == "keras" else None
    return {"wall_s": wall, "epochs": epochs, "rows": rows[:SHOWN], "gflops": gflops}


def _operations(fit: Callable[[], None]) -> list[tuple[str, float, int]]:
    """Return seconds and calls of each kind of operation, the dearest first."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=2, python_tracer_level=0)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder, options=options)
        fit()
        tf.profiler.experimental.stop()
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    seconds: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name.rpartition(":")[2].strip()
                seconds[name] += event.duration_ps / 1e12
                calls[name] += 1
    return [(name, s, calls[name]) for name, s in seconds.most_common() if not name.startswith(WRAPPERS)]


def _functions(fit: Callable[[], None]) -> list[tuple[str, float, int]]:
    """Return seconds and calls of each Python function, without what it calls, the dearest first."""
    with cProfile.Profile() as profile:
        fit()
    found = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    rows = [
        (f"{name} ({Path(file).name})", own, calls) for (file, _, name), (_, calls, own, _, _) in found.items()
    ]
    return sorted(rows, key=lambda row: -row[1])


def _gflops() -> float:
    """Return the speed of a large product, the best of five."""
    import tensorflow as tf

    a = tf.random.normal((SIZE, SIZE))
    tf.matmul(a, a)
    best = 0.0
    for _ in range(5):
        cpu = time.process_time()
        tf.matmul(a, a).numpy()
        best = max(best, 2 * SIZE**3 / (time.process_time() - cpu) / 1e9)
    return best


if __name__ == "__main__":
    sys.exit(main())
