"""SklearnPlugin and SklearnModel: from an unfitted estimator to a trained, saved, reloaded model."""

from __future__ import annotations

import copy
import json
import time
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from nncompare.data.records import Array, Data, DataSpec, Samples
from nncompare.exceptions import DivergedError, PluginError
from nncompare.frameworks.stable_archives import settled_skops
from nncompare.frameworks.training import train
from nncompare.plugin import FitContext, FittedModel, ModelPlugin, Params

ESTIMATOR_FILE = "estimator.skops"
SETTINGS_FILE = "model.json"
LARGEST_SEED = 2**31 - 1


class SklearnPlugin(ModelPlugin):
    """A family of scikit-learn classifiers; the author writes ``suggest_params``, ``default_params``, ``build``.

    An estimator with ``partial_fit`` is trained epoch by epoch, scored on the validation part after each one,
    stopped early and left at its best epoch. Any other estimator is fitted once and reports once.

    Attributes
    ----------
    patience : int, default 10
        Epochs without a lower validation log loss after which the training ends; a quarter of the maximum of
        epochs where that is less, but at least 1.
    expected_warnings : tuple of warning classes, default ()
        Silenced while the estimator fits, because the plugin knows better.
    """

    patience: ClassVar[int] = 10
    expected_warnings: ClassVar[tuple[type[Warning], ...]] = ()

    @abstractmethod
    def build(self, params: Params, data: DataSpec, seed: int) -> Any:
        """Return an unfitted classifier.

        Parameters
        ----------
        params : dict
            What ``suggest_params`` returned.
        data : DataSpec
        seed : int
            For the estimator's ``random_state``.

        Returns
        -------
        sklearn.base.ClassifierMixin
            With ``predict_proba``.
        """

    def fit(self, params: Params, train: Data, valid: Data | None, context: FitContext) -> SklearnModel:
        """Train one configuration; see :meth:`nncompare.plugin.ModelPlugin.fit`."""
        return _fit(self, params, train, valid, context)


class SklearnModel(FittedModel):
    """A fitted classifier with one column of probabilities for each class of the data set.

    Parameters
    ----------
    estimator : sklearn.base.ClassifierMixin
        Fitted; it may have seen fewer classes than there are.
    n_classes : int

    Attributes
    ----------
    trusted_types : tuple of str, default ()
        Full names of the classes, beside NumPy's and scikit-learn's own that skops knows, that a saved estimator
        may hold. Only those whose author has looked at them: loading calls their constructors.
    """

    trusted_types: ClassVar[tuple[str, ...]] = ()

    def __init__(self, estimator: Any, n_classes: int) -> None:
        self.estimator = estimator
        self.n_classes = n_classes

    @property
    def n_parameters(self) -> int:
        """Number of weights and intercepts; of fitted floating-point values where an estimator has neither."""
        fitted = vars(self.estimator)
        for weights, intercepts in (("coefs_", "intercepts_"), ("coef_", "intercept_")):
            if weights in fitted:
                return _size(fitted[weights]) + _size(fitted.get(intercepts, ()))
        return sum(
            value.size
            for name, value in fitted.items()
            if name.endswith("_") and isinstance(value, np.ndarray) and value.dtype.kind == "f"
        )

    def predict_proba(self, X: Samples) -> npt.NDArray[np.float32]:
        """Return probabilities of shape (n_samples, n_classes), float32; 0 for a class never seen."""
        return _full_width(self.estimator, X, self.n_classes)

    def save(self, folder: Path) -> None:
        """Write the estimator with skops, without the state of its optimizer.

        Raises
        ------
        PluginError
            The estimator holds types that neither skops nor ``trusted_types`` trusts, so that it could not be
            loaded again.
        """
        import skops.io

        content = settled_skops(skops.io.dumps(without_optimizer(self.estimator)))  # equal weights, equal files
        self._refuse_untrusted(skops.io.get_untrusted_types(data=content), f"{type(self.estimator).__name__!r}")
        (folder / ESTIMATOR_FILE).write_bytes(content)
        (folder / SETTINGS_FILE).write_text(json.dumps({"n_classes": self.n_classes}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote; nothing is unpickled.

        Raises
        ------
        PluginError
            The file holds types that neither skops nor ``trusted_types`` trusts.
        """
        import skops.io

        file = folder / ESTIMATOR_FILE
        cls._refuse_untrusted(skops.io.get_untrusted_types(file=file), f"{file.name!r}")
        settings = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
        return cls(skops.io.load(file, trusted=cls.trusted_types), int(settings["n_classes"]))

    @classmethod
    def _refuse_untrusted(cls, found: list[str], what: str) -> None:
        types = [name for name in found if name not in cls.trusted_types]
        if types:
            raise PluginError(
                f"The model {what} cannot be stored safely: skops does not trust {', '.join(types)}. "
                "Use an estimator that is made of NumPy arrays and scikit-learn types, or name the types that you "
                "have looked at in the trusted_types of a subclass of SklearnModel."
            )


class _Epochs:
    """An estimator with ``partial_fit``, one call per epoch."""

    def __init__(self, estimator: Any, data: Data, context: FitContext, started: float) -> None:
        self.estimator = estimator
        self._data = data
        self._context = context
        self._started = started
        self._classes = np.arange(data.spec.n_classes)
        self._seeds = np.random.default_rng(context.seed)

    def train_epoch(self, epoch: int) -> float | None:
        if epoch > 1 and "random_state" in self.estimator.get_params():
            # MLPClassifier reseeds its shuffle in each call: the same seed would repeat the same order.
            self.estimator.set_params(random_state=int(self._seeds.integers(LARGEST_SEED)))
        with _divergence(self.estimator):
            self.estimator.partial_fit(self._data.X, self._data.y, classes=self._classes)
        self._note_first_batch()
        loss = getattr(self.estimator, "loss_", None)
        return None if loss is None else float(loss)

    def predict_proba(self, X: Samples) -> Array:
        return _full_width(self.estimator, X, len(self._classes))

    def snapshot(self) -> Any:
        return copy.deepcopy(without_optimizer(self.estimator))

    def restore(self, state: Any) -> None:
        self.estimator = state

    def _note_first_batch(self) -> None:
        if self._context.first_batch_s is None:
            self._context.first_batch_s = time.perf_counter() - self._started


class _OneFit(_Epochs):
    """An estimator that is fitted in one go."""

    def train_epoch(self, epoch: int) -> None:
        with _divergence(self.estimator):
            self.estimator.fit(self._data.X, self._data.y)
        self._note_first_batch()


def _fit(
    plugin: SklearnPlugin, params: Params, data: Data, valid: Data | None, context: FitContext
) -> SklearnModel:
    started = time.perf_counter()
    estimator = plugin.build(params, data.spec, context.seed)
    by_epoch = hasattr(estimator, "partial_fit")
    learner = (_Epochs if by_epoch else _OneFit)(estimator, data, context, started)
    with warnings.catch_warnings():
        for category in plugin.expected_warnings:
            warnings.simplefilter("ignore", category)
        train(learner, valid, context, patience=plugin.patience, max_epochs=context.max_epochs if by_epoch else 1)
    return SklearnModel(learner.estimator, data.spec.n_classes)


@contextmanager
def _divergence(estimator: Any) -> Iterator[None]:
    """Turn what an estimator says when its weights overflow into a DivergedError."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except ValueError as error:
        if all(np.isfinite(w).all() for w in getattr(estimator, "coefs_", ())) and "non-finite" not in str(error):
            raise
        raise DivergedError(f"{type(estimator).__name__!r} diverged: ValueError: {error}") from error


def _full_width(estimator: Any, X: Samples, n_classes: int) -> npt.NDArray[np.float32]:
    """Place the estimator's columns at their class codes."""
    probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float32)
    if probabilities.shape[1] == n_classes:
        return probabilities
    full = np.zeros((len(probabilities), n_classes), dtype=np.float32)
    full[:, estimator.classes_] = probabilities
    return full


def without_optimizer(estimator: Any) -> Any:
    """Return a shallow copy that lacks what only further training needs."""
    bare = copy.copy(estimator)
    vars(bare).pop("_optimizer", None)
    return bare


def _size(weights: Any) -> int:
    """Count the values of an array or of a list of arrays."""
    return sum(np.size(w) for w in weights)
