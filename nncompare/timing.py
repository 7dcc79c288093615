"""How fast a saved model predicts, measured once all training is over, and whether it predicts as before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nncompare.execution.specs import MeasureAnswer, MeasureSpec
from nncompare.execution.supervisor import RefusedError
from nncompare.plan import PlannedStudy
from nncompare.refit import Refit
from nncompare.session import Session

__all__ = ["Timed", "measure", "time_model"]

RELOAD_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Timed:
    """The times of one saved model, as far as they are known; ``note`` says what was wrong with it."""

    latency_ms: float | None = None
    throughput_per_s: float | None = None
    note: str = ""


def time_model(study: PlannedStudy, refit: Refit, X_test: Path, session: Session, best: int | None) -> Timed:
    """Time a saved model of trial ``best``, alone on the machine; whatever happens, what is known stays known."""
    name = f"The saved model of {study.model} on {study.dataset}"
    try:
        answer = measure(study, refit, X_test, session, best)
    except Exception as error:  # noqa: BLE001 - the border: the scores stand without the times
        return Timed(note=f"{name} could not be timed: {type(error).__name__}: {error}")
    note = ""
    if answer.failure is not None and not session.stop.is_set():
        note = f"{name} failed: {answer.failure.message}"
    elif answer.max_difference is not None and answer.max_difference > RELOAD_TOLERANCE:
        text = "predicts otherwise once it is loaded: a probability differs by"
        note = f"{name} {text} {answer.max_difference:.2g}."
    return Timed(answer.latency_ms, answer.throughput_per_s, note)


def measure(study: PlannedStudy, refit: Refit, X_test: Path, session: Session, best: int | None) -> MeasureAnswer:
    """Time a saved model of trial ``best`` in a fresh process; nothing else runs meanwhile."""
    if study.ref is None or refit.model is None or refit.record.predictions is None:
        raise ValueError(f"{study.model} on {study.dataset} has no model")
    answer = session.runner.run(
        MeasureSpec(
            plugin=study.ref.value,
            framework=study.framework,
            **session.child_fields(session.trials_folder(study.model, study.dataset), f"measure-of-{best}"),
            model=refit.model,
            X_test=X_test,
            predictions=session.folder / refit.record.predictions,
        ),
        _no_questions,
    )
    return answer if isinstance(answer, MeasureAnswer) else MeasureAnswer(status="failed", failure=answer.failure)


def _no_questions(kind: str, _message: Mapping[str, Any]) -> Any:
    raise RefusedError(f"'{kind}' is not answered here.")
