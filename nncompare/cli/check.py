"""``nncompare check-plugin``: whether a plugin keeps the contract."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from nncompare.cli.completion import complete_plugins
from nncompare.cli.group import common_options, only_plugins_option
from nncompare.cli.options import Duration
from nncompare.cli.streams import say
from nncompare.columns import one_line
from nncompare.points import counted

if TYPE_CHECKING:
    from nncompare.registry import PluginRef
    from nncompare.testing.isolated import PluginReport
    from nncompare.testing.outcomes import CheckResult

_BROKEN = 3
_WORDS = {"expected_failure": "expected failure"}
_NAME_WIDTH, _STATUS_WIDTH = 53, 16

_HELP = """Check that PLUGIN, a model or a data set, keeps the contract.

PLUGIN is an installed name, package.module:Class or path/to/file.py:Class. The checks run in processes of their
own; one that crashes or hangs costs that check. Exit code 3 says that something failed that was not expected to.

\b
Examples:
  nncompare check-plugin mlp
  nncompare check-plugin tanh.py:Tanh --check check_trains
"""


@click.command("check-plugin", short_help="Check that a plugin keeps the contract.", help=_HELP)
@click.argument("plugin", shell_complete=complete_plugins)
@click.option(
    "--check", "checks", metavar="NAME", multiple=True, help="Run this check only; repeat it for several."
)
@click.option(
    "--timeout",
    type=Duration(),
    metavar="TIME",
    default="120s",
    show_default=True,
    help="Give each check so long.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@only_plugins_option()
@common_options
@click.pass_context
def check_one_plugin(
    ctx: click.Context, plugin: str, checks: tuple[str, ...], timeout: float, as_json: bool
) -> None:
    """Find, check, print."""
    from nncompare.classfile import check_class, check_names_class
    from nncompare.testing.isolated import check_isolated, find_plugin
    from nncompare.testing.running import foundations

    check_names_class(plugin)
    ref = find_plugin(plugin)
    check_class(ref)
    started = time.monotonic()
    if as_json or not sys.stdout.isatty():
        click.echo(_beginning(ref, len(checks), timeout), err=True)
    if not as_json:
        say(f"{ref.name}, from {ref.owner} ({ref.value})\n")
        say(f"{'CHECK':{_NAME_WIDTH}}{'STATUS':{_STATUS_WIDTH}}SECONDS")
    on_result = None if as_json else _print_now
    report = check_isolated(ref, checks=checks, timeout_s=timeout, on_result=on_result)
    while missing := foundations(report.results):
        more = check_isolated(ref, checks=missing, timeout_s=timeout, on_result=on_result)
        report = replace(report, results=[*report.results, *more.results])
    if as_json:
        _print_json(report)
    else:
        _print_end(report, time.monotonic() - started)
    if not report.passed:
        ctx.exit(_BROKEN)


def _beginning(ref: PluginRef, n_named: int, timeout_s: float) -> str:
    """Return what is going to happen, for those who see no lines come, as behind a pipe."""
    from nncompare.registry import LOCAL, MODELS
    from nncompare.testing.catalog import DATASET_CHECKS, MODEL_CHECKS

    n_checks = n_named or len(MODEL_CHECKS if ref.group == MODELS else DATASET_CHECKS)
    # Whether a class of a file is a model or a data set is known once it is imported.
    what = counted(n_checks, "check") if n_named or ref.distribution != LOCAL else "All checks"
    return one_line(f"Checking {ref.name}: {what}, each in at most {timeout_s:g} s, once it is imported ...")


def _print_now(result: CheckResult) -> None:
    """Print a result as soon as it is there; those that build on another one are summed up at the end."""
    if result.builds_on is None:
        _print_result(result)


def _print_result(result: CheckResult) -> None:
    _print_line(result.name, result.status, result.seconds)
    if result.message:
        category = f"{result.category}: " if result.category else ""
        say(f"    {category}{one_line(result.message)}")


def _print_line(what: str, status: str, seconds: float) -> None:
    say(f"{what:{_NAME_WIDTH - 1}} {_WORDS.get(status, status):{_STATUS_WIDTH}}{seconds:7.1f}")


def _print_end(report: PluginReport, wall_s: float) -> None:
    for name in dict.fromkeys(result.builds_on for result in report.results if result.builds_on):
        _print_skipped(name, [result for result in report.results if result.builds_on == name])
    counts = Counter(_WORDS.get(result.status, result.status) for result in report.results)
    parts = ", ".join(f"{n} {status}" for status, n in counts.items())
    n_checks = counted(len(report.results), "check")
    say(f"\n{n_checks} of the {report.kind} '{report.ref.name}' in {wall_s:.1f} s: {parts}.")


def _print_skipped(name: str, results: list[CheckResult]) -> None:
    """Print the only check that builds on another one, or how many do."""
    if len(results) == 1:
        _print_result(results[0])
        return
    seconds = sum(result.seconds for result in results)
    _print_line(f"{len(results)} checks that build on {name}", "skipped", seconds)


def _print_json(report: PluginReport) -> None:
    import json
    from dataclasses import asdict

    ref = report.ref
    say(
        json.dumps(
            {
                "plugin": ref.name,
                "kind": report.kind,
                "value": ref.value,
                "distribution": ref.distribution,
                "version": ref.version,
                "passed": report.passed,
                "seconds": sum(result.seconds for result in report.results),
                "results": [asdict(result) for result in report.results],
            },
            indent=1,
        )
    )
