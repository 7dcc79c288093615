"""``nncompare list``: which plugins are installed, whose they are, and whether they work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from nncompare.cli.group import common_options, only_plugins_option
from nncompare.cli.streams import say, terminal_width
from nncompare.columns import fitting

if TYPE_CHECKING:
    from nncompare.execution.probe import ProbeResult
    from nncompare.registry import Catalog, Group, PluginRef

_BROKEN = 3
_PROBE_TIMEOUT_S = 20.0

_HELP = """List models and data sets, whose they are, and what their last check said.

\b
Example:
  nncompare list --check
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """One plugin, or one name that was refused, as it is listed."""

    group: Group
    name: str
    distribution: str
    version: str
    status: str
    reason: str = ""
    value: str = ""
    file: str | None = None
    tags: dict[str, Any] | None = None

    def cells(self) -> tuple[str, str, str, str]:
        """Return the columns of the printed table."""
        status = f"{self.status}: {self.reason}" if self.reason else self.status
        return self.name, self.distribution, self.version, status

    def as_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        keys = ("name", "distribution", "version", "status", "reason", "value", "file", "tags")
        return {key: getattr(self, key) for key in keys}


@click.command("list", short_help="List models and data sets.", help=_HELP)
@click.option("--check", is_flag=True, help="Start each plugin in a process of its own, for at most 20 s.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@only_plugins_option()
@common_options
@click.pass_context
def list_plugins(ctx: click.Context, check: bool, as_json: bool) -> None:
    """Discover, check where asked to, print."""
    from nncompare.registry import DATASETS, MODELS, discover, installed

    source = installed()
    catalogs: dict[Group, Catalog] = {group: discover(group, source) for group in (MODELS, DATASETS)}
    refs = [ref for catalog in catalogs.values() for ref in catalog.plugins.values()]
    results = _probe_all(refs) if check else _last_results(refs)
    rows = [_row(ref, result) for ref, result in zip(refs, results, strict=True)]
    rows += [*_refused(catalogs), *_disabled(catalogs)]
    (_print_json if as_json else _print_table)(rows)
    if check and any(row.status in {"broken", "refused"} for row in rows):
        ctx.exit(_BROKEN)


def _last_results(refs: list[PluginRef]) -> list[ProbeResult | None]:
    from nncompare.execution.probe import last_probe

    return [last_probe(ref) for ref in refs]


def _probe_all(refs: list[PluginRef]) -> list[ProbeResult]:
    from nncompare.execution.probe import probe_plugins

    return probe_plugins(refs, _PROBE_TIMEOUT_S, fresh=True)


def _row(ref: PluginRef, result: ProbeResult | None) -> _Row:
    if result is None:
        status, reason, file, tags = "not checked", "", None, None
    else:
        status, reason = ("ok", "") if result.ok else ("broken", result.reason or "no reason given")
        file, tags = result.file, result.tags
    return _Row(ref.group, ref.name, ref.distribution, ref.version, status, reason, ref.value, file, tags)


def _refused(catalogs: dict[Group, Catalog]) -> list[_Row]:
    """Return a row for each name that cannot be used; a damaged distribution appears once, not per group."""
    rows: dict[tuple[str, str], _Row] = {}
    for group, catalog in catalogs.items():
        for problem in catalog.problems:
            row = _Row(group, problem.name, problem.owner, "", "refused", problem.reason)
            rows.setdefault((problem.name, problem.reason), row)
    return list(rows.values())


def _disabled(catalogs: dict[Group, Catalog]) -> list[_Row]:
    """Return a row for each plugin that the user switched off."""
    return [
        _Row(group, ref.name, ref.distribution, ref.version, "switched off", reason, ref.value)
        for group, catalog in catalogs.items()
        for ref, reason in catalog.disabled
    ]


def _print_table(rows: list[_Row]) -> None:
    from nncompare.registry import DATASETS, KINDS, MODELS

    for group in (MODELS, DATASETS):
        cells = [row.cells() for row in rows if row.group == group]
        header = (KINDS[group].upper(), "DISTRIBUTION", "VERSION", "STATUS")
        lines = fitting(cells, header, width=terminal_width(), drop=(2, 1))
        say("\n".join(lines) + ("\n" if group == MODELS else ""))


def _print_json(rows: list[_Row]) -> None:
    import json

    from nncompare.registry import DATASETS, MODELS

    listed = {
        "models": [row.as_json() for row in rows if row.group == MODELS],
        "datasets": [row.as_json() for row in rows if row.group == DATASETS],
    }
    say(json.dumps(listed, indent=1))
