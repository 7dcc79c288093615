"""RUN, ``-m``, ``-d`` and ``--refit``: which trained model of a run a command is about."""

from __future__ import annotations

import click

from nncompare.cli.completion import complete_datasets, complete_models, complete_runs
from nncompare.cli.options import F

__all__ = ["trained_model"]

_OPTIONS = (
    click.argument("run", shell_complete=complete_runs),
    click.option(
        "-m",
        "--model",
        metavar="NAME",
        shell_complete=complete_models,
        help="The model. Default: the verdict's winner, else the lowest validation log loss.",
    ),
    click.option(
        "-d",
        "--dataset",
        metavar="NAME",
        shell_complete=complete_datasets,
        help="Whose model, in a run with several data sets.",
    ),
    click.option(
        "--refit",
        type=click.IntRange(min=1),
        metavar="N",
        default=1,
        show_default=True,
        help="Which refit of the model.",
    ),
)


def trained_model(command: F) -> F:
    """Add the argument and the options that say which model; those of ``find_trained``."""
    for add in reversed(_OPTIONS):
        command = add(command)
    return command
