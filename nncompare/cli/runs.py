"""``nncompare runs``: which runs there are, what became of them, what they found."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncompare.cli.group import common_options
from nncompare.cli.options import out_option
from nncompare.cli.streams import say, say_what_is_left_out, terminal_width
from nncompare.columns import fitting, left_out

if TYPE_CHECKING:
    from nncompare.runs import RunSummary

_HEADER = ("RUN", "STARTED", "STATE", "PRESET", "MODELS", "DATA SETS", "VERDICT")
_DROPPED = (4, 3, 5, 6, 1)
_VERDICT_LENGTH = 60

_HELP = """List runs, the newest first: their state, models and verdicts.

RUN in other commands is an id of this list or its beginning, a folder, or "latest".

\b
Examples:
  nncompare runs
  nncompare runs --json
"""


@click.command("runs", short_help="List runs and what became of them.", help=_HELP)
@out_option()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def list_all_runs(out: Path, as_json: bool) -> None:
    """Look, print."""
    from nncompare.runs import list_runs

    found = list_runs(out)
    if as_json:
        import json

        listed = [asdict(run) | {"folder": str(run.folder)} for run in found]
        say(json.dumps({"runs": listed}, indent=1, allow_nan=False))
        return
    if not found:
        click.echo(f"There is no run in '{out}' yet. Start one: nncompare run --all --preset quick", err=True)
        return
    width = terminal_width()
    cells = [_cells(run, None if width is None else _VERDICT_LENGTH) for run in found]
    say("\n".join(fitting(cells, _HEADER, width=width, drop=_DROPPED)))
    say_what_is_left_out(left_out(cells, _HEADER, width=width, drop=_DROPPED))


def _cells(run: RunSummary, length: int | None) -> tuple[str, ...]:
    """Return the columns of one run; the last one whole where there is no ``length``, as in a pipe."""
    from nncompare.report.formats import shorten

    text = run.reason or _found(run)
    return (
        run.run_id,
        _when(run.created_at),
        run.state,
        run.preset,
        ", ".join(run.models),
        ", ".join(run.verdicts),
        text if length is None else shorten(text, length),
    )


def _found(run: RunSummary) -> str:
    """Return the verdicts, and before those of a run that is not complete how far it came."""
    texts = [text if name in text else f"{name}: {text}" for name, text in run.verdicts.items()]
    if run.state == "complete":
        return " ".join(texts)
    far = f"{run.n_complete} of {run.n_studies} studies done." if run.n_studies else "no study done."
    return " ".join([far, *(texts if run.n_complete and run.state == "interrupted" else [])])


def _when(created_at: str) -> str:
    try:
        return f"{datetime.fromisoformat(created_at):%Y-%m-%d %H:%M}"
    except ValueError:
        return ""
