"""From the name of a plugin class to an instance, and what a plugin may hand back."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nncompare.exceptions import PluginError
from nncompare.plugin import DatasetPlugin, ModelPlugin, Params
from nncompare.registry import load_class

PluginT = TypeVar("PluginT", ModelPlugin, DatasetPlugin)


def load_plugin(value: str, base: type[PluginT]) -> PluginT:
    """Import a plugin class and construct it without arguments."""
    cls = load_class(value)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise PluginError(f"'{value}' is not a subclass of nncompare.plugin.{base.__name__}.")
    return cls()


def check_params(params: object) -> Params:
    """Return ``params`` if they are a JSON object, else say which value is not."""
    if not isinstance(params, dict):
        raise PluginError(f"parameters are {type(params).__name__}; a dict of JSON values is expected.")
    for name, value in params.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise PluginError(f"parameter '{name}' is {value!r}, which is not a JSON value: {error}.") from error
    return params


def checked_probabilities(predicted: object, shape: tuple[int, ...]) -> NDArray[np.floating[Any]]:
    """Return what predict_proba() gave as an array, if that is of floats and has ``shape``."""
    probabilities = np.asarray(predicted)
    if not np.issubdtype(probabilities.dtype, np.floating):
        raise PluginError(f"predict_proba() returned {probabilities.dtype} values; floats are expected.")
    if probabilities.shape != shape:
        raise PluginError(f"predict_proba() returned shape {probabilities.shape}; {shape} is expected.")
    return probabilities
