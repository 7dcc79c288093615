"""A trained Keras model as one .keras file: with its preprocessing and, if possible, no foreign classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nncompare.data.conversion import Conversion
from nncompare.data.dense import DenseConversion
from nncompare.data.records import Array, Samples
from nncompare.frameworks.keras import KerasModel
from nncompare.frameworks.stable_archives import settled_keras

__all__ = ["foreign_modules", "open_keras", "plain_model", "with_preprocessing", "write_keras"]


def plain_model(model: Any) -> Any:
    """Return an equal model in which layers that name one of Keras's own in ``export_as`` are that one.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    keras.Model
        The same one where no layer does.
    """
    equals = {
        name: each.export_as
        for name, each in keras.saving.get_custom_objects().items()
        if isinstance(getattr(each, "export_as", None), type)
    }
    config = keras.saving.serialize_keras_object(model)
    plain = _replaced(config, equals)
    if plain == config:
        return model
    made = keras.saving.deserialize_keras_object(plain, safe_mode=True)
    made.set_weights(model.get_weights())
    return made


def foreign_modules(model: Any) -> list[str]:
    """Return the modules of layers that are not Keras's: a program that loads the model has to import them."""
    modules = {type(layer).__module__ for layer in model._flatten_layers()}
    return sorted(name for name in modules if name.partition(".")[0] != "keras")


def with_preprocessing(model: Any, conversion: Conversion) -> Any:
    """Return a model that takes samples in their native form, called once so that it can be exported."""
    if not isinstance(conversion, DenseConversion):
        return model
    native = conversion.native
    inputs = keras.Input(native.sample_shape, dtype=native.dtype, name="samples")
    whole = keras.Model(inputs, model(_prepared(inputs, conversion)))
    whole(np.zeros((1, *(native.sample_shape or ())), dtype=native.dtype))
    return whole


def write_keras(model: Any, path: Path) -> None:
    """Write a model as it is; equal weights are equal files."""
    with warnings.catch_warnings():
        # Keras 3.15 converts its variables in a way that NumPy 2 deprecates.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        model.save(path)
    path.write_bytes(settled_keras(path.read_bytes()))


def open_keras(path: Path, max_length: int | None) -> Callable[[Samples], Array]:
    """Return a function from native samples to probabilities, computed by the file in Keras's safe mode."""
    loaded = KerasModel(keras.saving.load_model(path, compile=False, safe_mode=True), max_length=max_length)
    return loaded.predict_proba


def _prepared(inputs: Any, conversion: DenseConversion) -> Any:
    """Return the layers that do what :class:`~nncompare.data.dense.DenseConversion` does."""
    layers = keras.layers
    if conversion.mean.size:
        flat = layers.Flatten()(inputs)
        scaled = layers.Normalization(mean=conversion.mean, variance=conversion.deviation**2)(flat)
        return layers.Reshape(conversion.sample_shape)(scaled)
    if (conversion.native.view, conversion.view) == ("image", "sequence"):
        return layers.Reshape(conversion.sample_shape)(layers.Rescaling(conversion.native.scale)(inputs))
    return inputs


def _replaced(config: Any, equals: Mapping[str, type]) -> Any:
    """Return a configuration in which layers of these registered names are of other classes."""
    if isinstance(config, list):
        return [_replaced(part, equals) for part in config]
    if not isinstance(config, dict):
        return config
    equal = equals.get(str(config.get("registered_name")))
    if equal is not None:
        config = {**config, "class_name": equal.__name__, "module": "keras.layers", "registered_name": None}
    return {name: _replaced(part, equals) for name, part in config.items()}
