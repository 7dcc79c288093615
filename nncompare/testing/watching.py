"""What the kit sees of a plugin at work: its reports, its threads, and what it leaves changed behind it."""

from __future__ import annotations

import os
import random
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from nncompare.exceptions import PluginError
from nncompare.plugin import EpochReport, FitContext, TrialPruned
from nncompare.reported import checked_fraction, checked_loss

__all__ = ["ThreadWatch", "WatchedContext", "changes", "preserved", "state_of_process"]

FAR_TOO_MANY = 1000
"""Epochs beyond ``max_epochs`` after which a training that ignores it is ended."""


@dataclass(slots=True, kw_only=True)
class WatchedContext(FitContext):
    """Takes down what a plugin reports, right or wrong, so that one fault does not hide the others.

    Parameters
    ----------
    faults : list of str
        What was wrong with the reports, each once.
    """

    faults: list[str] = field(default_factory=list)

    def report(
        self,
        epoch: int,
        *,
        train_loss: float | None = None,
        valid_loss: float | None = None,
        valid_accuracy: float | None = None,
        **others: Any,
    ) -> None:
        """Take one report; raise TrialPruned where the trial is to stop, DivergedError for losses beyond all."""
        expected = len(self.history) + 1
        if others:
            self._note(f"report() got {next(iter(others))!r}, a name that it does not know")
        if epoch != expected:
            self._note(f"report() was called with epoch {epoch!r} where epoch {expected} was due")
        if expected > self.max_epochs + FAR_TOO_MANY:
            raise PluginError(f"fit() trained {expected} epochs, and max_epochs is {self.max_epochs}.")
        try:
            loss = checked_loss("train_loss", train_loss), checked_loss("valid_loss", valid_loss)
            accuracy = checked_fraction("valid_accuracy", valid_accuracy)
        except PluginError as error:
            self._note(f"report() got a value that cannot be: {str(error).rstrip('.')}")
            loss, accuracy = (None, None), None
        self.history.append(EpochReport(expected, *loss, accuracy))
        if self.on_report is not None and not self.on_report(self.history[-1]):
            raise TrialPruned

    def _note(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)


@contextmanager
def preserved() -> Iterator[None]:
    """Leave the process's environment, folder and generators as they were, and show no warning of the plugin."""
    environment, folder = dict(os.environ), Path.cwd()
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 - the global one
    try:
        with warnings.catch_warnings(), np.errstate():
            warnings.simplefilter("ignore")
            yield
    finally:
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        os.chdir(folder)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


def state_of_process() -> dict[str, object]:
    """Return what all code of a process shares, by the words that a message uses."""
    variables = {f"the environment variable {name!r}": value for name, value in os.environ.items()}
    return {
        "NumPy's global random state": _numpy_state(),
        "Python's global random state": random.getstate(),
        "the current folder": str(Path.cwd()),
        "NumPy's handling of floating-point errors": np.geterr(),
        **variables,
    }


def _numpy_state() -> str:
    """Return NumPy's global state as text, arrays in full."""
    with np.printoptions(threshold=sys.maxsize):
        return repr(np.random.get_state(legacy=False))  # noqa: NPY002 - the global one


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return the names of what differs, in order."""
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


class ThreadWatch:
    """Counts the workers that run at the same time while it is entered.

    Parameters
    ----------
    n_threads : int
        What is allowed: so many threads beside the one that calls, and no processes beyond that number either.
    """

    def __init__(self, n_threads: int) -> None:
        self._allowed = n_threads
        self._before = self._pools()
        self._started: list[Any] = []
        self.found: str | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the block; :meth:`look` has to be called where the plugin is at work.

        A pool that is enlarged and made small again between two looks is seen where threadpoolctl does it.
        """
        import multiprocessing.process
        import subprocess

        from threadpoolctl import LibController

        workers = [(threading.Thread, "start"), (multiprocessing.process.BaseProcess, "start")]
        with ExitStack() as stack:
            for owner, name in (*workers, (subprocess.Popen, "__init__")):
                stack.enter_context(mock.patch.object(owner, name, self._counting(getattr(owner, name))))
            for pool in LibController.__subclasses__():
                found = self._looking(pool.set_num_threads)
                stack.enter_context(mock.patch.object(pool, "set_num_threads", found))
            yield
            self.look()

    def look(self) -> None:
        """Compare the sizes of thread pools with what is allowed."""
        for pool, size in self._pools().items():
            if size > self._allowed and size != self._before.get(pool):
                self.found = self.found or f"the pool of {pool} was set to {size} threads"

    def _counting(self, start: Any) -> Any:
        def counted(worker: Any, *arguments: Any, **options: Any) -> Any:
            result = start(worker, *arguments, **options)
            self._started = [*filter(_is_alive, self._started), worker]
            if len(self._started) > self._allowed and self.found is None:
                self.found = f"{len(self._started)} workers ran at the same time ({type(worker).__name__})"
            return result

        return counted

    def _looking(self, resize: Any) -> Any:
        def looked(pool: Any, *arguments: Any, **options: Any) -> Any:
            result = resize(pool, *arguments, **options)
            self.look()
            return result

        return looked

    @staticmethod
    def _pools() -> dict[str, int]:
        from threadpoolctl import threadpool_info

        sizes = {str(pool["filepath"]).rpartition("/")[2]: int(pool["num_threads"]) for pool in threadpool_info()}
        if "tensorflow" in sys.modules:
            threading_options = sys.modules["tensorflow"].config.threading
            sizes["TensorFlow"] = int(threading_options.get_intra_op_parallelism_threads())
        return sizes


def _is_alive(worker: Any) -> bool:
    """Tell whether a thread or process is at work."""
    return worker.poll() is None if hasattr(worker, "poll") else bool(worker.is_alive())
