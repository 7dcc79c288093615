"""The records of a plan: data sets with their splits, studies with their budgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nncompare.data.records import Finding, View
from nncompare.data.splits import Rows, Split
from nncompare.data.store import StoredDataset
from nncompare.registry import PluginRef
from nncompare.results import Failure, Results
from nncompare.settings import RunConfig, final_epochs, most_finals

__all__ = ["Plan", "PlannedDataset", "PlannedStudy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDataset:
    """A data set of the run: where it lies and how it is split, or why it cannot be had.

    ``unavailable`` tells a data set that is not installed or not downloaded from one that is broken; ``note``
    says, in a sentence for the user, that a copy of earlier takes the place of a download. ``own`` is the user's
    own file or arrays, of which a report shows nothing unless it is asked to.
    """

    name: str
    stored: StoredDataset | None = None
    split: Split | None = None
    failure: Failure | None = None
    unavailable: bool = False
    note: str = ""
    own: bool = False

    @property
    def n_train(self) -> int:
        """Rows that ``fit`` sees during a search in full."""
        return len(self.split.train) if self.split is not None else 0

    @property
    def n_valid(self) -> int:
        """Rows that select."""
        return len(self.split.valid) if self.split is not None else 0

    @property
    def n_test(self) -> int:
        """Rows of the sealed test part."""
        return self.stored.n_test if self.stored is not None else 0

    @property
    def is_private(self) -> bool:
        """Whether a report shows nothing of its rows unless it is asked to."""
        return self.own or (self.stored is not None and self.stored.view == "tabular")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What has to be known of the data before a score is believed."""
        return self.stored.findings if self.stored is not None else ()

    @property
    def fingerprint(self) -> str:
        """Digest of all that a model may see."""
        return self.stored.fingerprint if self.stored is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStudy:
    """One model on one data set with its budget.

    ``failure`` says why it will not run, if so; ``broken`` that something is wrong (the plugin, the data) and
    not merely absent or of another view.

    ``search_rows`` and ``refit_rows`` are rows of the training part; ``valid_in_refit`` tells whether a refit
    keeps the validation part to stop early on, which is so where the search saw a sample only. Then the best
    ``n_finalists`` trials are trained on ``refit_rows`` to choose among them; after a search in full it is 1.
    """

    model: str
    dataset: str
    n_trials: int
    max_epochs: int
    n_refits: int
    n_finalists: int = 1
    ref: PluginRef | None = None
    file: str | None = None
    framework: str | None = None
    view: View | None = None
    search_rows: Rows | None = None
    refit_rows: Rows | None = None
    valid_in_refit: bool = False
    space: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    pins: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    broken: bool = False

    @property
    def n_finals(self) -> int:
        """Finals at most: none where there is nothing to choose among."""
        return most_finals(self.n_finalists, self.n_trials)

    @property
    def final_epochs(self) -> int:
        """Most epochs of a final."""
        return final_epochs(self.max_epochs)

    @property
    def search_samples(self) -> int:
        """Rows on which trials are trained."""
        return len(self.search_rows) if self.search_rows is not None else 0

    @property
    def refit_samples(self) -> int:
        """Rows on which refits are trained."""
        return len(self.refit_rows) if self.refit_rows is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is decided before the first trial.

    ``earlier`` holds what an earlier part of the run found, where this goes on with it, and ``earlier_digest`` is
    that of the run's files when it was read. The names of its Optuna studies begin with ``study_prefix``, which
    keeps runs in a shared database apart.
    """

    run_id: str
    folder: Path
    created_at: datetime
    config: RunConfig
    jobs: int
    datasets: tuple[PlannedDataset, ...]
    studies: tuple[PlannedStudy, ...]
    study_prefix: str = ""
    earlier: Results | None = None
    earlier_digest: str = ""
