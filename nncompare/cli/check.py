"""``nncompare check-plugin``: whether a plugin keeps the contract."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from nncompare.cli.completion import complete_plugins
from nncompare.cli.group import common_options, only_plugins_option
from nncompare.cli.options import Duration
from nncompare.cli.streams import say
from nncompare.columns import one_line

if TYPE_CHECKING:
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

    check_names_class(plugin)
    ref = find_plugin(plugin)
    check_class(ref)
    if not as_json:
        say(f"{ref.name}, from {ref.owner} ({ref.value})\n")
        say(f"{'CHECK':{_NAME_WIDTH}}{'STATUS':{_STATUS_WIDTH}}SECONDS")
    on_result = None if as_json else _print_result
    report = check_isolated(ref, checks=checks, timeout_s=timeout, on_result=on_result)
    (_print_json if as_json else _print_end)(report)
    if not report.passed:
        ctx.exit(_BROKEN)


def _print_result(result: CheckResult) -> None:
    status = _WORDS.get(result.status, result.status)
    say(f"{result.name:{_NAME_WIDTH}}{status:{_STATUS_WIDTH}}{result.seconds:7.1f}")
    if result.message:
        category = f"{result.category}: " if result.category else ""
        say(f"    {category}{one_line(result.message)}")


def _print_end(report: PluginReport) -> None:
    counts = Counter(_WORDS.get(result.status, result.status) for result in report.results)
    parts = ", ".join(f"{n} {status}" for status, n in counts.items())
    seconds = sum(result.seconds for result in report.results)
    say(f"\n{len(report.results)} checks of the {report.kind} '{report.ref.name}' in {seconds:.1f} s: {parts}.")


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
