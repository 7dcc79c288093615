"""The records of one run: its data sets, references, verdicts and settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field, ValidationError

from nncompare.exceptions import ResultsError, VersionError
from nncompare.results.base import Record
from nncompare.results.samples import ErrorOverlap
from nncompare.results.studies import Failure, Interval, StudyRecord

RunState: TypeAlias = Literal["running", "complete", "interrupted"]
PairState: TypeAlias = Literal["better", "equal", "undecided"]
VerdictState: TypeAlias = Literal["better", "equal", "undecided", "single", "none"]
CheckLevel: TypeAlias = Literal["problem", "warning", "ok", "info"]

SCHEMA_VERSION = 1
"""Of results.json and run.json."""
_VERSION = re.compile(r'"schema_version": *(\d+)')


class ReferenceRecord(Record):
    """A baseline on one data set, or why it has no scores; ``n_train`` is how many rows it was trained on."""

    name: str
    test_accuracy: Interval | None = None
    macro_f1: Interval | None = None
    log_loss: Interval | None = None
    n_train: int | None = None
    note: str = ""
    predictions: str | None = None
    failure: Failure | None = None


class PairRecord(Record):
    """The paired difference ``accuracy(a) - accuracy(b)`` on the same test items, with its interval.

    ``n_groups`` is the number of groups of test items, which then count in place of the items; None without any.
    """

    a: str
    b: str
    difference: float
    low: float
    high: float
    state: PairState
    method: str
    within_margin: bool = False
    mcnemar_p: float | None = None
    n_groups: int | None = None


class Check(Record):
    """Something that a reader must know before believing a verdict; ``code`` is stable."""

    code: str
    level: CheckLevel
    text: str


class VerdictRecord(Record):
    """Which model to use on one data set, and how sure that is: everything that a report says of it.

    ``compared`` names the models that were compared, the best mean accuracy first. ``rival`` is the one that the
    sentence sets against the first. ``single_seed`` tells whether one of these two was trained with one seed only.
    """

    state: VerdictState
    winner: str | None = None
    tied: list[str] = Field(default_factory=list)
    text: str
    compared: list[str] = Field(default_factory=list)
    rival: str | None = None
    single_seed: bool = False
    margin: float = 0.005
    pairs: list[PairRecord] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)


class DatasetRecord(Record):
    """One data set of a run, its references and its verdict.

    ``fingerprint`` covers all that a model may see, ``test_fingerprint`` the test labels, ``split_fingerprint``
    the rows of train and validation. ``kind`` is the native view. ``n_wrong_by_all`` counts the test samples
    that every tested model gets wrong in the mean over its refits; None where mistakes are not recorded.
    ``overlap`` compares the errors of two or more models. ``rows_shown`` is False where nothing of single test
    samples is kept, as of tables and of the user's own data unless that was asked for. ``data_checks`` is what was
    found in the data before anything was trained; older versions did not look. ``split_by`` tells how the parts
    were made, by ``split_column`` where it is "group" or "time"; empty where it is not known. ``split_keys`` tells
    kind, column and digest of the keys that this column held.
    """

    name: str
    kind: str
    n_train: int
    n_valid: int
    n_test: int
    class_names: list[str]
    fingerprint: str
    test_fingerprint: str = ""
    split_fingerprint: str = ""
    test_support: list[int] = Field(default_factory=list)
    duplicates: int = 0
    n_wrong_by_all: int | None = None
    overlap: ErrorOverlap | None = None
    rows_shown: bool = True
    split_by: Literal["class", "given", "group", "time", ""] = ""
    split_column: str | None = None
    split_keys: str = ""
    data_checks: list[Check] = Field(default_factory=list)
    description: str = ""
    licence: str = ""
    citation: str = ""
    failure: Failure | None = None
    references: list[ReferenceRecord] = Field(default_factory=list)
    verdict: VerdictRecord


class ModelRank(Record):
    """A model's mean rank over data sets: 1 where it had the highest mean accuracy on each, ties averaged."""

    model: str
    mean_rank: float


class Ranks(Record):
    """How the models of a run rank over several data sets, or in ``text`` why no ranks are given.

    ``models`` are those that are ranked, the lowest mean rank first; empty where too few data sets have results of
    all of them. ``datasets`` are these data sets, in the order of the run.
    """

    text: str
    models: list[ModelRank] = Field(default_factory=list)
    datasets: list[str] = Field(default_factory=list)


class Settings(Record):
    """The settings of a run, as far as they are not per study.

    ``deterministic`` is what ``--deterministic`` asked for; whether it could be kept says ``repeatable``.
    """

    jobs: int = 1
    threads: int = 1
    deterministic: bool = False
    n_trials: int = 20
    n_refits: int = 3
    max_epochs: int | None = None
    trial_timeout_s: float = 3600.0
    trial_memory_mb: float | None = None
    timeout_s: float | None = None
    pins: dict[str, Any] = Field(default_factory=dict)


class Results(Record):
    """Everything about one run: the source of the report and of everything built on it.

    ``estimate_s`` is the wall time that was foretold before the first trial; ``duration_s`` what it took, over all
    parts of a run that was stopped and resumed at ``resumed_at``. ``ranks`` is about several data sets; None where
    there is one, and in results of earlier versions.
    """

    schema_version: Literal[1] = 1
    run_id: str
    state: RunState
    created_at: str
    finished_at: str | None = None
    duration_s: float | None = None
    estimate_s: float | None = None
    resumed_at: list[str] = Field(default_factory=list)
    command: list[str] = Field(default_factory=list)
    seed: int
    preset: str
    settings: Settings = Field(default_factory=Settings)
    environment: dict[str, Any] = Field(default_factory=dict)
    repeatable: bool = True
    settings_changed: bool = False
    notes: list[str] = Field(default_factory=list)
    datasets: list[DatasetRecord] = Field(default_factory=list)
    studies: list[StudyRecord] = Field(default_factory=list)
    ranks: Ranks | None = None

    def to_json(self) -> str:
        """Return results.json's text; NaN and infinity cannot occur."""
        return self.model_dump_json(indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str = "results.json") -> Results:
        """Read results.json.

        Raises
        ------
        ResultsError
            The text is not JSON, of no or another schema version, or misses a field; the message names the first.
        """
        if '"schema_version"' not in text:
            raise ResultsError(f"{origin} is not a results file of nncompare: it has no schema_version.")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            if where == "schema_version":
                raise other_version(origin, text) from error
            raise ResultsError(f"{origin} is not a results file of nncompare: {where}: {first['msg']}.") from error

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read results.json from a file.

        Raises
        ------
        ResultsError
            There is none, it cannot be read, or it is none; see :meth:`from_json`.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ResultsError(f"'{path}' cannot be read: there is no such file.") from error
        except UnicodeDecodeError as error:
            raise ResultsError(f"'{path}' cannot be read: it is not UTF-8 at byte {error.start}.") from error
        except OSError as error:
            raise ResultsError(f"'{path}' cannot be read: {type(error).__name__}: {error.strerror}.") from error
        return cls.from_json(text, str(path))


def other_version(origin: str, text: str) -> VersionError:
    """Return the error for a record that was written under another schema version, which says what to do."""
    found = _VERSION.search(text)
    if found is None or int(found[1]) < SCHEMA_VERSION:
        said = f"schema version {found[1]}" if found else "no schema version that can be read"
        return VersionError(
            f"{origin} is of {said}, and this nncompare reads version {SCHEMA_VERSION}. Restore it from a copy."
        )
    return VersionError(
        f"{origin} was written by a newer nncompare: it is of schema version {found[1]}, and this one reads "
        f"version {SCHEMA_VERSION}. Upgrade nncompare: pip install --upgrade nncompare."
    )
