"""What all four tools of ``peers.py`` are given: the plugin with its space, the data, the most epochs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from nncompare.data.arrays import open_array
from nncompare.data.files import cache_root
from nncompare.data.records import Data, Samples
from nncompare.data.samples import open_samples
from nncompare.data.views import open_part, prepare_view
from nncompare.exceptions import NNCompareError
from nncompare.execution.plugins import load_plugin
from nncompare.execution.runner import LocalRunner
from nncompare.execution.specs import FitSpec
from nncompare.frameworks.training import SHORTEST_PATIENCE
from nncompare.planning import make_plan
from nncompare.plugin import ModelPlugin
from nncompare.session import quiet_session
from nncompare.settings import RunConfig

from .homes import HOMES


@dataclass(frozen=True, slots=True)
class Problem:
    """One family on its data set; ``train`` is the whole training part without ``valid``, which is nncompare's."""

    plugin: Any
    defaults: dict[str, Any]
    train: Data
    valid: Data
    X_test: Samples
    y_test: Any
    max_epochs: int
    patience: int
    seed: int


def plan_problem(family: str, seed: int, max_epochs: int | None) -> dict[str, Any]:
    """Prepare the data of one family in the cache, for all tools alike, and return where they lie."""
    config = RunConfig(models=(family,), datasets=(HOMES[family],), jobs=1, seed=seed, max_epochs=max_epochs)
    try:
        with TemporaryDirectory() as folder, LocalRunner() as runner:
            plan = make_plan(config, runner)
            study, dataset = plan.studies[0], plan.datasets[0]
            if study.failure is not None or dataset.stored is None or dataset.split is None:
                sys.exit(f"{family} cannot be measured: {study.failure and study.failure.message}")
            session = quiet_session(config, runner, Path(folder), 1)
            session.search_data(study, dataset)
            session.refit_data(study, dataset)
            split, root = dataset.split, cache_root()
            data = prepare_view(dataset.stored, study.view, split.train, split.valid, root, with_test=True)
            spec = session.fit_spec(study, data, "peer", seed=seed, max_epochs=study.max_epochs)
    except NNCompareError as error:
        sys.exit(str(error))
    return {
        "family": family,
        "seed": seed,
        "epochs": study.max_epochs,
        "spec": spec.model_dump(mode="json"),
        "defaults": dict(study.defaults),
        "X_test": str(data.X_test),
        "y_test": str(dataset.stored.folder / "y_test.npy"),
    }


def open_problem(job: dict[str, Any]) -> Problem:
    """Open in the child what the parent prepared."""
    spec = FitSpec.model_validate(job["spec"])
    plugin = load_plugin(spec.plugin, ModelPlugin)
    if spec.valid is None:
        raise ValueError("a peer needs a validation part")
    return Problem(
        plugin=plugin,
        defaults=job["defaults"],
        train=open_part(spec.train, spec.data),
        valid=open_part(spec.valid, spec.data),
        X_test=open_samples(Path(job["X_test"])),
        y_test=np.array(open_array(Path(job["y_test"]))),
        max_epochs=spec.max_epochs,
        patience=min(plugin.patience, max(SHORTEST_PATIENCE, spec.max_epochs // 4)),
        seed=job["seed"],
    )
