"""``nncompare run``: compares models on data sets and writes one report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from nncompare.cli.applicable import leave_out
from nncompare.cli.configfile import config_arguments, from_file, used_config
from nncompare.cli.group import common_options, typed_command
from nncompare.cli.options import parse_pins, settle_columns
from nncompare.cli.outcome import Output, finish
from nncompare.cli.run_options import run_options
from nncompare.cli.save_config import refuse_existing, save_config
from nncompare.cli.secrets import without_passwords
from nncompare.columns import one_line
from nncompare.exceptions import UsageError
from nncompare.settings import RunConfig

if TYPE_CHECKING:
    from pathlib import Path

    from nncompare.estimate import Estimate
    from nncompare.execution.runner import LocalRunner
    from nncompare.plan import Plan
    from nncompare.progress.lines import Progress

_INCOMPLETE = 3

_HELP = """Compare models on data sets and write one report.

\b
Examples:
  nncompare run --all                       each model: its own data, mnist1d
  nncompare run --all --preset quick        the same in minutes, roughly
  nncompare run -m cnn -m lstm -d mnist1d   two models, one data set
  nncompare run -d wine.csv --target class  every model, a table of your own

MODEL and DATASET are names from "nncompare list", or package.module:Class, or path/to/file.py:Class; DATASET may
also be data of your own (see -d), or the folder of a stored data set. Without -d each model runs on its own data
set and on mnist1d; without -m all models run.
"""

_FIRST_STEPS = """Try one of these:
  nncompare run --all --preset quick         every model, a first answer in a minute or two
  nncompare run -m cnn -m lstm -d mnist1d    two models, one data set
  nncompare run --help                       all options

Error: Say what to compare: --all, -m MODEL or -d DATASET."""


class _Run(click.Command):
    """A command that says what to do with names that stand alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse arguments that belong to no option, with the options that they were meant for."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if "unexpected extra argument" in error.message:
                message = without_passwords(f"{error.message} Name models with -m, data sets with -d.")
                raise click.UsageError(message, ctx) from None
            raise


@click.command("run", cls=_Run, short_help="Compare models on data sets, write one report.", help=_HELP)
@run_options
@common_options
@click.pass_context
def run_comparison(
    ctx: click.Context,
    /,
    dry_run: bool,
    estimate: bool,
    save_to: Path | None,
    quiet: bool,
    as_json: bool,
    open_report: bool,
    **options: Any,
) -> None:
    """Parse, plan, run, print."""
    _say_which_file(ctx, quiet)
    if save_to is not None:
        refuse_existing(save_to)
    has_work = _settle_choice(ctx, options)
    if has_work:
        leave_out(ctx, options, quiet)
    if not has_work and save_to is None:
        click.echo(f"{ctx.get_usage()}\n\n{_FIRST_STEPS}", err=True)
        ctx.exit(UsageError.exit_code)
    settle_columns(options)
    del options["only_plugins"]  # it has done its work: what it leaves out is not found
    pins = parse_pins(options.pop("settings"))
    config = RunConfig(**options, pins=pins, command=(*typed_command(ctx), *config_arguments(ctx)))
    if not has_work:
        save_config(ctx, save_to)
        return
    output = Output(quiet=quiet, as_json=as_json, open_report=open_report)
    save = partial(save_config, ctx, save_to)
    ctx.exit((_dry_run if dry_run else _run)(config, output, estimate, save))


def _say_which_file(ctx: click.Context, quiet: bool) -> None:
    found = used_config(ctx)
    if found is not None and not quiet:
        click.echo(f"Settings from {one_line(str(found.path))}.", err=True)


def _settle_choice(ctx: click.Context, options: dict[str, Any]) -> bool:
    """Take ``--all`` out of the options and return whether they ask for anything; what was typed wins.

    Raises
    ------
    UsageError
        Both were said in the same place.
    """
    every = options.pop("every")
    if every and options["models"]:
        found = used_config(ctx)
        if found is not None and from_file(ctx, "every") and from_file(ctx, "models"):
            raise found.error("all", "it runs every model, so 'model' cannot choose. Leave one of the two out.")
        if from_file(ctx, "every") == from_file(ctx, "models"):
            raise UsageError("--all runs every model, so -m cannot choose among them. Leave one of the two out.")
        if from_file(ctx, "models"):
            options["models"] = ()
    return bool(every or options["models"] or options["datasets"])


def _plan(config: RunConfig, runner: LocalRunner, progress: Progress, save: Callable[[], None]) -> Plan:
    """Make the plan, and save the settings once it is known that they can be carried out."""
    from nncompare.planning import make_plan

    plan = make_plan(config, runner, progress)
    save()
    return plan


def _dry_run(config: RunConfig, output: Output, estimate: bool, save: Callable[[], None]) -> int:
    """Print the plan; return 3 where a study is broken, or with ``strict`` cannot run, as the run would."""
    from nncompare.cli.outcome import print_plan
    from nncompare.execution.runner import LocalRunner
    from nncompare.interrupts import terminable
    from nncompare.progress.lines import choose_progress

    with terminable(), choose_progress(output.quiet) as progress, LocalRunner() as runner:
        plan = _plan(config, runner, progress, save)
        foretold = _estimate(plan, runner) if estimate else None
    broken = any(study.broken or (config.strict and study.failure is not None) for study in plan.studies)
    code = _INCOMPLETE if broken else 0
    print_plan(plan, foretold, output, code)
    return code


def _run(config: RunConfig, output: Output, estimate: bool, save: Callable[[], None]) -> int:
    from nncompare.comparison import Interrupted, run
    from nncompare.execution.runner import LocalRunner
    from nncompare.interrupts import terminable
    from nncompare.outfolder import check_out
    from nncompare.progress.lines import choose_progress

    check_out(config.out)
    signum = None
    with choose_progress(output.quiet) as progress, LocalRunner() as runner:
        with terminable():
            plan = _plan(config, runner, progress, save)
            foretold = _estimate(plan, runner, progress) if estimate else None
        progress.follow(plan, foretold)
        try:
            results = run(plan, runner, progress, estimate=foretold)
        except Interrupted as error:
            signum, results = error.signum, error.results
    return finish(results, plan.folder, output, strict=config.strict, signum=signum)


def _estimate(plan: Plan, runner: LocalRunner, listener: Progress | None = None) -> Estimate:
    from nncompare.estimate import estimate_plan

    return estimate_plan(plan, runner, listener)
