"""FusedAdam: Keras's Adam with one operation per weight, so that a training step is traced in less time."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="nncompare")
class FusedAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """``keras.optimizers.Adam``, computed by TensorFlow's own kernel.

    The updates are those of Kingma and Ba (2015, arXiv 1412.6980), section 2, last paragraph, as in Keras. AMSGrad
    takes Keras's way.

    The gradient of an embedding comes as slices, one per token, and is summed into a dense one first. Keras would
    square the slices of a repeated token one by one, and so take another step than with the dense gradient.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable of dtype float32."""
        gradient = tf.convert_to_tensor(gradient)
        if self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
