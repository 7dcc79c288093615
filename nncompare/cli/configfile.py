"""The configuration file: what the options of ``nncompare run`` say, kept in TOML.

click gives its values to options that were not typed; what they may be, the options themselves say.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from nncompare.columns import one_line
from nncompare.exceptions import UsageError

__all__ = [
    "ConfigFile",
    "config_arguments",
    "config_option",
    "configured_out",
    "from_file",
    "read_config",
    "settable",
    "used_config",
]

OWN_FILE = "nncompare.toml"
PROJECT_FILE = "pyproject.toml"
ONE_RUN_ONLY = frozenset({"config", "save-config", "dry-run", "json", "debug", "help"})
PINS = "set"

_USED = "nncompare.config_file"
_OUR_TABLE = re.compile(r"^\s*\[\s*tool\s*\.\s*[\"']?nncompare\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file and the settings in it, by their keys; ``text`` tells the lines, ``table`` where they stand."""

    path: Path
    text: str
    values: Mapping[str, Any]
    table: tuple[str, ...] = ()

    def error(self, key: str, reason: str) -> UsageError:
        """Return the refusal of one key, with its file and line."""
        from nncompare.cli.toml_lines import line_of

        line = line_of(self.text, (*self.table, *key.split(".")))
        place = f"'{self.path}'" + (f", line {line}" if line else "")
        return UsageError(one_line(f"{place}: {'.'.join([*self.table, key])}: {reason}"))


def read_config(path: Path) -> ConfigFile | None:
    """Read a TOML file; None for a pyproject.toml without ``[tool.nncompare]``.

    Raises
    ------
    UsageError
        It cannot be read, or is not TOML; the message names the line and the column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' cannot be read: {type(error).__name__}: {error}.") from error
    is_project = path.name == PROJECT_FILE
    if is_project and "nncompare" not in text:
        return None  # nothing of ours: whatever else is wrong with it is not our business
    try:
        values: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"'{path}' is not TOML: {error}.") from error
    if not is_project:
        return ConfigFile(path, text, values)
    values = values.get("tool", {}).get("nncompare") if isinstance(values.get("tool", {}), dict) else None
    if values is None:
        return None
    found = ConfigFile(path, text, values if isinstance(values, dict) else {}, ("tool", "nncompare"))
    if not isinstance(values, dict):
        raise UsageError(f"'{path}': tool.nncompare is no table. Write [tool.nncompare] on a line of its own.")
    return found


def find_config() -> ConfigFile | None:
    """Return what nncompare.toml of the current folder says, or else its pyproject.toml."""
    own, project = Path(OWN_FILE), Path(PROJECT_FILE)
    found = read_config(own) if own.is_file() else None
    return _project_config(project) if found is None and project.is_file() else found


def _project_config(path: Path) -> ConfigFile | None:
    """Return what a pyproject.toml says; what is wrong with one that has no table of ours is not our business."""
    try:
        return read_config(path)
    except UsageError:
        try:
            text = path.read_bytes().decode("utf-8", errors="replace")
        except OSError:
            return None
        if _OUR_TABLE.search(text):
            raise
        return None


def configured_out() -> Path | None:
    """Return where runs lie by the configuration file, for the commands that look for them.

    They need no other setting, so a pyproject.toml that cannot be read is left alone with a warning.

    Raises
    ------
    UsageError
        nncompare.toml is not TOML, or ``out`` is no text.
    """
    try:
        found = find_config()
    except UsageError as error:
        if Path(OWN_FILE).is_file():
            raise
        click.echo(one_line(f"Warning: {error} Its settings are not used."), err=True)
        return None
    if found is None or "out" not in found.values:
        return None
    value = found.values["out"]
    if not isinstance(value, str) or not value:
        raise found.error("out", f"{_shown(value)} is not the path of a folder, in quotation marks.")
    return Path(value)


def _load(ctx: click.Context, _option: click.Parameter, path: Path | None) -> None:
    """Give the values of the file to click, before it looks at any other option."""
    if ctx.resilient_parsing:
        return
    found = find_config() if path is None else read_config(path)
    if found is None and path is not None:
        raise UsageError(f"'{path}' has no table [tool.nncompare].")
    if found is not None:
        ctx.default_map = _defaults(ctx, found)
        ctx.meta[_USED] = found


config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_load,
    metavar="FILE",
    help=f"Settings in TOML; by default {OWN_FILE} or [tool.nncompare] of {PROJECT_FILE} here. Options win.",
)


def used_config(ctx: click.Context) -> ConfigFile | None:
    """Return the file that a command took settings from."""
    found: ConfigFile | None = ctx.meta.get(_USED)
    return found


def from_file(ctx: click.Context, name: str) -> bool:
    """Return whether a parameter has its value from the configuration file."""
    return ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


def config_arguments(ctx: click.Context) -> list[str]:
    """Return what the file said as arguments of the command line, so that a run can be repeated without it."""
    words: list[str] = []
    for key, option in settable(ctx.command).items():
        value: Any = ctx.params.get(option.name or "")
        if not from_file(ctx, option.name or "") or key == "storage" or value is None:
            continue
        if option.is_flag:
            words += [f"--{key}" if value else f"--no-{key}"] if value or option.secondary_opts else []
            continue
        for item in value if option.multiple else [value]:
            words += [f"--{key}", f"{item:g}" if isinstance(item, float) else str(item)]
    return words


def settable(command: click.Command) -> dict[str, click.Option]:
    """Return the options that a file may set, by their keys: their long names without dashes."""
    options = {_key(option): option for option in command.params if isinstance(option, click.Option)}
    return {key: option for key, option in options.items() if key not in ONE_RUN_ONLY}


def _key(option: click.Option) -> str:
    return max(option.opts, key=len).lstrip("-")


def _defaults(ctx: click.Context, found: ConfigFile) -> dict[str, Any]:
    """Check every key and value as the option would; return them by parameter.

    Raises
    ------
    UsageError
        A key is unknown, or a value is not one of its option.
    """
    options = settable(ctx.command)
    defaults = {}
    for key, value in found.values.items():
        option = options.get(key)
        if option is None:
            raise found.error(key, _unknown(key, options))
        given = list(_pins(found, value)) if key == PINS else value
        given = [given] if option.multiple and isinstance(given, str) else given
        expected = _expected(option)
        if not _fits(option, given):
            raise found.error(key, f"{_shown(value)} is not {expected}.")
        try:
            option.process_value(ctx, given)
        except click.BadParameter as error:
            raise found.error(key, error.message) from None
        assert option.name is not None  # noqa: S101 - click names every option
        defaults[option.name] = given
    return defaults


def _fits(option: click.Option, value: Any) -> bool:
    """Tell whether a value has the type that TOML has for the option: click would turn 5.7 into 5."""
    if option.multiple:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if option.is_flag:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if isinstance(option.type, click.IntRange):
        return isinstance(value, int)
    if option.type is click.FLOAT:
        return isinstance(value, int | float)
    return isinstance(value, str) or (option.type.name == "time" and isinstance(value, int | float))


def _expected(option: click.Option) -> str:
    if option.multiple:
        return "a text or a list of texts"
    if option.is_flag:
        return "true or false"
    if isinstance(option.type, click.IntRange):
        return "a whole number"
    if option.type is click.FLOAT:
        return "a number"
    return "a number of seconds or a text as '20m'" if option.type.name == "time" else "a text"


def _pins(found: ConfigFile, table: Any, prefix: str = "") -> Iterator[str]:
    """Yield ``MODEL.PARAM=VALUE`` for each entry of the table ``set``.

    Raises
    ------
    UsageError
        It is no table, or a value is not one of JSON.
    """
    if not isinstance(table, dict):
        raise found.error(PINS, f'{_shown(table)} is no table. Write [set.lstm] and below it cell = "gru".')
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _pins(found, value, f"{key}.")
            continue
        if "." not in key:
            raise found.error(f"{PINS}.{key}", "it belongs to no model. Write [set.MODEL] above it.")
        try:
            yield f"{key}={json.dumps(value, allow_nan=False)}"
        except (TypeError, ValueError):
            raise found.error(f"{PINS}.{key}", f"{_shown(value)} is no value of a parameter.") from None


def _unknown(key: str, options: Mapping[str, click.Option]) -> str:
    import difflib

    if key in ONE_RUN_ONLY:
        return f"--{key} is for the command line only."
    near = difflib.get_close_matches(key.replace("_", "-").lower(), options, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else f"Known are {', '.join(options)}."
    return f"there is no such setting. {hint}"


def _shown(value: Any) -> str:
    """Return a value as TOML would write it, roughly."""
    return json.dumps(value, default=str, ensure_ascii=False)
