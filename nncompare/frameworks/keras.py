"""KerasPlugin and KerasModel: from an unfitted Keras model to a trained, saved, reloaded one."""

from __future__ import annotations

import json
import random
import time
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
import numpy.typing as npt

from nncompare.data.records import Data, DataSpec, Samples
from nncompare.frameworks.keras_adam import FusedAdam
from nncompare.frameworks.keras_built import momentum, required
from nncompare.frameworks.keras_training import (
    KerasLearner,
    Predict,
    compile_predict,
    predict_in_batches,
    take_raw_samples,
)
from nncompare.frameworks.stable_archives import settled_keras
from nncompare.frameworks.training import train as train_learner
from nncompare.plugin import FitContext, FittedModel, ModelPlugin, Params

MODEL_FILE = "model.keras"
TOKENS_FILE = "tokens.json"


class KerasPlugin(ModelPlugin):
    """A family of Keras models; the author writes ``suggest_params``, ``default_params`` and ``build``.

    The base brings the training: batches in a new order each epoch, a compiled step of its own, one report per
    epoch, early stopping, the weights of the best epoch. ``params`` has to hold ``batch_size``,
    ``learning_rate`` unless ``optimizer`` is overridden, and for tokens ``max_length``: of longer texts that many
    tokens at the end are read.

    The learning rate falls by a constant factor per epoch. It depends on nothing but the epoch's number, so a
    refit that trains for the best epoch count of a trial passes through the same rates as that trial; a schedule
    over ``max_epochs``, such as a cosine, would not.

    Attributes
    ----------
    patience : int, default 8
        Epochs without a lower validation log loss after which the training ends; a quarter of the maximum of
        epochs where that is less, but at least 1.
    learning_rate_decay : float, default 0.95
        Factor per epoch; 1.0 keeps the rate constant. ``params["learning_rate_decay"]`` overrides it.
    weight_average : float, default 0.0
        Momentum, below 1, of an exponential average of the weights over the batches (Polyak and Juditsky, 1992,
        SIAM J. Control Optim. 30). Above 0, the average is what each epoch is scored with and what is kept; the
        training goes on with the weights themselves. ``params["weight_average"]`` overrides it.
    """

    patience: ClassVar[int] = 8
    learning_rate_decay: ClassVar[float] = 0.95
    weight_average: ClassVar[float] = 0.0

    @abstractmethod
    def build(self, params: Params, data: DataSpec) -> Any:
        """Return an untrained model.

        Parameters
        ----------
        params : dict
            What ``suggest_params`` returned.
        data : DataSpec

        Returns
        -------
        keras.Model
            From float32 of shape (None, *data.sample_shape), already multiplied by ``data.scale``, to a softmax
            over ``data.n_classes``. For tokens from int32 ids of shape (None, None), 0 behind the end of a text;
            the width differs from batch to batch and must not matter to the result. Ids are below
            ``data.vocabulary_size``: larger ones, in other parts, have become 2, unknown. Custom layers carry
            ``@keras.saving.register_keras_serializable(package="your-package")``. One that equals a layer of Keras
            in configuration, weights and outputs may name that class in its attribute ``export_as``: exported
            models hold that one, and need no code of the plugin.
        """

    def optimizer(self, params: Params) -> Any:
        """Return the ``keras.optimizers.Optimizer`` for one configuration: Adam unless overridden.

        Averages that it keeps (``use_ema``) are not looked at; ``weight_average`` is what is.
        """
        return FusedAdam(required(params, "learning_rate"))

    def fit(self, params: Params, train: Data, valid: Data | None, context: FitContext) -> KerasModel:
        """Train one configuration; see :meth:`nncompare.plugin.ModelPlugin.fit`.

        Raises
        ------
        PluginError
            ``build`` returned no model, one whose outputs are no probabilities of the classes, or one that could
            not be loaded again; ``params`` lacks ``batch_size``, ``learning_rate`` or, for tokens, ``max_length``;
            ``weight_average`` is no number from 0 to below 1.
        """
        started = time.perf_counter()
        batch_size, max_length = required(params, "batch_size"), _max_length(params, train.spec)

        def note_first_batch() -> None:
            context.first_batch_s = time.perf_counter() - started

        with _seeded(context.seed):
            learner = KerasLearner(
                take_raw_samples(self.build(params, train.spec), train.spec),
                self.optimizer(params),
                train,
                batch_size=batch_size,
                decay=params.get("learning_rate_decay", self.learning_rate_decay),
                seed=context.seed,
                on_first_batch=note_first_batch,
                max_length=max_length,
                weight_average=momentum(params.get("weight_average", self.weight_average)),
            )
            train_learner(learner, valid, context, patience=self.patience, max_epochs=context.max_epochs)
        return KerasModel(learner.model, learner.predict, max_length)


class KerasModel(FittedModel):
    """A trained Keras model that takes samples as they are stored: it scales them itself.

    Parameters
    ----------
    model : keras.Model
        With one input, and a softmax at its end.
    predict : callable, optional
        The model's compiled function, where there is one already.
    max_length : int or None
        Tokens only: of longer texts the last ``max_length`` tokens are read; None reads all.
    """

    def __init__(self, model: Any, predict: Predict | None = None, max_length: int | None = None) -> None:
        self.model = model
        self.max_length = max_length
        self._predict = predict or compile_predict(model)

    @property
    def n_parameters(self) -> int:
        """Number of values in the trainable weights."""
        return sum(int(np.prod(weight.shape)) for weight in self.model.trainable_weights)

    def predict_proba(self, X: Samples) -> npt.NDArray[np.float32]:
        """Return probabilities of shape (n_samples, n_classes), float32."""
        return predict_in_batches(self._predict, X, self.max_length)

    def save(self, folder: Path) -> None:
        """Write ``model.keras``, and ``tokens.json`` where ``max_length`` is set."""
        if self.max_length is not None:
            (folder / TOKENS_FILE).write_text(json.dumps({"max_length": self.max_length}), encoding="utf-8")
        with warnings.catch_warnings():
            # Keras 3.15 converts its variables in a way that NumPy 2 deprecates.
            warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
            self.model.save(folder / MODEL_FILE)
        written = (folder / MODEL_FILE).read_bytes()
        (folder / MODEL_FILE).write_bytes(settled_keras(written))  # equal weights are equal files

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote, in Keras's safe mode.

        The module that registers the model's custom layers has to be imported before.
        """
        model = keras.saving.load_model(folder / MODEL_FILE, compile=False, safe_mode=True)
        tokens = folder / TOKENS_FILE
        if not tokens.exists():
            return cls(model)
        return cls(model, max_length=json.loads(tokens.read_text(encoding="utf-8"))["max_length"])


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed all that Keras draws from, and leave the global generators of NumPy and Python as they were."""
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 - Keras seeds the global one
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


def _max_length(params: Params, data: DataSpec) -> int | None:
    """Return how many tokens of a text are read, None where the samples are no texts."""
    if data.view != "tokens":
        return None
    return int(required(params, "max_length", what=f"the texts of {data.name!r}"))
