"""A run from its plan to its results, and what a finished one can tell."""

from __future__ import annotations

import os
import shlex
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncompare.columns import one_line
from nncompare.data.files import write_atomic
from nncompare.data.own import own_name
from nncompare.engine import Engine
from nncompare.estimate import Estimate
from nncompare.events import Listener, RunFinished
from nncompare.exceptions import ResultsError, UsageError, VersionError
from nncompare.execution.runner import LocalRunner
from nncompare.interrupts import Interrupts
from nncompare.layout import REPORT, RESULTS
from nncompare.leaderboard import leaderboard, trials
from nncompare.plan import Plan
from nncompare.portable import Exported, export
from nncompare.prediction import Prediction, predict
from nncompare.preflight import check_room
from nncompare.ranks import rank_line
from nncompare.report import render_comparison, render_html, write_report
from nncompare.results import Results, VerdictRecord
from nncompare.scoretable import ranked_studies, score_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "Interrupted", "exit_code", "load_results", "run"]


class Interrupted(KeyboardInterrupt):
    """The run was stopped by a signal; everything that finished is in ``results``."""

    def __init__(self, signum: int, results: Results, report: Path) -> None:
        super().__init__(f"interrupted by signal {signum}; the partial report is {report}")
        self.signum, self.results, self.report = signum, results, report


class _ByName(dict[str, VerdictRecord]):
    """Verdicts by the names of data sets, which are also found as the caller wrote them."""

    def __missing__(self, name: str) -> VerdictRecord:
        called = own_name(name)
        if called not in self:
            raise KeyError(f"{name!r}: the run has {', '.join(self) or 'no data set'}.")
        return self[called]


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

    @property
    def verdict(self) -> str:
        """Which model to use and how sure that is, in words; one line for each of several data sets."""
        texts = {name: verdict.text for name, verdict in self.verdicts.items()}
        if len(texts) == 1:
            return next(iter(texts.values()))
        return "\n".join(f"{name}: {text}" for name, text in texts.items())

    @property
    def verdicts(self) -> dict[str, VerdictRecord]:
        """The verdict of each data set, by its name: state, winner, differences of all pairs, checks.

        A name that was given to ``compare()`` finds its verdict too: ``"my wine"`` is ``my-wine`` in the run.
        """
        return _ByName((dataset.name, dataset.verdict) for dataset in self.results.datasets)

    @property
    def leaderboard(self) -> pd.DataFrame:
        """One row per model and reference, the best first; see :func:`nncompare.leaderboard.leaderboard`."""
        return leaderboard(self.results)

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial; see :func:`nncompare.leaderboard.trials`."""
        return trials(self.results)

    def report(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Return the path of the report; with ``path``, write a copy of it there, as a whole or not at all.

        Parameters
        ----------
        path : str or path, optional
            A file, which is replaced where it exists, or a folder, which then holds report.html.

        Raises
        ------
        UsageError
            A folder stands where the file should go.
        StorageError
            The file cannot be written.
        """
        own = self.folder / REPORT
        if path is None:
            return own if own.is_file() else write_report(self.results, self.folder)
        wanted = Path(path).expanduser()
        target = wanted / REPORT if wanted.is_dir() else wanted
        if target.is_dir():
            raise UsageError(f"'{target}' is a folder, and a report is one file. Name a file in it.")
        write_atomic(target, render_html(self.results))
        return target

    def predict(
        self,
        X: Any = None,
        *,
        model: str | None = None,
        dataset: str | None = None,
        refit: int = 1,
        output: str | os.PathLike[str] | None = None,
        encoding: str | None = None,
    ) -> Prediction:
        """Predict new samples with a saved model of the run, in a process of its own.

        Parameters
        ----------
        X : DataFrame, array-like of shape (n_samples, ...) or path, optional
            Samples in the form of the data set: a table needs the columns of training by name, in any order. Of a
            path, the table, the .npz or .npy file, or the folder of images is read. Without it, the run's own test
            part is predicted.
        model : str, optional
            By default the verdict's winner, else the model with the lowest validation log loss.
        dataset : str, optional
            Whose model it is; a run of several needs it.
        refit : int, default 1
            Which of the model's refits predicts.
        output : path, optional
            A .csv or .npz file to write.
        encoding : str, optional
            Of a table file, where it is not UTF-8.

        Returns
        -------
        Prediction
            ``names``, ``probabilities``, ``frame`` (pandas) and, where the classes are known, ``accuracy``.

        Raises
        ------
        UsageError, DataError, ResultsError, PluginError, StorageError
            As :func:`nncompare.prediction.predict`.

        Warns
        -----
        UserWarning
            Categories that the model never saw count as rare ones, or another version of the plugin is installed.
        """
        to_file = None if output is None else Path(output).expanduser()
        given = Path(X).expanduser() if isinstance(X, str | os.PathLike) else X
        found = predict(
            self.folder, self.results, model, dataset, refit, input=given, output=to_file, encoding=encoding
        )
        if found.note:
            warnings.warn(found.note, stacklevel=2)
        return found

    def export(
        self,
        form: str,
        output: str | os.PathLike[str],
        *,
        model: str | None = None,
        dataset: str | None = None,
        refit: int = 1,
        replace: bool = False,
    ) -> Exported:
        """Write a model of the run for programs without nncompare, with its preprocessing and a model card.

        Parameters
        ----------
        form : {"keras", "onnx", "skops"}
        output : path
            The folder to make.
        model, dataset, refit
            As in :meth:`predict`.
        replace : bool, default False
            Replace an earlier export in that folder.

        Returns
        -------
        Exported
            ``folder``, ``files``, and ``max_difference`` of a probability from that of the run's model.

        Raises
        ------
        UsageError, ResultsError, PluginError, ExportError, StorageError
            As :func:`nncompare.portable.export`.
        """
        target = Path(output).expanduser()
        return export(self.folder, self.results, form, target, model, dataset, refit, replace=replace)

    def __str__(self) -> str:
        """Return the verdicts and a small table of scores in plain text, as a run prints them at its end."""
        parts = []
        for dataset in self.results.datasets:
            parts.append(one_line(dataset.verdict.text))
            ranked = ranked_studies(self.results, dataset)
            if len(self.results.datasets) > 1:
                parts[-1] = f"{dataset.name}: {parts[-1]}"
            if ranked:
                parts.append("\n".join(score_table(ranked, dataset)))
        if ranks := rank_line(self.results):
            parts.append(one_line(ranks))
        return "\n\n".join([*parts, f"Report: {self.folder / REPORT}"])

    def __repr__(self) -> str:
        """Return the verdicts in words, and where the report is."""
        lines = [f"  {line}" for line in self.verdict.splitlines()]
        return "\n".join([f"<Comparison {self.results.run_id}", *lines, f"  {self.folder / REPORT}>"])

    def _repr_html_(self) -> str:
        """Return the verdicts, a small table and the report's path, for a notebook."""
        return render_comparison(self.results, self.folder / REPORT)


def run(
    plan: Plan, runner: LocalRunner, listener: Listener | None = None, *, estimate: Estimate | None = None
) -> Results:
    """Carry out a plan; write results.json, report.html and report.md into ``plan.folder``.

    Raises
    ------
    StorageError
        The run directory cannot be made or written, or its disk has no room for the run.
    Interrupted
        SIGINT or SIGTERM came; the partial report is written.
    """
    check_room(plan, listener)
    state = Engine(plan, runner, listener or (lambda _event: None), estimate)
    with Interrupts(state.stop, runner, state.tell) as interrupts:
        results = state.carry_out()
    report = plan.folder / REPORT
    if interrupts.signum is not None:
        raise Interrupted(interrupts.signum, results, report)
    state.tell(RunFinished(results, str(report)))
    return results


def exit_code(results: Results, strict: bool = False) -> int:
    """Return the exit code that a run deserves.

    0 where every pair was compared or not run for want of data, 3 where some pair failed (with ``strict``
    also where one was not run) or the extension of one did, so that results of before stand, 4 where no pair has a
    result.
    """
    statuses = {study.status for study in results.studies}
    if "complete" not in statuses:
        return 4
    return 3 if "failed" in statuses or results.state == "interrupted" or (strict and "not_run" in statuses) else 0


def load_results(path: Path) -> Results:
    """Read results.json from a run directory or a file.

    Raises
    ------
    ResultsError
        There is none, or it is damaged.
    """
    file = path / RESULTS if path.is_dir() and path.name != RESULTS else path
    try:
        return Results.read(file)
    except VersionError:
        raise
    except ResultsError as error:
        advice = f" What to do: nncompare doctor {shlex.quote(str(file.parent))}" if file.name == RESULTS else ""
        raise ResultsError(f"{error}{advice}") from error
