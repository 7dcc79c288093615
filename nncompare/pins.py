"""Pinned parameters (``--set``) are checked against the plugins' own ranges before anything trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nncompare.exceptions import UsageError
from nncompare.plan import PlannedStudy
from nncompare.settings import RunConfig

__all__ = ["check_pin", "check_pins"]


def check_pins(config: RunConfig, studies: Sequence[PlannedStudy]) -> None:
    """Refuse a pinned parameter that no study of its model knows, and a value outside of a study's range.

    Raises
    ------
    UsageError
        The model is not part of the run, has no such parameter on any of its data sets, or could not have drawn
        the value on one of them.
    """
    for model, pins in config.pins.items():
        own = [study for study in studies if study.model == model]
        if not own:
            names = ", ".join(dict.fromkeys(study.model for study in studies))
            raise UsageError(
                f"--set (in Python: pins=) names the model '{model}', which is not part of this run: {names}."
            )
        usable = [study for study in own if study.failure is None]
        for name, value in pins.items() if usable else ():
            _check_everywhere(name, value, usable)


def _check_everywhere(name: str, value: Any, studies: Sequence[PlannedStudy]) -> None:
    """Check one pin on all data sets of its model."""
    model = studies[0].model
    concerned = [study for study in studies if name in study.space]
    if not concerned:
        where = ", ".join(study.dataset for study in studies)
        known = ", ".join(sorted({known for study in studies for known in study.space})) or "none"
        raise UsageError(f"Model '{model}' has no parameter '{name}' on {where}. Its parameters: {known}.")
    refusals = {study.dataset: _refusal(study, name, value) for study in concerned}
    able = [dataset for dataset, refusal in refusals.items() if not refusal]
    for refusal in filter(None, refusals.values()):
        advice = _advice(able) if able else ""
        raise UsageError(f"{refusal}{advice}")


def _advice(able: Sequence[str]) -> str:
    python = f"dataset={able[0]!r}" if len(able) == 1 else f"dataset={list(able)!r}"
    return f" On {', '.join(able)} it can: add -d {' -d '.join(able)} (in Python: {python})."


def _refusal(study: PlannedStudy, name: str, value: Any) -> str:
    """Say why the search of one study could not have drawn a value, in no words where it could."""
    try:
        check_pin(f"{study.model}.{name} on {study.dataset}", value, study.space[name])
    except UsageError as error:
        return str(error)
    return ""


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
