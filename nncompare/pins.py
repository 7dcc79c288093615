"""Pinned parameters (``--set``) are checked against the plugins' own ranges before anything trains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nncompare.exceptions import UsageError
from nncompare.plan import PlannedStudy
from nncompare.settings import RunConfig

__all__ = ["check_pin", "check_pins"]


def check_pins(config: RunConfig, studies: Iterable[PlannedStudy]) -> None:
    """Refuse a pinned parameter that no study knows, and a value outside of its range.

    Raises
    ------
    UsageError
        The model is not part of the run, has no such parameter, or could not have drawn the value.
    """
    for study in studies:
        for name, value in study.pins.items() if study.failure is None else ():
            if name not in study.space:
                known = ", ".join(sorted(study.space)) or "none"
                raise UsageError(f"Model '{study.model}' has no parameter '{name}'. Its parameters: {known}.")
            check_pin(f"{study.model}.{name}", value, study.space[name])
    unknown = sorted(set(config.pins) - {study.model for study in studies})
    if unknown:
        raise UsageError(f"--set names the model '{unknown[0]}', which is not part of this run.")


def check_pin(name: str, value: Any, space: Mapping[str, Any]) -> None:
    """Refuse a pinned value that the search could not have drawn.

    Raises
    ------
    UsageError
        The value has the wrong type, is not among the choices, or lies outside of the range.
    """
    if space["type"] == "categorical":
        if not any(value == choice and type(value) is type(choice) for choice in space["choices"]):
            choices = ", ".join(map(repr, space["choices"]))
            raise UsageError(f"{name} cannot be {value!r}. Choose from {choices}.")
        return
    kind = "a whole number" if space["type"] == "int" else "a number"
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or (space["type"] == "int" and value != int(value)):
        raise UsageError(f"{name} cannot be {value!r}; {kind} is expected.")
    if not space["low"] <= value <= space["high"]:
        raise UsageError(f"{name} cannot be {value!r}; choose from {space['low']:g} to {space['high']:g}.")
