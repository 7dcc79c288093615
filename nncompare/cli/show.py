"""``nncompare show``: what a model accepts, and what of it is searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from nncompare.cli.completion import complete_datasets, complete_models
from nncompare.cli.group import common_options, only_plugins_option
from nncompare.cli.streams import say, terminal_width
from nncompare.columns import fitting, one_line
from nncompare.exceptions import PluginError

if TYPE_CHECKING:
    from nncompare.registry import PluginRef

_HELP = """Show what MODEL accepts, its parameters, their ranges and defaults.

\b
Example:
  nncompare show lstm -d mnist1d
"""


@click.command("show", short_help="Show what a model accepts and what is searched.", help=_HELP)
@click.argument("model", shell_complete=complete_models)
@click.option(
    "-d",
    "--dataset",
    metavar="NAME",
    shell_complete=complete_datasets,
    help="Show the search space for this data set.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@only_plugins_option()
@common_options
def show_model(model: str, dataset: str | None, as_json: bool) -> None:
    """Find, describe, print."""
    from nncompare.data.own import require_no_file
    from nncompare.execution.probe import probe_plugin
    from nncompare.planning import describe_plugin
    from nncompare.registry import DATASETS, MODELS, find

    ref = find(model, MODELS)
    if dataset is not None:
        require_no_file(dataset)
        find(dataset, DATASETS)
    probe = probe_plugin(ref)
    if not probe.ok:
        raise PluginError(f"The model '{ref.name}' of {ref.owner} does not work: {probe.reason}")
    description = describe_plugin(model, dataset)
    if as_json:
        _print_json(ref, probe.tags, probe.file, description)
    else:
        _print_text(ref, probe.tags, probe.file, description)


def _print_json(ref: PluginRef, tags: Mapping[str, Any], file: str | None, description: dict[str, Any]) -> None:
    import json

    owner = {"name": ref.name, "distribution": ref.distribution, "version": ref.version, "value": ref.value}
    say(json.dumps({**owner, "file": file, "tags": dict(tags), **description}, indent=1))


def _print_text(ref: PluginRef, tags: Mapping[str, Any], file: str | None, description: dict[str, Any]) -> None:
    lines = [f"{ref.name}, from {ref.owner} ({ref.value})", *([f"file: {file}"] if file else [])]
    for tag, value in tags.items():
        lines.append(f"{tag}: {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}")
    lines.append(f"search space on: {description['dataset']}")
    defaults = description["defaults"]
    rows = [
        (name, spec["type"], domain(spec), _text(defaults.get(name)))
        for name, spec in description["space"].items()
    ]
    table = fitting(rows, ("PARAMETER", "TYPE", "SEARCHED", "DEFAULT"), width=terminal_width(), drop=(1, 3))
    say("\n".join([*map(one_line, lines), "", *table]))


def domain(spec: Mapping[str, Any]) -> str:
    """Say in words which values of one parameter are searched, as in ``0.0001 to 0.1, logarithmic``."""
    if "choices" in spec:
        return ", ".join(_text(choice) for choice in spec["choices"])
    text = f"{spec['low']:g} to {spec['high']:g}"
    if spec.get("log"):
        return f"{text}, logarithmic"
    step = spec.get("step")
    return text if step is None or (spec["type"] == "int" and step == 1) else f"{text} in steps of {step:g}"


def _text(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)
