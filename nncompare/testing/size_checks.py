"""The check of a model's size, and how the numbers that a model holds are counted."""

from __future__ import annotations

import inspect
import math
import sys
from typing import Any

import numpy as np

from nncompare.plugin import FittedModel
from nncompare.testing.calling import plugin_errors
from nncompare.testing.outcomes import CheckFailedError
from nncompare.testing.subject import ModelSubject

DEPTH = 6
"""Attributes of attributes in which the arrays of a model are looked for."""
POINTER = 8
NUMBERS = (int, float, complex, np.number)
NO_NUMBERS = (type(None), bool, str, np.generic)


def check_n_parameters(subject: ModelSubject) -> None:
    """``n_parameters`` is a whole number from 0, and not larger than the model is.

    Of a Keras model it is the number of values in ``trainable_weights``, of torch modules that of the values
    which require a gradient. Any other model holds at least so many numbers, if it is made of arrays and numbers
    alone. Whether it counts all that it trains cannot be told: models hold numbers that are not trained, too.
    """
    model = subject.reference().model
    with plugin_errors("n_parameters", "It is a property that returns an int"):
        found: Any = model.n_parameters
    if inspect.ismethod(found):
        raise CheckFailedError("n_parameters is a method; a property is expected. Add @property.")
    if not isinstance(found, int | np.integer) or isinstance(found, bool) or found < 0:
        raise CheckFailedError(
            f"n_parameters is {found!r} ({type(found).__name__}); a whole number from 0 is expected."
        )
    trained = _n_trained(model)
    if trained is not None and found != trained:
        raise CheckFailedError(
            f"n_parameters is {found:,}, and the model has {trained:,} trainable values. Count them."
        )
    seen: dict[int, object] = {}
    held = None if trained is not None else _n_held(model, DEPTH, seen)
    if held and found > held and any(isinstance(part, np.ndarray) for part in seen.values()):
        raise CheckFailedError(
            f"n_parameters is {found:,}, and the model holds {held:,} numbers. Count its weights."
        )


def _n_trained(model: FittedModel) -> int | None:
    """Return the number of values that a library says it trains, if the model is one of such a library."""
    keras_model: Any = getattr(model, "model", None)
    if hasattr(keras_model, "trainable_weights"):
        return sum(int(math.prod(weight.shape)) for weight in keras_model.trainable_weights)
    if "torch" not in sys.modules:
        return None
    module = sys.modules["torch"].nn.Module
    parts: list[Any] = [
        part for part in (model, *getattr(model, "__dict__", {}).values()) if isinstance(part, module)
    ]
    weights = {id(weight): weight for part in parts for weight in part.parameters()}
    return sum(int(weight.numel()) for weight in weights.values() if weight.requires_grad) if parts else None


def _n_held(holder: object, depth: int, seen: dict[int, object]) -> int | None:
    """Return how many numbers an object holds, those of each array once; None where some may not be seen."""
    if isinstance(holder, NO_NUMBERS) and not isinstance(holder, np.number):
        return 0
    if isinstance(holder, NUMBERS):
        return 1
    if id(holder) in seen:
        return 0
    seen[id(holder)] = holder
    if isinstance(holder, np.ndarray):
        return None if holder.dtype.kind == "O" else holder.size
    if isinstance(holder, dict):
        values = list(holder.values())
    elif isinstance(holder, list | tuple):
        values = list(holder)
    elif (attributes := _attributes(holder)) is not None:
        values = attributes
    else:
        return None
    if depth == 0 and values:
        return None
    found = 0
    for value in values:
        part = _n_held(value, depth - 1, seen)
        if part is None:
            return None
        found += part
    return found


def _attributes(holder: object) -> list[object] | None:
    """Return the values of all attributes; None of an object that may hold more, in memory of compiled code."""
    names = [name for base in type(holder).__mro__ for name in _slots(base)]
    if type(holder).__basicsize__ > _Plain.__basicsize__ + POINTER * len(names):
        return None
    slots = [getattr(holder, name) for name in names if hasattr(holder, name)]
    return [*slots, *getattr(holder, "__dict__", {}).values()]


def _slots(cls: type) -> list[str]:
    slots = cls.__dict__.get("__slots__", ())
    return [slots] if isinstance(slots, str) else list(slots)


class _Plain:
    """Its objects have what all objects of Python classes have."""
