"""``nncompare runs``: which runs there are, what became of them, what they found."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncompare.cli.group import common_options
from nncompare.cli.options import out_option
from nncompare.cli.streams import say, terminal_width
from nncompare.columns import fitting

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
    say("\n".join(fitting([_cells(run) for run in found], _HEADER, width=terminal_width(), drop=_DROPPED)))


def _cells(run: RunSummary) -> tuple[str, ...]:
    from nncompare.report.formats import shorten

    text = run.reason or " ".join(f"{name}: {verdict}" for name, verdict in run.verdicts.items())
    return (
        run.run_id,
        _when(run.created_at),
        run.state,
        run.preset,
        ", ".join(run.models),
        ", ".join(run.verdicts),
        shorten(text, _VERDICT_LENGTH),
    )


def _when(created_at: str) -> str:
    try:
        return f"{datetime.fromisoformat(created_at):%Y-%m-%d %H:%M}"
    except ValueError:
        return ""
