"""Calls of plugin code: whatever it raises or returns becomes the sentence of a failed check."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncompare.data.records import Array, Data, Samples
from nncompare.exceptions import PluginError
from nncompare.execution.failures import describe_error
from nncompare.plugin import EpochReport, FittedModel, ModelPlugin, Params, TrialPruned
from nncompare.testing.outcomes import CheckFailedError, SkippedCheck
from nncompare.testing.problems import copy_samples
from nncompare.testing.watching import WatchedContext, preserved

__all__ = ["Trained", "call_fit", "plugin_errors", "predict", "predict_raw"]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, the plugin object that trained it, and what was reported meanwhile."""

    model: FittedModel
    plugin: ModelPlugin
    context: WatchedContext

    @property
    def history(self) -> list[EpochReport]:
        """One report per epoch."""
        return self.context.history


@contextlib.contextmanager
def plugin_errors(what: str, remedy: str) -> Iterator[None]:
    """Turn whatever plugin code raises into the sentence of a failed check; pruning passes."""
    try:
        yield
    except (CheckFailedError, SkippedCheck, TrialPruned):
        raise
    except Exception as error:
        own = "" if isinstance(error, PluginError) else f" {remedy}."  # nncompare's messages have their remedy
        raise CheckFailedError(f"{what} raised {describe_error(error).rstrip('.')}.{own}") from error


def predict(trained: Trained, X: Samples, *, copies: bool = True) -> Array:
    """Return what ``predict_proba`` gives for ``X``, or a copy of it, whatever that is, as an array."""
    found = predict_raw(trained, copy_samples(X) if copies else X)
    with plugin_errors("predict_proba()", "It returns an array"):
        return np.array(found)


def predict_raw(trained: Trained, X: Samples) -> Any:
    """Return what ``predict_proba`` gives for ``X``."""
    with (
        plugin_errors("predict_proba()", "It takes any number of samples from 1 in the form of training"),
        preserved(),
    ):
        return trained.model.predict_proba(X)


def call_fit(
    plugin: ModelPlugin, params: Params, train: Data, valid: Data | None, context: WatchedContext
) -> Trained:
    """Call ``fit`` and return what it returned, if that is a model."""
    spec = train.spec
    view = f"{'sparse ' if spec.sparse else ''}view '{spec.view}'"
    place = f"on {len(train)} rows of {view} with {spec.n_classes} classes"
    part = "" if valid is not None else " and no validation part"
    with plugin_errors(f"fit() {place}{part}", f"It has to train there with {params}"):
        model = plugin.fit(params, train, valid, context)
    if not isinstance(model, FittedModel):
        raise CheckFailedError(
            f"fit() {place}{part} returned an object of type {type(model).__name__}. "
            "Return a nncompare.plugin.FittedModel."
        )
    return Trained(model, plugin, context)
