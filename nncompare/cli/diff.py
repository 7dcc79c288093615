"""``nncompare diff``: what changed between two runs, and whether the scores really did."""

from __future__ import annotations

from pathlib import Path

import click

from nncompare.cli.completion import complete_runs
from nncompare.cli.group import common_options
from nncompare.cli.options import finite_number, out_option
from nncompare.cli.streams import say, terminal_width
from nncompare.layout import RESULTS
from nncompare.runs import find_run

_HELP = """Compare RUN_B with RUN_A: what changed, and is each difference in score real?

Versions, settings, budgets, chosen parameters, scores and times are set side by side. Scores are compared item by
item on the test part, if both runs saw the same data, split and test labels; where these differ, scores are not
compared. A run is an id, a run directory, or "latest".

With --fail-under, the exit code is 3 if a model is really worse in B by more than so many points of accuracy, that
is, if the whole 95 % interval of the difference lies below; also if a model with a score in A has none in B, or
none that compares. A run with a single seed only warns. It is 4 if the data sets of both runs differ, so that no
score could be compared.

\b
Examples:
  nncompare diff 20261124-101500-standard latest
  nncompare diff baseline/ latest --fail-under 0.5
"""


@click.command("diff", short_help="Compare two runs: what changed, and is it real?", help=_HELP)
@click.argument("run_a", shell_complete=complete_runs)
@click.argument("run_b", shell_complete=complete_runs)
@click.option(
    "--fail-under",
    type=click.FloatRange(min=0, max=100),
    callback=finite_number,
    metavar="POINTS",
    help="Exit with 3 if a model of B is really worse than in A by more points of accuracy than these.",
)
@out_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; words go to standard error.")
@common_options
@click.pass_context
def diff_runs(
    ctx: click.Context, /, run_a: str, run_b: str, fail_under: float | None, out: Path, as_json: bool
) -> None:
    """Find, read, compare, print."""
    folder_a, folder_b = find_run(run_a, out), find_run(run_b, out)
    from nncompare.comparison import load_results
    from nncompare.differences import GateResult, check_scores, compare_runs, difference_lines

    a, b = (load_results(folder / RESULTS) for folder in (folder_a, folder_b))
    found = compare_runs(a, folder_a, b, folder_b)
    gate = GateResult(0) if fail_under is None else check_scores(found, fail_under)
    if as_json:
        import json

        told = {"exit_code": gate.exit_code, "reasons": gate.reasons, "warnings": gate.warnings}
        say(json.dumps(found.model_dump(mode="json") | told, indent=1, allow_nan=False))
    else:
        say("\n".join(difference_lines(found, terminal_width())))
    for line in (*gate.reasons, *gate.warnings):
        click.echo(line, err=True)
    ctx.exit(gate.exit_code)
