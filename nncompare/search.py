"""One study: ask Optuna, run the trial in a child, tell Optuna."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import optuna
from optuna.trial import TrialState

from nncompare.data.seeds import derive_seed
from nncompare.data.views import PreparedView
from nncompare.events import EpochFinished, StudyStarted, TrialFinished
from nncompare.exceptions import StorageError
from nncompare.execution.specs import Answer, FitSpec
from nncompare.execution.supervisor import RefusedError, check_epoch
from nncompare.faultpoints import reached
from nncompare.lagged import in_order, lagged_study, wait_for_known
from nncompare.plan import PlannedStudy
from nncompare.results import Failure, TrialRecord, was_interrupted
from nncompare.room import is_no_room
from nncompare.samplers import importance
from nncompare.session import Session
from nncompare.slots import Slots
from nncompare.storage import STORAGE_ERRORS
from nncompare.studies import Running, open_study, tell_optuna
from nncompare.trials import (
    SearchResult,
    best_of,
    failed_here,
    first_asked,
    keep_trial,
    kept_trial,
    lost_trial,
    trial_record,
)

__all__ = ["Search", "SearchResult"]

MAX_CONSECUTIVE_FAILURES = 5


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
        self._lock, self._storage = threading.Lock(), storage
        self._records: dict[int, TrialRecord] = {}
        self._spaces: dict[int, dict[str, dict[str, Any]]] = {}
        self._broken: Failure | None = None
        self._start = time.monotonic()
        self._running_since: dict[int, float] = {}
        self._known_epochs: dict[int, int] = {}
        self._folder = session.trials_folder(study.model, study.dataset)
        self._is_lagged = session.config.deterministic
        self._optuna = open_study(
            study,
            storage,
            f"{session.study_prefix}{study.model}--{study.dataset}",
            session.config.seed,
            self._folder,
            session.tell,
        )
        self._begun: deque[optuna.trial.FrozenTrial] = deque()
        self._n_asked = 0
        self._has_begun = False
        self._take_up()

    def run(self, slots: Slots, priority: int) -> SearchResult:
        """Run all trials, as many at a time as there are slots."""
        with ThreadPoolExecutor(max_workers=self._session.jobs, thread_name_prefix="trial") as pool:
            futures: dict[int, Future[None]] = {}
            while self._begun or self._n_asked < self._study.n_trials:
                if self._is_lagged:
                    wait_for_known(self._next_number(), futures)
                slots.acquire(priority)
                trial = None
                try:
                    self._begin()
                    trial = self._next_trial()
                finally:
                    if trial is None:
                        slots.release()  # other studies wait for it, whatever happened here
                if trial is None:
                    break
                futures[trial.number] = pool.submit(self._run_trial, trial, slots)
        self._begin()  # where an earlier part of the run left nothing to do
        for future in futures.values():
            future.result()
        trials = [record for _, record in sorted(self._records.items())]
        shares = importance(self._optuna) if self._broken is None else {}
        return SearchResult(
            trials, shares, first_asked(self._spaces), time.monotonic() - self._start, self._broken
        )

    def _take_up(self) -> None:
        """Take over what an earlier part of the run left: finished trials, and those that it had begun."""
        for trial in self._optuna.get_trials(deepcopy=False):
            if trial.state == TrialState.WAITING:
                continue
            self._n_asked = max(self._n_asked, trial.number + 1)
            kept = kept_trial(self._folder, trial.number)
            if not trial.state.is_finished() and kept is None:
                self._begun.append(trial)
                continue
            if kept is None:
                kept = lost_trial(trial.number, trial.state.name, trial.params, trial.value)
            elif not trial.state.is_finished():
                tell_optuna(self._optuna, kept.record)  # it was committed, and not told
            self._records[trial.number] = kept.record
            self._spaces[trial.number] = kept.space
        self._start_clock()

    def _start_clock(self) -> None:
        """Let the clock go on where an earlier part of the run stopped."""
        self._start = time.monotonic() - max((r.finished_s or 0.0 for r in self._records.values()), default=0.0)

    def _begin(self) -> None:
        """Start the clock when it is this study's turn, and say, once, that the search begins."""
        if self._has_begun:
            return
        self._has_begun = True
        study = self._study
        self._start_clock()
        budget = (study.n_trials, study.max_epochs, study.n_refits, study.n_finals)
        self._session.tell(StudyStarted(study.model, study.dataset, *budget))
        if self._records:  # one event tells how far an earlier part came
            kept = list(self._records.values())
            self._session.tell(self._finished(best_of(kept) or kept[-1]))

    def _next_trial(self) -> optuna.Trial | None:
        """Go on with a trial, or ask for one; None when nothing new may start."""
        stopped = self._session.stop.is_set() or self._broken is not None
        if stopped or self._only_fails() or self._time_is_up():
            return None
        try:
            with self._lock:
                number = self._next_number()
                asked = self._study_for(number)
                if self._begun:
                    begun = self._begun.popleft()
                    self._known_epochs[number] = max(begun.intermediate_values, default=0)
                    return optuna.Trial(asked, begun._trial_id)
                self._n_asked += 1
                reached("ask")
                return asked.ask()
        except STORAGE_ERRORS as error:
            self._end_for(error)
            return None

    def _next_number(self) -> int:
        return self._begun[0].number if self._begun else self._n_asked

    def _study_for(self, number: int) -> optuna.Study:
        """Return the study that trial ``number`` asks."""
        if not self._is_lagged:
            return self._optuna
        name, seed = self._optuna.study_name, self._session.config.seed
        return lagged_study(self._storage, name, self._study, seed, number)

    def _only_fails(self) -> bool:
        """Tell whether the last trials that the next one may know of all failed."""
        with self._lock:
            known = in_order(self._records, self._next_number() if self._is_lagged else None)
        return len(known) >= MAX_CONSECUTIVE_FAILURES and all(
            record.state == "failed" for record in known[-MAX_CONSECUTIVE_FAILURES:]
        )

    def _time_is_up(self) -> bool:
        """Tell whether the trials have used the study's share of ``--timeout``; the first one always runs."""
        limit = self._session.search_limit_s
        if limit is None or self._n_asked == 0:
            return False
        now = time.monotonic() - self._start
        with self._lock:
            spans = [(r.started_s or 0.0, r.finished_s or 0.0) for r in self._records.values()]
            spans += [(started, now) for started in self._running_since.values()]
        return sum(end - start for start, end in spans) >= limit

    def _run_trial(self, trial: optuna.Trial, slots: Slots) -> None:
        reached("asked")
        started = time.monotonic() - self._start
        with self._lock:
            self._running_since[trial.number] = started
        try:
            running = Running(trial, known_epochs=self._known_epochs.get(trial.number, 0))
            answer = self._answer_of(running)
            reached("answered")
            if not running.asked:  # a child answered in an earlier part of the run, or it has nothing to ask
                running.recall(self._study.pins, answer)
                with self._lock:
                    self._spaces[running.trial.number] = running.asked
            self._tell(running, answer, started)
        except (StorageError, *STORAGE_ERRORS) as error:
            self._end_for(error)
        finally:
            with self._lock:
                self._running_since.pop(trial.number, None)
            slots.release()

    def _end_for(self, error: Exception) -> None:
        """Ask for no more trials, because the study's storage failed; without room the whole run stops."""
        message = " ".join(f"The storage of the trials: {type(error).__name__}: {error}".split())[:500]
        if isinstance(error, StorageError) or is_no_room(message, self._session.folder):
            self._session.halt(message)
            return
        self._broken = Failure(category="storage", message=message)

    def _answer_of(self, running: Running) -> Answer:
        """Run one trial in a child; what goes wrong on this side of the pipe is a failed trial too."""
        spec = self._spec(running.trial.number)
        try:
            return self._session.runner.run(spec, lambda kind, m: self._answer(running, kind, m))
        except Exception as error:  # noqa: BLE001 - the border: one trial must not take the others with it
            return failed_here(error, "storage" if isinstance(error, STORAGE_ERRORS) else None)

    def _spec(self, number: int) -> FitSpec:
        study, name, seed = self._study, f"{number:04d}", self._seed(number)
        most = study.max_epochs
        return self._session.fit_spec(study, self._data, name, seed=seed, max_epochs=most, number=number)

    def _seed(self, number: int) -> int:
        return derive_seed(self._session.config.seed, self._study.model, self._study.dataset, "trial", number)

    def _answer(self, running: Running, kind: str, message: Mapping[str, Any]) -> Any:
        """Answer a child: a suggested value, or whether to go on."""
        if kind == "suggest":
            with self._lock:
                value = running.suggest(message, self._study.pins)
                self._spaces[running.trial.number] = running.asked
                return value
        if kind == "report":
            return self._report(running, message["epoch"], message["valid_loss"])
        raise RefusedError(f"A trial cannot ask for '{kind}'.")

    def _report(self, running: Running, epoch: int, valid_loss: float | None) -> bool:
        """Hand the lowest loss so far to the pruner; it is the value that a trial ends with."""
        name, number, last = (self._study.model, self._study.dataset), running.trial.number, self._study.max_epochs
        check_epoch(epoch, last)
        self._session.tell(EpochFinished(*name, "trial", number, epoch, last, valid_loss))
        if valid_loss is None:
            return True
        running.best = valid_loss if running.best is None else min(running.best, valid_loss)
        with self._lock:
            if epoch < running.known_epochs:
                return True  # it went on after this epoch then, too
            if epoch > running.known_epochs:
                running.trial.report(running.best, epoch)
            return not running.trial.should_prune()

    def _tell(self, running: Running, answer: Answer, started: float) -> None:
        """Record a trial and tell Optuna, exactly once."""
        number, finished = running.trial.number, time.monotonic() - self._start
        times = {"started_s": round(started, 3), "finished_s": round(finished, 3)}
        record = trial_record(number, running.suggested, answer, self._seed(number)).model_copy(update=times)
        is_final = not was_interrupted(record)  # else the run takes it up again when it is resumed
        if is_final:
            keep_trial(self._folder, record, running.asked)
        with self._lock:
            self._records[record.number] = record
            if is_final:
                tell_optuna(self._optuna, record)
            event = self._finished(record)
        self._session.tell(event)

    def _finished(self, record: TrialRecord) -> TrialFinished:
        """Return the event of a finished trial, with the best value so far."""
        study, best = self._study, best_of(self._records.values())
        value = best.valid_log_loss if best is not None else None
        return TrialFinished(study.model, study.dataset, record, len(self._records), study.n_trials, value)
