"""``nncompare doctor``: what is wrong with a run, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nncompare.cli.completion import complete_runs
from nncompare.cli.group import common_options
from nncompare.cli.options import out_option
from nncompare.cli.streams import say
from nncompare.columns import one_line
from nncompare.exceptions import UsageError
from nncompare.points import counted
from nncompare.runs import find_run

if TYPE_CHECKING:
    from nncompare.diagnosis import Diagnosis, Finding

_WRONG = 3

_HELP = """Say what is wrong with RUN and what to do: an id, a run directory, or "latest".

One line for each finding: where, what, and the remedy. Looked at are the records, the database of the trials, the
files of trials, models and predictions, the report, the plugins, the data and the room on the disk. Nothing is
changed, and no code of a plugin runs.

The exit code is 0 where nothing is wrong, notes apart, and 3 where something is.

\b
Examples:
  nncompare doctor latest
  nncompare doctor reports/20261124-101500-quick --json
"""


@click.command("doctor", short_help="Say what is wrong with a run and what to do.", help=_HELP)
@click.argument("run", shell_complete=complete_runs)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; words go to standard error.")
@out_option()
@common_options
@click.pass_context
def diagnose_run(ctx: click.Context, /, run: str, as_json: bool, out: Path) -> None:
    """Find, look, print."""
    from nncompare.diagnosis import diagnose

    found = diagnose(_folder(run, out))
    code = 0 if found.is_well else _WRONG
    lines = [one_line(_line(finding)) for finding in found.findings]
    if as_json:
        import json

        say(json.dumps(_as_json(found, code), indent=1, allow_nan=False))
    elif lines:
        say("\n".join(lines))
    click.echo(_sum(found), err=True)
    ctx.exit(code)


def _folder(run: str, out: Path) -> Path:
    """Return a run directory, also one that has lost both of its records, by its path."""
    from nncompare.diagnosis import looks_like_a_run

    try:
        return find_run(run, out)
    except UsageError:
        path = Path(run).expanduser()
        if looks_like_a_run(path):
            return path
        raise


def _line(finding: Finding) -> str:
    return f"{finding.level}: {finding.where}: {finding.what} {finding.remedy}"


def _sum(found: Diagnosis) -> str:
    n_problems = sum(finding.level == "problem" for finding in found.findings)
    if not n_problems:
        return f"Nothing is wrong with the run '{one_line(found.run_id)}'."
    return f"{counted(n_problems, 'problem')} in the run '{one_line(found.run_id)}'. Nothing was changed."


def _as_json(found: Diagnosis, code: int) -> dict[str, Any]:
    told = found.model_dump(mode="json") | {"exit_code": code}
    told["findings"] = [finding.model_dump() | {"level": finding.level} for finding in found.findings]
    return told
