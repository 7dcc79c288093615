"""From a child's answer to the record of a trial, and from trials to what a search found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from nncompare.choice import chosen_trial
from nncompare.data.files import write_atomic
from nncompare.exceptions import StorageError
from nncompare.execution.specs import Answer, FitAnswer
from nncompare.results import Failure, FailureCategory, FinalRecord, Record, TrialRecord, TrialState


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found: its trials in order, the importance of the parameters, the space that was met.

    ``failure`` says why the study's storage ended the search early, if it did.
    """

    trials: list[TrialRecord]
    importance: dict[str, float]
    space: dict[str, dict[str, Any]]
    seconds: float
    failure: Failure | None = None

    @property
    def best(self) -> TrialRecord | None:
        """The complete trial with the lowest validation log loss, the earlier one of equals."""
        return best_of(self.trials)

    def choice(self, finals: Sequence[FinalRecord]) -> TrialRecord | None:
        """Return the trial that the finals chose; without finals the best one."""
        number = chosen_trial(finals)
        return self.best if number is None else next(trial for trial in self.trials if trial.number == number)


def best_of(trials: Iterable[TrialRecord]) -> TrialRecord | None:
    """Return the complete trial with the lowest validation log loss, the earlier one of equals."""
    return next(iter(by_value(trials)), None)


def by_value(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return the complete trials by rising validation log loss, the earlier one of equals first."""
    complete = [t for t in trials if t.state == "complete" and t.valid_log_loss is not None]
    return sorted(complete, key=lambda t: (t.valid_log_loss, t.number))


_NOT_RECORDED = {"status", "failure", "params", "predict_time_s", "n_parameters", "size_bytes", "manifest_sha256"}


def trial_record(number: int, suggested: Mapping[str, Any], answer: Answer, seed: int) -> TrialRecord:
    """Return the record of one trial; what a dead child was asked to try stands in for its parameters."""
    fields = answer.model_dump(exclude=_NOT_RECORDED) if isinstance(answer, FitAnswer) else {}
    params = answer.params if isinstance(answer, FitAnswer) and answer.params else dict(suggested)
    return TrialRecord(
        **fields,
        number=number,
        state=answer.status,
        params=params,
        suggested=dict(suggested),
        seed=seed,
        failure=answer.failure,
    )


def first_asked(spaces: Mapping[int, Mapping[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return each parameter's range as the earliest trial asked for it, whichever trial ran first."""
    found: dict[str, dict[str, Any]] = {}
    for _, space in sorted(spaces.items()):
        found = found | {name: entry for name, entry in space.items() if name not in found}
    return found


class KeptTrial(Record):
    """A finished trial as it lies in the run directory, with the ranges that it asked for."""

    record: TrialRecord
    space: dict[str, dict[str, Any]] = Field(default_factory=dict)


def keep_trial(folder: Path, record: TrialRecord, space: Mapping[str, dict[str, Any]]) -> None:
    """Commit a finished trial, before anybody is told of it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(_kept_file(folder, record.number), KeptTrial(record=record, space=dict(space)).model_dump_json())


def kept_trial(folder: Path, number: int) -> KeptTrial | None:
    """Return a trial that was committed in an earlier part of the run, None where there is none."""
    try:
        return KeptTrial.model_validate_json(_kept_file(folder, number).read_bytes())
    except (OSError, ValidationError):
        return None


def kept_numbers(folder: Path) -> list[int]:
    """Return the numbers of the trials that were committed, in order."""
    numbers = (path.name.partition(".")[0] for path in folder.glob("*.record.json"))
    return sorted(int(number) for number in numbers if number.isdecimal())


_STATES: Mapping[str, TrialState] = {"COMPLETE": "complete", "PRUNED": "pruned"}


def lost_trial(number: int, state: str, params: Mapping[str, Any], value: float | None) -> KeptTrial:
    """Return what Optuna still knows of a trial whose file is gone; ``state`` is its name there."""
    record = TrialRecord(
        number=number,
        state=_STATES.get(state, "failed"),
        params=dict(params),
        suggested=dict(params),
        valid_log_loss=value,
        failure=None if state in _STATES else Failure(category="internal", message="Its record is gone."),
    )
    return KeptTrial(record=record)


def failed_here(error: Exception, category: FailureCategory | None = None) -> FitAnswer:
    """Return what stands for a child's answer where this side of the pipe went wrong: a failed training.

    Parameters
    ----------
    error : Exception
    category : str, optional
        By default ``disk`` for what the system or a folder refused, else ``internal``.
    """
    category = category or ("disk" if isinstance(error, OSError | StorageError) else "internal")
    failure = Failure(category=category, message=f"{type(error).__name__}: {error}")
    return FitAnswer(status="failed", failure=failure)


def _kept_file(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}.record.json"
