"""Settings of a configuration file that do not concern what was typed: they are left out, and that is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nncompare.cli.configfile import from_file, used_config
from nncompare.columns import one_line

__all__ = ["leave_out"]

_TEXT_TABLES = {".csv", ".tsv"}
_TABLES = {*_TEXT_TABLES, ".parquet"}


def leave_out(ctx: click.Context, options: dict[str, Any], quiet: bool) -> None:
    """Take what the file says and this run cannot use out of the options; what was typed stays.

    A file that names data sets itself has to agree with itself.

    Parameters
    ----------
    ctx : click.Context
        Its parameters are changed too: the report's command and a saved configuration are made of them.
    options : dict
        The options of ``nncompare run`` by parameter.
    quiet : bool
        Say nothing.
    """
    found = used_config(ctx)
    if found is None:
        return
    unused = [] if from_file(ctx, "datasets") else _unused_of_data(ctx, options)
    for name in unused:
        options[name] = ctx.params[name] = None
    models = _unused_models(ctx, options)
    if models:
        kept = tuple(pin for pin in options["settings"] if _model_of(pin) not in models)
        options["settings"] = ctx.params["settings"] = kept
    unused = [name.replace("_", "-") for name in unused] + [f"set.{model}" for model in models]
    if unused and not quiet:
        verb = "does not apply and is" if len(unused) == 1 else "do not apply and are"
        click.echo(one_line(f"{found.path}: {', '.join(unused)} {verb} left out of this run."), err=True)


def _unused_of_data(ctx: click.Context, options: dict[str, Any]) -> list[str]:
    """Return the settings that say how a file is read and for which no file is named."""
    suffixes = {Path(name).suffix.lower() for name in options["datasets"]}
    has_table = bool(suffixes & _TABLES)
    has_use = dict.fromkeys(("target", "text", "group", "time"), has_table)
    has_use["encoding"] = bool(suffixes & _TEXT_TABLES)
    has_use["image_size"] = any(Path(name).expanduser().is_dir() for name in options["datasets"])
    of_table = "sequence" if options["group"] is not None and options["time"] is not None else "tabular"
    has_use["view"] = bool(suffixes & {".npz", ".npy"}) or (has_table and options["view"] == of_table)
    return [
        name for name, use in has_use.items() if options[name] is not None and not use and from_file(ctx, name)
    ]


def _unused_models(ctx: click.Context, options: dict[str, Any]) -> list[str]:
    """Return the models whose parameters the file fixes though others were named on the command line."""
    if not options["models"] or from_file(ctx, "models") or not from_file(ctx, "settings"):
        return []
    named = {name.rpartition(":")[2] for name in options["models"]}
    return [model for model in dict.fromkeys(map(_model_of, options["settings"])) if model not in named]


def _model_of(pin: str) -> str:
    """Return the model of ``MODEL.PARAM=VALUE``."""
    return pin.partition("=")[0].rpartition(".")[0].strip()
