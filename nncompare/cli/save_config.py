"""``--save-config``: writes the settings of a run as a configuration file that repeats them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from nncompare.cli.configfile import PINS, PROJECT_FILE, settable
from nncompare.cli.options import parse_pins
from nncompare.columns import one_line
from nncompare.exceptions import StorageError, UsageError
from nncompare.settings import STORAGE_VARIABLE

__all__ = ["refuse_existing", "save_config"]

_STORAGE = "storage"


def refuse_existing(path: Path) -> None:
    """Let only a new file pass: what stands there may be somebody's work.

    Raises
    ------
    UsageError
        There is such a file, or it is to be named like one of other tools.
    """
    if path.exists():
        raise UsageError(f"--save-config: '{path}' exists and is not replaced. Name a new file, or remove it.")
    if path.name == PROJECT_FILE:
        raise UsageError(f"--save-config writes no {PROJECT_FILE}. Name another file, such as nncompare.toml.")


def save_config(ctx: click.Context, path: Path | None) -> None:
    """Write what the command line, the environment and a configuration file say into a new file, and tell so.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    if path is None:
        return
    text = config_text(ctx)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StorageError(f"'{path}' cannot be written: {type(error).__name__}: {error}.") from error
    click.echo(one_line(f"Settings saved in {path}."), err=True)
    url = ctx.params.get(_STORAGE)
    if url and _may_hold_a_secret(url):
        text = f"The storage is not in it, because its URL may hold a password: set {STORAGE_VARIABLE}."
        click.echo(text, err=True)


def config_text(ctx: click.Context) -> str:
    """Return the settings of a command as TOML; those that are defaults as comments."""
    import tomli_w

    from nncompare import __version__

    said: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for key, option in settable(ctx.command).items():
        value = ctx.params[option.name or ""]
        if key == PINS or value is None or value == () or (key == _STORAGE and _may_hold_a_secret(value)):
            continue
        is_default = ctx.get_parameter_source(option.name or "") is ParameterSource.DEFAULT
        (defaults if is_default else said)[key] = _plain(value)
    _without_the_loser(said, ctx)
    lines = [
        f"# Settings of nncompare {__version__}: what the options of 'nncompare run' say. Those typed there win.",
        tomli_w.dumps(said).rstrip(),
        "",
        "# Defaults:",
        *(f"# {line}" for line in tomli_w.dumps(defaults).splitlines()),
    ]
    pins = parse_pins(ctx.params["settings"])
    if pins:
        lines += ["", tomli_w.dumps({PINS: pins}).rstrip()]
    return "\n".join(lines) + "\n"


def _may_hold_a_secret(url: str) -> bool:
    """Tell whether an address shows not all of itself: it has a password or options, or cannot be read."""
    from nncompare.storage import without_password

    return without_password(url) != url


def _without_the_loser(said: dict[str, Any], ctx: click.Context) -> None:
    """Keep either ``all`` or ``model``, whichever was typed."""
    if said.get("all") and "model" in said:
        del said["all" if ctx.get_parameter_source("models") is ParameterSource.COMMANDLINE else "model"]


def _plain(value: Any) -> Any:
    """Return a value as TOML has it: paths as text, whole seconds as whole numbers."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Path):
        return str(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
