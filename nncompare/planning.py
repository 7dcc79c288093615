"""Makes the plan of a run: models probed, data loaded and split, budgets set, nothing trained."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from nncompare.classfile import check_class, check_names_class
from nncompare.data.files import cache_root
from nncompare.data.seeds import derive_seed
from nncompare.data.splits import search_sample
from nncompare.data.store import StoredDataset
from nncompare.data.views import choose_view, possible_views, prepare_view
from nncompare.events import Listener, Notice
from nncompare.exceptions import DataError, PluginError, StorageError, UsageError
from nncompare.execution.probe import ProbeResult, probe_plugins
from nncompare.execution.runner import LocalRunner
from nncompare.execution.specs import DescribeAnswer, DescribeSpec
from nncompare.loading import load_datasets
from nncompare.owndata import check_two_names, dataset_names
from nncompare.pins import check_pins
from nncompare.plan import Plan, PlannedDataset, PlannedStudy
from nncompare.registry import DATASETS, LOCAL, MODELS, Catalog, PluginRef, discover, find, installed
from nncompare.repeating import void_reasons
from nncompare.results import Failure
from nncompare.runfile import new_prefix
from nncompare.session import memory_limit_mb
from nncompare.settings import (
    COMMON_GROUND,
    DEFAULT_SEARCH_SAMPLES,
    PRESETS,
    SEARCH_SAMPLES,
    RunConfig,
    default_jobs,
)

__all__ = ["describe_plugin", "make_plan"]

DESCRIBE_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class _Model:
    """A requested model: its plugin and what the probe said, or why there is none."""

    name: str
    ref: PluginRef | None
    probe: ProbeResult


def make_plan(config: RunConfig, runner: LocalRunner, listener: Listener | None = None) -> Plan:
    """Probe the models, load and split the data, set the budgets.

    Parameters
    ----------
    config : RunConfig
    runner : LocalRunner
        Loads data sets and walks through search spaces; its servers stay warm for the run.
    listener : callable, optional
        Receives notices and the progress of downloads.

    Raises
    ------
    UsageError
        A model, a data set or a pinned parameter that was named does not exist.
    PluginError
        None of the models that were named can be used.
    DataError
        A file of the user's own cannot be used.
    StorageError
        The cache or the folder of temporary files cannot be written: no study could be either.
    """
    catalogs = _Catalogs.read()
    runner.warm(["sklearn"])
    models = _probe(config, catalogs.models)
    runner.warm({model.probe.tags.get("framework") for model in models if model.probe.ok})
    pairs = [(model, name) for model in models for name in _dataset_names(model, config)]
    names = list(dict.fromkeys(name for _, name in pairs))
    check_two_names(dataset_names(names, catalogs.datasets))
    with tempfile.TemporaryDirectory(prefix="nncompare-plan-") as folder:
        datasets = load_datasets(names, config, catalogs.datasets, runner, Path(folder), listener)
        studies = tuple(_plan_study(model, datasets[name], config, runner, Path(folder)) for model, name in pairs)
    _check_storage(studies)
    check_pins(config, studies)
    _notify(listener or (lambda _event: None), runner, catalogs.models, config)
    created_at = datetime.now().astimezone()
    run_id = _free_name(config.out, f"{created_at:%Y%m%d-%H%M%S}-{config.preset}")
    return Plan(
        run_id=run_id,
        folder=config.out / run_id,
        created_at=created_at,
        config=config,
        jobs=config.jobs or default_jobs(),
        datasets=tuple(datasets.values()),
        studies=studies,
        study_prefix="" if config.storage is None else new_prefix(run_id),
    )


def describe_plugin(model: str, dataset: str | None = None) -> dict[str, Any]:
    """Return the ``space`` and the ``defaults`` of a model on a data set, its own or the common ground by default.

    Raises
    ------
    UsageError
        There is no such model or data set.
    PluginError
        The plugin cannot be used, or not on that data set.
    """
    config = RunConfig(models=(model,), datasets=(dataset,) if dataset is not None else (), jobs=1)
    with LocalRunner() as runner:
        studies = make_plan(config, runner).studies
    study = next((study for study in studies if study.failure is None), studies[0])
    if study.failure is not None:
        raise PluginError(f"The search space of '{study.model}' is not known: {study.failure.message}")
    return {"dataset": study.dataset, "space": dict(study.space), "defaults": dict(study.defaults)}


@dataclass(frozen=True, slots=True)
class _Catalogs:
    models: Catalog
    datasets: Catalog

    @classmethod
    def read(cls) -> _Catalogs:
        source = installed()
        return cls(discover(MODELS, source), discover(DATASETS, source))


def _probe(config: RunConfig, catalog: Catalog) -> list[_Model]:
    """Ask every requested model what it is, several at a time."""
    refused: list[_Model] = []
    if config.models:
        for name in config.models:
            check_names_class(name)
        refs = [find(name, MODELS, catalog) for name in dict.fromkeys(config.models)]
    else:
        refs = list(catalog.plugins.values())
        refused = [
            _Model(problem.name, None, ProbeResult(ok=False, reason=problem.reason))
            for problem in catalog.problems
            if problem.is_plugin and problem.name not in catalog.plugins
        ]
    if not (refs or refused):
        raise UsageError("No model plugin is installed. Reinstall nncompare, which brings mlp, cnn and lstm.")
    _check_names(ref.name for ref in refs)
    for ref in refs:
        check_class(ref)
    models = [_Model(ref.name, ref, probe) for ref, probe in zip(refs, probe_plugins(refs), strict=True)]
    if config.models and not any(model.probe.ok for model in models):
        raise PluginError(" ".join(map(_broken, models)))
    return [*models, *refused]


def _check_names(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UsageError(f"Two of the models are called '{name}'. Give one class another name.")
        seen.add(name)


def _dataset_names(model: _Model, config: RunConfig) -> list[str]:
    """Return the data sets of one model: those asked for, else its own and the common ground."""
    if config.datasets:
        return list(dict.fromkeys(config.datasets))
    own = model.probe.tags.get("default_dataset")
    return list(dict.fromkeys(name for name in (own, COMMON_GROUND) if name is not None))


def _plan_study(
    model: _Model, dataset: PlannedDataset, config: RunConfig, runner: LocalRunner, folder: Path
) -> PlannedStudy:
    """Set one study's view, rows and budget, and walk through its search space."""
    preset = PRESETS[config.preset]
    budget: dict[str, Any] = {
        "model": model.name,
        "dataset": dataset.name,
        "n_trials": config.n_trials or preset.n_trials,
        "max_epochs": config.max_epochs or preset.max_epochs(dataset.name),
        "n_refits": config.n_refits or preset.n_refits,
        "ref": model.ref,
        "file": model.probe.file or None,
        "framework": model.probe.tags.get("framework"),
    }
    if not model.probe.ok:
        return PlannedStudy(**budget, failure=Failure(category="plugin", message=_broken(model)), broken=True)
    if dataset.stored is None or dataset.split is None:
        return PlannedStudy(**budget, failure=dataset.failure, broken=not dataset.unavailable)
    accepts = model.probe.tags["accepts"]
    native, sparse = dataset.stored.view, bool(model.probe.tags.get("sparse"))
    view = choose_view(native, accepts, sparse=sparse)
    if view is None:
        text = f"{model.name} accepts {', '.join(accepts)}, and '{dataset.name}' is of view '{native}', which can"
        text = f"{text} become {', '.join(possible_views(native, sparse=sparse))}."
        if native == "tokens" and "tabular" in accepts:
            text = f"{text} A table of texts is sparse: set ModelTags(sparse=True) if the model takes one."
        return PlannedStudy(**budget, failure=Failure(category="data", message=text))
    n_samples = SEARCH_SAMPLES.get(dataset.name, DEFAULT_SEARCH_SAMPLES)
    seed = derive_seed(config.seed, dataset.name, "search sample")
    rows = search_sample(dataset.split, dataset.stored.y_train(), n_samples, seed)
    in_full = len(rows) == len(dataset.split.train)
    study = PlannedStudy(
        **budget,
        view=view,
        n_finalists=1 if in_full else preset.n_finalists,
        search_rows=rows,
        refit_rows=np.arange(dataset.stored.n_train) if in_full else dataset.split.train,
        valid_in_refit=not in_full,
    )
    return _describe(study, dataset.stored, config, runner, folder)


def _describe(
    study: PlannedStudy, stored: StoredDataset, config: RunConfig, runner: LocalRunner, folder: Path
) -> PlannedStudy:
    """Add the search space, the default configuration and the pins that it knows, or why there is none."""
    if study.view is None or study.search_rows is None or study.ref is None:
        return study
    try:
        prepared = prepare_view(stored, study.view, study.search_rows, None, cache_root(), with_test=False)
    except DataError as error:
        return replace(study, failure=Failure(category="data", message=str(error)), broken=True)
    name = f"describe-{study.model}--{study.dataset}"
    spec = DescribeSpec(
        plugin=study.ref.value,
        framework=study.framework,
        n_threads=config.threads,
        timeout_s=min(DESCRIBE_TIMEOUT_S, config.trial_timeout_s),
        memory_mb=memory_limit_mb(config),
        result=folder / f"{name}.json",
        log=folder / f"{name}.log",
        data=prepared.spec,
    )
    if not isinstance(answer := runner.run(spec), DescribeAnswer) or answer.failure is not None:
        return replace(study, failure=answer.failure, broken=True)
    pins = {name: value for name, value in config.pins.get(study.model, {}).items() if name in answer.space}
    return replace(study, space=answer.space, defaults=answer.defaults, pins=pins)


def _check_storage(studies: Iterable[PlannedStudy]) -> None:
    """Refuse a plan that lacks studies because a disk is full: that is no fault of theirs."""
    for study in studies:
        if study.failure is not None and study.failure.category == "disk":
            raise StorageError(study.failure.message)


def _broken(model: _Model) -> str:
    owner = f" of {model.ref.owner}" if model.ref is not None and model.ref.distribution != LOCAL else ""
    return f"The model plugin '{model.name}'{owner} cannot be used: {model.probe.reason.rstrip('.')}."


def _notify(listener: Listener, runner: LocalRunner, catalog: Catalog, config: RunConfig) -> None:
    """Tell of whatever is not as it should be and belongs to no study."""
    for framework, reason in runner.fallbacks.items():
        text = f"Trials of {framework} models start in fresh interpreters, which is slower: {reason}."
        listener(Notice(text, "warning"))
    for problem in catalog.problems:
        if not problem.is_plugin or problem.name in catalog.plugins:
            listener(Notice(f"{problem.name} of {problem.owner} is not used. {problem.reason}", "warning"))
    for reason in void_reasons(config) if config.deterministic else ():
        listener(Notice(f"{reason}: this run does not repeat, in spite of --deterministic.", "warning"))


def _free_name(out: Path, name: str) -> str:
    """Return ``name``, with a number behind it where that folder exists."""
    candidates = (name if number == 1 else f"{name}-{number}" for number in range(1, 1000))
    return next(candidate for candidate in candidates if not (out / candidate).exists())
