"""Finds plugins by their entry points, without importing any of them.

The metadata of installed distributions says which class stands behind which name; a name that is malformed or
owned twice becomes a :class:`PluginProblem` and hides no other plugin. Only :func:`load_class` imports plugin
code, and only child processes call it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from nncompare.exceptions import PluginError, UsageError
from nncompare.modulefile import classes_in, file_of_module, import_file, import_module
from nncompare.nearnames import did_you_mean_file, why_not_found
from nncompare.selection import Selection, did_you_mean, normalized

Group: TypeAlias = Literal["nncompare.models", "nncompare.datasets"]
MODELS: Group = "nncompare.models"
DATASETS: Group = "nncompare.datasets"
KINDS: Mapping[Group, str] = MappingProxyType({MODELS: "model", DATASETS: "data set"})

LOCAL = "(local)"
RESERVED = frozenset({"majority", "logistic_regression", "reference"})  # what the references are called
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.]|-(?!-))*")
_CLASS = re.compile(r"(?P<module>\w+(\.\w+)*)\s*:\s*(?P<class>\w+(\.\w+)*)\s*(\[.*\])?")


@dataclass(frozen=True, slots=True)
class PluginRef:
    """Where a plugin is to be found.

    Parameters
    ----------
    name : str
        What the user types and the report shows; the class name for a plugin that is not installed.
    group : {"nncompare.models", "nncompare.datasets"}
    value : str
        ``package.module:Class`` or ``/absolute/path/file.py:Class``; :func:`load_class` understands both.
    distribution, version : str
        The owner; ``(local)`` and an empty version for a plugin that is not installed.
    """

    name: str
    group: Group
    value: str
    distribution: str
    version: str

    @property
    def owner(self) -> str:
        """Distribution and version in one word, for messages."""
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """Why a name that was found cannot be used, and which distributions it comes from.

    ``is_plugin`` is False for a distribution whose metadata cannot be read: it may have no plugin at all.
    """

    name: str
    owner: str
    reason: str
    is_plugin: bool = True


@dataclass(frozen=True, slots=True)
class Catalog:
    """The usable plugins of one group by name, sorted; refused names; what is switched off, with the reason."""

    plugins: dict[str, PluginRef]
    problems: list[PluginProblem]
    disabled: list[tuple[PluginRef, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Installed:
    """The entry points of both groups, read once, and the distributions that could not be read."""

    entry_points: tuple[metadata.EntryPoint, ...]
    problems: tuple[PluginProblem, ...] = ()


def installed() -> Installed:
    """Read the entry points of every installed distribution, each alone.

    A damaged ``entry_points.txt`` costs only its own plugins: ``metadata.entry_points()`` would fail for all.
    """
    points: list[metadata.EntryPoint] = []
    problems: list[PluginProblem] = []
    for distribution in metadata.distributions():
        try:
            found = distribution.entry_points
        except Exception as error:  # noqa: BLE001 - the metadata of others: any damage is theirs alone
            problems.append(_unreadable(distribution, error))
        else:
            points.extend(point for point in found if point.group in KINDS)
    return Installed(tuple(points), tuple(problems))


def discover(group: Group, source: Installed | None = None, selection: Selection | None = None) -> Catalog:
    """Return the plugins of one group.

    Parameters
    ----------
    group : {"nncompare.models", "nncompare.datasets"}
    source : Installed, optional
        What :func:`installed` returned, to read the metadata once for several groups.
    selection : Selection, optional
        What is switched off; what the environment says by default.

    Returns
    -------
    Catalog
        A name with two owners is in ``problems`` with both, and not in ``plugins``; so is a name that cannot
        be part of a file's name, or that a reference has. The same distribution found twice on ``sys.path``
        counts once: the first, which is also the one that Python imports. What is switched off is in ``disabled``
        and has no conflict with others.

    Raises
    ------
    UsageError
        ``selection.only`` names what is not installed.
    """
    source = installed() if source is None else source
    selection = Selection.from_environment() if selection is None else selection
    _check_selection(selection, source)
    problems = [problem for problem in source.problems if selection.why_not(problem.name, problem.name) is None]
    by_name: dict[str, list[PluginRef]] = {}
    disabled: list[tuple[PluginRef, str]] = []
    for ref in _references(source.entry_points, group):
        off, reason = selection.why_not(ref.name, ref.distribution), _why_refused(ref)
        if off is not None:
            disabled.append((ref, off))
        elif reason is not None:
            problems.append(PluginProblem(ref.name, ref.owner, f"{reason} Ask its author."))
        else:
            by_name.setdefault(ref.name, []).append(ref)
    plugins = {}
    for name, owners in sorted(by_name.items()):
        if len(owners) == 1:
            plugins[name] = owners[0]
        else:
            problems.append(_conflict(name, owners))
    return Catalog(plugins, problems, disabled)


def switched_off_in_vain() -> list[str]:
    """Return a sentence for each name that the environment switches off and that is not installed."""
    selection = Selection.from_environment()
    return selection.without_effect(_known(installed())) if selection.disabled else []


def find(name: str, group: Group, catalog: Catalog | None = None) -> PluginRef:
    """Return the plugin that a user named.

    Parameters
    ----------
    name : str
        An entry point's name, ``package.module:Class`` or ``path/to/file.py:Class``.
    group : {"nncompare.models", "nncompare.datasets"}
    catalog : Catalog, optional
        What :func:`discover` returned, to look up several names at the cost of one.

    Raises
    ------
    UsageError
        No plugin has this name, or it was refused or is switched off; the message gives the nearest name, or
        the reason.
    """
    if ":" in name:
        return _local(name, group)
    catalog = discover(group) if catalog is None else catalog
    if name in catalog.plugins:
        return catalog.plugins[name]
    for problem in catalog.problems:
        if problem.name == name:
            raise UsageError(f"The {KINDS[group]} plugin '{name}' of {problem.owner} is refused: {problem.reason}")
    for ref, reason in catalog.disabled:
        if ref.name == name:
            raise UsageError(f"The {KINDS[group]} plugin '{name}' of {ref.owner} is switched off: {reason}")
    raise UsageError(_unknown(name, group, catalog))


def display_name(name: str) -> str:
    """Return the name under which ``find(name, ...)`` will run: the class name of a plugin not installed."""
    return name.rpartition(":")[2]


def load_class(value: str) -> type:
    """Import and return a plugin class. For child processes only: this runs plugin code.

    Parameters
    ----------
    value : str
        ``PluginRef.value``.

    Raises
    ------
    PluginError
        The module cannot be imported, has no such class, or the name is not a class.
    """
    where, _, qualified_name = re.sub(r"\s*(\[.*\])?$", "", value).rpartition(":")
    where, qualified_name = where.strip(), qualified_name.strip()
    try:
        module = import_file(Path(where)) if where.endswith(".py") else import_module(where)
    except Exception as error:  # the border to foreign code: whatever it raises has one owner and one message
        raise PluginError(f"'{value}' cannot be imported: {why_not_found(error, where)}") from error
    try:
        found = attrgetter(qualified_name)(module)
    except AttributeError as error:
        hint = did_you_mean(qualified_name, classes_in(module))
        raise PluginError(f"'{where}' has no class '{qualified_name}'.{hint}") from error
    if not isinstance(found, type):
        raise PluginError(f"'{value}' is not a class but an object of type {type(found).__name__}.")
    return found


def _unreadable(distribution: metadata.Distribution, error: Exception) -> PluginProblem:
    name = str(distribution.metadata["Name"])
    reason = f"Its entry points cannot be read: {type(error).__name__}: {error}. Reinstall '{name}'."
    return PluginProblem(name, f"{name} {distribution.version}", reason, is_plugin=False)


def _references(points: Iterable[metadata.EntryPoint], group: Group) -> Iterator[PluginRef]:
    """Yield a reference for each name that a distribution owns; each distribution's metadata is parsed once."""
    owners: dict[int, tuple[str, str]] = {id(None): ("(unknown)", "")}
    seen: set[tuple[str, str]] = set()
    for point in points:
        if point.group == group:
            if id(point.dist) not in owners and point.dist is not None:
                found = point.dist.metadata
                owners[id(point.dist)] = (found["Name"], found["Version"])
            ref = PluginRef(point.name, group, point.value, *owners[id(point.dist)])
            if (key := (ref.name, normalized(ref.distribution))) not in seen:
                seen.add(key)
                yield ref


def _check_selection(selection: Selection, source: Installed) -> None:
    """Refuse a limit to plugins that are not there: it is mistyped, and would leave out all."""
    if selection.only:
        selection.check(_known(source))


def _known(source: Installed) -> list[tuple[str, str]]:
    """Return every name that a selection can mean, with its distribution."""
    refs = [ref for group in KINDS for ref in _references(source.entry_points, group)]
    damaged = [(problem.name, problem.name) for problem in source.problems]
    return [*((ref.name, ref.distribution) for ref in refs), *damaged]


def _why_refused(ref: PluginRef) -> str | None:
    """Return what is wrong with an entry point, which names folders and is shown beside the references."""
    if _CLASS.fullmatch(ref.value) is None:
        return f"Its entry point is '{ref.value}' where 'package.module:Class' is expected."
    if _NAME.fullmatch(ref.name) is None:
        return f"Its name {ref.name!r} may hold letters, digits, '_', '.' and single '-' only."
    if ref.name in RESERVED:
        return f"Its name '{ref.name}' is that of a reference."
    return None


def _conflict(name: str, refs: list[PluginRef]) -> PluginProblem:
    owners = " and ".join(sorted(ref.owner for ref in refs))
    return PluginProblem(name, owners, f"{len(refs)} distributions own '{name}': {owners}. Uninstall all but one.")


def _unknown(name: str, group: Group, catalog: Catalog) -> str:
    known = f" Installed: {', '.join(catalog.plugins)}." if catalog.plugins else " None is installed."
    return f"No {KINDS[group]} plugin is called '{name}'.{did_you_mean(name, catalog.plugins)}{known}"


def _local(name: str, group: Group) -> PluginRef:
    """Return the reference of a plugin that is named by its module or file."""
    where, _, class_name = name.rpartition(":")
    if where.endswith(".py"):
        path = Path(where).expanduser()
        if not path.is_file():
            hint = did_you_mean_file(path, where)
            raise UsageError(f"There is no file '{where}', which the {KINDS[group]} '{name}' names.{hint}")
        where = str(path.resolve())
    elif _CLASS.fullmatch(name) is None:
        raise UsageError(f"'{name}' is neither 'package.module:Class' nor 'path/to/file.py:Class'.")
    else:
        where = file_of_module(where.strip()) or where
    if not class_name.isidentifier():
        raise UsageError(f"'{class_name}' in '{name}' cannot be the name of a class.")
    if class_name in RESERVED:
        raise UsageError(f"The class '{class_name}' has the name of a reference. Give it another one.")
    return PluginRef(class_name, group, f"{where}:{class_name}", LOCAL, "")
