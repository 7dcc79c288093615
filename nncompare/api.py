"""The door for Python: compare models in a script or a notebook, and read a finished run."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nncompare.arguments import NOTHING_TO_COMPARE, check_arrays, check_settings, is_quiet, without_all
from nncompare.comparison import Comparison, Interrupted, load_results
from nncompare.comparison import run as carry_out
from nncompare.data.files import cache_root
from nncompare.data.own import own_arrays, own_name
from nncompare.data.split_columns import SplitColumn
from nncompare.data.store import store_dataset
from nncompare.estimate import Estimate, estimate_plan
from nncompare.events import Listener
from nncompare.exceptions import UsageError
from nncompare.execution.runner import LocalRunner
from nncompare.interrupts import terminable
from nncompare.naming import Named, plugin_names
from nncompare.outfolder import check_out
from nncompare.plan import Plan
from nncompare.planning import make_plan
from nncompare.progress.lines import choose_progress
from nncompare.progress.listeners import Listeners
from nncompare.resuming import plan_rest
from nncompare.runs import find_run
from nncompare.settings import RunConfig
from nncompare.tablecolumns import column_of

if TYPE_CHECKING:
    from nncompare.data.records import View

__all__ = ["compare", "load", "resume"]


def compare(
    models: Named | Sequence[Named] = (),
    dataset: Named | Sequence[Named] = (),
    *,
    X: Any = None,
    y: Any = None,
    X_test: Any = None,
    y_test: Any = None,
    name: str = "data",
    view: View | None = None,
    target: str | Mapping[str, str] | None = None,
    text: str | Mapping[str, str] | None = None,
    progress: bool | Literal["quiet"] = True,
    listener: Listener | None = None,
    estimate: bool = True,
    **settings: Any,
) -> Comparison:
    """Search, refit and compare models; the same as ``nncompare run``.

    It works from a script without ``if __name__ == "__main__"`` and from a notebook: children never import
    the caller's file.

    Parameters
    ----------
    models : str, class, or sequence of them
        Names of installed models, ``package.module:Class``, ``path/file.py:Class``, or the class itself if a file
        or an installed package holds it: it is then looked up again by its name. ``"all"`` are all installed ones,
        which are also compared where this is empty and a data set or ``X`` is given.
    dataset : str, path, or sequence of them
        Names of installed data sets, and paths of your own ``.csv``, ``.tsv``, ``.npz``, ``X.npy`` or
        folder of images; where this is empty and
        ``X`` is not given, each model's own data set and the common ground ``mnist1d``.
    X : array-like or DataFrame of shape (n_samples, ...), optional
        Samples of your own, instead of ``dataset``: numbers, images, sequences, or a table with numeric and
        categorical columns, where NaN and None are missing values.
    y : array-like or Series of shape (n_samples,), optional
        The class of each row of ``X``, as text or numbers.
    X_test, y_test : optional
        The test part, of the form of ``X`` and ``y``. Without it a fifth of the rows is set aside.
    name : str, default "data"
        What the report calls ``X`` and ``y``; spaces and the like become ``-``.
    view : {"tabular", "image", "sequence", "tokens"}, optional
        What ``X`` or a file holds, where the shape does not tell: "tokens" for a list or a Series of texts.
    target : str or mapping of data set to str, optional
        The column of a table file that holds the classes. Of several files each may have its own, by their names
        without suffix, and ``"*"`` is for all others: ``{"wine": "grower", "*": "class"}``.
    text : str or mapping of data set to str, optional
        The column of a table file that holds texts, whose words are compared.
    progress : bool or "quiet", default True
        A table that changes in place in a notebook and on a terminal, lines elsewhere; False or "quiet" shows
        warnings only.
    listener : callable, optional
        Receives every event of :mod:`nncompare.events`, from several threads but one at a time. If it raises, it
        hears no more, and the run goes on.
    estimate : bool, default True
        Train each model for one epoch first, to foretell how long the run will take.
    **settings
        Fields of :class:`nncompare.settings.RunConfig`: ``preset="quick"``, ``n_trials``, ``max_epochs``,
        ``n_refits``, ``jobs``, ``seed``, ``pins``, ``out``, ``timeout_s`` and more.

    Returns
    -------
    Comparison
        Its ``verdict`` says which model to use, and how sure that is.

    Raises
    ------
    UsageError
        Nothing is to be compared, a name or a value is wrong, or they contradict each other; nothing has been run.
    DataError
        The arrays cannot be used as they are.
    StorageError
        The run directory or the cache cannot be written.
    KeyboardInterrupt
        Ctrl-C, or the notebook's button, stopped the run; what finished is in the run directory, and ``__cause__``
        is :class:`~nncompare.comparison.Interrupted`, which holds it. A script that lets it pass ends by SIGINT (a
        shell shows 130).
    SystemExit
        SIGTERM stopped the run; its code is 143.

    Notes
    -----
    Called in a thread other than the main one, it leaves signals alone: nothing but the end of the process
    stops it.

    Examples
    --------
    >>> import nncompare
    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> done = nncompare.compare(["mlp"], X=X, y=y, name="wine", preset="quick")  # doctest: +SKIP
    >>> print(done.verdict)  # doctest: +SKIP
    >>> done.leaderboard[["model", "test_accuracy", "accuracy_low", "accuracy_high"]]  # doctest: +SKIP
    >>> done.report("wine.html")  # doctest: +SKIP
    """
    arrays = {"X": X, "y": y, "X_test": X_test, "y_test": y_test}
    check_settings(settings)
    model_names, datasets = plugin_names(models, "model"), plugin_names(dataset, "data set")
    given = [name for name, value in arrays.items() if value is not None]
    check_arrays(given, datasets, target, text)
    if not (model_names or datasets or given):
        raise UsageError(NOTHING_TO_COMPARE)
    model_names = without_all(model_names)
    config = RunConfig(models=model_names, datasets=datasets, view=view, target=target, text=text, **settings)
    if not isinstance(name, str):
        raise UsageError(f"name is {name!r}; a text is expected.")
    check_out(config.out)
    with choose_progress(is_quiet(progress)) as shown, LocalRunner() as runner:
        listeners = Listeners(shown, *([] if listener is None else [listener]))
        with terminable():
            if X is not None:
                group, time = (column_of(given, (own_name(name),)) for given in (config.group, config.time))
                split = SplitColumn.asked(group, time)
                stored = store_dataset(*own_arrays(name, X, y, X_test, y_test, view, split), cache_root())
                config = replace(config, datasets=(str(stored.folder),), view=None, group=None, time=None)
            plan = make_plan(config, runner, listeners)
            foretold = estimate_plan(plan, runner, listeners) if estimate else None
        shown.follow(plan, foretold)
        return _carry_out(plan, runner, listeners, foretold)


def resume(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str] = "reports",
    *,
    n_trials: int | None = None,
    timeout_s: float | None = None,
    jobs: int | None = None,
    storage: str | None = None,
    progress: bool | Literal["quiet"] = True,
    listener: Listener | None = None,
) -> Comparison:
    """Go on with a run that was stopped, or search on in a complete one; the same as ``nncompare resume``.

    What finished is not repeated. A complete run of which no more is asked is returned as it is.

    Parameters
    ----------
    run : str or path
        As for :func:`load`.
    out : str or path, default "reports"
        The folder of the run directories.
    n_trials : int, optional
        Trials of each study in all, those that are finished included.
    timeout_s, jobs : optional
        In place of what the run was started with. With a longer time, searches that the limit ended go on.
    storage : str, optional
        The address of the run's database, where it holds a password: that was not kept. Without it, the
        environment's ``NNCOMPARE_STORAGE`` is used if it names the same database.
    progress, listener
        As for :func:`compare`.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        There is no such run, fewer trials are asked for than it has, its limit of time leaves nothing to do, or
        its storage's address is missing or that of another.
    ResultsError
        The run directory is damaged or of an older version, or the data are not those of the run.
    PluginError
        A study that has results could not run now; nothing was changed.
    BusyError
        Another process holds the run directory, or went on with the run while this was planned.
    KeyboardInterrupt, SystemExit
        As for :func:`compare`.
    """
    folder = find_run(os.fspath(run), Path(out).expanduser())
    with choose_progress(is_quiet(progress)) as shown, LocalRunner() as runner:
        listeners = Listeners(shown, *([] if listener is None else [listener]))
        with terminable():
            plan = plan_rest(
                folder, runner, listeners, n_trials=n_trials, timeout_s=timeout_s, jobs=jobs, storage=storage
            )
        if plan is None:
            return Comparison(load_results(folder), folder.absolute())
        shown.follow(plan)
        return _carry_out(plan, runner, listeners)


def _carry_out(
    plan: Plan, runner: LocalRunner, listener: Listener, estimate: Estimate | None = None
) -> Comparison:
    """Run a plan; let signals end a script as the shell expects."""
    try:
        return Comparison(carry_out(plan, runner, listener, estimate=estimate), plan.folder.absolute())
    except Interrupted as error:
        if error.signum == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM) from error
        # Python ends a script by SIGINT for KeyboardInterrupt itself, not for a class that derives from it.
        raise KeyboardInterrupt(str(error)) from error


def load(run: str | os.PathLike[str], out: str | os.PathLike[str] = "reports") -> Comparison:
    """Read a run of earlier, also one that was stopped or still goes on.

    Parameters
    ----------
    run : str or path
        The path of a run directory or of its results.json, the id of a run below ``out``, or ``"latest"``, the
        one that was started last.
    out : str or path, default "reports"
        The folder of the run directories.

    Raises
    ------
    UsageError
        There is no such run; the message names those that are there.
    ResultsError
        Its results.json is damaged or of another version.

    Examples
    --------
    >>> import nncompare
    >>> nncompare.load("latest").leaderboard  # doctest: +SKIP
    """
    folder = find_run(os.fspath(run), Path(out).expanduser())
    return Comparison(load_results(folder), folder.absolute())
