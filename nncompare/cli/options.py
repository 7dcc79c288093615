"""Turns what the user typed into a :class:`~nncompare.settings.RunConfig`, or one sentence of refusal."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import click

from nncompare.exceptions import UsageError


def positive_number(_ctx: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    """Let finite numbers above 0 pass, and None."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value:g} is not a number above 0.")
    return value


def unique(_ctx: click.Context, option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Drop repetitions, keep the order, refuse empty names."""
    if any(not name.strip() for name in names):
        raise click.BadParameter("a name is empty.")
    for name in names:
        if "," in name and ":" not in name:
            raise click.BadParameter(f"'{name}' has a comma; repeat {option.opts[0]} for several names.")
    return tuple(dict.fromkeys(names))


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
