"""Turns what the user typed into a :class:`~nncompare.settings.RunConfig`, or one sentence of refusal."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import click

from nncompare.exceptions import UsageError


def positive_number(_ctx: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    """Let finite numbers above 0 pass, and None."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value:g} is not a number above 0.")
    return value


def unique(_ctx: click.Context, _option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Drop repetitions, keep the order, refuse empty names."""
    if any(not name.strip() for name in names):
        raise click.BadParameter("a name is empty.")
    return tuple(dict.fromkeys(names))


def parse_pins(settings: Iterable[str], models: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return ``{model: {parameter: value}}`` for the ``--set`` options.

    Parameters
    ----------
    settings : iterable of str
        ``MODEL.PARAM=VALUE`` each. VALUE is read as JSON where it is JSON, and as text otherwise.
    models : tuple of str
        The models of the run as given with ``-m``; empty for all installed ones.

    Raises
    ------
    UsageError
        A setting has another form, names a model that is not in the run, or comes twice.
    """
    pins: dict[str, dict[str, Any]] = {}
    for setting in settings:
        model, parameter, value = _split(setting)
        if parameter in pins.get(model, {}):
            raise UsageError(f"--set gives a value for '{model}.{parameter}' twice. Keep one of them.")
        pins.setdefault(model, {})[parameter] = value
    if pins:
        _refuse_absent(pins, models)
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


def _refuse_absent(pins: Mapping[str, Any], models: tuple[str, ...]) -> None:
    """Refuse pins for models that do not run: they would be ignored in silence."""
    from nncompare.registry import MODELS, discover, display_name

    present = [display_name(name) for name in models] or list(discover(MODELS).plugins)
    for model in pins:
        if model not in present:
            known = ", ".join(present) or "none"
            raise UsageError(f"--set names the model '{model}', which is not in this run. In the run: {known}.")
