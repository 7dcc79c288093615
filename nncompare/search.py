"""One study: ask Optuna, run the trial in a child, tell Optuna; the only file that imports optuna."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
from optuna.trial import TrialState
from sqlalchemy import URL
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import SQLAlchemyError

from nncompare.data.seeds import derive_seed
from nncompare.data.views import PreparedView
from nncompare.events import EpochFinished, StudyStarted, TrialFinished
from nncompare.exceptions import StorageError
from nncompare.execution.specs import Answer, FitAnswer, FitSpec
from nncompare.execution.supervisor import RefusedError
from nncompare.plan import PlannedStudy
from nncompare.results import Failure, FailureCategory, TrialRecord
from nncompare.samplers import make_pruner, make_sampler, suggest
from nncompare.session import Session
from nncompare.slots import Slots
from nncompare.trials import SearchResult, trial_record

__all__ = ["Search", "SearchResult", "open_storage", "quiet_optuna"]

MAX_CONSECUTIVE_FAILURES = 5
BUSY_TIMEOUT_S = 60
LARGEST_BOUND = 1e18  # beyond it whole numbers are no longer exact
STORAGE_ERRORS = (SQLAlchemyError, optuna.exceptions.StorageInternalError)


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Silence Optuna's advice for a block of the main thread: filters belong to the process, not to a thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module=r"optuna\.")
        yield


def open_storage(path: Path) -> optuna.storages.RDBStorage:
    """Open the studies of a run: SQLite in WAL mode, so that readers and a crash do no harm."""
    optuna.logging.set_verbosity(logging.ERROR)
    arguments = {"connect_args": {"timeout": BUSY_TIMEOUT_S}}
    url = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"uri": "true"})  # "?" may be in a name
    storage = optuna.storages.RDBStorage(url.render_as_string(), engine_kwargs=arguments)

    @sqlalchemy_event.listens_for(storage.engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    storage.engine.dispose()  # connections that were made before the listener
    return storage


@dataclass(slots=True)
class _Running:
    """A trial while it runs; the child's questions are answered from it."""

    trial: optuna.Trial
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    suggested: dict[str, Any] = field(default_factory=dict)
    best: float | None = None


class Search:
    """The search of one study.

    Parameters
    ----------
    study : PlannedStudy
    data : PreparedView
        Train and validation, without test.
    storage : optuna.storages.RDBStorage
    session : Session
    """

    def __init__(
        self, study: PlannedStudy, data: PreparedView, storage: optuna.storages.RDBStorage, session: Session
    ) -> None:
        self._study, self._data, self._session = study, data, session
        self._lock = threading.Lock()
        self._records: dict[int, TrialRecord] = {}
        self._space: dict[str, dict[str, Any]] = {}
        self._failures_in_a_row = 0
        self._broken: Failure | None = None
        self._start = time.monotonic()
        self._optuna = optuna.create_study(
            storage=storage,
            study_name=f"{study.model}--{study.dataset}",
            direction="minimize",
            sampler=make_sampler(study, session.config.seed),
            pruner=make_pruner(study),
        )
        first = {name: value for name, value in study.defaults.items() if name not in study.pins}
        self._optuna.enqueue_trial(first)

    def run(self, slots: Slots, priority: int) -> SearchResult:
        """Run all trials, as many at a time as there are slots."""
        with ThreadPoolExecutor(max_workers=self._session.jobs, thread_name_prefix="trial") as pool:
            futures = []
            for number in range(self._study.n_trials):
                slots.acquire(priority)
                trial = None
                try:
                    trial = self._next_trial(number)
                finally:
                    if trial is None:
                        slots.release()  # other studies wait for it, whatever happened here
                if trial is None:
                    break
                futures.append(pool.submit(self._run_trial, trial, slots))
        for future in futures:
            future.result()
        trials = [record for _, record in sorted(self._records.items())]
        importance = self._importance() if self._broken is None else {}
        return SearchResult(trials, importance, self._space, time.monotonic() - self._start, self._broken)

    def _next_trial(self, number: int) -> optuna.Trial | None:
        """Ask for a trial; None when the run is being stopped, or too many trials failed in a row."""
        study = self._study
        if number == 0:
            self._start = time.monotonic()
            budget = (study.n_trials, study.max_epochs, study.n_refits)
            self._session.tell(StudyStarted(study.model, study.dataset, *budget))
        too_many = self._failures_in_a_row >= MAX_CONSECUTIVE_FAILURES
        if self._session.stop.is_set() or too_many or self._broken is not None:
            return None
        try:
            with self._lock:
                return self._optuna.ask()
        except STORAGE_ERRORS as error:
            self._end_for(error)
            return None

    def _run_trial(self, trial: optuna.Trial, slots: Slots) -> None:
        started = time.monotonic() - self._start
        running = _Running(trial)
        try:
            self._tell(running, self._answer_of(running), started)
        except STORAGE_ERRORS as error:
            self._end_for(error)
        finally:
            slots.release()

    def _end_for(self, error: Exception) -> None:
        """Ask for no more trials, because the study's storage failed."""
        message = " ".join(f"study.db: {type(error).__name__}: {error}".split())[:500]
        self._broken = Failure(category="storage", message=message)

    def _answer_of(self, running: _Running) -> Answer:
        """Run one trial in a child; what goes wrong on this side of the pipe is a failed trial too."""
        spec = self._spec(running.trial.number)
        try:
            return self._session.runner.run(spec, lambda kind, m: self._answer(running, kind, m))
        except Exception as error:  # noqa: BLE001 - the border: one trial must not take the others with it
            kind: FailureCategory = "disk" if isinstance(error, OSError | StorageError) else "internal"
            kind = "storage" if isinstance(error, STORAGE_ERRORS) else kind
            return FitAnswer(
                status="failed", failure=Failure(category=kind, message=f"{type(error).__name__}: {error}")
            )

    def _spec(self, number: int) -> FitSpec:
        study = self._study
        name = f"{number:04d}"
        return self._session.fit_spec(
            study, self._data, name, seed=self._seed(number), max_epochs=study.max_epochs, number=number
        )

    def _seed(self, number: int) -> int:
        return derive_seed(self._session.config.seed, self._study.model, self._study.dataset, "trial", number)

    def _answer(self, running: _Running, kind: str, message: Mapping[str, Any]) -> Any:
        """Answer a child: a suggested value, or whether to go on."""
        if kind == "suggest":
            with self._lock:
                return self._suggest(running, message)
        if kind == "report":
            return self._report(running, message["epoch"], message["valid_loss"])
        raise RefusedError(f"A trial cannot ask for '{kind}'.")

    def _suggest(self, running: _Running, message: Mapping[str, Any]) -> Any:
        name, distribution, arguments = message["name"], message["distribution"], message["arguments"]
        entry = {"type": distribution, **arguments}
        if running.asked.setdefault(name, entry) != entry:
            raise RefusedError(
                f"'{name}' was asked for twice in one trial, as {running.asked[name]} and as {entry}."
            )
        if any(abs(arguments.get(bound, 0)) > LARGEST_BOUND for bound in ("low", "high")):
            raise RefusedError(f"The range of '{name}' goes beyond {LARGEST_BOUND:g}.")
        pins = self._study.pins
        value = pins[name] if name in pins else suggest(running.trial, distribution, name, arguments)
        self._space.setdefault(name, entry)
        running.suggested[name] = value
        return value

    def _report(self, running: _Running, epoch: int, valid_loss: float | None) -> bool:
        """Hand the lowest loss so far to the pruner; it is the value that a trial ends with."""
        name, number, last = (self._study.model, self._study.dataset), running.trial.number, self._study.max_epochs
        if epoch > last:
            raise RefusedError(f"fit() trained for epoch {epoch}, and max_epochs is {last}.")
        self._session.tell(EpochFinished(*name, "trial", number, epoch, last, valid_loss))
        if valid_loss is None:
            return True
        running.best = valid_loss if running.best is None else min(running.best, valid_loss)
        with self._lock:
            running.trial.report(running.best, epoch)
            return not running.trial.should_prune()

    def _tell(self, running: _Running, answer: Answer, started: float) -> None:
        """Record a trial and tell Optuna, exactly once."""
        finished = time.monotonic() - self._start
        record = trial_record(running.trial.number, running.suggested, answer, self._seed(running.trial.number))
        record = record.model_copy(update={"started_s": round(started, 3), "finished_s": round(finished, 3)})
        value = record.valid_log_loss
        with self._lock:
            self._records[record.number] = record
            self._failures_in_a_row = self._failures_in_a_row + 1 if record.state == "failed" else 0
            if record.state == "complete":
                self._optuna.tell(running.trial, value)
            else:
                state = TrialState.PRUNED if record.state == "pruned" else TrialState.FAIL
                self._optuna.tell(running.trial, state=state)
            event = self._finished(record)
        self._session.tell(event)

    def _finished(self, record: TrialRecord) -> TrialFinished:
        """Return the event of a finished trial, with the best value so far."""
        values = [r.valid_log_loss for r in self._records.values() if r.state == "complete"]
        best = min((value for value in values if value is not None), default=None)
        study = self._study
        return TrialFinished(study.model, study.dataset, record, len(self._records), study.n_trials, best)

    def _importance(self) -> dict[str, float]:
        """Return the share of each parameter in the differences between trials (PED-ANOVA)."""
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(
            target_quantile=0.1, region_quantile=1.0, evaluate_on_local=True
        )
        try:
            found = optuna.importance.get_param_importances(self._optuna, evaluator=evaluator)
        except (RuntimeError, ValueError):  # too few complete trials, or trials that are all alike
            return {}
        return {name: round(float(share), 4) for name, share in found.items()}
