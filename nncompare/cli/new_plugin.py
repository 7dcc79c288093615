"""``nncompare new-plugin``: writes a complete package that brings a model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncompare.cli.group import common_options
from nncompare.cli.streams import say
from nncompare.columns import one_line

if TYPE_CHECKING:
    from nncompare.scaffold.names import PluginNames
    from nncompare.scaffold.package import Framework

_FRAMEWORKS = ("keras", "sklearn", "torch", "none")

_HELP = """Write a complete package that brings the model NAME: code that works, a test, a README, a CI file.

\b
Examples:
  nncompare new-plugin attention-gru
  nncompare new-plugin my-forest --framework sklearn --output forest
"""


@click.command("new-plugin", short_help="Write the package of a new model.", help=_HELP)
@click.argument("name")
@click.option(
    "--framework",
    type=click.Choice(_FRAMEWORKS),
    default="keras",
    show_default=True,
    help="What the model is written with; none is plain NumPy.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder of the package, new or empty; nncompare-NAME by default.",
)
@common_options
def new_plugin(name: str, framework: Framework, output: Path | None) -> None:
    """Choose names, render, write, print what comes next."""
    from nncompare.scaffold.names import choose_names, refuse_taken
    from nncompare.scaffold.package import model_source, render_package, write_package

    names = choose_names(name, beside=model_source(framework))
    refuse_taken(names)
    folder = Path(names.distribution) if output is None else output
    files = render_package(names, framework)
    write_package(files, folder)
    say("\n".join(_lines(names, folder, sorted(files), name)))


def _lines(names: PluginNames, folder: Path, files: list[str], typed: str) -> list[str]:
    called = "" if names.plugin == typed else f" The model is called '{names.plugin}'."
    where = shlex.quote(str(folder))
    return [
        one_line(f"Wrote {folder}: {len(files)} files.{called}"),
        *(f"  {file}" for file in files),
        "",
        "What comes next:",
        f"  pip install -e {one_line(where)}",
        f"  nncompare check-plugin {names.plugin}",
        f"  nncompare run -m {names.plugin} -m mlp -d digits --preset quick",
        "",
        "digits is the data set of the model's tags: once you change them, name the new one.",
    ]
