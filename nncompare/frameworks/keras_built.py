"""What ``build`` of a Keras plugin returned: refused before training where it could not be scored or loaded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from nncompare.data.records import DataSpec
from nncompare.exceptions import PluginError

__all__ = ["check_loadable", "check_outputs", "required"]

_LOADED_BY_NAME = frozenset({"builtins", "keras", "keras_cv", "keras_hub", "keras_nlp"})
"""Packages whose classes Keras finds again although nobody registered them."""
_WITH_FUNCTIONS = ("activations", "constraints", "initializers", "ops", "regularizers")
_SUMS_TO_ONE = frozenset({"softmax", "sparsemax"})


def required(params: Mapping[str, Any], name: str) -> Any:
    """Return a parameter that each configuration of a Keras plugin has to hold.

    Raises
    ------
    PluginError
        It is missing.
    """
    if name not in params:
        raise PluginError(
            f"The parameters hold no '{name}', which KerasPlugin needs to train: return it from suggest_params() "
            "and default_params()."
        )
    return params[name]


def check_loadable(model: object) -> None:
    """Refuse what Keras could not load again in safe mode: a training would be spent before that is seen.

    Raises
    ------
    PluginError
        It is no model, holds Python code or something that is not registered, or cannot be made from its own
        configuration.
    """
    if not isinstance(model, keras.Model):
        what = "None" if model is None else f"an object of type {type(model).__name__}"
        raise PluginError(f"build() returned {what}; a keras.Model is expected: end build() with 'return model'.")
    _refuse_lambda(model)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The object being serialized includes a `lambda`", UserWarning)
            config = keras.saving.serialize_keras_object(model)
    except Exception as error:
        raise _not_loadable(error, "it") from error
    for found in _own_objects(config):
        _check_own(found)


def check_outputs(model: Any, outputs: Any, data: DataSpec) -> None:
    """Refuse a model whose outputs are not one row of probabilities per sample, as far as its layers tell.

    Parameters
    ----------
    model : keras.Model
    outputs : keras.KerasTensor
        What the model gave for a symbolic input.
    data : DataSpec

    Raises
    ------
    PluginError
        The outputs are several, of another shape than (None, n_classes), or behind a Dense layer without softmax.
    """
    if isinstance(outputs, list | tuple | dict):
        raise PluginError(f"build() returned a model with {len(outputs)} outputs; a single one is expected.")
    shape = tuple(outputs.shape)
    if shape != (None, data.n_classes):
        raise PluginError(
            f"build() returned a model with output shape {shape}; (None, {data.n_classes}) is expected for the "
            f"{data.n_classes} classes of {data.name!r}: {_remedy(shape, data.n_classes)}."
        )
    last = _last_layer(model)
    if type(last) is keras.layers.Dense and (name := _without_sum(last.activation)):
        fault = "gives scores (logits)" if name == "linear" else "does not sum to 1 over the classes"
        raise PluginError(
            f"The last layer {last.name!r} of the model that build() returned has the activation '{name}', which "
            f"{fault}; probabilities are expected: end it with "
            f'Dense(data.n_classes, activation="softmax").'
        )


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


def _own_objects(config: Any) -> Iterator[dict[str, Any]]:
    """Yield all parts of a configuration that stand for functions and objects of others than Keras."""
    if isinstance(config, list | tuple):
        for part in config:
            yield from _own_objects(part)
    elif isinstance(config, dict):
        if _is_lambda(config) or _is_own_function(config) or _is_own_object(config):
            yield config
        for part in config.values():
            yield from _own_objects(part)


def _check_own(config: dict[str, Any]) -> None:
    """Refuse one of those parts where Keras would not find it again, or could not make it."""
    if _is_lambda(config):
        raise PluginError(
            "The model that build() returned contains a lambda function, which cannot be loaded in Keras's safe "
            "mode. Write it as a function with "
            "@keras.saving.register_keras_serializable(package=<your distribution>)."
        )
    is_function = config["class_name"] == "function"
    kind, name = ("def", config["config"]) if is_function else ("class", config["class_name"])
    if keras.saving.get_registered_object(name if is_function else config["registered_name"]) is None:
        raise PluginError(
            f"The model that build() returned contains the {'function' if is_function else kind} '{name}', which "
            "is not registered, so that Keras could not load the saved model: put "
            f"@keras.saving.register_keras_serializable(package=<your distribution>) above '{kind} {name}'."
        )
    try:
        # Without its weights: that would take as long as build().
        keras.saving.deserialize_keras_object({**config, "build_config": None}, safe_mode=True)
    except Exception as error:
        raise _not_loadable(error, f"the {kind} '{name}'") from error


def _is_lambda(config: dict[str, Any]) -> bool:
    """Tell whether this is Python code; of an activation, Keras leaves nothing but that, in three parts."""
    code = config["value"] if set(config) == {"value"} else None
    return config.get("class_name") == "__lambda__" or (isinstance(code, list | tuple) and len(code) == 3)


def _is_own_function(config: dict[str, Any]) -> bool:
    if config.get("class_name") != "function":
        return False
    return not any(hasattr(getattr(keras, module), str(config["config"])) for module in _WITH_FUNCTIONS)


def _is_own_object(config: dict[str, Any]) -> bool:
    package = str(config.get("module") or "keras").partition(".")[0]
    return package not in _LOADED_BY_NAME and bool(config.get("registered_name"))


def _not_loadable(error: Exception, what: str) -> PluginError:
    line = str(error).strip().partition("\n")[0].rstrip(".")
    return PluginError(
        f"The model that build() returned could not be loaded once saved, because Keras cannot make {what} from "
        f"its configuration: {type(error).__name__}: {line}. Give each of your layer classes a get_config() that "
        "returns all arguments of its __init__()."
    )


def _refuse_lambda(model: Any) -> None:
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Lambda):
            raise PluginError(
                f"The model contains the Lambda layer {layer.name!r}, which holds Python code and cannot be "
                "loaded in Keras's safe mode. Write it as a layer class with "
                "@keras.saving.register_keras_serializable(package=<your distribution>)."
            )
