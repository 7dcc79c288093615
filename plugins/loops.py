"""Recurrences that TensorFlow has no kernel for: a loop over time with a gradient written by hand.

Automatic differentiation of a loop stores what every operation gave and needs about three operations backwards for
one forwards. Here the loops hold the recurrence alone: products with the inputs of all steps, and those that give
the gradients of the weights, are single ones outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def simple_rnn(x: Any, recurrent: Any) -> Any:
    """Return the states h(t) = tanh(x(t) + h(t-1) R), from h = 0.

    Parameters
    ----------
    x : Tensor of shape (n_timesteps, n_samples, units)
        Inputs times kernel plus bias.
    recurrent : Tensor of shape (units, units)
        R.

    Returns
    -------
    Tensor of shape (n_timesteps, n_samples, units)
    """
    return tf.custom_gradient(_simple_rnn)(x, recurrent)


def gru(x: Any, recurrent: Any, new_bias: Any) -> Any:
    """Return the states of a GRU that resets after the multiplication (Keras's ``reset_after``), from h = 0.

    With the gates update z, reset r and the candidate g, in this order in ``x`` and R, as in Keras:
    z, r = sigmoid(x + h R), g = tanh(x + r (h R + b)), h' = g + z (h - g).

    Parameters
    ----------
    x : Tensor of shape (n_timesteps, n_samples, 3 * units)
        Inputs times kernel plus all biases but ``new_bias``.
    recurrent : Tensor of shape (units, 3 * units)
        R.
    new_bias : Tensor of shape (units,)
        b.

    Returns
    -------
    Tensor of shape (n_timesteps, n_samples, units)
    """
    return tf.custom_gradient(_gru)(x, recurrent, new_bias)


def _simple_rnn(x: Any, recurrent: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
    """Return the states and their gradient."""
    units = recurrent.shape[0]

    def step(t: Any, h: Any) -> tuple[Any, Any]:
        h = tf.tanh(x[t] + tf.matmul(h, recurrent))
        return h, (h,)

    (states,) = _scan(step, x, units, [units])

    def gradient(upstream: Any) -> tuple[Any, Any]:
        def step_back(t: Any, from_later: Any) -> tuple[Any, Any]:
            d_x = (from_later + upstream[t]) * (1.0 - tf.square(states[t]))
            return tf.matmul(d_x, recurrent, transpose_b=True), (d_x,)

        (d_x,) = _scan(step_back, x, units, [units], backwards=True)
        return d_x, _sum_of_products(_before(states), d_x)

    return states, gradient


def _gru(x: Any, recurrent: Any, new_bias: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any, Any]]]:
    """Return the states and their gradient; the loop backwards computes the gates once more."""
    units = recurrent.shape[0]

    def step(t: Any, h: Any) -> tuple[Any, Any]:
        z, _, _, g = _gru_gates(x[t], h, recurrent, new_bias)
        h = g + z * (h - g)
        return h, (h,)

    (states,) = _scan(step, x, units, [units])

    def gradient(upstream: Any) -> tuple[Any, Any, Any]:
        before = _before(states)

        def step_back(t: Any, from_later: Any) -> tuple[Any, Any]:
            h = before[t]
            z, r, h_new, g = _gru_gates(x[t], h, recurrent, new_bias)
            total = from_later + upstream[t]
            kept = total * z
            d_z = (h - g) * kept * (1.0 - z)
            d_g = (total - kept) * (1.0 - tf.square(g))
            d_new = d_g * r
            d_r = h_new * d_new * (1.0 - r)
            d_h = tf.concat([d_z, d_r, d_new], axis=-1)
            to_earlier = kept + tf.matmul(d_h, recurrent, transpose_b=True)
            return to_earlier, (tf.concat([d_z, d_r, d_g], axis=-1), d_h)

        d_x, d_h = _scan(step_back, x, units, [3 * units, 3 * units], backwards=True)
        return d_x, _sum_of_products(before, d_h), tf.reduce_sum(d_h[..., 2 * units :], axis=(0, 1))

    return states, gradient


def _gru_gates(x: Any, h: Any, recurrent: Any, new_bias: Any) -> tuple[Any, Any, Any, Any]:
    """Return z, r, h R + b and g of one step."""
    sizes = [2 * recurrent.shape[0], recurrent.shape[0]]
    x_gates, x_new = tf.split(x, sizes, axis=-1)
    h_gates, h_new = tf.split(tf.matmul(h, recurrent), sizes, axis=-1)
    z, r = tf.split(tf.sigmoid(x_gates + h_gates), 2, axis=-1)
    h_new += new_bias
    return z, r, h_new, tf.tanh(x_new + r * h_new)


def _scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    like: Any,
    units: int,
    widths: list[int],
    *,
    backwards: bool = False,
) -> list[Any]:
    """Return what ``step(t, carried)`` puts out beside what it carries on, for all steps of ``like``, from 0."""
    n_timesteps, n_samples = tf.unstack(tf.shape(like)[:2])
    first, move = (n_timesteps - 1, -1) if backwards else (0, 1)
    arrays = tuple(tf.TensorArray(like.dtype, n_timesteps, element_shape=(None, width)) for width in widths)

    def body(i: Any, t: Any, carried: Any, arrays: Any) -> tuple[Any, Any, Any, Any]:
        carried, outputs = step(t, carried)
        return i + 1, t + move, carried, tuple(a.write(t, o) for a, o in zip(arrays, outputs, strict=True))

    zero = tf.zeros((n_samples, units), like.dtype)
    loop = tf.while_loop(lambda i, *_: i < n_timesteps, body, (0, first, zero, arrays), parallel_iterations=1)
    return [array.stack() for array in loop[3]]


def _before(states: Any) -> Any:
    """Return the state before each step."""
    return tf.concat([tf.zeros_like(states[:1]), states[:-1]], axis=0)


def _sum_of_products(a: Any, b: Any) -> Any:
    """Return the sum over time and samples of the outer products."""
    flat_a, flat_b = (tf.reshape(x, (-1, x.shape[-1])) for x in (a, b))
    return tf.matmul(flat_a, flat_b, transpose_a=True)
