"""What is known of each data set before it is loaded: what its plugin declares and what the cache holds of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from nncompare.data.files import cache_root
from nncompare.data.records import DatasetInfo
from nncompare.data.store import MANIFEST, StoredDataset, open_dataset
from nncompare.exceptions import DataError, PluginError
from nncompare.execution.failures import describe_invalid
from nncompare.execution.probe import ProbeResult, probe_plugin, probe_plugins
from nncompare.registry import DATASETS, PluginProblem, PluginRef, discover, find

__all__ = [
    "KnownDataset",
    "State",
    "describe_dataset",
    "find_stored",
    "last_stored",
    "list_datasets",
    "stored_datasets",
]

State: TypeAlias = Literal["built in", "stored", "not fetched", "broken", "refused", "switched off"]

_INFO: TypeAdapter[DatasetInfo] = TypeAdapter(DatasetInfo)
_FEWEST = {"n_train": 1, "n_test": 0, "download_bytes": 0}
_MOST = 10**15
"""Rows or bytes; more than any data set has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDataset:
    """One data set: whose it is, what it declares, where it lies.

    Parameters
    ----------
    name : str
        What the user types.
    distribution, version, value : str
        The owner, and the entry point; see :class:`~nncompare.registry.PluginRef`.
    file : str
        Holds the plugin's class; empty where that is not known.
    info : DatasetInfo or None
        What the plugin declares; None where it cannot be used.
    stored : StoredDataset or None
        What the cache holds under these declarations, if anything. Other files of the same data set make another
        folder; this is the one that was last stored.
    state : {"built in", "stored", "not fetched", "broken", "refused", "switched off"}
        "built in" is what needs no download, stored or not.
    reason : str
        Why it is broken, refused or switched off.
    """

    name: str
    distribution: str
    version: str
    state: State
    value: str = ""
    file: str = ""
    info: DatasetInfo | None = None
    stored: StoredDataset | None = None
    reason: str = ""

    @property
    def n_train(self) -> int | None:
        """Rows of the training part, where they are known."""
        return self.stored.n_train if self.stored else self.info.n_train if self.info else None

    @property
    def n_test(self) -> int | None:
        """Rows of the test part; None where it will be set aside when the data set is stored."""
        return self.stored.n_test if self.stored else (self.info.n_test or None) if self.info else None

    @property
    def size_bytes(self) -> int | None:
        """Bytes on disk of what is stored."""
        if self.stored is None:
            return None
        return sum(file.stat().st_size for file in self.stored.folder.rglob("*") if file.is_file())


def list_datasets() -> list[KnownDataset]:
    """Return every installed data set by name, then the names that are refused or switched off.

    Plugins are asked in interpreters of their own, unless an earlier answer is still true; no array is read.
    """
    catalog = discover(DATASETS)
    refs = list(catalog.plugins.values())
    stored = stored_datasets(cache_root())
    known = [_known(ref, probe, stored) for ref, probe in zip(refs, probe_plugins(refs), strict=True)]
    return [*known, *map(_refused, catalog.problems), *(_disabled(*off) for off in catalog.disabled)]


def describe_dataset(name: str) -> KnownDataset:
    """Return one data set, installed or named by its module or file.

    Raises
    ------
    UsageError
        No plugin has this name, it was refused, or it is a file.
    PluginError
        The plugin cannot be used.
    """
    from nncompare.data.own import require_no_file  # here: the list of data sets does without scipy

    require_no_file(name)
    ref = find(name, DATASETS)
    known = _known(ref, probe_plugin(ref), stored_datasets(cache_root()))
    if known.info is None:
        raise PluginError(f"The data set '{ref.name}' of {ref.owner} does not work: {known.reason}")
    return known


def stored_datasets(root: Path) -> list[StoredDataset]:
    """Return what lies whole in the cache below ``root``, the newest first, from the manifests alone."""
    manifests = [path for path in root.glob(f"data/*/{MANIFEST}") if not path.parent.name.startswith(".")]
    found: list[StoredDataset] = []
    for path in sorted(manifests, key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            stored = open_dataset(path.parent)
        except DataError:
            continue  # of another format, or damaged: the next load writes it anew or says so
        if all((path.parent / name).is_file() for name in stored.files()):
            found.append(stored)
    return found


def find_stored(root: Path, fingerprint: str, test_fingerprint: str) -> StoredDataset | None:
    """Return what the cache below ``root`` holds of exactly these data and test labels, if anything."""
    wanted = (fingerprint, test_fingerprint)
    known = stored_datasets(root)
    return next((data for data in known if (data.fingerprint, data.test_fingerprint) == wanted), None)


def last_stored(info: DatasetInfo, stored: Iterable[StoredDataset]) -> StoredDataset | None:
    """Return the newest that was made with exactly these declarations, and not by another version of the plugin.

    Parameters
    ----------
    info : DatasetInfo
        What the plugin declares now.
    stored : iterable of StoredDataset
        As :func:`stored_datasets` returns them.
    """
    return next((data for data in stored if data.is_of(info)), None)


def _known(ref: PluginRef, probe: ProbeResult, stored: Iterable[StoredDataset]) -> KnownDataset:
    """Join what the plugin says of itself with what is stored."""
    info, reason = _info(probe)
    here = last_stored(info, stored) if info is not None else None
    return KnownDataset(
        name=ref.name,
        distribution=ref.distribution,
        version=ref.version,
        state=_state(info, here),
        value=ref.value,
        file=probe.file,
        info=info,
        stored=here,
        reason=reason,
    )


def _state(info: DatasetInfo | None, here: StoredDataset | None) -> State:
    if info is None:
        return "broken"
    if info.download_bytes == 0:
        return "built in"
    return "not fetched" if here is None else "stored"


def _info(probe: ProbeResult) -> tuple[DatasetInfo | None, str]:
    """Return what the plugin declares, or why that cannot be used."""
    if not probe.ok:
        return None, probe.reason or "no reason given"
    try:
        info = _INFO.validate_python(probe.tags)
    except ValidationError as error:
        return None, f"its info cannot be: {describe_invalid(error)}"
    fault = _fault(info)
    return (None, f"its info cannot be: {fault}") if fault else (info, "")


def _fault(info: DatasetInfo) -> str:
    """Say which number cannot be; empty where all can."""
    if not (math.isfinite(info.scale) and info.scale > 0):
        return f"scale is {info.scale}: a positive number is expected"
    for name, fewest in _FEWEST.items():
        found = getattr(info, name)
        if not fewest <= found <= _MOST:
            return f"{name} is {found!r:.40}: a number from {fewest} to {_MOST:.0e} is expected"
    return ""


def _refused(problem: PluginProblem) -> KnownDataset:
    return KnownDataset(
        name=problem.name, distribution=problem.owner, version="", state="refused", reason=problem.reason
    )


def _disabled(ref: PluginRef, reason: str) -> KnownDataset:
    return KnownDataset(
        name=ref.name,
        distribution=ref.distribution,
        version=ref.version,
        state="switched off",
        value=ref.value,
        reason=reason,
    )
