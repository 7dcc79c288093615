"""Walks through a plugin's search space without training."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from nncompare.exceptions import PluginError
from nncompare.execution.plugins import check_params, load_plugin
from nncompare.execution.specs import DescribeAnswer, DescribeSpec
from nncompare.plugin import ModelPlugin, Params

N_DRAWS = 50


class RecordingTrial:
    """Draws at random, or from given values, and keeps every distribution that was asked for."""

    def __init__(self, number: int, values: Params | None = None) -> None:
        self.number = number
        self.space: dict[str, dict[str, Any]] = {}
        self._values = values or {}
        self._random = random.Random(number)  # noqa: S311 - not for secrets

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a float from ``[low, high]``."""
        self.space[name] = {"type": "float", "low": low, "high": high, "step": step, "log": log}
        if name in self._values:
            return float(self._values[name])
        if log:
            return math.exp(self._random.uniform(math.log(low), math.log(high)))
        value = self._random.uniform(low, high)
        return value if step is None else low + step * int((value - low) / step)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return an integer from ``[low, high]``."""
        self.space[name] = {"type": "int", "low": low, "high": high, "step": step, "log": log}
        return int(self._values.get(name, self._random.randrange(low, high + 1, step)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of ``choices``."""
        self.space[name] = {"type": "categorical", "choices": list(choices)}
        return self._values.get(name, self._random.choice(list(choices)))


def describe(spec: DescribeSpec) -> DescribeAnswer:
    """Return the default configuration and every parameter that 50 random draws and the default met.

    Raises
    ------
    PluginError
        Trial 0 would not be the default configuration: it asks for a name that ``default_params`` lacks.
    """
    plugin = load_plugin(spec.plugin, ModelPlugin)
    defaults = check_params(plugin.default_params(spec.data))
    first = RecordingTrial(0, defaults)
    check_params(plugin.suggest_params(first, spec.data))
    absent = [name for name in first.space if name not in defaults]
    if absent:
        raise PluginError(
            f"default_params() has no value for '{absent[0]}', which suggest_params() asks for; "
            "trial 0 has to be the default configuration."
        )
    space = first.space
    for number in range(1, N_DRAWS + 1):
        trial = RecordingTrial(number)
        check_params(plugin.suggest_params(trial, spec.data))
        space = trial.space | space
    return DescribeAnswer(status="complete", space=space, defaults=defaults)
