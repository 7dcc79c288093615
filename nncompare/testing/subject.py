"""A model plugin under test: its trainings, each done once and shared by the checks that look at it."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from nncompare.data.records import VIEWS, Array, Data, DataSpec, Samples, View
from nncompare.execution.process import seed_globals
from nncompare.plugin import ModelPlugin, ModelTags, Params
from nncompare.testing.calling import Trained, call_fit, plugin_errors, predict, predict_raw
from nncompare.testing.comparisons import SAME, difference
from nncompare.testing.fresh import RunFresh, run_here
from nncompare.testing.observing import GLOBAL_SEEDS, Observed, observed, observed_threads
from nncompare.testing.outcomes import BuildsOn, CheckFailedError, Status
from nncompare.testing.problems import SHARES, Problem, copy_data, copy_samples, make_problem, take_rows
from nncompare.testing.watching import WatchedContext, preserved

__all__ = ["BRIEF", "ENOUGH", "ModelSubject"]

T = TypeVar("T")

BRIEF = 3
"""Epochs of a training that is only looked at."""
ENOUGH = 30
"""Epochs of a training that has to learn."""
FEW = 40
"""Rows of a training that is long and has nothing to learn."""
SEED, OTHER_SEED = 1, 2


class ModelSubject:
    """What the checks of a model plugin receive.

    Parameters
    ----------
    cls : type of ModelPlugin
    run_fresh : callable, optional
        Runs a request in a fresh process; see :mod:`nncompare.testing.fresh`.
    """

    def __init__(self, cls: type[ModelPlugin], run_fresh: RunFresh = run_here) -> None:
        self.cls = cls
        self.run_fresh = run_fresh
        self.statuses: dict[str, Status] = {}
        """Of the checks that have run here, before anything is excused."""
        self.blamed: dict[str, str] = {}
        """Checks that others were skipped for, and one of these others."""
        self._kept: dict[str, Any] = {}

    def __repr__(self) -> str:
        return self.cls.__name__

    @property
    def tags(self) -> ModelTags:
        """The plugin's tags."""
        if not isinstance(getattr(self.cls, "tags", None), ModelTags):
            raise BuildsOn("check_tags")
        return self.cls.tags

    def plugin(self) -> ModelPlugin:
        """Return a new object of the plugin's class; where there is none, a check of its own says so."""
        with _builds_on("check_constructs_without_arguments"):
            return self.construct()

    def construct(self) -> ModelPlugin:
        """Return a new object of the plugin's class."""
        with plugin_errors(f"{self.cls.__name__}()", "A plugin is constructed without arguments"):
            return self.cls()

    def views(self) -> list[tuple[View, bool]]:
        """Return each accepted view, and whether its samples are sparse; the first is the one of most checks."""
        dense: list[tuple[View, bool]] = [(view, False) for view in self.tags.accepts if view in VIEWS]
        if not dense or len(dense) < len(self.tags.accepts):
            raise BuildsOn("check_tags")
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
            seed_globals(GLOBAL_SEEDS + context.seed)
            return call_fit(plugin, params, train, valid, context)

    def reference(self) -> Trained:
        """Return the training that most checks compare with; where it fails, check_trains says so."""
        with _builds_on("check_trains"):
            return self.train_reference()

    def train_reference(self) -> Trained:
        """Train ``test_params`` for three epochs on the plain problem."""
        problem = self.problem()
        return self._once("reference", lambda: self.fit(problem.train, problem.valid))

    def predict(self, trained: Trained, X: Samples, *, copies: bool = True) -> Array:
        """Return what a model predicts, if the reference predicts at all; see :func:`calling.predict`."""
        self.first_prediction()
        return predict(trained, X, copies=copies)

    def first_prediction(self) -> Any:
        """Return what the reference predicts for validation; where it raises, check_predicts says so."""
        with _builds_on("check_predicts"):
            return self.predict_once()

    def predict_once(self) -> Any:
        """Let the reference predict for validation, whatever it returns."""
        trained, X = self.reference(), self.problem().valid.X
        return self._once("first prediction", lambda: predict_raw(trained, copy_samples(X)))

    def accepted(self, view: View, sparse: bool) -> tuple[Trained, Problem]:
        """Return an epoch of the default configuration in one view, and its problem."""
        self.reference()

        def make() -> tuple[Trained, Problem]:
            problem = make_problem(view, sparse=sparse)
            with plugin_errors(
                "default_params()", "It returns a configuration for any data that the plugin accepts"
            ):
                params = self.plugin().default_params(problem.spec)
            return self.fit(problem.train, problem.valid, params=copy.deepcopy(params), max_epochs=1), problem

        return self._once(f"accepted {view} {sparse}", make)

    def predictions(self) -> Array:
        """Return what the reference predicts for validation, if that repeats and rows keep their order."""
        found, turned = self._once("predictions", self._predict_thrice)
        if not difference(found[0], found[1]) <= SAME:
            raise BuildsOn("check_predictions_repeat")
        if not difference(found[0], turned) <= SAME:
            raise BuildsOn("check_rows_keep_their_order")
        return found[0]

    def repeated(self) -> Array:
        """Return those predictions, if a second training with the same seed gives them too."""
        found = self.predictions()
        if not difference(found, self.predict(self.observed().trained, self.problem().valid.X)) <= SAME:
            raise BuildsOn("check_same_seed_same_predictions")
        return found

    def other_seed(self) -> Trained:
        """Return the reference with another seed."""
        problem = self.problem()
        return self._once("other", lambda: self.fit(problem.train, problem.valid, seed=OTHER_SEED))

    def observed(self) -> Observed:
        """Return the reference trained again, with what it changed."""
        self.reference()  # modules that are imported late may change the environment once
        return self._once("observed", lambda: observed(self, seed=SEED, max_epochs=BRIEF))

    def limited(self) -> tuple[Trained, str | None]:
        """Return the reference trained again with a deadline an hour away, and what the watch of threads saw."""
        self.reference()
        return self._once("limited", lambda: observed_threads(self))

    def without_validation(self, max_epochs: int = BRIEF) -> Trained:
        """Return a training without a validation part."""
        self.reference()
        train = self.problem().train
        return self._once(f"alone {max_epochs}", lambda: self.fit(train, None, max_epochs=max_epochs))

    def long_alone(self) -> Trained:
        """Return a training of many epochs on a few rows, without a validation part."""
        self.reference()
        train = take_rows(self.problem().train, np.arange(FEW))
        return self._once("long alone", lambda: self.fit(train, None, max_epochs=ENOUGH))

    def misled(self) -> Trained:
        """Return a training whose validation part has wrong labels, so that the first epoch is the best one."""
        self.reference()
        return self._once("misled", lambda: self.fit(self.problem().train, self._wrong()))

    def one_epoch(self, *, misled: bool) -> Trained:
        """Return a training of one epoch, with the validation part or with other rows and wrong labels in it."""
        self.reference()
        train, valid = self.problem().train, self.problem().valid
        if misled:
            rows = np.arange(len(valid))
            valid = Data(train.X[rows], (train.y[rows] + 1) % valid.spec.n_classes, valid.spec)
        return self._once(f"one epoch {misled}", lambda: self.fit(train, valid, max_epochs=1))

    def with_classes(self, name: str, shares: tuple[float, ...], **limits: Any) -> tuple[Trained, Problem]:
        """Return a training on another number of classes, and its problem."""
        self.reference()
        problem = self.problem(shares=shares)
        return self._once(name, lambda: (self.fit(problem.train, problem.valid, **limits), problem))

    def on_other_data(self) -> tuple[Trained, Problem]:
        """Return an epoch on data with other shares of the classes, trained anew at each call, and its problem."""
        problem = self.problem(shares=SHARES[::-1])
        return self.fit(problem.train, problem.valid, max_epochs=1), problem

    def learned(self) -> Trained:
        """Return a training that is long enough to learn the plain problem."""
        self.reference()
        problem = self.problem()
        return self._once("learned", lambda: self.fit(problem.train, problem.valid, max_epochs=ENOUGH))

    def _wrong(self) -> Data:
        valid = self.problem().valid
        return Data(valid.X, (valid.y + 1) % valid.spec.n_classes, valid.spec)

    def _predict_thrice(self) -> tuple[list[Array], Array]:
        """Return two predictions of the validation part, and one of it backwards, turned again."""
        trained, X = self.reference(), self.problem().valid.X
        rows = np.arange(len(self.problem().valid))[::-1]
        return [self.predict(trained, X) for _ in range(2)], self.predict(trained, X[rows])[::-1]

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
def _builds_on(check: str) -> Iterator[None]:
    try:
        yield
    except CheckFailedError as error:
        raise BuildsOn(check) from error
