"""Turns what the user typed into a :class:`~nncompare.settings.RunConfig`, or one sentence of refusal."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from nncompare.exceptions import UsageError
from nncompare.tablecolumns import COLUMNS, EVERY, Columns

OUT = Path("reports")

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_LENGTH = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+|\d+(\.\d+)?e[+-]?\d+)\s*(?P<unit>[a-z]*)", re.IGNORECASE)

F = TypeVar("F", bound=Callable[..., Any])


class Duration(click.ParamType[float]):
    """A length of time in seconds, or with its unit: ``90``, ``90s``, ``20m``, ``2h``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds, finite and above 0."""
        match = _LENGTH.fullmatch(str(value).strip())
        factor = _SECONDS.get(match["unit"].lower()) if match else None
        seconds = float(match["number"]) * factor if match and factor else 0.0
        if not 0 < seconds < math.inf:
            self.fail(f"'{value}' is no time above 0; write seconds, or 90s, 20m, 2h.", param, ctx)
        return seconds


def positive_number(_ctx: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    """Let finite numbers above 0 pass, and None."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value:g} is not a number above 0.")
    return value


def finite_number(_ctx: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    """Let numbers pass, and None; click's ranges let NaN pass."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value:g} is not a number.")
    return value


def text_or_none(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Take an empty text for none, as from a variable that is set to nothing."""
    return value or None


def known_encoding(_ctx: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    """Let the names of encodings of files pass, and None."""
    from nncompare.data.codec import known_codec

    try:
        known_codec("utf-8" if name is None else name)
    except UsageError as error:
        raise click.BadParameter(str(error)) from None
    return name


def unique(_ctx: click.Context, option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Drop repetitions, keep the order, refuse empty names; a comma is fine in the path of a file."""
    if any(not name.strip() for name in names):
        raise click.BadParameter("a name is empty.")
    for name in names:
        if "," in name and ":" not in name and not Path(name).exists():
            raise click.BadParameter(f"'{name}' has a comma; repeat {option.opts[0]} for several names.")
    return tuple(dict.fromkeys(names))


def settle_columns(options: dict[str, Any]) -> None:
    """Replace what was said of columns of tables, once or repeatedly, by what the planner reads."""
    for option in COLUMNS:
        options[option] = columns_by_dataset(option, options[option] or (), options["datasets"])


def columns_by_dataset(option: str, values: Sequence[str], datasets: Iterable[str]) -> Columns:
    """Return the column that an option names for all tables, or those of single data sets by their names.

    Parameters
    ----------
    option : str
        For the message.
    values : sequence of str
        ``NAME=COLUMN`` where NAME is one of the data sets, by its name in the run or by that of its file; anything
        else is a column of all tables that are not named, whatever is in its name.
    datasets : iterable of str
        As they were typed.

    Raises
    ------
    UsageError
        Two columns are named for the same tables.
    """
    if len(values) == 1 and "=" not in values[0]:
        return values[0]
    known = _names_of_tables(datasets) if values else {}
    found: dict[str, str] = {}
    for value in values:
        name, _, column = value.partition("=")
        key, column = (known[name], column) if "=" in value and name in known else (EVERY, value)
        if key in found:
            tables = "all tables" if key == EVERY else f"'{key}'"
            other = next((text.partition("=")[0] for text in (found[key], column) if "=" in text), None)
            called = ", ".join(dict.fromkeys(known.values()))
            hint = "" if other is None or not known else f" No file is called '{other}': there are {called}."
            raise UsageError(
                f"--{option} names two columns of {tables}: '{found[key]}' and '{column}'.{hint} Keep one, or say "
                f"which data set has it: --{option} NAME=COLUMN."
            )
        found[key] = column
    return found.get(EVERY) if set(found) <= {EVERY} else found


def _names_of_tables(datasets: Iterable[str]) -> dict[str, str]:
    """Return what each own file is called in the run, by all names that it may be called by."""
    from nncompare.data.own import is_own_file, names_of_path

    paths = [Path(name).expanduser() for name in datasets if is_own_file(name)]
    return {name: names_of_path(path)[0] for path in paths for name in names_of_path(path)}


def out_option(text: str = "The folder of the run directories.") -> Callable[[F], F]:
    """Return the decorator that adds ``--out``, whose default is that of the configuration file."""

    def default() -> Path:
        from nncompare.cli.configfile import configured_out

        try:
            return configured_out() or OUT
        except UsageError:
            ctx = click.get_current_context(silent=True)
            if ctx is not None and ctx.resilient_parsing:  # the TAB key is no place to complain
                return OUT
            raise

    return click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=default,
        show_default=str(OUT),
        metavar="FOLDER",
        help=text,
    )


def parse_pins(settings: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return ``{model: {parameter: value}}`` for the ``--set`` options.

    Parameters
    ----------
    settings : iterable of str
        ``MODEL.PARAM=VALUE`` each. VALUE is read as JSON where it is JSON, and as text otherwise.

    Raises
    ------
    UsageError
        A setting has another form or comes twice. What the models make of it, the planner checks.
    """
    pins: dict[str, dict[str, Any]] = {}
    for setting in settings:
        model, parameter, value = _split(setting)
        if parameter in pins.get(model, {}):
            raise UsageError(f"--set gives a value for '{model}.{parameter}' twice. Keep one of them.")
        pins.setdefault(model, {})[parameter] = value
    return pins


def _split(setting: str) -> tuple[str, str, Any]:
    name, equals, value = setting.partition("=")
    model, dot, parameter = name.strip().rpartition(".")
    if not (equals and dot and model and parameter):
        raise UsageError(f"--set '{setting}' is not of the form MODEL.PARAM=VALUE, as in lstm.cell=gru.")
    return model, parameter, _value(value.strip())


def _value(text: str) -> Any:
    """Read JSON, except the numbers that JSON does not have; anything else is text."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        return text


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
