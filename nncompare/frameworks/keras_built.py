"""What ``build`` of a Keras plugin returned: refused before training where it could not be scored or loaded."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import keras

from nncompare.data.records import DataSpec
from nncompare.exceptions import PluginError
from nncompare.frameworks.keras_faults import lambda_fault, reason, rebuild_fault, unregistered

__all__ = ["check_model", "loading_faults", "momentum", "output_faults", "required"]

_LOADED_BY_NAME = frozenset({"keras", "keras_cv", "keras_hub", "keras_nlp"})
"""Packages whose classes Keras finds again although nobody registered them."""
_SAME_FUNCTIONS = _LOADED_BY_NAME | {"tensorflow"}
"""Packages whose functions are, where their names are the same, those of Keras."""
_OWN = " of the plugin"
_SUMS_TO_ONE = frozenset({"softmax", "sparsemax"})


def required(params: Mapping[str, Any], name: str, *, what: str = "its training") -> Any:
    """Return a parameter that a configuration of a Keras plugin has to hold, and say for what where it does not.

    Raises
    ------
    PluginError
        It is missing.
    """
    if name not in params:
        raise PluginError(
            f"The parameters hold no '{name}', which KerasPlugin needs for {what}: return it from "
            "suggest_params() and default_params()."
        )
    return params[name]


def momentum(value: object) -> float:
    """Return the momentum of averaged weights as a number: as text or as a whole one it would fail in the graph.

    Raises
    ------
    PluginError
        It is no number from 0 to below 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise PluginError(
            f"weight_average is {value!r}, where a number from 0, which averages nothing, to below 1 is expected: "
            "change it in params or in the plugin's class."
        )
    return float(value)


def check_model(model: object) -> None:
    """Refuse what is no model.

    Raises
    ------
    PluginError
        It is something else.
    """
    if not isinstance(model, keras.Model):
        what = "None" if model is None else f"an object of type {type(model).__name__}"
        raise PluginError(f"build() returned {what}; a keras.Model is expected: end build() with 'return model'.")


def loading_faults(model: Any) -> list[str]:
    """Return what Keras could not load again in safe mode: a training would be spent before that is seen.

    Parameters
    ----------
    model : keras.Model
        It has its weights, as when it is saved: a layer may tell only then what it is.

    Returns
    -------
    list of str
        Of Python code, of what is not registered, of what cannot be made from its own configuration.
    """
    try:
        config = _serialised(model)
    except Exception as error:  # noqa: BLE001 - get_config() is the plugin's
        return [rebuild_fault(error, "")]
    parts = list(_parts(config))
    faults = list(dict.fromkeys(fault for part in parts if (fault := _fault(part)))) or _rebuild_faults(parts)
    if not faults and (function := _mistaken_function(model)):
        return [unregistered("function", function[0], function[1], is_mistaken=True)]
    return faults


def output_faults(model: Any, outputs: Any, data: DataSpec) -> list[str]:
    """Return why the output of a model is not one row of probabilities per sample, as far as its layers tell.

    Parameters
    ----------
    model : keras.Model
    outputs : keras.KerasTensor, or a list or dict of them
        What the model gave for a symbolic input.
    data : DataSpec

    Returns
    -------
    list of str
        That there are several, that it is of another shape than (None, n_classes), or behind a Dense layer
        without softmax; empty where it is as expected.
    """
    found = keras.tree.flatten(outputs)
    if len(found) != 1:
        return [f"build() returned a model with {len(found)} outputs; a single one is expected."]
    shape = tuple(found[0].shape)
    if shape != (None, data.n_classes):
        return [
            f"build() returned a model with output shape {shape}; (None, {data.n_classes}) is expected for the "
            f"{data.n_classes} classes of {data.name!r}: {_remedy(shape, data.n_classes)}."
        ]
    last = _last_layer(model)
    if type(last) is keras.layers.Dense and (name := _without_sum(last.activation)):
        fault = "gives scores (logits)" if name == "linear" else "does not sum to 1 over the classes"
        return [
            f"The last layer {last.name!r} of the model that build() returned has the activation '{name}', which "
            f"{fault}; probabilities are expected: end it with "
            f'Dense(data.n_classes, activation="softmax").'
        ]
    return []


def _remedy(shape: tuple[Any, ...], n_classes: int) -> str:
    if len(shape) == 3:
        return "pool or flatten the time axis before the last layer, as GlobalAveragePooling1D() does"
    if len(shape) > 3:
        return "pool or flatten all axes but the first before the last layer, as Flatten() does"
    return f'end it with Dense(data.n_classes, activation="softmax"), which has {n_classes} units here'


def _last_layer(model: Any) -> Any:
    """Return the layer that the outputs come from; of a model that does not show its layers, the model."""
    layer = model
    while isinstance(layer, keras.Model) and getattr(layer, "outputs", None):
        layer = layer.outputs[0]._keras_history.operation
    return layer


def _without_sum(activation: Any) -> str:
    """Return the name of one of Keras's activations whose values do not sum to 1; empty for all others."""
    name = getattr(activation, "__name__", "")
    is_keras = name and getattr(keras.activations, name, None) is activation
    return name if is_keras and name not in _SUMS_TO_ONE else ""


def _serialised(model: Any) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The object being serialized includes a `lambda`", UserWarning)
        return keras.saving.serialize_keras_object(model)


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Yield all parts of a configuration that stand for functions and for objects of others than Keras."""
    if isinstance(config, list | tuple):
        for part in config:
            yield from _parts(part)
    elif isinstance(config, dict):
        if _is_lambda(config) or _is_function(config) or _is_own_object(config):
            yield config
        for part in config.values():
            yield from _parts(part)


def _fault(config: dict[str, Any]) -> str:
    """Return why Keras would not find one of those parts again; empty where it would."""
    kind = config.get("class_name", "__lambda__")
    if kind in ("__lambda__", "method"):
        return lambda_fault("a lambda function" if kind == "__lambda__" else f"the method '{config['config']}'")
    is_function = kind == "function"
    name = config["config"] if is_function else kind
    is_known = keras.saving.get_registered_object(name if is_function else config["registered_name"]) is not None
    if is_known or (is_function and _is_found(config)):
        return ""
    module = "" if is_function else str(config.get("module") or "")
    return unregistered("function" if is_function else "class", name, module)


def _rebuild_faults(parts: list[dict[str, Any]]) -> list[str]:
    """Return why Keras could not make parts that it knows; one that holds another fails for the other's reason."""
    faults: dict[str, str] = {}
    for part in reversed(parts):  # those inside first
        try:
            # Without its weights: that would take as long as build().
            keras.saving.deserialize_keras_object({**part, "build_config": None}, safe_mode=True)
        except Exception as error:  # noqa: BLE001 - __init__() and from_config() are the plugin's
            name = str(part["config"] if part.get("class_name") == "function" else part.get("class_name"))
            faults.setdefault(str(reason(error)), rebuild_fault(error, name))
    return list(faults.values())[::-1]


def _is_found(config: dict[str, Any]) -> bool:
    """Tell whether Keras finds a function that nobody registered: it looks among its own."""
    try:
        return callable(keras.saving.deserialize_keras_object(config, safe_mode=True))
    except Exception:  # noqa: BLE001 - whatever it is, it comes again once the model is loaded
        return False


def _is_lambda(config: dict[str, Any]) -> bool:
    """Tell whether this is Python code; of an activation, Keras leaves nothing but that, in three parts."""
    if config.get("class_name") == "__lambda__":
        return True
    value = config["value"] if set(config) == {"value"} else None
    return isinstance(value, list | tuple) and len(value) == 3 and _is_code(value[0])


def _is_code(text: object) -> bool:
    """Tell whether this is compiled code as Keras writes it: marshalled, in base 64."""
    try:
        return isinstance(text, str) and base64.b64decode(text)[:1] in (b"c", b"\xe3")
    except ValueError:
        return False


def _is_function(config: dict[str, Any]) -> bool:
    return config.get("class_name") in ("function", "method") and isinstance(config.get("config"), str)


def _is_own_object(config: dict[str, Any]) -> bool:
    """Tell whether this is of a class of others; Keras leaves the module away of what ``__main__`` defines."""
    package = str(config.get("module")).partition(".")[0]
    is_object = bool(config.get("registered_name")) and config.get("class_name") != "function"
    return is_object and package not in _LOADED_BY_NAME


def _mistaken_function(model: Any) -> tuple[str, str] | None:
    """Return name and module of an own function that nobody registered and that is stored by its name.

    A stored ``relu`` tells nobody whose it was, so they are stored under other names once more.
    """
    functions = [
        each for layer in model._flatten_layers() for each in vars(layer).values() if _is_unregistered(each)
    ]
    if not functions:
        return None
    try:
        with _renamed(functions):
            parts = list(_parts(_serialised(model)))
    except Exception:  # noqa: BLE001 - a layer that looks its functions up by name does not leave that to Keras
        return None
    names = [str(part["config"]) for part in parts if part.get("class_name") == "function"]
    name = next((name.removesuffix(_OWN) for name in names if name.endswith(_OWN)), "")
    return next(((name, each.__module__) for each in functions if each.__name__ == name), None)


def _is_unregistered(value: object) -> bool:
    if not isinstance(value, FunctionType) or str(value.__module__).partition(".")[0] in _SAME_FUNCTIONS:
        return False
    name = keras.saving.get_registered_name(value)
    return name == value.__name__ != "<lambda>" and keras.saving.get_registered_object(name) is not value


@contextmanager
def _renamed(functions: list[FunctionType]) -> Iterator[None]:
    """Give functions names that Keras has not, for as long as this lasts."""
    before = [(function, function.__name__) for function in functions]
    try:
        for function, name in before:
            function.__name__ = f"{name}{_OWN}"
        yield
    finally:
        for function, name in before:
            function.__name__ = name
