"""Compare an epoch of the textbook's LSTM on IMDB with batches of similar length to one padded to 500 tokens.

Run ``python benchmarks/bucketing.py [--samples N] [--epochs N]``. The model is the textbook's: embedding 128, LSTM
128, 10,000 words, the last 500 tokens of a review, batches of 64, Adam. Each row is one fresh process with one
thread and the same seed, training and validation reviews (both of the training part). "padded" and "bucketed" have
the same layers, masks and step, and differ in the batches alone; "textbook" is Keras's own layer and ``fit``,
without a mask and padded in front. The accuracy is that of the last epoch on the validation part; its difference
from "padded" comes with the 95 % interval over the reviews.

Needs the data set ``imdb``: it is downloaded, or found in ``NNCOMPARE_DATA_DIR``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

LIMIT = 0.5
N_WORDS, N_STEPS, N_UNITS, BATCH_SIZE, SEED = 10_000, 500, 128, 64, 7
SIDES = ("padded", "bucketed", "textbook")


def main() -> int:
    """Print the table; exit 1 where the ratio exceeds the limit or the accuracies differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--without-textbook", action="store_true", help="leave out the slowest row")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        seconds, correct = _measure(arguments.side, arguments.samples, arguments.epochs)
        np.savez(arguments.answer, seconds=seconds, correct=correct)
        return 0
    sides = SIDES[:2] if arguments.without_textbook else SIDES
    found = {side: _in_fresh_process(side, arguments.samples, arguments.epochs) for side in sides}
    return _print_table(found)


def _print_table(found: dict[str, tuple[float, Any]]) -> int:
    padded, correct = found["padded"]
    print(f"{'batches':10} {'s/epoch':>8} {'ratio':>6} {'accuracy':>9}   difference from padded, 95 % interval")
    intervals = {}
    for side, (seconds, right) in found.items():
        difference = right.astype(float) - correct.astype(float)
        margin = 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))
        intervals[side] = low, high = difference.mean() - margin, difference.mean() + margin
        print(f"{side:10} {seconds:8.1f} {seconds / padded:6.2f} {right.mean():9.4f}   {low:+.4f} to {high:+.4f}")
    ratio, (_, high) = found["bucketed"][0] / padded, intervals["bucketed"]
    met = ratio <= LIMIT and high >= 0
    print(f"limit {LIMIT} at no loss of accuracy: {'met' if met else 'missed'}")
    return int(not met)


def _in_fresh_process(side: str, samples: int, epochs: int) -> tuple[float, Any]:
    from nncompare.execution.launch import child_environment

    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.npz")
        command = [sys.executable, __file__, "--side", side, "--answer", str(answer)]
        command += ["--samples", str(samples), "--epochs", str(epochs)]
        subprocess.run(command, env=child_environment(), check=True)
        with np.load(answer) as found:
            return float(found["seconds"]), found["correct"]


def _measure(side: str, samples: int, epochs: int) -> tuple[float, Any]:
    """Return the CPU seconds of an epoch, the first one's tracing left out, and which reviews were right."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    train, valid = _data(samples)
    return (_textbook if side == "textbook" else _ours)(train, valid, epochs, side)


def _ours(train: Any, valid: Any, epochs: int, side: str) -> tuple[float, Any]:
    import keras

    from nncompare.frameworks.keras_adam import FusedAdam
    from nncompare.frameworks.keras_training import KerasLearner
    from nncompare.plugin import Data

    keras.utils.set_random_seed(SEED)
    if side == "padded":
        train, valid = (Data(_padded(part.X), part.y, part.spec) for part in (train, valid))
    learner = KerasLearner(
        _model(_fused_lstm()),
        FusedAdam(1e-3),
        train,
        batch_size=BATCH_SIZE,
        decay=1.0,
        seed=SEED,
        on_first_batch=lambda: None,
        max_length=N_STEPS,
    )
    learner.predict_proba(valid.X[:BATCH_SIZE])
    seconds = [_timed(lambda epoch=epoch: learner.train_epoch(epoch)) for epoch in range(1, epochs + 1)]
    return seconds[-1], learner.predict_proba(valid.X).argmax(1) == valid.y


def _textbook(train: Any, valid: Any, epochs: int, _side: str) -> tuple[float, Any]:
    import keras

    keras.utils.set_random_seed(SEED)
    model = _model(keras.layers.LSTM)
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    X = _in_front(train.X)
    seconds = [_timed(lambda: model.fit(X, train.y, batch_size=BATCH_SIZE, verbose=0)) for _ in range(epochs)]
    return seconds[-1], model.predict(_in_front(valid.X), batch_size=256, verbose=0).argmax(1) == valid.y


def _timed(train: Any) -> float:
    start = time.process_time()
    train()
    return time.process_time() - start


def _model(lstm: Any) -> Any:
    """Return the textbook's model; the mask is for layers that can use one."""
    import keras

    from nncompare.frameworks.keras_tokens import RareAsUnknown

    inputs = keras.Input((None,), dtype="int32")
    masked = lstm is not keras.layers.LSTM
    vectors = keras.layers.Embedding(N_WORDS, N_UNITS, mask_zero=masked)(RareAsUnknown(N_WORDS)(inputs))
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(lstm(N_UNITS)(vectors)))


def _fused_lstm() -> Any:
    from nncompare_plugins.recurrent import FusedLSTM

    return FusedLSTM


def _in_front(texts: Any) -> Any:
    """Return the last 500 tokens of each text, padded in front, as the textbook does."""
    import keras

    rows = [texts[row] for row in range(len(texts))]
    return keras.utils.pad_sequences(rows, maxlen=N_STEPS)


def _padded(texts: Any) -> Any:
    """Return the same texts as rows of 500 tokens each, padded behind: all batches are equally long."""
    from nncompare.plugin import Ragged

    rows = texts.to_padded(N_STEPS)
    return Ragged(rows.ravel(), np.arange(len(rows) + 1) * N_STEPS)


def _data(samples: int) -> tuple[Any, Any]:
    """Return training and validation reviews of the training part."""
    from nncompare_plugins.datasets.imdb import IMDB

    from nncompare.data.files import cache_root
    from nncompare.data.splits import search_sample, validation_split
    from nncompare.plugin import Data, DataSpec

    folder = cache_root() / "downloads" / "imdb"
    folder.mkdir(parents=True, exist_ok=True)
    loaded = IMDB().load(folder)
    split = validation_split(loaded.y_train, SEED)
    rows = search_sample(split, loaded.y_train, samples, SEED)
    spec = DataSpec(
        name="imdb",
        view="tokens",
        n_classes=2,
        class_names=("negative", "positive"),
        sample_shape=None,
        dtype="int32",
        n_train=len(rows),
        vocabulary_size=N_WORDS,
    )
    train, valid = (Data(loaded.X_train[r], loaded.y_train[r].astype(np.int64), spec) for r in (rows, split.valid))
    return train, valid


if __name__ == "__main__":
    sys.exit(main())
