"""From a child's answer to the record of a trial, and from trials to what a search found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nncompare.execution.specs import Answer, FitAnswer
from nncompare.results import Failure, TrialRecord


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
        complete = [t for t in self.trials if t.state == "complete" and t.valid_log_loss is not None]
        return min(complete, key=lambda t: (t.valid_log_loss, t.number), default=None)


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
