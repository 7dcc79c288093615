"""A model plugin under test: its trainings, each done once and shared by the checks that look at it."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from nncompare.data.fingerprint import fingerprint
from nncompare.data.records import Array, Data, DataSpec, Samples, View
from nncompare.data.samples import arrays_of
from nncompare.execution.failures import describe_error
from nncompare.execution.process import seed_globals
from nncompare.plugin import EpochReport, FittedModel, ModelPlugin, ModelTags, Params, TrialPruned
from nncompare.testing.outcomes import CheckFailedError, SkippedCheck
from nncompare.testing.problems import Problem, copy_data, make_problem
from nncompare.testing.reloading import Reload, reload_here
from nncompare.testing.watching import ThreadWatch, WatchedContext, changes, preserved, state_of_process

__all__ = ["BRIEF", "ENOUGH", "ModelSubject", "Observed", "Trained", "plugin_errors", "predict"]

T = TypeVar("T")

BRIEF = 3
"""Epochs of a training that is only looked at."""
ENOUGH = 30
"""Epochs of a training that has to learn."""
SEED, OTHER_SEED = 1, 2
HOUR_S = 3600.0


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


@dataclass(frozen=True, slots=True)
class Observed:
    """A training together with what it changed: names of shared things, and of its own arguments."""

    trained: Trained
    shared: list[str]
    arguments: list[str]


class ModelSubject:
    """What the checks of a model plugin receive.

    Parameters
    ----------
    cls : type of ModelPlugin
    reload : callable, optional
        Loads a saved model in a fresh process; see :mod:`nncompare.testing.reloading`.
    """

    def __init__(self, cls: type[ModelPlugin], reload: Reload = reload_here) -> None:
        self.cls = cls
        self.reload = reload
        self._kept: dict[str, Any] = {}

    def __repr__(self) -> str:
        return self.cls.__name__

    @property
    def tags(self) -> ModelTags:
        """The plugin's tags."""
        if not isinstance(getattr(self.cls, "tags", None), ModelTags):
            raise SkippedCheck("It builds on check_tags, which failed.")
        return self.cls.tags

    def plugin(self) -> ModelPlugin:
        """Return a new object of the plugin's class."""
        with plugin_errors(f"{self.cls.__name__}()", "A plugin is constructed without arguments"):
            return self.cls()

    def views(self) -> list[tuple[View, bool]]:
        """Return each accepted view, and whether its samples are sparse; the first is the one of most checks."""
        dense: list[tuple[View, bool]] = [(view, False) for view in self.tags.accepts]
        return [*dense, ("tabular", True)] if self.tags.sparse and "tabular" in self.tags.accepts else dense

    def problem(self, **options: Any) -> Problem:
        """Return a problem in the first view."""
        view, sparse = self.views()[0]
        return make_problem(view, sparse=sparse, **options)

    def test_params(self, spec: DataSpec) -> Params:
        """Return the plugin's cheap configuration."""
        with plugin_errors("test_params()", "It returns a configuration for any data that the plugin accepts"):
            return copy.deepcopy(self.plugin().test_params(spec))

    def fit(
        self,
        train: Data,
        valid: Data | None,
        *,
        plugin: ModelPlugin | None = None,
        params: Params | None = None,
        copies: bool = True,
        **limits: Any,
    ) -> Trained:
        """Train, and leave the process as it was.

        Parameters
        ----------
        train, valid : Data
        plugin : ModelPlugin, optional
            A new one where none is given.
        params : dict, optional
            ``test_params`` where none are given.
        copies : bool
            Hand over copies of the data, which may be written to.
        **limits
            For the :class:`WatchedContext`; by default 3 epochs, seed 1.

        Raises
        ------
        CheckFailedError
            ``fit`` raised, or returned something else than a model.
        TrialPruned
            The context's ``on_report`` said so.
        """
        plugin = plugin or self.plugin()
        context = WatchedContext(**{"seed": SEED, "max_epochs": BRIEF, **limits})
        params = self.test_params(train.spec) if params is None else params
        if copies:
            train, valid = copy_data(train), valid and copy_data(valid)
        with preserved():
            seed_globals(context.seed)
            return _fit(plugin, params, train, valid, context)

    def reference(self) -> Trained:
        """Return the training that most checks compare with; where it fails, check_trains says so."""
        with _builds_on("check_trains"):
            return self.train_reference()

    def train_reference(self) -> Trained:
        """Train ``test_params`` for three epochs on the plain problem."""
        problem = self.problem()
        return self._once("reference", lambda: self.fit(problem.train, problem.valid))

    def other_seed(self) -> Trained:
        """Return the reference with another seed."""
        problem = self.problem()
        return self._once("other", lambda: self.fit(problem.train, problem.valid, seed=OTHER_SEED))

    def observed(self) -> Observed:
        """Return the reference trained again, with what it changed."""
        self.reference()  # modules that are imported late may change the environment once
        return self._once("observed", self._observe)

    def limited(self) -> tuple[Trained, str | None]:
        """Return the reference trained again with a deadline an hour away, and what the watch of threads saw."""
        self.reference()

        def train() -> tuple[Trained, str | None]:
            from threadpoolctl import threadpool_limits

            problem = self.problem()
            with threadpool_limits(1):
                watch = ThreadWatch(1)

                def look(_report: EpochReport) -> bool:
                    watch.look()
                    return True

                with watch.watching():
                    limits: dict[str, Any] = {"deadline": time.monotonic() + HOUR_S, "on_report": look}
                    trained = self.fit(problem.train, problem.valid, **limits)
                return trained, watch.found

        return self._once("limited", train)

    def without_validation(self, max_epochs: int = BRIEF) -> Trained:
        """Return a training without a validation part."""
        self.reference()
        train = self.problem().train
        return self._once(f"alone {max_epochs}", lambda: self.fit(train, None, max_epochs=max_epochs))

    def misled(self) -> Trained:
        """Return a training whose validation part has wrong labels, so that the first epoch is the best one."""
        self.reference()
        problem = self.problem()
        wrong = Data(problem.valid.X, (problem.valid.y + 1) % problem.spec.n_classes, problem.spec)
        return self._once("misled", lambda: self.fit(problem.train, wrong))

    def with_classes(self, name: str, shares: Sequence[float], **limits: Any) -> tuple[Trained, Problem]:
        """Return a training on another number of classes, and its problem."""
        self.reference()
        problem = self.problem(shares=shares)
        return self._once(name, lambda: (self.fit(problem.train, problem.valid, **limits), problem))

    def learned(self) -> Trained:
        """Return a training that is long enough to learn the plain problem."""
        self.reference()
        problem = self.problem()
        return self._once("learned", lambda: self.fit(problem.train, problem.valid, max_epochs=ENOUGH))

    def _observe(self) -> Observed:
        problem = self.problem()
        parts = {"train": copy_data(problem.train), "valid": copy_data(problem.valid)}
        params = self.test_params(problem.spec)
        given, plugin = copy.deepcopy(params), self.plugin()
        context = WatchedContext(seed=SEED, max_epochs=BRIEF)
        with preserved():
            seed_globals(SEED)
            before, digests = state_of_process(), _digests(parts)
            trained = _fit(plugin, params, parts["train"], parts["valid"], context)
            shared = changes(before, state_of_process())
        changed = changes(digests, _digests(parts)) + (["params"] if params != given else [])
        return Observed(trained, shared, changed)

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """Return what ``make`` returned at its first call; a failure is raised again too."""
        if name not in self._kept:
            try:
                self._kept[name] = make()
            except CheckFailedError as error:
                self._kept[name] = error
        found = self._kept[name]
        if isinstance(found, CheckFailedError):
            raise found.with_traceback(None)
        return found  # type: ignore[no-any-return]


@contextlib.contextmanager
def plugin_errors(what: str, remedy: str) -> Iterator[None]:
    """Turn whatever plugin code raises into the sentence of a failed check; pruning passes."""
    try:
        yield
    except (CheckFailedError, SkippedCheck, TrialPruned):
        raise
    except Exception as error:
        raise CheckFailedError(f"{what} raised {describe_error(error)}. {remedy}.") from error


def predict(trained: Trained, X: Samples) -> Array:
    """Return what ``predict_proba`` gives for ``X``, whatever it is, as an array."""
    with (
        plugin_errors("predict_proba()", "It takes any number of samples from 1 in the form of training"),
        preserved(),
    ):
        return np.asarray(trained.model.predict_proba(copy_data(Data(X, np.empty(0), None)).X))  # type: ignore[arg-type]


@contextlib.contextmanager
def _builds_on(check: str) -> Iterator[None]:
    try:
        yield
    except CheckFailedError as error:
        raise SkippedCheck(f"It builds on {check}, which failed.") from error


def _fit(plugin: ModelPlugin, params: Params, train: Data, valid: Data | None, context: WatchedContext) -> Trained:
    spec = train.spec
    place = f"on {len(train)} rows of {'sparse ' if spec.sparse else ''}view '{spec.view}' with "
    f"{spec.n_classes} classes"
    part = "" if valid is not None else " and no validation part"
    with plugin_errors(f"fit() {place}{part}", f"It has to train there with {params}"):
        model = plugin.fit(params, train, valid, context)
    if not isinstance(model, FittedModel):
        raise CheckFailedError(
            f"fit() {place}{part} returned an object of type {type(model).__name__}. "
            "Return a nncompare.plugin.FittedModel."
        )
    return Trained(model, plugin, context)


def _digests(parts: dict[str, Data]) -> dict[str, str]:
    found = {}
    for name, part in parts.items():
        found[f"{name}.X"] = fingerprint(**arrays_of("X", part.X))
        found[f"{name}.y"] = fingerprint(y=part.y)
    return found
