"""``nncompare data fetch``: downloads, checks and stores data sets ahead of a run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncompare.cli.completion import complete_datasets
from nncompare.cli.group import common_options, only_plugins_option
from nncompare.cli.streams import say
from nncompare.columns import one_line
from nncompare.exceptions import NNCompareError, StorageError, UsageError

if TYPE_CHECKING:
    from nncompare.data.store import StoredDataset
    from nncompare.execution.runner import LocalRunner
    from nncompare.registry import PluginRef

_ITEMS = {"tabular": "rows", "image": "images", "sequence": "sequences", "tokens": "texts"}
_FAILED = 1
_NO_ROOM = {"disk", "storage"}

_HELP = """Make data sets ready ahead of a run: download, check and store them.

NAME is a name from "nncompare data list", or package.module:Class, or path/to/file.py:Class.

\b
Examples:
  nncompare data fetch mnist imdb
  nncompare data fetch --all
"""


@click.command("fetch", short_help="Download and store ahead of a run.", help=_HELP)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_datasets)
@click.option("--all", "every", is_flag=True, help="Fetch all installed data sets.")
@only_plugins_option()
@common_options
@click.pass_context
def fetch_data(ctx: click.Context, names: tuple[str, ...], every: bool) -> None:
    """Choose, load one after the other, print."""
    if every == bool(names):
        raise UsageError("Say what to fetch: either --all, or the names that 'nncompare data list' shows.")
    refs, refusals = _choose(names)
    for refusal in refusals:
        _complain(refusal)
    codes = [*(_FAILED for _ in refusals), *_fetch_each(refs)]
    ctx.exit(max(codes, default=0))


def _choose(names: Sequence[str]) -> tuple[list[PluginRef], list[str]]:
    """Return the named data sets, or without names all installed ones and why others are refused."""
    from nncompare.registry import DATASETS, discover, find

    catalog = discover(DATASETS)
    if names:
        return list(dict.fromkeys(find(name, DATASETS, catalog) for name in names)), []
    refusals = [
        f"The data set '{problem.name}' of {problem.owner} is refused: {problem.reason}"
        for problem in catalog.problems
        if problem.is_plugin
    ]
    if not (catalog.plugins or refusals):
        raise UsageError("No data set plugin is installed. Reinstall nncompare, which brings some.")
    return list(catalog.plugins.values()), refusals


def _fetch_each(refs: Iterable[PluginRef]) -> list[int]:
    """Make one data set after the other ready; return an exit code for each."""
    from nncompare.execution.runner import LocalRunner
    from nncompare.interrupts import terminable

    with terminable(), LocalRunner() as runner:
        runner.warm(["sklearn"])
        return [_fetch(ref, runner) for ref in refs]


def _fetch(ref: PluginRef, runner: LocalRunner) -> int:
    """Make one data set ready and say so, or say why not; return the exit code that stands for it."""
    from nncompare.data.files import cache_root
    from nncompare.inventory import stored_datasets

    start = time.monotonic()
    try:
        before = {stored.folder for stored in stored_datasets(cache_root())}
        stored, is_copy = _load(ref, runner)
    except NNCompareError as error:
        _complain(str(error))
        return error.exit_code if isinstance(error, StorageError) else _FAILED
    here = f"here already in {stored.folder}"
    what = here if is_copy else f"checked, and {here}" if stored.folder in before else f"stored in {stored.folder}"
    say("\n".join(_lines(stored, what, time.monotonic() - start)))
    return 0


def _load(ref: PluginRef, runner: LocalRunner) -> tuple[StoredDataset, bool]:
    """Return the data set as it lies in the cache, and whether that is a copy of earlier for want of a download.

    Otherwise what stands there already is checked and used again.

    Raises
    ------
    StorageError
        The cache cannot be written.
    NNCompareError
        The data set cannot be had, or not used.
    """
    from nncompare.loading import load_dataset
    from nncompare.progress.lines import choose_progress
    from nncompare.settings import RunConfig

    with tempfile.TemporaryDirectory(prefix="nncompare-fetch-") as folder, choose_progress(False) as progress:
        loaded = load_dataset(ref.name, ref, RunConfig(jobs=1), runner, Path(folder), progress)
    if loaded.stored is not None:
        return loaded.stored, bool(loaded.note)
    reason = loaded.failure.message if loaded.failure is not None else "no reason given"
    no_room = loaded.failure is not None and loaded.failure.category in _NO_ROOM
    raise (StorageError if no_room else NNCompareError)(f"The data set '{ref.name}' is not ready: {reason}")


def _lines(stored: StoredDataset, what: str, seconds: float) -> list[str]:
    """Say what is ready now, what was done for it, and under which terms."""
    numbers = f"{stored.n_train:,} + {stored.n_test:,} {_ITEMS[stored.view]}"
    terms = [("licence", stored.licence), ("citation", stored.citation)]
    shown = [f"  {label}: {one_line(text)}" for label, text in terms if text]
    return [one_line(f"{stored.name}: {numbers}, {what}, {seconds:.1f} s"), *shown]


def _complain(message: str) -> None:
    click.echo(f"Error: {one_line(message)}", err=True)
