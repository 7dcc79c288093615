"""The names of a new plugin, of its package and of its class, made from the one that its author typed."""

from __future__ import annotations

import keyword
import re
import unicodedata
from dataclasses import dataclass

from nncompare.exceptions import UsageError
from nncompare.registry import DATASETS, KINDS, MODELS, RESERVED, discover, installed
from nncompare.selection import Selection, normalized

__all__ = ["CLASS_STAND_IN", "PluginNames", "choose_names", "refuse_taken"]

CLASS_STAND_IN = "MyModel"
"""What the class is called in the code that a plugin starts from."""

_PREFIX = "nncompare-"
_LONGEST = 60
_VALID = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")
_EVERY = "all"
"""What stands for all models and for all plugins, in settings."""
_TAKEN_MODULES = frozenset({"nncompare_plugins"})


@dataclass(frozen=True, slots=True)
class PluginNames:
    """What a plugin and its package are called.

    Parameters
    ----------
    plugin : str
        What users type behind ``-m``; the name of the entry point.
    distribution : str
        The package as pip knows it, in the form of PEP 503; also the folder.
    module : str
        The import name.
    class_name : str
    """

    plugin: str
    distribution: str
    module: str
    class_name: str


def choose_names(text: str, *, beside: str = "") -> PluginNames:
    """Return the names that follow from ``text``.

    Parameters
    ----------
    text : str
        Taken as it is where it can name an entry point and a package; what cannot stand in one becomes ``-``.
    beside : str
        Source code in which the class will stand: its name must not be one that the code uses already.

    Raises
    ------
    UsageError
        Nothing is left of ``text``, it is too long, or it is the name of something else.
    """
    plugin = text if _VALID.fullmatch(text) else _slug(text)
    if not plugin:
        raise UsageError(f"'{text}' cannot be the name of a plugin. Use letters, digits and single '-' or '_'.")
    if len(plugin) > _LONGEST:
        raise UsageError(f"The name '{plugin}' has {len(plugin)} characters; {_LONGEST} are possible. Shorten it.")
    if plugin in RESERVED:
        raise UsageError(f"'{plugin}' is the name of a reference. Choose another one.")
    if plugin == _EVERY:
        raise UsageError(f"'{plugin}' stands for all plugins in settings. Choose another name.")
    package = normalized(plugin)
    distribution = package if package.startswith(_PREFIX) else _PREFIX + package
    module = distribution.replace("-", "_")
    if module in _TAKEN_MODULES:
        raise UsageError(
            f"'{plugin}' would make a module '{module}', which belongs to nncompare. Choose another one."
        )
    return PluginNames(plugin, distribution, module, _class_name(package.removeprefix(_PREFIX), beside))


def refuse_taken(names: PluginNames) -> None:
    """Refuse the name of a plugin that is installed.

    Two models of one name are both refused, and commands such as ``check-plugin`` take models and data sets.

    Raises
    ------
    UsageError
        A model of another package has the name, or a data set.
    """
    source = installed()
    for group in (MODELS, DATASETS):
        found = discover(group, source, Selection()).plugins.get(names.plugin)
        if found is None or (group == MODELS and normalized(found.distribution) == names.distribution):
            continue
        raise UsageError(
            f"A {KINDS[group]} '{names.plugin}' is installed already, from {found.owner}. One name for two "
            "plugins is of no use; choose another one."
        )


def _slug(text: str) -> str:
    """Return ``text`` in lower case, accents taken off, all else but letters and digits as single ``-``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _class_name(package: str, beside: str) -> str:
    """Return ``AttentionGru`` for ``attention-gru``, with ``My`` before it where that is taken or no name."""
    name = "".join(word[:1].upper() + word[1:] for word in package.split("-"))
    taken = {word for word in re.findall(r"\w+", beside) if CLASS_STAND_IN not in word}
    while not name.isidentifier() or keyword.iskeyword(name) or {name, f"Fitted{name}"} & taken:
        name = f"My{name}"
    return name
