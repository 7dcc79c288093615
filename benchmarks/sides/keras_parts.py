"""What the peers' scripts share where they train with Keras: data in memory, models, callbacks."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np

from nncompare.plugin import Ragged

from .best import Best
from .problem import Problem

EVALUATION_BATCH = 512
METRIC = "log_loss"
MONITOR = f"val_{METRIC}"


class KerasData:
    """The parts as ``fit`` takes them: scaled to the unit range, texts padded to the most that is read."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._prepared = cache(self._prepare)

    def parts(self, params: dict[str, Any]) -> tuple[Any, Any]:
        """Return the samples of train and validation."""
        train, valid, _ = self._prepared(params.get("max_length"))
        return train, valid

    def test(self, params: dict[str, Any]) -> Any:
        """Return the samples of the test part."""
        return self._prepared(params.get("max_length"))[2]()

    def _prepare(self, max_length: int | None) -> tuple[Any, Any, Any]:
        problem, scale = self._problem, self._problem.train.spec.scale

        def ready(X: Any) -> Any:
            return X.to_padded(max_length) if isinstance(X, Ragged) else np.asarray(X, np.float32) * scale

        return ready(problem.train.X), ready(problem.valid.X), lambda: ready(problem.X_test)


def use_plain_layers() -> None:
    """Have the recurrent plugin build Keras's own layers: the fused ones are nncompare's."""
    from nncompare_plugins import lstm

    layers = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}
    lstm._CELLS.update(layers)


def compiled(family: str, problem: Problem, params: dict[str, Any]) -> Any:
    """Return a model of one configuration, ready for ``fit``."""
    spec = problem.train.spec
    model = _mlp(params, spec) if family == "mlp" else problem.plugin.build(params, spec)
    model.compile(
        keras.optimizers.Adam(params["learning_rate"]),
        "sparse_categorical_crossentropy",
        metrics=["accuracy", keras.metrics.SparseCategoricalCrossentropy(name=METRIC)],
    )
    return model


def _mlp(params: dict[str, Any], spec: Any) -> Any:
    """Return scikit-learn's MLPClassifier as a Keras model: its penalty is alpha / 2 over the batch's size."""
    penalty = keras.regularizers.L2(params["alpha"] / 2 / params["batch_size"])
    inputs = x = keras.Input(spec.sample_shape)
    for layer in range(1, params["n_layers"] + 1):
        width = params[f"width_{layer}"]
        x = keras.layers.Dense(width, params["activation"], kernel_regularizer=penalty)(x)
    return keras.Model(inputs, keras.layers.Dense(spec.n_classes, "softmax", kernel_regularizer=penalty)(x))


class Follow(keras.callbacks.Callback):
    """Keeps the best epoch of all trials and cuts ``fit`` at the deadline, between two batches."""

    def __init__(self, best: Best, params: dict[str, Any]) -> None:
        super().__init__()
        self._best, self._params = best, params

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the clock."""
        self._best.check_time()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the clock."""
        self._best.check_time()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Offer the epoch."""
        self._best.offer(logs[MONITOR], logs["val_accuracy"], self._params, self.model.get_weights)


def callbacks(problem: Problem, params: dict[str, Any], best: Best) -> list[Any]:
    """Return the callbacks of one training: the plugin's learning rates, early stopping, the best epoch."""
    rate = params["learning_rate"]
    decay = params.get("learning_rate_decay", getattr(problem.plugin, "learning_rate_decay", 1.0))
    return [
        keras.callbacks.LearningRateScheduler(lambda epoch, _rate: rate * decay**epoch),
        Follow(best, params),
        keras.callbacks.EarlyStopping(MONITOR, mode="min", patience=problem.patience),
    ]


def fit(model: Any, data: KerasData, problem: Problem, params: dict[str, Any], **options: Any) -> Any:
    """Call ``fit`` with the data of one configuration."""
    train, valid = data.parts(params)
    return model.fit(
        train,
        problem.train.y,
        batch_size=params["batch_size"],
        validation_data=(valid, problem.valid.y),
        validation_batch_size=EVALUATION_BATCH,
        verbose=0,
        **options,
    )
