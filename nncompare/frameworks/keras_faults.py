"""What is said about a part of a Keras model that Keras cannot load again: which part, why, and what to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from nncompare.exceptions import PluginError

__all__ = ["lambda_fault", "reason", "rebuild_fault", "refuse", "unregistered"]

_MODEL = "The model that build() returned"
_LATER = "the model that build() returned"
_NOT_LOADED = "could not load the saved model"
_LONGEST_REASON = 160
_WRAPPED = ("could not be deserialized properly", "Error when deserializing class")
_OF_KERAS = frozenset({"name", "trainable", "dtype"})
"""What Keras itself hands to the ``__init__`` of each layer that is loaded."""
_UNEXPECTED = re.compile(r"__init__\(\) got an unexpected keyword argument '(\w+)'")
_UNKNOWN = re.compile(r"Unrecognized keyword arguments passed to \w+: \{'(\w+)'")
_MISSING = re.compile(r"__init__\(\) missing \d+ required [a-z-]+(?: [a-z-]+)* arguments?: (.+)")
_WITHOUT_CONFIG = re.compile(r"Object (\w+) was created by passing")


def refuse(faults: Sequence[str]) -> None:
    """Raise one error for all that was found on a model; nothing where nothing was.

    Raises
    ------
    PluginError
        There is a fault.
    """
    if len(faults) > 1:
        numbered = " ".join(f"({number}) {_shortened(fault)}" for number, fault in enumerate(faults, 1))
        raise PluginError(f"{_MODEL} has {len(faults)} faults. {numbered}")
    if faults:
        raise PluginError(faults[0])


def _shortened(fault: str) -> str:
    """Leave away what the first sentence says already, because messages are kept up to a length only."""
    text = fault.replace(f"{_MODEL} contains", "It contains").replace(f" of {_LATER}", "")
    return text.replace(f", so that Keras {_NOT_LOADED}", "")


def unregistered(kind: str, name: str, module: str, *, is_mistaken: bool = False) -> str:
    """Return what is wrong with a class or a function that Keras knows nothing of, and the line to write.

    Parameters
    ----------
    kind : {"class", "function"}
    name : str
    module : str
        Where it is defined, empty where that is unknown.
    is_mistaken : bool
        Whether Keras has one of its own by that name.
    """
    so = "would load a function of its own by that name, or none" if is_mistaken else _NOT_LOADED
    definition = "def" if kind == "function" else "class"
    instead = ", or above a function of your own that calls it" if kind == "function" else ""
    return (
        f"{_MODEL} contains the {kind} '{name}', which is not registered, so that Keras {so}: "
        f"put {_register(module)} above '{definition} {name}'{instead}."
    )


def lambda_fault(what: str) -> str:
    """Return what is wrong with code that stands in a model without a name of its own."""
    return (
        f"{_MODEL} contains {what}, which cannot be loaded in Keras's safe mode. "
        f"Write it as a function with {_register('')}."
    )


def rebuild_fault(error: Exception, name: str) -> str:
    """Return why Keras cannot make an object from its configuration, and which method of it has to change.

    Parameters
    ----------
    error : Exception
        What Keras raised, which repeats the configuration before it comes to the reason.
    name : str
        The class; empty where the whole model could not be stored.
    """
    cause = reason(error)
    text = str(cause)
    if found := _WITHOUT_CONFIG.search(text):
        return (
            f"Keras cannot store '{found[1]}', which was made with arguments that Keras cannot write down: give "
            "the class a get_config() that returns all arguments of __init__() as numbers, texts, lists and dicts."
        )
    what = f"Keras cannot rebuild '{name}' from its configuration" if name else "Keras cannot store the model"
    init = f"{_owner(text, name)}__init__()"
    if found := _MISSING.search(text):
        noun, them = ("arguments", "them") if " and " in found[1] else ("argument", "it")
        return f"{what}: {init} is missing {noun} {found[1]}: return {them} from get_config()."
    if found := _UNEXPECTED.search(text) or _UNKNOWN.search(text):
        fault = f"{what}: {init} got an unexpected keyword argument '{found[1]}'."
        if found[1] in _OF_KERAS:
            return f"{fault} Let __init__ take **options and hand them to super().__init__(**options)."
        return f"{fault} Let __init__ take it, or get_config() not return it."
    line = " ".join(text.split()).rstrip(".")
    line = line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"
    return (
        f"{what}: let get_config() return all arguments of __init__(), and __init__ take what it returns. "
        f"Keras says: {type(cause).__name__}: {line}."
    )


def reason(error: BaseException) -> BaseException:
    """Return what Keras wrapped: it raises anew with the configuration before the text.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    BaseException
        The same one where Keras wrapped nothing.
    """
    while any(words in str(error) for words in _WRAPPED):
        inner = error.__cause__ or error.__context__
        if inner is None:
            return type(error)(str(error).rpartition("Exception encountered: ")[2])
        error = inner
    return error


def _owner(text: str, name: str) -> str:
    """Return the class whose ``__init__`` it is, with a dot, where it is another than the one that is named."""
    found = re.search(r"(\w+)\.__init__\(\)", text) or re.search(r"passed to (\w+):", text)
    return f"{found[1]}." if found and found[1] != name else ""


def _register(module: str) -> str:
    return f'@keras.saving.register_keras_serializable(package="{_distribution(module)}")'


def _distribution(module: str) -> str:
    """Return the distribution whose plugins are of the same package as a module; without one, a word for it."""
    package = module.partition(".")[0]
    try:
        points: Any = metadata.entry_points(group="nncompare.models") if package else ()
        owners = [point.dist for point in points if point.module.partition(".")[0] == package]
    except Exception:  # noqa: BLE001 - the metadata of others may be damaged, and this is but advice
        owners = []
    return next((owner.name for owner in owners if owner is not None), "your-package")
