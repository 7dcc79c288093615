"""The records of one study: its trials, refits and test scores."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from nncompare.results.base import Record
from nncompare.results.samples import Mistake

FailureCategory: TypeAlias = Literal[
    "plugin", "data", "oom", "timeout", "killed", "diverged", "storage", "disk", "interrupted", "internal"
]
TrialState: TypeAlias = Literal["complete", "pruned", "failed", "running"]
StudyStatus: TypeAlias = Literal["complete", "failed", "not_run", "interrupted"]


class Failure(Record):
    """Why something has no result, in one readable line."""

    category: FailureCategory
    message: str


class Interval(Record):
    """A mean over seeds with its 95 % confidence interval."""

    mean: float
    low: float
    high: float


class Curve(Record):
    """Columns over epochs, rounded to 4 digits; None where a value was not reported."""

    epoch: list[int] = Field(default_factory=list)
    train_loss: list[float | None] = Field(default_factory=list)
    valid_loss: list[float | None] = Field(default_factory=list)
    valid_accuracy: list[float | None] = Field(default_factory=list)


class TrialRecord(Record):
    """One configuration trained once; ``epochs`` is what was trained, ``best_epoch`` where the value lies.

    ``peak_memory_mb`` is the growth of the child's resident memory; ``started_s`` and ``finished_s`` count
    from the start of the study's search.
    """

    number: int
    state: TrialState
    params: dict[str, Any]
    suggested: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = None
    valid_log_loss: float | None = None
    valid_accuracy: float | None = None
    epochs: int = 0
    best_epoch: int | None = None
    fit_time_s: float | None = None
    fit_cpu_s: float | None = None
    first_batch_s: float | None = None
    peak_memory_mb: float | None = None
    started_s: float | None = None
    finished_s: float | None = None
    curve: Curve = Field(default_factory=Curve)
    failure: Failure | None = None


class FinalRecord(Record):
    """One of the best trials of a search on a sample, trained again on all rows to choose among them.

    Its values are those of the validation part, at the best epoch.
    """

    trial: int
    seed: int | None = None
    valid_log_loss: float | None = None
    valid_accuracy: float | None = None
    epochs: int = 0
    best_epoch: int | None = None
    fit_time_s: float | None = None
    fit_cpu_s: float | None = None
    peak_memory_mb: float | None = None
    curve: Curve = Field(default_factory=Curve)
    failure: Failure | None = None


def was_interrupted(record: TrialRecord | FinalRecord) -> bool:
    """Tell whether a training ended because the run was stopped; then it is no result, and is run again."""
    return record.failure is not None and record.failure.category == "interrupted"


class ClassScores(Record):
    """One row of scikit-learn's ``classification_report``; in ``test`` the mean over the refits."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int
    f1_low: float | None = None
    f1_high: float | None = None


class RefitRecord(Record):
    """The chosen configuration trained again with a fresh seed and scored on test.

    ``per_class`` and ``confusion_matrix`` (rows true, columns predicted, counts) are those of this refit alone
    and equal scikit-learn's on the stored predictions. ``predictions`` and ``model`` are paths inside the run
    directory; ``manifest_sha256`` is the digest of the saved model's list of digests, by which it is known again.
    """

    seed: int
    test_accuracy: float | None = None
    macro_f1: float | None = None
    log_loss: float | None = None
    fit_time_s: float | None = None
    fit_cpu_s: float | None = None
    first_batch_s: float | None = None
    predict_time_s: float | None = None
    epochs: int = 0
    peak_memory_mb: float | None = None
    curve: Curve = Field(default_factory=Curve)
    per_class: list[ClassScores] = Field(default_factory=list)
    confusion_matrix: list[list[int]] = Field(default_factory=list)
    predictions: str | None = None
    model: str | None = None
    manifest_sha256: str | None = None
    failure: Failure | None = None


class Calibration(Record):
    """Reliability over equal-width bins of confidence, pooled over the refits; empty bins are left out."""

    ece: float
    confidence: list[float] = Field(default_factory=list)
    accuracy: list[float] = Field(default_factory=list)
    count: list[int] = Field(default_factory=list)


class TestScores(Record):
    """Scores on the sealed test set: means over the refits with 95 % intervals.

    ``confusion_matrix`` is the mean over the refits: rows true, columns predicted, sums to the test size.
    """

    __test__ = False  # not a pytest class

    accuracy: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    weighted_f1: Interval
    log_loss: Interval
    brier: Interval
    ece: Interval
    roc_auc: Interval | None = None
    average_precision: Interval | None = None
    per_class: list[ClassScores]
    confusion_matrix: list[list[float]]
    calibration: Calibration


class Owner(Record):
    """The distribution that brought a plugin."""

    distribution: str
    version: str
    file: str | None = None


class Budget(Record):
    """What a study was given and what it used.

    ``search_samples`` is the size of the training part during the search, ``refit_samples`` during the refits;
    ``refit_data`` says what the refits saw. ``epochs_used`` and ``search_cpu_s`` are those of the trials,
    ``final_epochs_used`` and ``finals_cpu_s`` those of the finals.
    """

    n_trials: int
    max_epochs: int
    n_refits: int
    search_samples: int
    refit_samples: int
    refit_data: Literal["train+validation", "train"]
    trials_complete: int = 0
    trials_pruned: int = 0
    trials_failed: int = 0
    epochs_used: int = 0
    search_cpu_s: float = 0.0
    n_finalists: int = 1
    finals_run: int = 0
    final_epochs_used: int = 0
    finals_cpu_s: float = 0.0


class StudyRecord(Record):
    """One model on one data set. Exactly one for each requested pair, whatever happened to it.

    ``fit_time_s`` and ``fit_cpu_s`` are means over the refits; ``latency_ms`` is the median time of a batch of
    one, ``throughput_per_s`` samples per second in batches of 256; ``search_fingerprint`` covers the rows on
    which the trials were trained; ``finals`` are there after a search on a sample, the best trial of the search
    first, and ``best_trial`` is then the one that was best in them. ``mistakes`` are the most confident ones, the
    surest first, none where the rows of the data set are not shown. ``estimate_s`` is the wall time that was
    foretold for the study, with all processors to itself.
    """

    model: str
    dataset: str
    plugin: Owner | None = None
    view: str | None = None
    status: StudyStatus
    failure: Failure | None = None
    budget: Budget | None = None
    best_trial: int | None = None
    best_params: dict[str, Any] = Field(default_factory=dict)
    best_epoch: int | None = None
    valid_log_loss: float | None = None
    valid_accuracy: float | None = None
    trials: list[TrialRecord] = Field(default_factory=list)
    finals: list[FinalRecord] = Field(default_factory=list)
    refits: list[RefitRecord] = Field(default_factory=list)
    test: TestScores | None = None
    search_fingerprint: str = ""
    importance: dict[str, float] = Field(default_factory=dict)
    space: dict[str, dict[str, Any]] = Field(default_factory=dict)
    pinned: dict[str, Any] = Field(default_factory=dict)
    mistakes: list[Mistake] = Field(default_factory=list)
    estimate_s: float | None = None
    search_time_s: float | None = None
    fit_time_s: float | None = None
    fit_cpu_s: float | None = None
    latency_ms: float | None = None
    throughput_per_s: float | None = None
    n_parameters: int | None = None
    size_bytes: int | None = None
    peak_memory_mb: float | None = None
