"""``nncompare run``: compares models on data sets and writes one report."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nncompare.cli.group import common_options, typed_command
from nncompare.cli.options import parse_pins, positive_number, unique
from nncompare.cli.streams import say
from nncompare.exceptions import UsageError
from nncompare.settings import PRESETS, RunConfig

if TYPE_CHECKING:
    from nncompare.plan import Plan
    from nncompare.results import Results

_INCOMPLETE = 3
_MAX_SEED = 2**32 - 1
_SEED_HELP = "Moves the validation split, the search and the weights, never the test part."
_AT_LEAST_1 = click.IntRange(min=1)

_HELP = """Compare models on data sets and write one report.

\b
Examples:
  nncompare run --all                          every model on its own data set and on mnist1d
  nncompare run --all --preset quick           the same in a minute or two, roughly
  nncompare run -m cnn -m lstm -d mnist1d      two models, one data set

MODEL and DATA SET are names from "nncompare list", or package.module:Class, or path/to/file.py:Class.
Without -d each model runs on its own data set and on mnist1d; without -m all models run.
"""

_FIRST_STEPS = """Try one of these:
  nncompare run --all --preset quick           every model, a first answer in a minute or two
  nncompare run -m cnn -m lstm -d mnist1d      two models, one data set
  nncompare run --help                         all options

Error: Say what to compare: --all, -m MODEL or -d DATASET."""


class _Run(click.Command):
    """A command that says what to do with names that stand alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse arguments that belong to no option, with the options that they were meant for."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if "unexpected extra argument" in error.message:
                raise click.UsageError(f"{error.message} Name models with -m, data sets with -d.", ctx) from None
            raise


@click.command("run", cls=_Run, short_help="Compare models on data sets, write one report.", help=_HELP)
@click.option("--all", "every", is_flag=True, help="Run all installed models.")
@click.option("-m", "--model", "models", multiple=True, callback=unique, metavar="MODEL", help="Repeatable.")
@click.option("-d", "--dataset", "datasets", multiple=True, callback=unique, metavar="DATASET", help="Repeatable.")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="standard",
    show_default=True,
    help="Trials and refits: "
    + "; ".join(f"{name} {preset.n_trials} and {preset.n_refits}" for name, preset in PRESETS.items())
    + ".",
)
@click.option("--trials", "n_trials", type=_AT_LEAST_1, help="Configurations tried per study.")
@click.option("--epochs", "max_epochs", type=_AT_LEAST_1, help="Most epochs of a trial.")
@click.option("--seeds", "n_refits", type=_AT_LEAST_1, help="Refits of the winner, each with its own seed.")
@click.option(
    "--jobs", type=_AT_LEAST_1, help="Trials at a time; one per processor by default, 1 repeats exactly."
)
@click.option("--threads", type=_AT_LEAST_1, default=1, show_default=True, help="Threads of each trial.")
@click.option("--seed", type=click.IntRange(0, _MAX_SEED), default=42, show_default=True, help=_SEED_HELP)
@click.option("--set", "settings", multiple=True, metavar="MODEL.PARAM=VALUE", help="Fix a parameter. Repeatable.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder that receives the run directory.",
)
@click.option(
    "--trial-timeout",
    "trial_timeout_s",
    type=float,
    default=3600.0,
    show_default=True,
    callback=positive_number,
    metavar="SECONDS",
    help="A trial is ended after this time.",
)
@click.option(
    "--trial-memory",
    "trial_memory_mb",
    type=float,
    callback=positive_number,
    metavar="MB",
    help="A trial is ended when it takes more; 80 % of what is free, divided by jobs, by default.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@click.option("--strict", is_flag=True, help="Fail when a study cannot run for want of a download.")
@click.option("--quiet", is_flag=True, help="Print the path of the report and warnings, nothing else.")
@common_options
@click.pass_context
def run_comparison(
    ctx: click.Context, /, every: bool, settings: tuple[str, ...], dry_run: bool, quiet: bool, **options: Any
) -> None:
    """Parse, plan, run, print."""
    models, datasets = options["models"], options["datasets"]
    if not (every or models or datasets):
        click.echo(f"{ctx.get_usage()}\n\n{_FIRST_STEPS}", err=True)
        ctx.exit(UsageError.exit_code)
    if every and models:
        raise UsageError("--all runs every model, so -m cannot choose among them. Leave one of the two out.")
    pins = parse_pins(settings)
    config = RunConfig(**options, pins=pins, command=typed_command(ctx))
    ctx.exit(_dry_run(config, quiet) if dry_run else _run(config, quiet))


def _dry_run(config: RunConfig, quiet: bool) -> int:
    """Print plan and time; return 3 where a study is broken, or with ``strict`` cannot run, as the run would."""
    from nncompare.cli.summary import plan_lines
    from nncompare.estimate import estimate_plan
    from nncompare.execution.runner import LocalRunner
    from nncompare.interrupts import terminable
    from nncompare.planning import make_plan
    from nncompare.progress.lines import choose_progress

    with terminable(), choose_progress(quiet) as progress, LocalRunner() as runner:
        plan = make_plan(config, runner, progress)
        estimate = estimate_plan(plan, runner)
    say("\n".join(plan_lines(plan, estimate)))
    broken = any(study.broken or (config.strict and study.failure is not None) for study in plan.studies)
    return _INCOMPLETE if broken else 0


def _run(config: RunConfig, quiet: bool) -> int:
    from nncompare.comparison import Interrupted, exit_code, run
    from nncompare.execution.runner import LocalRunner
    from nncompare.interrupts import terminable
    from nncompare.planning import make_plan
    from nncompare.progress.lines import choose_progress

    interruption = None
    with choose_progress(quiet) as progress, LocalRunner() as runner:
        with terminable():
            plan = make_plan(config, runner, progress)
        progress.follow(plan)
        try:
            results = run(plan, runner, progress)
        except Interrupted as error:
            interruption, results = error, error.results
    _print_results(plan, results, quiet)
    if interruption is not None:
        _say_what_was_kept(results)
        return 128 + int(interruption.signum)
    return _explained(exit_code(results, config.strict))


def _print_results(plan: Plan, results: Results, quiet: bool) -> None:
    from nncompare.cli.summary import result_lines

    report = plan.folder / "report.html"
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    say(str(report) if quiet else "\n".join(result_lines(results, report, width)))


def _say_what_was_kept(results: Results) -> None:
    n_complete = sum(study.status == "complete" for study in results.studies)
    n_trials = sum(trial.state in {"complete", "pruned"} for study in results.studies for trial in study.trials)
    click.echo(
        f"Interrupted. Kept: {n_complete} of {len(results.studies)} studies complete, {n_trials} finished trials.",
        err=True,
    )


def _explained(code: int) -> int:
    """Say on standard error what an exit code other than 0 means."""
    if code:
        from nncompare.cli.summary import exit_line

        click.echo(exit_line(code), err=True)
    return code
