"""After a search on a sample: its best trials, each trained once on all rows to choose among them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from nncompare.data.files import write_atomic
from nncompare.data.seeds import derive_seed
from nncompare.data.views import PreparedView
from nncompare.events import EpochFinished, FinalFinished, TrialChosen
from nncompare.exceptions import StorageError
from nncompare.execution.specs import Answer, FitAnswer, FitSpec
from nncompare.execution.supervisor import RefusedError, check_epoch
from nncompare.faultpoints import reached
from nncompare.plan import PlannedDataset, PlannedStudy
from nncompare.results import Failure, FinalRecord, TrialRecord
from nncompare.session import Session
from nncompare.slots import Slots
from nncompare.trials import by_value, failed_here

__all__ = ["Finals", "finalists", "run_finals"]

_OF_ANSWER = {
    "valid_log_loss",
    "valid_accuracy",
    "epochs",
    "best_epoch",
    "fit_time_s",
    "fit_cpu_s",
    "peak_memory_mb",
}


def finalists(trials: Iterable[TrialRecord], n_finalists: int) -> list[TrialRecord]:
    """Return the best complete trials of a search that differ in their parameters, the best one first.

    Parameters
    ----------
    trials : iterable of TrialRecord
    n_finalists : int
        How many at most.

    Returns
    -------
    list of TrialRecord
        Empty where fewer than two are left: there is nothing to decide.
    """
    distinct: dict[str, TrialRecord] = {}
    for trial in by_value(trials):
        distinct.setdefault(json.dumps(trial.params, sort_keys=True), trial)
    found = list(distinct.values())[:n_finalists]
    return found if len(found) > 1 else []


class Finals:
    """The finals of one study.

    A final that failed has lost, and stays so when the run is resumed; one that was stopped is run again.

    Parameters
    ----------
    study : PlannedStudy
    trials : sequence of TrialRecord
        The finalists, the best one first.
    data : PreparedView
        All training rows and validation, without test.
    session : Session
    """

    def __init__(
        self, study: PlannedStudy, trials: list[TrialRecord], data: PreparedView, session: Session
    ) -> None:
        self._study, self._trials, self._data, self._session = study, trials, data, session
        self._lock = threading.Lock()
        self._n_finished = 0

    def run(self, slots: Slots, priority: int) -> list[FinalRecord]:
        """Run all finals and return their records, in the order of the finalists."""
        finals = slots.map(self.run_one, self._trials, priority)
        if not self._session.stop.is_set():
            study = self._study
            self._session.tell(TrialChosen(study.model, study.dataset, tuple(finals), study.refit_samples))
        return finals

    def run_one(self, trial: TrialRecord) -> FinalRecord:
        """Train one finalist; nothing starts once the run is stopped."""
        study, spec = self._study, self._spec(trial)
        if self._session.stop.is_set():
            stopped = Failure(category="interrupted", message="The run was stopped before it began.")
            return FinalRecord(trial=trial.number, seed=spec.seed, failure=stopped)
        reached("final")
        answer = self._answer_of(trial.number, spec)
        reached("finalled")
        record = _record(trial.number, spec.seed, answer)
        with self._lock:
            self._n_finished += 1
            n_finished = self._n_finished
        self._session.tell(FinalFinished(study.model, study.dataset, record, n_finished, len(self._trials)))
        return record

    def _answer_of(self, number: int, spec: FitSpec) -> Answer:
        """Train in a child; what goes wrong on this side of the pipe costs one final, until the run is resumed."""
        try:
            answer = self._session.runner.run(spec, lambda kind, m: self._answer(number, kind, m))
            _keep_failure(spec, answer)
        except Exception as error:  # noqa: BLE001 - the border: one final must not take the search with it
            if isinstance(error, StorageError):
                self._session.halt(str(error))
            return failed_here(error)
        return answer

    def _spec(self, trial: TrialRecord) -> FitSpec:
        study = self._study
        return self._session.fit_spec(
            study,
            self._data,
            f"final-of-{trial.number}",
            seed=derive_seed(self._session.config.seed, study.model, study.dataset, "final", trial.number),
            max_epochs=study.final_epochs,
            number=trial.number,
            params=trial.params,
        )

    def _answer(self, number: int, kind: str, message: Mapping[str, Any]) -> Any:
        """Let a child go on; a final is never pruned, and hears of no test samples."""
        study = self._study
        name, last = (study.model, study.dataset), study.final_epochs
        if kind != "report":
            raise RefusedError(f"A final cannot ask for '{kind}'.")
        check_epoch(message["epoch"], last)
        self._session.tell(EpochFinished(*name, "final", number, message["epoch"], last, message["valid_loss"]))
        return True


def run_finals(
    study: PlannedStudy,
    dataset: PlannedDataset,
    trials: Iterable[TrialRecord],
    session: Session,
    slots: Slots,
    priority: int,
) -> list[FinalRecord]:
    """Run the finals of a study after its search, if it has any.

    Parameters
    ----------
    study : PlannedStudy
    dataset : PlannedDataset
    trials : iterable of TrialRecord
        Of the whole search.
    session : Session
    slots : Slots
    priority : int

    Returns
    -------
    list of FinalRecord
        The best trial of the search first; empty where there is nothing to decide.
    """
    chosen = finalists(trials, study.n_finalists)
    if not chosen:
        return []
    return Finals(study, chosen, session.final_data(study, dataset), session).run(slots, priority)


def _keep_failure(spec: FitSpec, answer: Answer) -> None:
    """Commit how a final failed that left no answer: tried again, it could change a choice that was made."""
    failure = answer.failure
    if failure is not None and failure.category != "interrupted" and not spec.result.exists():
        write_atomic(spec.result, answer.model_dump_json())


def _record(trial: int, seed: int, answer: Answer) -> FinalRecord:
    if not isinstance(answer, FitAnswer) or answer.status != "complete" or answer.valid_log_loss is None:
        text = "fit() raised TrialPruned in a final, which is never pruned."
        failure = answer.failure or Failure(category="plugin", message=text)
        return FinalRecord(trial=trial, seed=seed, failure=failure)
    return FinalRecord(trial=trial, seed=seed, curve=answer.curve, **answer.model_dump(include=_OF_ANSWER))
