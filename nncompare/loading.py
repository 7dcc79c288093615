"""Loads data sets side by side, each in a child, and splits them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from nncompare.classfile import check_class
from nncompare.data.download import discard_partial
from nncompare.data.files import cache_root
from nncompare.data.splits import validation_split
from nncompare.data.store import StoredDataset, open_dataset
from nncompare.events import DownloadProgress, Listener, Notice
from nncompare.execution.runner import LocalRunner, refuse
from nncompare.execution.specs import LoadAnswer, LoadSpec
from nncompare.execution.supervisor import Handler
from nncompare.inventory import last_stored, stored_datasets
from nncompare.owndata import check_own_options, dataset_names, is_own, load_own
from nncompare.plan import PlannedDataset
from nncompare.registry import DATASETS, Catalog, PluginRef, find
from nncompare.results import Failure
from nncompare.session import memory_limit_mb
from nncompare.settings import RunConfig

__all__ = ["load_dataset", "load_datasets"]

LOAD_TIMEOUT_S = 3600.0
"""For one data set. Not the limit of a trial: a slow download ends by its own limits, as a missing download."""


def load_datasets(
    names: Sequence[str],
    config: RunConfig,
    catalog: Catalog,
    runner: LocalRunner,
    folder: Path,
    listener: Listener | None = None,
) -> dict[str, PlannedDataset]:
    """Load the data sets of a run side by side; on Ctrl-C end the children, which could take long.

    Parameters
    ----------
    names : sequence of str
        As the user typed them, or as the models name their own; also files and folders of the user's own.
    config : RunConfig
        Where it names no data sets, one that no plugin brings is unavailable, and no error.
    catalog : Catalog
        The installed data sets.
    runner : LocalRunner
    folder : Path
        Receives results and logs of the children.
    listener : callable, optional
        Receives what :func:`load_dataset` tells, from several threads, and what is found in the data.

    Returns
    -------
    dict
        In the order of ``names``.

    Raises
    ------
    UsageError
        A data set that the user named does not exist, or an option for files has none; then none is loaded.
    DataError
        A file of the user's own cannot be used; then no other data set is loaded.
    """
    own = {name for name in names if config.datasets and is_own(name, catalog)}
    absent = {name for name in names if not config.datasets and name not in catalog.plugins}
    refs = {name: find(name, DATASETS, catalog) for name in names if name not in absent | own}
    for ref in refs.values():
        check_class(ref)
    check_own_options(config, names)
    called = dataset_names(own, catalog)
    # Before the others, whose downloads may take long: a file that cannot be used ends the run.
    stored = {
        name: load_own(name, called[name], config, runner, folder, listener) for name in names if name in own
    }

    def load(name: str) -> PlannedDataset:
        if name in stored:
            return _planned(called[name], stored[name], config, own=True)
        if name in absent:
            return _not_installed(name, catalog)
        return load_dataset(refs[name].name, refs[name], config, runner, folder, listener)

    with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
        try:
            loaded = dict(zip(names, pool.map(load, names), strict=True))
        except KeyboardInterrupt:
            runner.kill()
            raise
    if listener is not None:
        _tell_findings(loaded.values(), listener)
    return loaded


def load_dataset(
    name: str,
    ref: PluginRef,
    config: RunConfig,
    runner: LocalRunner,
    folder: Path,
    listener: Listener | None = None,
) -> PlannedDataset:
    """Load one data set in a child, put it into the cache and split it.

    Where it cannot be downloaded, the copy that was stored last is used, if the plugin declares the same as then.

    Parameters
    ----------
    name : str
        What the data set is called in the run; its downloads lie in the cache under this name.
    ref : PluginRef
        The plugin that brings it.
    config : RunConfig
        Brings the seed of the split and the child's limit of memory.
    runner : LocalRunner
    folder : Path
        Receives result and log of the child.
    listener : callable, optional
        Receives :class:`~nncompare.events.DownloadProgress`, and a warning where a stored copy is used.

    Returns
    -------
    PlannedDataset
        With ``failure`` where it cannot be had; ``unavailable`` where that is for want of a download. With
        ``note`` where a stored copy is used.
    """
    spec = LoadSpec(
        plugin=ref.value,
        framework="sklearn",
        timeout_s=LOAD_TIMEOUT_S,
        memory_mb=memory_limit_mb(config),
        result=folder / f"load-{name}.json",
        log=folder / f"load-{name}.log",
        root=cache_root(),
        name=name,
    )
    try:
        answer = runner.run(spec, _forward_downloads(name, listener))
    finally:
        discard_partial(spec.root / "downloads" / name)  # a child that was killed could not
    if not isinstance(answer, LoadAnswer):
        return PlannedDataset(name=name, failure=answer.failure)
    if answer.folder is not None:
        return _planned(name, open_dataset(answer.folder), config)
    copy = last_stored(answer.info, stored_datasets(cache_root())) if answer.info is not None else None
    if copy is None:
        return PlannedDataset(name=name, failure=answer.failure, unavailable=answer.unavailable)
    note = _describe_copy(name, copy)
    if listener is not None:
        listener(Notice(note, "warning"))
    return _planned(name, copy, config, note)


def _tell_findings(datasets: Iterable[PlannedDataset], listener: Listener) -> None:
    """Tell what has to be known of the data before anything trains on them."""
    for dataset in datasets:
        for finding in dataset.findings:
            if finding.level in ("problem", "warning"):
                listener(Notice(f"{dataset.name}: {finding.text}", "warning"))


def _describe_copy(name: str, copy: StoredDataset) -> str:
    digits = copy.fingerprint[:8]
    return f"{name} could not be fetched; the copy that was stored last is used (fingerprint {digits}…)."


def _planned(
    name: str, stored: StoredDataset, config: RunConfig, note: str = "", *, own: bool = False
) -> PlannedDataset:
    """Name and split what lies in the cache."""
    split = validation_split(stored.y_train(), config.seed, stored.keys())
    return PlannedDataset(name=name, stored=replace(stored, name=name), split=split, note=note, own=own)


def _forward_downloads(name: str, listener: Listener | None) -> Handler:
    """Return what turns a child's messages about downloads into events."""

    def handle(kind: str, message: dict[str, Any]) -> bool:
        if kind != "download":
            refuse(kind, message)
        if listener is not None:
            listener(DownloadProgress(dataset=name, **message))
        return True

    return handle


def _not_installed(name: str, catalog: Catalog) -> PlannedDataset:
    known = ", ".join(catalog.plugins) or "none"
    text = f"No installed plugin brings the data set '{name}'. Installed data sets: {known}."
    return PlannedDataset(name=name, failure=Failure(category="data", message=text), unavailable=True)
