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

__all__ = ["check_loadable", "check_model", "required", "single_output"]

_LOADED_BY_NAME = frozenset({"keras", "keras_cv", "keras_hub", "keras_nlp"})
"""Packages whose classes Keras finds again although nobody registered them."""
_SAME_FUNCTIONS = _LOADED_BY_NAME | {"tensorflow"}
"""Packages whose functions are, where their names are the same, those of Keras."""
_OWN = " of the plugin"
_REGISTER = "@keras.saving.register_keras_serializable(package=<your distribution>)"
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


def check_loadable(model: Any) -> None:
    """Refuse what Keras could not load again in safe mode: a training would be spent before that is seen.

    Parameters
    ----------
    model : keras.Model
        It has its weights, as when it is saved: a layer may tell only then what it is.

    Raises
    ------
    PluginError
        It holds Python code or something that is not registered, or cannot be made from its own configuration.
    """
    try:
        config = _serialised(model)
    except Exception as error:
        raise _not_loadable(error, "it") from error
    for found in _parts(config):
        _check_part(found)
    if name := _mistaken_function(model):
        raise PluginError(
            f"The model that build() returned contains the function '{name}', which is not registered, so that "
            f"Keras would load a function of its own by that name, or none: put {_REGISTER} above 'def {name}'."
        )


def single_output(model: Any, outputs: Any, data: DataSpec) -> Any:
    """Return the output of a model: one row of probabilities per sample, as far as its layers tell.

    Parameters
    ----------
    model : keras.Model
    outputs : keras.KerasTensor, or a list or dict of them
        What the model gave for a symbolic input.
    data : DataSpec

    Returns
    -------
    keras.KerasTensor

    Raises
    ------
    PluginError
        The outputs are several, of another shape than (None, n_classes), or behind a Dense layer without softmax.
    """
    found = keras.tree.flatten(outputs)
    if len(found) != 1:
        raise PluginError(f"build() returned a model with {len(found)} outputs; a single one is expected.")
    shape = tuple(found[0].shape)
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
    return found[0]


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


def _check_part(config: dict[str, Any]) -> None:
    """Refuse one of those parts where Keras would not find it again, or could not make it."""
    kind = config.get("class_name", "__lambda__")
    if kind in ("__lambda__", "method"):
        what = "a lambda function" if kind == "__lambda__" else f"the method '{config['config']}'"
        raise PluginError(
            f"The model that build() returned contains {what}, which cannot be loaded in Keras's safe mode. "
            f"Write it as a function with {_REGISTER}."
        )
    is_function = kind == "function"
    definition, name = ("def", config["config"]) if is_function else ("class", kind)
    is_known = keras.saving.get_registered_object(name if is_function else config["registered_name"]) is not None
    if not is_known and not (is_function and _is_found(config)):
        raise PluginError(
            f"The model that build() returned contains the {kind if is_function else definition} '{name}', which "
            f"is not registered, so that Keras could not load the saved model: put {_REGISTER} above "
            f"'{definition} {name}'{', or above a function of your own that calls it' if is_function else ''}."
        )
    try:
        # Without its weights: that would take as long as build().
        keras.saving.deserialize_keras_object({**config, "build_config": None}, safe_mode=True)
    except Exception as error:
        raise _not_loadable(error, f"the {definition} '{name}'") from error


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


def _mistaken_function(model: Any) -> str:
    """Return the name of an own function that nobody registered and that is stored by its name; empty for none.

    A stored ``relu`` tells nobody whose it was, so they are stored under other names once more.
    """
    functions = [
        each for layer in model._flatten_layers() for each in vars(layer).values() if _is_unregistered(each)
    ]
    if not functions:
        return ""
    try:
        with _renamed(functions):
            parts = list(_parts(_serialised(model)))
    except Exception:  # noqa: BLE001 - a layer that looks its functions up by name does not leave that to Keras
        return ""
    names = [str(part["config"]) for part in parts if part.get("class_name") == "function"]
    return next((name.removesuffix(_OWN) for name in names if name.endswith(_OWN)), "")


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


def _not_loadable(error: Exception, what: str) -> PluginError:
    line = str(error).strip().partition("\n")[0].rstrip(".")
    return PluginError(
        f"The model that build() returned could not be loaded once saved, because Keras cannot make {what} from "
        f"its configuration: {type(error).__name__}: {line}. Give each of your layer classes a get_config() that "
        "returns all arguments of its __init__()."
    )
