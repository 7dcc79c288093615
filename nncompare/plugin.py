"""The plugin contract: all that the author of a model or data set plugin has to know.

A model plugin is a class that derives from :class:`ModelPlugin`, or from ``KerasPlugin`` or ``SklearnPlugin`` of
``nncompare.frameworks``, in the entry-point group ``nncompare.models``; a data set plugin is a
:class:`DatasetPlugin`, in ``nncompare.datasets``.
Plugin code runs in child processes only: it may import its framework at the top, and a crash costs one trial.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from nncompare.data.ragged import FIRST_WORD, PAD, START, UNKNOWN, Ragged
from nncompare.data.records import Column, Data, Dataset, DatasetInfo, DataSpec, Samples, SplitBy, View
from nncompare.exceptions import PluginError, TrialPruned
from nncompare.reported import EpochReport, checked_fraction, checked_loss

__all__ = [
    "API_VERSION",
    "FIRST_WORD",
    "JSON",
    "PAD",
    "START",
    "UNKNOWN",
    "Column",
    "Data",
    "DataSpec",
    "Dataset",
    "DatasetInfo",
    "DatasetPlugin",
    "EpochReport",
    "FitContext",
    "FittedModel",
    "ModelPlugin",
    "ModelTags",
    "Params",
    "Ragged",
    "SplitBy",
    "Trial",
    "TrialPruned",
]

API_VERSION = 1

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Params: TypeAlias = dict[str, Any]


class Trial(Protocol):
    """Asks the search for values; signatures and meaning are Optuna's."""

    @property
    def number(self) -> int:
        """Position of the trial in its study, from 0."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a float from ``[low, high]``."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return an integer from ``[low, high]``."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of ``choices`` (None, bool, int, float or str)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTags:
    """What a family of models can do, declared once as the class attribute ``tags``.

    Parameters
    ----------
    accepts : tuple of {"tabular", "image", "sequence", "tokens"}
        Views in order of preference; a data set is converted to the first one that it can take.
    sparse : bool, default False
        The model takes ``scipy.sparse.csr_array`` for ``tabular``: needed for tokens as TF-IDF.
    default_dataset : str or None
        The data set on which ``nncompare run -m NAME`` runs the model, beside the common ground: the name of one
        that is installed.
    framework : {"keras", "sklearn"} or None
        What the fork server imports ahead, so that a trial starts at once.
    api_version : int, default 1
        The version of this contract that the plugin was written for.
    """

    accepts: tuple[View, ...]
    sparse: bool = False
    default_dataset: str | None = None
    framework: Literal["keras", "sklearn"] | None = None
    api_version: int = API_VERSION


@dataclass(slots=True, kw_only=True)
class FitContext:
    """What ``fit`` needs to know beyond the data, and the way to report progress.

    Parameters
    ----------
    seed : int
        Seeds initial weights, data order and dropout. Use nothing else that is random.
    max_epochs : int
        Train for at most this many epochs; for exactly this many when there is no validation part.
    n_threads : int, default 1
        Threads that the framework may use; already set where the framework is Keras or scikit-learn.
    deadline : float or None
        Value of ``time.monotonic()`` at which the trial is killed; None for no limit.
    on_report : callable, optional
        Receives each :class:`EpochReport` and returns True to go on, False to stop the trial.
    history : list of EpochReport
        What was reported so far.
    first_batch_s : float or None
        Seconds of wall time from the start of ``fit`` to the end of the first batch (of the first epoch where
        the framework hides its batches), compilation included; None where the plugin does not measure it.
    """

    seed: int
    max_epochs: int
    n_threads: int = 1
    deadline: float | None = None
    on_report: Callable[[EpochReport], bool] | None = None
    history: list[EpochReport] = field(default_factory=list)
    first_batch_s: float | None = None

    def report(
        self,
        epoch: int,
        *,
        train_loss: float | None = None,
        valid_loss: float | None = None,
        valid_accuracy: float | None = None,
    ) -> None:
        """Report one finished epoch.

        Parameters
        ----------
        epoch : int
            Counted from 1, rising by one with each call.
        train_loss, valid_loss : float, optional
            Mean log loss in nats. The lowest ``valid_loss`` is the value of the trial.
        valid_accuracy : float, optional
            Fraction from 0 to 1.

        Raises
        ------
        TrialPruned
            The trial is not worth going on with. Let it pass.
        DivergedError
            A loss is NaN, infinite or beyond 1e30.
        PluginError
            The epoch is out of order or above ``max_epochs``, or a value is not a number in its range.
        """
        expected = len(self.history) + 1
        if epoch != expected:
            raise PluginError(f"report() was called with epoch {epoch} where epoch {expected} was due.")
        if expected > self.max_epochs:
            raise PluginError(f"fit() trained for epoch {expected}, and max_epochs is {self.max_epochs}.")
        report = EpochReport(
            epoch=expected,
            train_loss=checked_loss("train_loss", train_loss),
            valid_loss=checked_loss("valid_loss", valid_loss),
            valid_accuracy=checked_fraction("valid_accuracy", valid_accuracy),
        )
        self.history.append(report)
        if self.on_report is not None and not self.on_report(report):
            raise TrialPruned

    def best_epoch(self) -> int | None:
        """Return the epoch of the lowest ``valid_loss``, the last one where none was reported, else None."""
        scored = [(r.valid_loss, r.epoch) for r in self.history if r.valid_loss is not None]
        return min(scored)[1] if scored else len(self.history) or None


class FittedModel(ABC):
    """A trained model."""

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """Number of trained parameters."""

    @abstractmethod
    def predict_proba(self, X: Samples) -> npt.NDArray[np.float32]:
        """Return class probabilities.

        Parameters
        ----------
        X : ndarray of shape (n_samples, *sample_shape), Ragged or csr_array
            As in training; any number of samples from 1.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float32
            Rows are finite and sum to 1, those of samples far from the training part too; column ``k`` belongs
            to class code ``k``.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model into an existing, empty folder."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read a model that ``save`` wrote, in any later process."""


class ModelPlugin(ABC):
    """A family of models: what it accepts, what can be tuned, how one configuration is trained.

    Attributes
    ----------
    tags : ModelTags
    expected_failures : mapping of str to str, default empty
        Checks of :mod:`nncompare.testing` that cannot hold for this family, each with the reason.
    """

    tags: ClassVar[ModelTags]
    expected_failures: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @abstractmethod
    def suggest_params(self, trial: Trial, data: DataSpec) -> Params:
        """Return one configuration as JSON values, asking ``trial`` for whatever is tuned."""

    @abstractmethod
    def default_params(self, data: DataSpec) -> Params:
        """Return a value for each name that ``suggest_params`` asks for: the configuration of trial 0."""

    def test_params(self, data: DataSpec) -> Params:
        """Return a cheap configuration with the names of ``default_params``, for :mod:`nncompare.testing`.

        The checks train it some twenty times on 160 rows. Override it where the default is slow.
        """
        return self.default_params(data)

    @abstractmethod
    def fit(self, params: Params, train: Data, valid: Data | None, context: FitContext) -> FittedModel:
        """Train one configuration.

        Parameters
        ----------
        params : dict
            What ``suggest_params`` returned.
        train : Data
            Read-only; ``X`` may be a memory map, a Ragged of them (tokens), or a sparse table.
        valid : Data or None
            For early stopping and for ``context.report``. None in a refit after a search on all rows: then
            train for exactly ``context.max_epochs`` epochs.
        context : FitContext
            Seed, limits, and ``report``, which raises ``TrialPruned``: let it pass. Who trains in epochs reports
            every one of them: a refit trains for as many epochs as the best trial had reported when it was best,
            and for ``max_epochs`` where nothing was reported.

        Returns
        -------
        FittedModel
            With the weights of the best epoch where there is a validation part.
        """


class DatasetPlugin(ABC):
    """A named data set.

    Attributes
    ----------
    info : DatasetInfo
    expected_failures : mapping of str to str, default empty
        As in :class:`ModelPlugin`.
    """

    info: ClassVar[DatasetInfo]
    expected_failures: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @abstractmethod
    def load(self, cache: Path) -> Dataset:
        """Return the samples, downloading into ``cache`` what is not there yet.

        Raises
        ------
        DataUnavailableError
            The data cannot be had now (no network); studies on it are reported as not run.
        """
