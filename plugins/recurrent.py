"""Recurrent layers equal to Keras's, faster on a CPU: whole sequences at once, padding behind included.

Keras reads a masked sequence step by step and holds the state where the mask says so. Where the padding lies
behind the text, that is not needed: reading forwards, no step sees the padding that follows it; reading backwards,
each text is reversed within its own length first. So masks cost next to nothing here.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import layers

from .loops import gru, simple_rnn


class _WholeSequence:
    """``call`` of a recurrent layer; the layer adds ``_states``.

    For layers with Keras's defaults, except ``units``, ``return_sequences`` and ``go_backwards``. A mask has to be
    of padding behind; steps that it hides before the last real one are read nevertheless. What the outputs hold at
    padded steps is not defined; the last state of a text of padding only is 0.
    """

    units: int
    go_backwards: bool
    return_sequences: bool

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """Return the outputs of all steps or of the last one; given states take Keras's own way."""
        if initial_state is not None:
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)  # type: ignore[misc]
        if mask is not None:
            return self._call_masked(sequences, _lengths(mask))
        x = tf.transpose(sequences, (1, 0, 2))
        states = self._states(tf.reverse(x, [0]) if self.go_backwards else x)
        return tf.transpose(states, (1, 0, 2)) if self.return_sequences else states[-1]

    def _call_masked(self, sequences: Any, lengths: Any) -> Any:
        """Return the same for texts of different lengths, padded behind."""
        n_samples, n_timesteps = tf.unstack(tf.shape(sequences)[:2])
        samples, steps = tf.range(n_samples), tf.range(n_timesteps)[:, tf.newaxis]
        if self.go_backwards:
            steps = tf.where(steps < lengths, lengths - 1 - steps, steps)
        by_step, by_sample = samples * n_timesteps + steps, tf.transpose(steps * n_samples + samples)
        states = self._states(_rearrange(sequences, by_step, by_sample))
        if not self.return_sequences:
            return _last(states, lengths)
        if self.go_backwards:
            # Keras returns the steps in reverse order, those of the padding first.
            by_step, by_sample = by_step + n_timesteps - 1 - 2 * steps, tf.reverse(by_sample, [1])
        return _rearrange(states, by_sample, by_step)

    def _states(self, x: Any) -> Any:
        """Return the outputs of shape (n_timesteps, n_samples, units) for ``x`` in the same layout."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="nncompare")
class FusedLSTM(_WholeSequence, layers.LSTM):  # type: ignore[misc]
    """Keras's LSTM layer, computed by TensorFlow's kernel for whole sequences.

    Equal to ``keras.layers.LSTM`` with its default activations, in weights and outputs. Without a loop over time
    in the graph, it is traced in a third of the time and trains faster on a CPU.
    """

    export_as: ClassVar[type] = layers.LSTM

    def _states(self, x: Any) -> Any:
        n_timesteps, n_samples = tf.unstack(tf.shape(x)[:2])
        state = tf.zeros((n_samples, self.units), x.dtype)
        no_peephole = tf.zeros((self.units,), x.dtype)
        # Not BlockLSTMV2: TensorFlow 2.21 registers this kernel's gradient for it, whose order of gates differs.
        return tf.raw_ops.BlockLSTM(
            seq_len_max=tf.cast(n_timesteps, tf.int64),
            x=x,
            cs_prev=state,
            h_prev=state,
            w=_in_kernel_order(tf.concat([self.cell.kernel, self.cell.recurrent_kernel], axis=0)),
            wci=no_peephole,
            wcf=no_peephole,
            wco=no_peephole,
            b=_in_kernel_order(self.cell.bias),
            forget_bias=0.0,
            cell_clip=0.0,
            use_peephole=False,
        ).h


@keras.saving.register_keras_serializable(package="nncompare")
class FusedGRU(_WholeSequence, layers.GRU):  # type: ignore[misc]
    """Keras's GRU layer, with as little as possible in its loop over time.

    Equal to ``keras.layers.GRU`` with its default options, in weights and outputs.
    """

    export_as: ClassVar[type] = layers.GRU

    def _states(self, x: Any) -> Any:
        kernel, recurrent, (bias, recurrent_bias) = _tensors(self.cell)
        gates_bias, new_bias = tf.split(recurrent_bias, [2 * self.units, self.units])
        projected = _project(x, kernel, bias + tf.pad(gates_bias, [[0, self.units]]))
        return gru(projected, recurrent, new_bias)


@keras.saving.register_keras_serializable(package="nncompare")
class FusedSimpleRNN(_WholeSequence, layers.SimpleRNN):  # type: ignore[misc]
    """Keras's simple recurrent layer, with as little as possible in its loop over time.

    Equal to ``keras.layers.SimpleRNN`` with its default options, in weights and outputs.
    """

    export_as: ClassVar[type] = layers.SimpleRNN

    def _states(self, x: Any) -> Any:
        kernel, recurrent, bias = _tensors(self.cell)
        return simple_rnn(_project(x, kernel, bias), recurrent)


@keras.saving.register_keras_serializable(package="nncompare")
class StackedSteps(layers.Layer):  # type: ignore[misc]
    """Puts each ``n_stacked`` steps side by side, so that a recurrence reads them at once.

    Frame stacking (Sak et al., 2015, arXiv 1507.06947). What is missing to a whole number of groups, and steps
    that the mask hides, are zeros; a group is hidden where all of it is.
    """

    def __init__(self, n_stacked: int, **options: Any) -> None:
        super().__init__(**options)
        self.n_stacked = n_stacked
        self.supports_masking = True

    def call(self, x: Any, mask: Any = None) -> Any:
        """Return shape (n_samples, ceil(n_timesteps / n_stacked), n_stacked * n_features)."""
        if mask is not None:
            x = tf.where(mask[..., tf.newaxis], x, 0.0)
        n_samples, n_timesteps = tf.unstack(tf.shape(x)[:2])
        padded = tf.pad(x, [[0, 0], [0, -n_timesteps % self.n_stacked], [0, 0]])
        return tf.reshape(padded, (n_samples, -1, self.n_stacked * x.shape[2]))

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """Return which groups hold a step that the mask shows; padding lies behind."""
        return None if mask is None else mask[:, :: self.n_stacked]

    def compute_output_shape(
        self, shape: tuple[int | None, int | None, int]
    ) -> tuple[int | None, int | None, int]:
        """Return the shape of the output for that of the input."""
        n_groups = None if shape[1] is None else -(-shape[1] // self.n_stacked)
        return shape[0], n_groups, shape[2] * self.n_stacked

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor was given."""
        return {**super().get_config(), "n_stacked": self.n_stacked}


def _lengths(mask: Any) -> Any:
    """Count the steps up to the last real one of each sample."""
    positions = tf.range(1, tf.shape(mask)[1] + 1)
    return tf.reduce_max(tf.where(mask, positions, 0), axis=1)


def _rearrange(x: Any, order: Any, inverse: Any) -> Any:
    """Return the rows of ``x`` in another order: a transposition that can reverse texts within their lengths.

    Parameters
    ----------
    x : Tensor of shape (a, b, n_features)
        Its rows are counted along b first.
    order : Tensor of shape (b, a), int32
        The row of ``x`` to be found at each place of the result.
    inverse : Tensor of shape (a, b), int32
        The row of the result to be found at each place of ``x``.

    Returns
    -------
    Tensor of shape (b, a, n_features)
    """

    def take(rows: Any, places: Any) -> Any:
        return tf.gather(tf.reshape(rows, (-1, rows.shape[-1])), places)

    return tf.custom_gradient(lambda rows: (take(rows, order), lambda upstream: take(upstream, inverse)))(x)


def _last(states: Any, lengths: Any) -> Any:
    """Return each sample's state after its last real step; ``states`` has time first."""
    positions = tf.stack([tf.maximum(lengths - 1, 0), tf.range(tf.shape(states)[1])], axis=1)
    return tf.where(lengths[:, tf.newaxis] > 0, tf.gather_nd(states, positions), 0.0)


def _in_kernel_order(weights: Any) -> Any:
    """Reorder gates from Keras's input, forget, cell, output to the kernel's input, cell, forget, output."""
    i, f, c, o = tf.split(weights, 4, axis=-1)
    return tf.concat([i, c, f, o], axis=-1)


def _tensors(cell: Any) -> tuple[Any, Any, Any]:
    """Return the values of a cell's kernel, recurrent kernel and bias."""
    kernel, recurrent, bias = (
        tf.convert_to_tensor(weight) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)
    )
    return kernel, recurrent, tf.unstack(bias) if bias.shape.rank == 2 else bias


def _project(x: Any, kernel: Any, bias: Any) -> Any:
    """Multiply the inputs of all steps by the kernel at once."""
    n_timesteps, n_samples = tf.unstack(tf.shape(x)[:2])
    flat = tf.nn.bias_add(tf.matmul(tf.reshape(x, (-1, kernel.shape[0])), kernel), bias)
    return tf.reshape(flat, (n_timesteps, n_samples, kernel.shape[1]))
