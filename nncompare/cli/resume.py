"""``nncompare resume``: goes on with a run that was stopped, or adds trials to a finished one."""

from __future__ import annotations

from pathlib import Path

import click

from nncompare.cli.completion import complete_runs
from nncompare.cli.group import common_options, only_plugins_option
from nncompare.cli.options import Duration, out_option, text_or_none
from nncompare.cli.outcome import Output, finish
from nncompare.settings import STORAGE_VARIABLE

_AT_LEAST_1 = click.IntRange(min=1)

_HELP = """Go on with RUN, which was stopped, or add trials to one that is complete.

RUN is an id from "nncompare runs" or its beginning, a run directory, or "latest". What finished is not repeated;
the data have to be the same as before.

\b
Examples:
  nncompare resume latest
  nncompare resume latest --trials 50   more trials, counted in all
"""


@click.command("resume", short_help="Go on with a stopped run, or extend one.", help=_HELP)
@click.argument("run", shell_complete=complete_runs)
@click.option("--trials", "n_trials", type=_AT_LEAST_1, metavar="N", help="Trials per study, counted in all.")
@click.option("--jobs", type=_AT_LEAST_1, metavar="N", help="Trials at a time; as before by default.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Duration(),
    metavar="TIME",
    help="Wall time for all searches, the earlier part included, as 90, 20m or 2h.",
)
@click.option(
    "--storage",
    metavar="URL",
    callback=text_or_none,
    help=f"The run's database, if its address holds a password; rather set {STORAGE_VARIABLE}.",
)
@out_option()
@click.option(
    "--strict/--no-strict",
    default=None,
    help="Fail when a study cannot run for want of a download; as before by default.",
)
@click.option("--open/--no-open", "open_report", help="Open the report in the browser at the end.")
@click.option("--quiet/--no-quiet", help="Print the path of the report and warnings, nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; words go to standard error.")
@only_plugins_option()
@common_options
@click.pass_context
def resume_run(
    ctx: click.Context,
    /,
    run: str,
    n_trials: int | None,
    jobs: int | None,
    timeout_s: float | None,
    storage: str | None,
    out: Path,
    strict: bool | None,
    open_report: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Find, plan what is missing, run it, print."""
    from nncompare.comparison import Interrupted, load_results
    from nncompare.comparison import run as carry_out
    from nncompare.execution.runner import LocalRunner
    from nncompare.interrupts import terminable
    from nncompare.progress.lines import choose_progress
    from nncompare.resuming import plan_rest, was_strict
    from nncompare.runs import find_run

    folder, output = find_run(run, out), Output(quiet=quiet, as_json=as_json, open_report=open_report)
    signum = None
    with choose_progress(quiet) as progress, LocalRunner() as runner:
        with terminable():
            plan = plan_rest(
                folder, runner, progress, n_trials=n_trials, timeout_s=timeout_s, jobs=jobs, storage=storage
            )
        if plan is not None:
            progress.follow(plan)
            try:
                results = carry_out(plan, runner, progress)
            except Interrupted as error:
                signum, results = error.signum, error.results
    if plan is None:
        results = load_results(folder)
        if not quiet:
            text = "This run is complete already. To search on, ask for more --trials"
            click.echo(f"{text}; where --timeout ended the searches, for a longer one.", err=True)
    strict = was_strict(folder) if strict is None else strict
    ctx.exit(finish(results, folder, output, strict=strict, signum=signum))
