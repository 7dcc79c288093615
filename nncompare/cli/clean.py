"""``nncompare clean``: what takes space, what can go, and what is lost with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncompare.cli.completion import complete_runs
from nncompare.cli.group import common_options
from nncompare.cli.options import out_option
from nncompare.cli.streams import say, terminal_width
from nncompare.columns import fitting, one_line
from nncompare.exceptions import UsageError
from nncompare.runs import find_run, run_folders

if TYPE_CHECKING:
    from nncompare.cleaning import Item

_HEADER = ("SIZE", "WHAT", "NAME", "LOST WITH IT")
_UNITS = ("B", "kB", "MB", "GB")
_STEP = 1000.0

_HELP = """Say what takes space, or remove it: of each RUN (an id, a directory, "latest"), of all by default.

Without a choice everything is listed, the largest first, and nothing is removed. With --models, --predictions,
--trials, --cache or --downloads these are listed and, once you agree or with --yes, removed. results.json and the
report stay, unless whole runs are removed, which have to be named.

A run at work keeps all that it has. One that is not complete keeps its parts and its data in the cache, and goes
as a whole only. Of the cache nothing goes while any process of nncompare uses it. What was removed is written down
in the run directory: doctor, predict and resume say so.

\b
Examples:
  nncompare clean
  nncompare clean --models --trials
  nncompare clean 20261124-101500-quick --runs --yes
"""


@click.command("clean", short_help="Say what takes space, and remove it.", help=_HELP)
@click.argument("names", metavar="[RUN]...", nargs=-1, shell_complete=complete_runs)
@click.option("--models", is_flag=True, help="The saved models of complete runs.")
@click.option("--predictions", is_flag=True, help="Their predictions on the test part.")
@click.option("--trials", is_flag=True, help="The files of their trials, and study.db.")
@click.option("--runs", is_flag=True, help="Whole runs, complete or not; each by its full id.")
@click.option("--cache", is_flag=True, help="Stored and prepared data sets.")
@click.option("--downloads", is_flag=True, help="Downloaded files.")
@click.option("--yes", is_flag=True, help="Remove without a question.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; removes with --yes only.")
@out_option()
@common_options
def clean(names: tuple[str, ...], yes: bool, as_json: bool, out: Path, **choices: bool) -> None:
    """Look, list, ask, remove."""
    wanted = {kind for kind, is_wanted in choices.items() if is_wanted}
    if "runs" in wanted and not names:
        raise UsageError("--runs removes whole runs with their results: name each of them.")
    if yes and not wanted:
        raise UsageError("Say what to remove with --yes: --models, --predictions, --trials, --cache, --downloads.")
    named = {name: find_run(name, out) for name in names}
    if "runs" in wanted:
        _check_full(named)
    folders = list({folder.absolute(): folder for folder in named.values()}.values()) or run_folders(out)
    items = _found(folders, out, wanted, is_named=bool(names))
    if as_json:
        _remove(items if yes else [])
        _print_json(items, is_removed=yes)
        return
    _print(items)
    going = [item for item in items if not item.stays]
    if not wanted or not going:
        click.echo("Nothing was removed.", err=True)
    elif yes or (sys.stdin.isatty() and click.confirm(f"Remove {_size(_sum(going))}?", err=True)):
        _remove(going)
        click.echo(f"Removed: {_size(_sum(going))}.", err=True)
    else:
        click.echo("Nothing was removed. Add --yes to remove it.", err=True)


def _check_full(named: dict[str, Path]) -> None:
    """Refuse to remove a run by the beginning of its id, or as the latest, which another may be by now."""
    for name, folder in named.items():
        if Path(name).name != folder.name:
            raise UsageError(f"'{name}' is not the full id of a run. With --runs name it in full: {folder.name}")


def _found(folders: list[Path], out: Path, wanted: set[str], *, is_named: bool) -> list[Item]:
    """Return what was asked for, the largest first; of runs that go as a whole no parts."""
    from nncompare.cleaning import CACHE, DOWNLOADS, WHOLE, cache_items, run_items
    from nncompare.data.files import cache_root

    items = [item for folder in folders for item in run_items(folder)]
    if not is_named or wanted & {CACHE, DOWNLOADS}:
        items += cache_items(cache_root(), run_folders(out))
    kinds = wanted - ({"models", "predictions", "trials"} if WHOLE in wanted else set())
    chosen = [item for item in items if item.kind in kinds or not wanted]
    return sorted(chosen, key=lambda item: (-item.n_bytes, item.kind, item.name))


def _remove(items: list[Item]) -> None:
    from nncompare.cleaning import remove

    remove([item for item in items if not item.stays])


def _print(items: list[Item]) -> None:
    if not items:
        return
    cells = [
        (_size(item.n_bytes), item.kind, one_line(item.name), f"stays: {item.stays}" if item.stays else item.lost)
        for item in items
    ]
    say("\n".join(fitting(cells, _HEADER, (0,), width=terminal_width(), drop=())))


def _print_json(items: list[Item], *, is_removed: bool) -> None:
    import json
    from dataclasses import asdict

    listed = [asdict(item) | {"path": str(item.path), "removed": is_removed and not item.stays} for item in items]
    say(json.dumps({"items": listed}, indent=1))


def _sum(items: list[Item]) -> int:
    return sum(item.n_bytes for item in items)


def _size(n_bytes: float) -> str:
    """Return a size in a unit that a person would use; 1 MB is 10**6 bytes."""
    for unit in _UNITS:
        if n_bytes < _STEP or unit == _UNITS[-1]:
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= _STEP
    raise AssertionError
