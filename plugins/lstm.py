"""The recurrent network: simple RNN, GRU or LSTM cells that read a sequence step by step."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import layers

from nncompare.frameworks.keras import KerasPlugin
from nncompare.plugin import DataSpec, ModelTags, Params, Trial


class LSTM(KerasPlugin):
    """One or two recurrent layers, read in one or both directions, Adam."""

    tags: ClassVar[ModelTags] = ModelTags(accepts=("sequence",), default_dataset="imdb", framework="keras")

    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Ask for cell, units, depth, direction, readout, dropout, learning rate and batch size."""
        return {
            "cell": trial.suggest_categorical("cell", list(_CELLS)),
            "units": trial.suggest_categorical("units", [16, 32, 48]),
            "n_layers": trial.suggest_int("n_layers", 1, 2),
            "bidirectional": trial.suggest_categorical("bidirectional", [True, False]),
            "readout": trial.suggest_categorical("readout", ["max", "last"]),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "learning_rate": trial.suggest_float("learning_rate", 2e-3, 2e-2, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [64, 128]),
        }

    def default_params(self, data: DataSpec) -> Params:
        """Return one bidirectional LSTM layer whose outputs are pooled over time."""
        return {
            "cell": "lstm",
            "units": 48,
            "n_layers": 1,
            "bidirectional": True,
            "readout": "max",
            "dropout": 0.1,
            "learning_rate": 1e-2,
            "batch_size": 64,
        }

    def build(self, params: Params, data: DataSpec) -> Any:
        """Return the model; ``readout`` is the last state or the maximum over time of the last layer."""
        inputs = keras.Input(data.sample_shape)
        x = inputs
        for layer in range(1, params["n_layers"] + 1):
            last_layer = layer == params["n_layers"]
            x = _recur(x, params, return_sequences=not last_layer or params["readout"] == "max")
            if not last_layer:
                x = layers.Dropout(params["dropout"])(x)
        if params["readout"] == "max":
            x = layers.GlobalMaxPooling1D()(x)
        x = layers.Dropout(params["dropout"])(x)
        return keras.Model(inputs, layers.Dense(data.n_classes, activation="softmax")(x))


@keras.saving.register_keras_serializable(package="nncompare")
class FusedLSTM(layers.LSTM):  # type: ignore[misc]
    """Keras's LSTM layer, computed by TensorFlow's kernel for whole sequences.

    Equal to ``keras.layers.LSTM`` with its default activations, in weights and outputs. Without a loop over time
    in the graph, it is traced in a third of the time and trains faster on a CPU.
    """

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """Return the outputs of all steps or of the last one; masks and given states take Keras's own way."""
        if initial_state is not None or mask is not None:
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        x = tf.transpose(sequences, (1, 0, 2))
        outputs = self._whole_sequence(tf.reverse(x, [0]) if self.go_backwards else x)
        return tf.transpose(outputs, (1, 0, 2)) if self.return_sequences else outputs[-1]

    def _whole_sequence(self, x: Any) -> Any:
        """Return the outputs of shape (n_timesteps, n_samples, units) for ``x`` in the same layout."""
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


def _in_kernel_order(weights: Any) -> Any:
    """Reorder gates from Keras's input, forget, cell, output to the kernel's input, cell, forget, output."""
    i, f, c, o = tf.split(weights, 4, axis=-1)
    return tf.concat([i, c, f, o], axis=-1)


_CELLS = {"lstm": FusedLSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}


def _recur(x: Any, params: Params, *, return_sequences: bool) -> Any:
    """Apply one recurrent layer in one or both directions."""
    layer = _CELLS[params["cell"]](params["units"], return_sequences=return_sequences)
    return (layers.Bidirectional(layer) if params["bidirectional"] else layer)(x)
