"""Compare what a fresh process pays until its first batch and first evaluation with Keras's fit and evaluate.

Run ``python benchmarks/first_batch.py [--repeats N]``. Each figure is CPU seconds of one fresh process with one
thread, imports excluded, model building and tracing included; the table shows medians, and the ratio of ours to
Keras's. The two sides build the same family with its default configuration; Keras's side uses Keras's own layers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from typing import Any

LIMIT = 0.5
N_TRAIN, N_VALID = 64, 800


def main() -> int:
    """Print the table; exit 1 where a ratio exceeds the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=["ours", "keras"], help=argparse.SUPPRESS)
    parser.add_argument("--model", choices=["cnn", "lstm"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(_measure(arguments.side, arguments.model))
        return 0
    print(f"{'model':6} {'ours (s)':>9} {'keras (s)':>10} {'ratio':>6}")
    ratios = [_row(model, arguments.repeats) for model in ("cnn", "lstm")]
    print(f"limit {LIMIT}: {'met' if max(ratios) <= LIMIT else 'missed'}")
    return int(max(ratios) > LIMIT)


def _row(model: str, repeats: int) -> float:
    """Measure both sides in turn, print one line, return the ratio."""
    seconds: dict[str, list[float]] = {"ours": [], "keras": []}
    for _ in range(repeats):
        for side, values in seconds.items():
            values.append(_in_fresh_process(side, model))
    ours, theirs = (statistics.median(values) for values in seconds.values())
    print(f"{model:6} {ours:9.2f} {theirs:10.2f} {ours / theirs:6.2f}")
    return ours / theirs


def _in_fresh_process(side: str, model: str) -> float:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, __file__, "--side", side, "--model", model]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return float(done.stdout)


def _measure(side: str, model: str) -> float:
    """Return the CPU seconds from the first layer to the end of the first evaluation."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    plugin, train, valid = _plugin(model), _data(N_TRAIN), _data(N_VALID)
    started = time.process_time()
    (_ours if side == "ours" else _keras)(plugin, train, valid)
    return time.process_time() - started


def _ours(plugin: Any, train: Any, valid: Any) -> None:
    from nncompare.plugin import FitContext

    plugin.fit(plugin.default_params(train.spec), train, valid, FitContext(seed=0, max_epochs=1))


def _keras(plugin: Any, train: Any, valid: Any) -> None:
    import keras
    from nncompare_plugins import lstm

    lstm._CELLS["lstm"] = keras.layers.LSTM
    keras.utils.set_random_seed(0)
    params = plugin.default_params(train.spec)
    model = plugin.build(params, train.spec)
    optimizer = keras.optimizers.Adam(params["learning_rate"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(train.X, train.y, batch_size=params["batch_size"], epochs=1, verbose=0)
    model.evaluate(valid.X, valid.y, batch_size=512, verbose=0)


def _plugin(model: str) -> Any:
    if model == "cnn":
        from nncompare_plugins.cnn import CNN

        return CNN()
    from nncompare_plugins.lstm import LSTM

    return LSTM()


def _data(n_samples: int) -> Any:
    """Return noise in the shape of mnist1d: only the cost matters here."""
    import numpy as np

    from nncompare.plugin import Data, DataSpec

    random = np.random.default_rng(0)
    spec = DataSpec(
        name="mnist1d",
        view="sequence",
        n_classes=10,
        class_names=tuple("0123456789"),
        sample_shape=(40, 1),
        n_train=n_samples,
    )
    X = random.normal(size=(n_samples, 40, 1)).astype(np.float32)
    return Data(X, random.integers(0, 10, n_samples), spec)


if __name__ == "__main__":
    sys.exit(main())
