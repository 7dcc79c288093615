"""From a child's answer to the record of a trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nncompare.execution.specs import Answer, FitAnswer
from nncompare.results import TrialRecord

_NOT_RECORDED = {"status", "failure", "params", "predict_time_s", "n_parameters", "size_bytes"}


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
