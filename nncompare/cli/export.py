"""``nncompare export``: a run's model in a form that needs no nncompare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncompare.cli.group import common_options
from nncompare.cli.options import out_option
from nncompare.cli.streams import say
from nncompare.cli.trained_model import trained_model
from nncompare.columns import one_line
from nncompare.runs import find_run

if TYPE_CHECKING:
    from nncompare.portable import Exported

_FORMATS = ("keras", "onnx", "skops")

_HELP = """Write a model of RUN for use without nncompare: an id, a run directory, or "latest".

The folder of --output receives the model, with its preprocessing inside, and a MODEL_CARD.md that says what it is,
what it was measured to be worth and how to load it. What was written is loaded and compared with the model of the
run on rows of its data: where a probability differs by more than 0.0001, nothing is kept.

\b
Formats:
  onnx    models of tables, images and sequences (with nncompare[onnx])
  keras   models of Keras; of texts a vocabulary.json lies beside it
  skops   models of scikit-learn: a pipeline of preprocessing and classifier

The model and its refit are chosen as by nncompare predict.

\b
Examples:
  nncompare export latest --format onnx --output mymodel
  nncompare export latest -m mlp --refit 2 --format skops --output mlp
"""


@click.command("export", short_help="Write a model of a run for other programs.", help=_HELP)
@trained_model
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), metavar="FORMAT", required=True, help="onnx, keras or skops."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    required=True,
    help="The folder to make for the model and its card.",
)
@click.option("--force", is_flag=True, help="Replace an earlier export in that folder.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@out_option()
@common_options
def export_model(
    run: str,
    model: str | None,
    dataset: str | None,
    refit: int,
    form: str,
    output: Path,
    force: bool,
    as_json: bool,
    out: Path,
) -> None:
    """Find, write, say what was done."""
    folder = find_run(run, out)
    from nncompare.comparison import load_results
    from nncompare.execution.runner import LocalRunner
    from nncompare.interrupts import terminable
    from nncompare.portable import export

    results = load_results(folder)
    with terminable(), LocalRunner() as runner:
        exported = export(folder, results, form, output, model, dataset, refit, replace=force, runner=runner)
    if exported.note:
        click.echo(f"warning: {one_line(exported.note)}", err=True)
    click.echo(one_line(describe(exported)), err=True)
    if as_json:
        import json
        from dataclasses import asdict

        say(json.dumps(asdict(exported) | {"folder": str(exported.folder)}, indent=1, allow_nan=False))
    else:
        say("\n".join(str(exported.folder / name) for name in exported.files))


def describe(exported: Exported) -> str:
    """Say in one line what was exported, why, and how closely it predicts."""
    text = f"{exported.model}, trained on {exported.dataset} (refit {exported.refit})."
    if exported.reason:
        text = f"{text} Why this model: {exported.reason}."
    kind = "rows of its data" if exported.own_samples else "random rows (its data are not in the cache any more)"
    return (
        f"{text} On {exported.n_samples} {kind}, its probabilities differ from those of the run's model by at "
        f"most {exported.max_difference:.1e}."
    )
