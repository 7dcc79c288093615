"""The whole of a run: search, refit, sealed test, verdict; the only file that turns exceptions into failures."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nncompare.engine import RESULTS, Engine
from nncompare.events import Listener, RunFinished
from nncompare.exceptions import ResultsError, UsageError
from nncompare.execution.runner import LocalRunner
from nncompare.interrupts import Interrupts, terminable
from nncompare.plan import Plan
from nncompare.planning import make_plan
from nncompare.results import Results
from nncompare.settings import RunConfig

__all__ = ["Comparison", "Interrupted", "compare", "exit_code", "load_results", "run"]


class Interrupted(KeyboardInterrupt):
    """The run was stopped by a signal; everything that finished is in ``results``."""

    def __init__(self, signum: int, results: Results, report: Path) -> None:
        super().__init__(f"interrupted by signal {signum}; the partial report is {report}")
        self.signum, self.results, self.report = signum, results, report


@dataclass(frozen=True, slots=True)
class Comparison:
    """A finished run.

    Parameters
    ----------
    results : Results
        Everything that is known, as in results.json.
    folder : Path
        The run directory, which holds report.html, report.md and results.json.
    """

    results: Results
    folder: Path

    def __repr__(self) -> str:
        """Return the verdicts in words, and where the report is."""
        lines = [f"  {dataset.verdict.text}" for dataset in self.results.datasets]
        return "\n".join([f"<Comparison {self.results.run_id}", *lines, f"  {self.folder / 'report.html'}>"])


def compare(
    models: str | Sequence[str] = (),
    dataset: str | Sequence[str] = (),
    *,
    listener: Listener | None = None,
    **settings: Any,
) -> Comparison:
    """Search, refit and compare models; the same as ``nncompare run``.

    It works from a script without ``if __name__ == "__main__"`` and from a notebook: children never import
    the caller's file.

    Parameters
    ----------
    models : str or sequence of str
        Names of installed models, ``package.module:Class`` or ``path/file.py:Class``; all where empty.
    dataset : str or sequence of str
        Names of installed data sets; where empty, each model's own and the common ground ``mnist1d``.
    listener : callable, optional
        Receives the events of :mod:`nncompare.events`.
    **settings
        Fields of :class:`nncompare.settings.RunConfig`, such as ``preset="quick"``, ``jobs=1``, ``seed=7``.

    Raises
    ------
    UsageError
        A name or a value is wrong.
    KeyboardInterrupt
        Ctrl-C stopped the run; what finished is in the run directory, and ``__cause__`` is
        :class:`Interrupted`, which holds it. A script that lets it pass ends by SIGINT (a shell shows 130).
    SystemExit
        SIGTERM stopped the run; its code is 143.
    """
    config = RunConfig(models=_names(models), datasets=_names(dataset), **settings)
    with LocalRunner() as runner:
        with terminable():
            plan = make_plan(config, runner, listener)
        try:
            return Comparison(run(plan, runner, listener), plan.folder)
        except Interrupted as error:
            if error.signum == signal.SIGTERM:
                raise SystemExit(128 + signal.SIGTERM) from error
            # Python ends a script by SIGINT for KeyboardInterrupt itself, not for a class that derives from it.
            raise KeyboardInterrupt(str(error)) from error


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    found = (names,) if isinstance(names, str) else tuple(names)
    for name in found:
        if not isinstance(name, str):
            text = "Plugins run in processes of their own, so name them as on the command line"
            raise UsageError(f"{name!r} is not a name. {text}: 'mlp', 'package.module:Class' or 'file.py:Class'.")
    return found


def run(plan: Plan, runner: LocalRunner, listener: Listener | None = None) -> Results:
    """Carry out a plan; write results.json, report.html and report.md into ``plan.folder``.

    Raises
    ------
    StorageError
        The run directory cannot be made or written.
    Interrupted
        SIGINT or SIGTERM came; the partial report is written.
    """
    state = Engine(plan, runner, listener or (lambda _event: None))
    with Interrupts(state.stop, runner) as interrupts:
        results = state.carry_out()
    report = plan.folder / "report.html"
    if interrupts.signum is not None:
        raise Interrupted(interrupts.signum, results, report)
    state.tell(RunFinished(results, str(report)))
    return results


def exit_code(results: Results, strict: bool = False) -> int:
    """Return the exit code that a run deserves.

    0 where every pair was compared or not run for want of data, 3 where some pair failed (with ``strict``
    also where one was not run), 4 where no pair has a result.
    """
    statuses = {study.status for study in results.studies}
    if "complete" not in statuses:
        return 4
    return 3 if "failed" in statuses or (strict and "not_run" in statuses) else 0


def load_results(path: Path) -> Results:
    """Read results.json from a run directory or a file.

    Raises
    ------
    ResultsError
        There is none, or it is damaged.
    """
    file = path / RESULTS if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"'{file}' cannot be read: {type(error).__name__}: {error}.") from error
    return Results.from_json(text, str(file))
