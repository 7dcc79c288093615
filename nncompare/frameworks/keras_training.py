"""How a Keras model is trained here: one compiled function that goes through many batches.

Keras's ``fit`` calls a compiled function once per batch, behind a ``tf.data`` pipeline that a fresh process has
to build and trace first. Here NumPy gathers a chunk of shuffled rows and one call trains on all its batches, so
that a trial in a fresh process reaches its first epoch sooner. Memory is bounded by the chunk. Batches of texts
differ in width: each is a chunk of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from nncompare.data.ragged import Ragged
from nncompare.data.records import Array, Data, DataSpec, Labels, Samples
from nncompare.frameworks.keras_batches import bucketed_batches, prediction_batches
from nncompare.frameworks.keras_built import check_model, loading_faults, output_faults
from nncompare.frameworks.keras_faults import refuse
from nncompare.frameworks.keras_tokens import RareAsUnknown

CHUNK_BYTES = 16 * 2**20
PREDICT_BATCH_SIZE = 512

Predict: TypeAlias = Callable[[Array], Any]
TrainOnChunk: TypeAlias = Callable[[Array, Labels, Any], Any]


class KerasLearner:
    """A Keras model under training; a :class:`nncompare.frameworks.training.Learner`.

    Parameters
    ----------
    model : keras.Model
        From ``take_raw_samples``.
    optimizer : keras.optimizers.Optimizer
        Its learning rate is that of epoch 1.
    data : Data
        The training part.
    batch_size : int
    decay : float
        Factor on the learning rate per epoch.
    seed : int
        Seeds the order of the samples.
    on_first_batch : callable
        Called without arguments once the first batch is done.
    max_length : int or None
        Tokens only: of longer texts the last ``max_length`` tokens are read.
    weight_average : float, default 0.0
        Momentum of the average of the weights, which is scored and kept; 0 keeps the weights themselves.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        data: Data,
        *,
        batch_size: int,
        decay: float,
        seed: int,
        on_first_batch: Callable[[], None],
        max_length: int | None = None,
        weight_average: float = 0.0,
    ) -> None:
        self.model = model
        self.predict = compile_predict(model)
        self._optimizer = optimizer
        self._first_rate = float(optimizer.learning_rate)
        self._decay = decay
        self._data = data
        self._batch_size = batch_size
        self._max_length = max_length
        self._random = np.random.default_rng(seed)
        self._on_first_batch = on_first_batch
        self._average = WeightAverage(model.trainable_variables, weight_average) if weight_average else None
        self._train_on_chunk = compile_training(model, optimizer, self._average)

    def train_epoch(self, epoch: int) -> float:
        """Go through the training part once, in a new order, and return the mean log loss."""
        self._optimizer.learning_rate = self._first_rate * self._decay ** (epoch - 1)
        batch_size = tf.constant(self._batch_size, tf.int32)
        total = 0.0
        if self._average is not None:
            self._average.leave()
        for chunk, rows in enumerate(self._epoch(first_batch_alone=epoch == 1)):
            X = gather(self._data.X, rows, self._max_length)
            total += float(self._train_on_chunk(X, self._data.y[rows], batch_size))
            if epoch == 1 and chunk == 0:
                self._on_first_batch()
        if self._average is not None:
            self._average.take()
        return total / len(self._data)

    def predict_proba(self, X: Samples) -> Array:
        """Return probabilities of shape (n_samples, n_classes)."""
        return predict_in_batches(self.predict, X, self._max_length)

    def snapshot(self) -> list[Array]:
        """Return a copy of the weights, moving averages included."""
        return list(self.model.get_weights())

    def restore(self, state: list[Array]) -> None:
        """Set the weights."""
        self.model.set_weights(state)

    def _epoch(self, *, first_batch_alone: bool) -> Iterable[npt.NDArray[np.int64]]:
        """Return the rows of each chunk of one epoch, in a new order."""
        X = self._data.X
        if isinstance(X, Ragged):
            return bucketed_batches(_read_lengths(X, self._max_length), self._batch_size, self._random)
        return self._chunks(self._random.permutation(len(X)), first_batch_alone=first_batch_alone)

    def _chunks(self, order: npt.NDArray[np.int64], *, first_batch_alone: bool) -> Iterator[npt.NDArray[np.int64]]:
        """Cut the order into whole batches of bounded size."""
        batch_bytes = max(1, self._batch_size * self._data.X[:1].nbytes)
        rows = self._batch_size * max(1, CHUNK_BYTES // batch_bytes)
        start = self._batch_size if first_batch_alone else 0
        if start:
            yield order[:start]
        for begin in range(start, len(order), rows):
            yield order[begin : begin + rows]


class WeightAverage:
    """An exponential moving average of weights over batches, as ``tf.train.ExponentialMovingAverage``.

    After t batches the momentum is (1 + t) / (10 + t) where that is less: the first weights, which are random, are
    soon forgotten.

    Parameters
    ----------
    variables : list of keras.Variable
        Those that hold no floats, which no gradient reaches, are left as they are.
    momentum : float
        Above 0 and below 1.
    """

    def __init__(self, variables: list[Any], momentum: float) -> None:
        self._variables = [variable for variable in variables if keras.backend.is_float_dtype(variable.dtype)]
        self._momentum = momentum
        self._averages = [tf.Variable(variable.value, trainable=False) for variable in self._variables]
        self._n_batches = tf.Variable(0.0, trainable=False)
        self._weights: list[Array] = []

    def update(self) -> None:
        """Take in the weights after a batch; for use in a graph."""
        self._n_batches.assign_add(1.0)
        momentum = tf.minimum(self._momentum, (1.0 + self._n_batches) / (10.0 + self._n_batches))
        for average, variable in zip(self._averages, self._variables, strict=True):
            average.assign_add((1.0 - momentum) * (variable.value - average))

    def take(self) -> None:
        """Put the averages in the place of the weights."""
        self._weights = [variable.numpy() for variable in self._variables]
        for variable, average in zip(self._variables, self._averages, strict=True):
            variable.assign(average)

    def leave(self) -> None:
        """Put the weights back that ``take`` took away, if it did."""
        for variable, value in zip(self._variables, self._weights, strict=False):
            variable.assign(value)


def take_raw_samples(model: Any, data: DataSpec) -> Any:
    """Put the data's scaling in front of a model, so that a saved model takes samples as they are stored.

    Tokens are not scaled: the model takes ids, padded behind to the longest text of a batch. Ids beyond those of
    the training part become unknown words before they reach it.

    Parameters
    ----------
    model : keras.Model
        What ``KerasPlugin.build`` returned.
    data : DataSpec

    Returns
    -------
    keras.Model
        From ``data.dtype`` of shape (None, *data.sample_shape), for tokens (None, None), to probabilities.

    Raises
    ------
    PluginError
        It is no model, its outputs are no probabilities of ``n_classes`` classes, or it could not be loaded again.
    """
    check_model(model)
    inputs = keras.Input((None,) if data.view == "tokens" else data.sample_shape, dtype=data.dtype)
    outputs = model(_known(data)(inputs))
    refuse([*output_faults(model, outputs, data), *loading_faults(model)])
    return keras.Model(inputs, keras.tree.flatten(outputs)[0])


def _known(data: DataSpec) -> Any:
    """Return the layer that brings samples into the range that a model knows from training."""
    if data.vocabulary_size is not None:
        return RareAsUnknown(data.vocabulary_size, name="ids_of_training")
    return keras.layers.Rescaling(data.scale, name="scale_to_unit")


def compile_training(model: Any, optimizer: Any, average: WeightAverage | None = None) -> TrainOnChunk:
    """Return a function that trains on all batches of a chunk and returns the sum of its samples' log losses.

    The function is traced once, for any number of rows and any batch size. The last batch may be smaller.
    """
    variables = model.trainable_variables
    optimizer.build(variables)

    def train_on_batch(X: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            # In a graph, Keras goes back from the softmax to its logits here, which keeps the loss finite.
            losses = keras.losses.sparse_categorical_crossentropy(y, model(X, training=True))
            objective = tf.reduce_mean(losses) + sum(model.losses)
        optimizer.apply(tape.gradient(objective, variables), variables)
        if average is not None:
            average.update()
        return tf.reduce_sum(losses)

    def train_on_chunk(X: Any, y: Any, batch_size: Any) -> Any:
        n_samples = tf.shape(X)[0]

        def next_batch(start: Any, total: Any) -> tuple[Any, Any]:
            end = tf.minimum(start + batch_size, n_samples)
            return end, total + train_on_batch(X[start:end], y[start:end])

        return tf.while_loop(lambda start, _: start < n_samples, next_batch, (0, 0.0), parallel_iterations=1)[1]

    (inputs,) = model.inputs
    signature = [
        tf.TensorSpec(inputs.shape, inputs.dtype),
        tf.TensorSpec([None], tf.int64),
        tf.TensorSpec([], tf.int32),
    ]
    return _compile(train_on_chunk, signature)


def compile_predict(model: Any) -> Predict:
    """Return a function from a batch of any size to probabilities, traced once."""
    (inputs,) = model.inputs
    return _compile(lambda X: model(X, training=False), [tf.TensorSpec(inputs.shape, inputs.dtype)])


def predict_in_batches(predict: Predict, X: Samples, max_length: int | None = None) -> npt.NDArray[np.float32]:
    """Return the probabilities of all samples, in batches that bound the memory.

    Parameters
    ----------
    predict : callable
        From ``compile_predict``.
    X : ndarray of shape (n_samples, ...) or Ragged
        At least one sample. Texts are predicted by falling length and returned in the order of ``X``.
    max_length : int or None
        As in :class:`KerasLearner`.
    """
    if isinstance(X, Ragged):
        batches = list(prediction_batches(_read_lengths(X, max_length)))
    else:
        batches = np.split(np.arange(len(X)), range(PREDICT_BATCH_SIZE, len(X), PREDICT_BATCH_SIZE))
    found = [np.asarray(predict(gather(X, rows, max_length)), dtype=np.float32) for rows in batches]
    probabilities = np.empty((len(X), found[0].shape[1]), dtype=np.float32)
    probabilities[np.concatenate(batches)] = np.concatenate(found)
    return probabilities


def gather(X: Samples, rows: npt.NDArray[np.int64], max_length: int | None) -> Array:
    """Return some samples as the model takes them: texts padded to the longest of them."""
    if isinstance(X, Ragged):
        return X[rows].to_padded(max_length)
    chosen: Array = X[rows]
    return chosen


def _read_lengths(X: Ragged, max_length: int | None) -> npt.NDArray[np.int64]:
    """Return how many tokens of each text are read."""
    return X.lengths if max_length is None else np.minimum(X.lengths, max_length)


def _compile(function: Callable[..., Any], signature: list[Any]) -> Callable[..., Any]:
    """Compile into a graph, without AutoGraph, which has no work here, and XLA, which is slow to start."""
    compiled: Callable[..., Any] = tf.function(
        function, input_signature=signature, autograph=False, jit_compile=False
    )
    return compiled
