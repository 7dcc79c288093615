"""Recurrent layers equal to Keras's, faster on a CPU: whole sequences at once, padding behind included.

Keras reads a masked sequence step by step and holds the state where the mask says so. Where the padding lies
behind the text, that is not needed: reading forwards, no step sees the padding that follows it; reading backwards,
each text is reversed within its own length first. So masks cost next to nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import layers


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
        lengths = None if mask is None else _lengths(mask)
        n_samples, n_timesteps = tf.unstack(tf.shape(sequences)[:2])
        samples, steps = tf.range(n_samples), _steps_in_order(n_timesteps, lengths, backwards=self.go_backwards)
        by_step, by_sample = samples * n_timesteps + steps, tf.transpose(steps * n_samples + samples)
        states = self._states(_rearrange(sequences, by_step, by_sample))
        if not self.return_sequences:
            return _last(states, lengths)
        if self.go_backwards:
            # Keras returns the steps in reverse order, those of the padding first.
            by_step = samples * n_timesteps + n_timesteps - 1 - steps
            by_sample = tf.reverse(by_sample, [1])
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

    def _states(self, x: Any) -> Any:
        kernel, recurrent, (bias, recurrent_bias) = _tensors(self.cell)
        gates_bias, new_bias = tf.split(recurrent_bias, [2 * self.units, self.units])
        projected = _project(x, kernel, bias + tf.pad(gates_bias, [[0, self.units]]))
        return tf.custom_gradient(_gru)(projected, recurrent, new_bias)


@keras.saving.register_keras_serializable(package="nncompare")
class FusedSimpleRNN(_WholeSequence, layers.SimpleRNN):  # type: ignore[misc]
    """Keras's simple recurrent layer, with as little as possible in its loop over time.

    Equal to ``keras.layers.SimpleRNN`` with its default options, in weights and outputs.
    """

    def _states(self, x: Any) -> Any:
        kernel, recurrent, bias = _tensors(self.cell)
        return tf.custom_gradient(_simple_rnn)(_project(x, kernel, bias), recurrent)


def _lengths(mask: Any) -> Any:
    """Count the steps up to the last real one of each sample."""
    positions = tf.range(1, tf.shape(mask)[1] + 1)
    return tf.reduce_max(tf.where(mask, positions, 0), axis=1)


def _steps_in_order(n_timesteps: Any, lengths: Any, *, backwards: bool) -> Any:
    """Return which step is read when, of shape (n_timesteps, n_samples or 1); the padding is read last."""
    steps = tf.range(n_timesteps)[:, tf.newaxis]
    if not backwards:
        return steps
    return n_timesteps - 1 - steps if lengths is None else tf.where(steps < lengths, lengths - 1 - steps, steps)


def _rearrange(x: Any, order: Any, inverse: Any) -> Any:
    """Return the rows of ``x`` in another order: a transposition in a quarter of the time, a reversal included.

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
    if lengths is None:
        return states[-1]
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
    flat = tf.matmul(tf.reshape(x, (-1, kernel.shape[0])), kernel) + bias
    return tf.reshape(flat, (n_timesteps, n_samples, kernel.shape[1]))


def _simple_rnn(x: Any, recurrent: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
    """Return h(t) = tanh(x(t) + h(t-1) R) of all steps, and the gradient."""
    states = _scan(lambda t, h: tf.tanh(x[t] + tf.matmul(h, recurrent)), x, recurrent.shape[0])

    def gradient(upstream: Any) -> tuple[Any, Any]:
        slopes = 1.0 - tf.square(states)
        total = _through_time(upstream, slopes[:, :, tf.newaxis], tf.transpose(recurrent))
        d_x = total * slopes
        return d_x, _sum_of_products(_before(states), d_x)

    return states, gradient


def _gru(x: Any, recurrent: Any, new_bias: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any, Any]]]:
    """Return the states of a GRU that resets after the multiplication, and the gradient.

    With the gates update z, reset r and the candidate g, in this order in ``x`` and R, as in Keras:
    z, r = sigmoid(x + h R), g = tanh(x + r (h R + b)), h' = g + z (h - g). The loop keeps h only; the gradient
    computes the gates of all steps once more, at once.
    """
    units = recurrent.shape[0]
    sizes = [2 * units, units]
    x_gates, x_new = tf.split(x, sizes, axis=-1)

    def step(t: Any, h: Any) -> Any:
        h_gates, h_new = tf.split(tf.matmul(h, recurrent), sizes, axis=-1)
        z, r = tf.split(tf.sigmoid(x_gates[t] + h_gates), 2, axis=-1)
        g = tf.tanh(x_new[t] + r * (h_new + new_bias))
        return g + z * (h - g)

    states = _scan(step, x, units)

    def gradient(upstream: Any) -> tuple[Any, Any, Any]:
        before = _before(states)
        h_gates, h_new = tf.split(tf.matmul(before, recurrent), sizes, axis=-1)
        h_new += new_bias
        z, r = tf.split(tf.sigmoid(x_gates + h_gates), 2, axis=-1)
        g = tf.tanh(x_new + r * h_new)
        by_g = (1.0 - z) * (1.0 - tf.square(g))
        by_z, by_r = (before - g) * z * (1.0 - z), by_g * h_new * r * (1.0 - r)
        # The state reaches the next one through z, r and g by R, and directly, scaled by z.
        back = tf.concat([tf.transpose(recurrent), tf.eye(units, dtype=x.dtype)], axis=0)
        total = _through_time(upstream, tf.stack([by_z, by_r, by_g * r, z], axis=2), back)
        d_z, d_r, d_new = by_z * total, by_r * total, by_g * r * total
        d_h = tf.concat([d_z, d_r, d_new], axis=-1)
        d_x = tf.concat([d_z, d_r, by_g * total], axis=-1)
        return d_x, _sum_of_products(before, d_h), tf.reduce_sum(d_new, axis=(0, 1))

    return states, gradient


def _through_time(upstream: Any, factors: Any, back: Any) -> Any:
    """Return the gradients of all states, from the last to the first.

    With the gradient e(t) of state h(t), upstream u(t) and factors f(t): e(t) = u(t) + (f(t+1) e(t+1)) B.

    Parameters
    ----------
    upstream : Tensor of shape (n_timesteps, n_samples, units)
    factors : Tensor of shape (n_timesteps, n_samples, n_factors, units)
    back : Tensor of shape (n_factors * units, units)
        B.
    """
    width, units = back.shape

    def step(t: Any, from_later: Any) -> Any:
        scaled = factors[t] * (from_later + upstream[t])[:, tf.newaxis]
        return tf.matmul(tf.reshape(scaled, (-1, width)), back)

    to_earlier = _scan(step, upstream, units, backwards=True)
    return upstream + tf.concat([to_earlier[1:], tf.zeros_like(to_earlier[:1])], axis=0)


def _scan(step: Callable[[Any, Any], Any], like: Any, units: int, *, backwards: bool = False) -> Any:
    """Return ``step(t, previous)`` of all steps of ``like``, the first previous one being 0."""
    n_timesteps, n_samples = tf.unstack(tf.shape(like)[:2])
    first, last, move = (n_timesteps - 1, 0, -1) if backwards else (0, n_timesteps - 1, 1)

    def body(t: Any, previous: Any, states: Any) -> tuple[Any, Any, Any]:
        state = step(t, previous)
        return t + move, state, states.write(t, state)

    zero = tf.zeros((n_samples, units), like.dtype)
    states = tf.TensorArray(like.dtype, n_timesteps, element_shape=zero.shape)
    return tf.while_loop(lambda t, *_: (t - last) * move <= 0, body, (first, zero, states), parallel_iterations=1)[
        2
    ].stack()


def _before(states: Any) -> Any:
    """Return the state before each step."""
    return tf.concat([tf.zeros_like(states[:1]), states[:-1]], axis=0)


def _sum_of_products(a: Any, b: Any) -> Any:
    """Return the sum over time and samples of the outer products."""
    flat_a, flat_b = (tf.reshape(x, (-1, x.shape[-1])) for x in (a, b))
    return tf.matmul(flat_a, flat_b, transpose_a=True)
