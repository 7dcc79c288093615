"""The options of ``nncompare run``, in the order of its help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from nncompare.cli.completion import complete_datasets, complete_models
from nncompare.cli.configfile import config_option
from nncompare.cli.group import only_plugins_option
from nncompare.cli.header import complete_columns
from nncompare.cli.options import OUT, Duration, known_encoding, positive_number, text_or_none, unique
from nncompare.settings import PRESETS, STORAGE_VARIABLE

F = TypeVar("F", bound=Callable[..., Any])

VIEWS = ("tabular", "image", "sequence", "tokens")

_MAX_SEED = 2**32 - 1
_AT_LEAST_1 = click.IntRange(min=1)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_PRESETS = "; ".join(
    f"{name} {preset.n_trials}, {preset.n_finalists if preset.n_finalists > 1 else 'none'} and {preset.n_refits}"
    for name, preset in PRESETS.items()
)

what = (
    click.option("--all", "every", is_flag=True, help="Run all installed models."),
    click.option(
        "-m",
        "--model",
        "models",
        multiple=True,
        callback=unique,
        metavar="MODEL",
        shell_complete=complete_models,
        help="A model to compare. Repeatable.",
    ),
    click.option(
        "-d",
        "--dataset",
        "datasets",
        multiple=True,
        callback=unique,
        metavar="DATASET",
        shell_complete=complete_datasets,
        help="A data set, or your own: FILE.csv, FILE.tsv, FILE.parquet, FILE.npz, X.npy, a folder of images, or "
        "sklearn:NAME. Repeatable.",
    ),
    click.option(
        "--target",
        metavar="COLUMN",
        shell_complete=complete_columns,
        help="The column of your own table that holds the classes.",
    ),
    click.option(
        "--text",
        metavar="COLUMN",
        shell_complete=complete_columns,
        help="A column of texts in your own table: its words are compared, and no other column.",
    ),
    click.option(
        "--encoding", metavar="NAME", callback=known_encoding, help="Of your own table; UTF-8 by default."
    ),
    click.option(
        "--group",
        metavar="COLUMN",
        shell_complete=complete_columns,
        help="A column of your own table: rows of one value are never split between train, validation and test.",
    ),
    click.option(
        "--time",
        metavar="COLUMN",
        shell_complete=complete_columns,
        help="A column of your own table: the test part is the last fifth by it, not a random one. With --group, "
        "each group is a series, and this is the order of its steps.",
    ),
    click.option(
        "--view", type=click.Choice(VIEWS), help="What your own arrays are; told by their shape by default."
    ),
    click.option(
        "--image-size",
        type=_AT_LEAST_1,
        metavar="PIXELS",
        help="Height and width of your own images; what they share, or at most 64, by default.",
    ),
    only_plugins_option(expose_value=True),
)

effort = (
    click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        default="standard",
        show_default=True,
        help=f"Trials, finals (after a search on a sample) and refits: {_PRESETS}.",
    ),
    click.option("--trials", "n_trials", type=_AT_LEAST_1, metavar="N", help="Configurations tried per study."),
    click.option("--epochs", "max_epochs", type=_AT_LEAST_1, metavar="N", help="Most epochs of a trial."),
    click.option(
        "--seeds",
        "n_refits",
        type=_AT_LEAST_1,
        metavar="N",
        help="Refits of the winner, each with its own seed.",
    ),
    click.option(
        "--jobs",
        type=_AT_LEAST_1,
        metavar="N",
        help="Trials at a time; one per processor by default. With 1, or --deterministic, a run repeats exactly.",
    ),
    click.option(
        "--threads",
        type=_AT_LEAST_1,
        default=1,
        show_default=True,
        metavar="N",
        help="Threads of each trial.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, _MAX_SEED),
        default=42,
        show_default=True,
        metavar="N",
        help="Moves the validation split, the search and the weights, never the test part.",
    ),
    click.option(
        "--deterministic/--no-deterministic",
        help="Repeat to the last bit, whatever --jobs is. Off by default: it costs time.",
    ),
    click.option(
        "--set", "settings", multiple=True, metavar="MODEL.PARAM=VALUE", help="Fix a parameter. Repeatable."
    ),
)

limits = (
    click.option(
        "--timeout",
        "timeout_s",
        type=Duration(),
        metavar="TIME",
        help="Wall time for all searches, as 90, 20m or 2h; refits come on top.",
    ),
    click.option(
        "--trial-timeout",
        "trial_timeout_s",
        type=Duration(),
        default=3600.0,
        metavar="TIME",
        help="A trial is ended after this time; 1h by default.",
    ),
    click.option(
        "--trial-memory",
        "trial_memory_mb",
        type=float,
        callback=positive_number,
        metavar="MB",
        help="A trial is ended when it takes more; 80 % of what is free, divided by jobs, by default.",
    ),
)

where = (
    click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=OUT,
        show_default=True,
        metavar="FOLDER",
        help="Folder that receives the run directory.",
    ),
    click.option(
        "--storage",
        metavar="URL",
        envvar=STORAGE_VARIABLE,
        callback=text_or_none,
        help="An Optuna database instead of study.db. With a password in it, rather set "
        f"{STORAGE_VARIABLE}: other users see what is typed.",
    ),
    config_option,
    click.option(
        "--save-config",
        "save_to",
        type=_NEW_FILE,
        metavar="FILE",
        help="Write these settings, without a password, into a new FILE; then run, if there is what to run.",
    ),
)

how = (
    click.option("--dry-run", is_flag=True, help="Print the plan and stop."),
    click.option(
        "--estimate/--no-estimate",
        default=True,
        help="Tell beforehand how long the run takes, from an epoch or two of each study. On by default.",
    ),
    click.option("--strict/--no-strict", help="Fail when a study cannot run for want of a download."),
    click.option(
        "--show-rows/--no-show-rows",
        help="Show in the report rows of tables and of your own data that models get wrong. Off by default.",
    ),
    click.option("--open/--no-open", "open_report", help="Open the report in the browser at the end."),
    click.option("--quiet/--no-quiet", help="Print the path of the report and warnings, nothing else."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object; words go to standard error."),
)


def run_options(command: F) -> F:
    """Add all options of ``nncompare run``."""
    for option in reversed((*what, *effort, *limits, *where, *how)):
        command = option(command)
    return command
