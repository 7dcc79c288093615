"""``nncompare predict``: a run's model says what new samples are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncompare.cli.group import common_options, require_stdout
from nncompare.cli.options import out_option
from nncompare.cli.streams import say
from nncompare.cli.trained_model import trained_model
from nncompare.columns import one_line
from nncompare.exceptions import UsageError
from nncompare.runs import find_run

if TYPE_CHECKING:
    from nncompare.prediction_table import Prediction

_STDOUT = "-"

_HELP = """Predict samples with a model of RUN: an id, a run directory, or "latest".

The file of samples has the form of the data set that the model was trained on: a .csv, .tsv or .parquet table with
the same columns, in any order; an .npz file with an array X of the same shape; a .npy file; or a folder of images,
each of which gets a line with its name. Where it has the classes too (the target column, an array y, y.npy beside
X.npy, folders of their names), the accuracy is said. What was fitted on the training data, such as scaling, was
saved with the model and is applied.

The output is a .csv file with row (from 0), prediction, p_<class> for each class, and true where classes are
known; or an .npz file with probabilities, predictions (codes) and class_names; or "-" for CSV on standard output.

The model is the verdict's winner unless -m names another; where the verdict names none, it is the one with the
lowest validation log loss. Of its refits always the first is taken unless --refit says otherwise: none is chosen
by its test score.

\b
Examples:
  nncompare predict latest --input new.csv --output predictions.csv
  nncompare predict latest --input new.csv --keep id --output predictions.csv
  nncompare predict latest --input new_photos --output predictions.csv
  nncompare predict latest -m mlp -d digits --test --output -
"""


@click.command("predict", short_help="Predict new samples with a model of a run.", help=_HELP)
@trained_model
@click.option(
    "--input",
    "source",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="The file of samples, or a folder of images.",
)
@click.option("--encoding", metavar="NAME", help="Of the table, where it is not UTF-8, as in latin-1.")
@click.option(
    "--keep",
    multiple=True,
    metavar="COLUMN",
    help='Copy this column of the table into the output, before the prediction; "all" for every one. Repeatable.',
)
@click.option("--test", "own_test", is_flag=True, help="Predict the run's own sealed test part instead of a file.")
@click.option(
    "--output",
    type=click.Path(allow_dash=True, path_type=str),
    metavar="FILE",
    required=True,
    help='A .csv or .npz file, which is replaced where it exists; "-" for CSV on standard output.',
)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@out_option()
@common_options
@click.pass_context
def predict_samples(
    ctx: click.Context,
    /,
    run: str,
    model: str | None,
    dataset: str | None,
    refit: int,
    source: Path | None,
    encoding: str | None,
    keep: tuple[str, ...],
    own_test: bool,
    output: str,
    as_json: bool,
    out: Path,
) -> None:
    """Find, predict, write, say what was done."""
    if (source is None) is not own_test:
        raise UsageError("Say what to predict: either --input FILE, or --test for the run's own test part.")
    if as_json and output == _STDOUT:
        raise UsageError("Standard output takes either the CSV or the JSON: name a file with --output.")
    if output == _STDOUT:
        require_stdout(ctx, "the predictions", "Name a file with --output.")
    folder = find_run(run, out)
    from nncompare.comparison import load_results
    from nncompare.execution.runner import LocalRunner
    from nncompare.interrupts import terminable
    from nncompare.prediction import predict

    target = None if output == _STDOUT else Path(output)
    results = load_results(folder)
    with terminable(), LocalRunner() as runner:
        prediction = predict(
            folder,
            results,
            model,
            dataset,
            refit,
            input=source,
            output=target,
            encoding=encoding,
            keep=keep,
            runner=runner,
        )
    _print(prediction, output, as_json)


def _print(prediction: Prediction, output: str, as_json: bool) -> None:
    """Print the predictions or where they are, and on standard error one line of what was done."""
    import json

    from nncompare.prediction_table import csv_text

    if prediction.note:
        click.echo(f"warning: {one_line(prediction.note)}", err=True)
    click.echo(one_line(describe(prediction)), err=True)
    if output == _STDOUT:
        say(csv_text(prediction).removesuffix("\n"))
    elif as_json:
        say(json.dumps({**prediction.summary(), "output": output}, indent=1, allow_nan=False))
    else:
        say(output)


def describe(prediction: Prediction) -> str:
    """Say in one line what was predicted, by which model, and how well, where that is known."""
    rows = f"{len(prediction):,} row{'' if len(prediction) == 1 else 's'}"
    text = f"{rows} predicted by {prediction.model}, trained on {prediction.dataset} (refit {prediction.refit})."
    if prediction.reason:
        text = f"{text} Why this model: {prediction.reason}."
    if prediction.accuracy is None:
        return text
    known = f"{prediction.n_known:,} row{'' if prediction.n_known == 1 else 's'} whose class is known"
    return f"{text} Accuracy {prediction.accuracy:.4f} on the {known}."
