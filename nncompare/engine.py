"""Runs a plan: studies side by side, references, the sealed test, results on disk after each step."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from nncompare.assembly import dataset_record, failure_of, results_record, study_record
from nncompare.data.files import cache_root, write_atomic
from nncompare.environment import describe_environment
from nncompare.estimate import Estimate
from nncompare.events import Event, Listener, Notice, StudyFinished
from nncompare.exceptions import StorageError
from nncompare.execution.runner import LocalRunner
from nncompare.finals import run_finals
from nncompare.layout import LOG, RESULTS, STUDY_FILE
from nncompare.mistakes import find_mistakes
from nncompare.parts import earlier_notes, earlier_study, in_whole, resumed_at
from nncompare.plan import Plan, PlannedDataset, PlannedStudy
from nncompare.ranks import with_ranks
from nncompare.refit import Reference, Refit, Refits, SealedTest, run_references
from nncompare.report import write_report
from nncompare.results import DatasetRecord, Results, RunState, StudyRecord, TrialRecord
from nncompare.room import GuardedRunner
from nncompare.runfile import RunFile, check_unchanged, hold, make_folder, write_run_file
from nncompare.runlog import RunLog
from nncompare.samplers import quiet_optuna
from nncompare.search import Search
from nncompare.session import Session, memory_limit_mb, search_limit_s
from nncompare.slots import Slots
from nncompare.storage import absolute_address, has_password, open_storage, open_study_file, without_password
from nncompare.superseded import remove_superseded
from nncompare.timing import time_model
from nncompare.trials import SearchResult

__all__ = ["Engine"]


class Engine:
    """One run while it goes on: a thread per study, a child per trial, one place that writes.

    Parameters
    ----------
    plan : Plan
    runner : LocalRunner
    listener : callable
        Receives the events, one at a time.
    estimate : Estimate, optional
        How long the run was foretold to take, to be kept beside how long it took.
    """

    def __init__(
        self, plan: Plan, runner: LocalRunner, listener: Listener, estimate: Estimate | None = None
    ) -> None:
        self.stop = threading.Event()
        self._plan, self._listener, self._estimate = plan, listener, estimate
        self._folder = plan.folder.resolve()
        self._guard = GuardedRunner(runner, self._folder, self.stop)
        self._session = Session(
            config=plan.config,
            runner=self._guard,
            folder=self._folder,
            cache=cache_root(),
            jobs=plan.jobs,
            memory_mb=memory_limit_mb(plan.config),
            stop=self.stop,
            tell=self.tell,
            study_prefix=plan.study_prefix,
            search_limit_s=search_limit_s(plan),
            halt=self._guard.halt,
        )
        self._log = RunLog(self._folder / LOG)
        self._lock = threading.RLock()
        self._slots = Slots(plan.jobs)
        self._studies: dict[int, StudyRecord] = {}
        self._refits: dict[int, list[Refit]] = {}
        self._references: dict[str, list[Reference]] = {}
        self._notes = [*earlier_notes(plan), *(dataset.note for dataset in plan.datasets if dataset.note)]
        self._resumed_at = resumed_at(plan)
        self._start = time.monotonic()
        self._environment = describe_environment()
        self._tests = {
            dataset.name: SealedTest.of(dataset.stored) for dataset in plan.datasets if dataset.stored is not None
        }

    def tell(self, event: Event) -> None:
        """Hand an event to the log and to the listener, one at a time; neither can harm the run."""
        with self._lock:
            try:
                self._log.write(event)
                self._listener(event)
            except Exception as error:  # noqa: BLE001 - the border to whoever listens, such as a closed terminal
                self._listener = lambda _event: None
                self._notes.append(f"Progress was no longer shown: {type(error).__name__}: {error}")

    def carry_out(self) -> Results:
        """Run everything and return the final results, which are written.

        Raises
        ------
        StorageError
            The database or the run directory cannot be opened or written.
        BusyError
            Another process holds the run directory, or went on with the run since this was planned.
        """
        url = self._plan.config.storage and absolute_address(self._plan.config.storage)
        shared = None if url is None else open_storage(url)  # first: without it there is no run directory either
        if self._plan.earlier is None:
            make_folder(self._folder, self._plan.folder)
        with hold(self._folder):
            check_unchanged(self._plan)
            shown, secret = (None, False) if url is None else (without_password(url), has_password(url))
            write_run_file(RunFile.of(self._plan, storage=shown, has_password=secret), self._folder)
            self._storage = shared or open_study_file(self._folder / STUDY_FILE)
            return self._carry_out()

    def _carry_out(self) -> Results:
        self._save("running")
        try:
            with quiet_optuna(), ThreadPoolExecutor(max_workers=len(self._plan.studies) + 1) as pool:
                futures = [pool.submit(self._run_references)]
                futures += [pool.submit(self._run_study, i, study) for i, study in enumerate(self._plan.studies)]
        finally:
            self._storage.engine.dispose()
        for future in futures:
            future.result()
        self._measure()
        results = self._save("interrupted" if self.stop.is_set() else "complete")
        self._guard.check()
        if results.state == "complete":
            remove_superseded(results, self._folder)
        return results

    def _run_references(self) -> None:
        """Train the baselines of every data set first; they cost little."""
        for dataset in self._plan.datasets:
            if dataset.stored is None or dataset.split is None or self.stop.is_set():
                continue
            if all(study.failure for study in self._plan.studies if study.dataset == dataset.name):
                continue
            try:
                with self._slots.slot(-1):
                    found = run_references(dataset.stored, dataset.split, self._tests[dataset.name], self._session)
            except Exception as error:  # noqa: BLE001 - the border: the models are compared without them too
                self._note(f"There are no references on {dataset.name}: {type(error).__name__}: {error}")
                continue
            self._references[dataset.name] = found

    def _run_study(self, index: int, study: PlannedStudy) -> None:
        """Run one study to its record, whatever happens."""
        try:
            record = self._study_record(index, study)
        except Exception as error:  # noqa: BLE001 - the border: a study that fails must not stop the others
            no_room = self._guard.halts_for(f"{type(error).__name__}: {error}")
            with contextlib.suppress(OSError):
                log = self._folder / "trials" / f"{study.model}--{study.dataset}.error.log"
                log.write_text(traceback.format_exc())
            record = study_record(study, failure=None if no_room else failure_of(error), interrupted=no_room)
        with self._lock:
            self._studies[index] = record
            self._save("running")
        self.tell(StudyFinished(record))

    def _study_record(self, index: int, study: PlannedStudy) -> StudyRecord:
        if study.failure is not None:
            return study_record(study, failure=study.failure)
        dataset = next(d for d in self._plan.datasets if d.name == study.dataset)
        found = self._search(index, study, dataset)
        if found.failure is not None:
            self._note(f"The search of {study.model} on {study.dataset} ended early: {found.failure.message}")
        if self.stop.is_set() or found.best is None:
            return study_record(study, found, failure=found.failure, interrupted=self.stop.is_set())
        finals = run_finals(study, dataset, found.trials, self._session, self._slots, index)
        best = found.choice(finals)
        if self.stop.is_set() or best is None:
            return study_record(study, found, finals=finals, interrupted=True)
        refits = self._refit(index, study, dataset, best)
        scored = [refit for refit in refits if refit.probabilities is not None]
        with self._lock:  # others go through it while they save
            self._refits[index] = scored
        return study_record(
            study,
            found,
            refits,
            self._tests[study.dataset],
            self._plan.config.seed,
            finals=finals,
            interrupted=self.stop.is_set() and len(scored) < study.n_refits,
        )

    def _search(self, index: int, study: PlannedStudy, dataset: PlannedDataset) -> SearchResult:
        data = self._session.search_data(study, dataset)
        return Search(study, data, self._storage, self._session).run(self._slots, index)

    def _refit(self, index: int, study: PlannedStudy, dataset: PlannedDataset, best: TrialRecord) -> list[Refit]:
        data = self._session.refit_data(study, dataset)
        test, earlier = self._tests[study.dataset], earlier_study(self._plan, study)
        return Refits(study, best, data, test, self._session, earlier).run(self._slots, index)

    def _measure(self) -> None:
        """Time one saved model of each study, alone on the machine."""
        for index, refits in sorted(self._refits.items()):
            study = self._plan.studies[index]
            dataset = next(d for d in self._plan.datasets if d.name == study.dataset)
            if not refits or self.stop.is_set():
                continue
            X_test = self._session.refit_data(study, dataset).X_test
            if X_test is None:
                continue
            timed = time_model(study, refits[0], X_test, self._session, self._studies[index].best_trial)
            if timed.note:
                self._note(timed.note)
            self._studies[index] = self._studies[index].model_copy(
                update={"latency_ms": timed.latency_ms, "throughput_per_s": timed.throughput_per_s}
            )

    def _note(self, text: str) -> None:
        with self._lock:
            self._notes.append(text)
        self.tell(Notice(text, "warning"))

    def _save(self, state: RunState) -> Results:
        """Write results.json and the report as they are now."""
        with self._lock:
            results = in_whole(self._results(state), self._plan, self._resumed_at, self._estimate)
            results = with_ranks(results)
            content = results.to_json()
            try:
                write_atomic(self._folder / RESULTS, content)
                write_report(results, self._folder)
            except StorageError as error:
                self._guard.halt(str(error))
            except Exception as error:  # noqa: BLE001 - the border: results.json is there, whatever it holds
                self._notes.append(f"The report could not be drawn: {type(error).__name__}: {error}")
        return results

    def _results(self, state: RunState) -> Results:
        studies = [
            self._studies.get(index) or study_record(study, failure=study.failure, interrupted=True)
            for index, study in enumerate(self._plan.studies)
        ]
        datasets = [self._dataset_record(dataset, studies) for dataset in self._plan.datasets]
        return results_record(
            self._plan,
            state,
            studies,
            datasets,
            mistakes={
                dataset.name: find_mistakes(
                    dataset.stored,
                    self._tests[dataset.name].y,
                    self._probabilities(dataset.name),
                    rows_shown=self._plan.config.show_rows or not dataset.is_private,
                )
                for dataset in self._plan.datasets
                if dataset.stored is not None
            },
            duration_s=time.monotonic() - self._start,
            memory_mb=self._session.memory_mb,
            environment=self._environment,
            notes=self._notes,
        )

    def _dataset_record(self, dataset: PlannedDataset, studies: Sequence[StudyRecord]) -> DatasetRecord:
        references, test = self._references.get(dataset.name, []), self._tests.get(dataset.name)
        groups = test.groups if test is not None else None
        try:
            return dataset_record(dataset, studies, references, self._correct(dataset.name), groups=groups)
        except Exception as error:  # noqa: BLE001 - the border: one odd number must not take all results with it
            text = f"There is no verdict on {dataset.name}: {type(error).__name__}: {error}"
            return dataset_record(dataset, [], [], {}, text=text)

    def _probabilities(self, dataset: str) -> dict[str, list[npt.NDArray[np.float64]]]:
        """Return the test probabilities of each refit of the finished models, in the order of the plan."""
        found = {
            self._plan.studies[index].model: [r.probabilities for r in refits if r.probabilities is not None]
            for index, refits in sorted(self._refits.items())
            if self._plan.studies[index].dataset == dataset and index in self._studies
        }
        return {model: probas for model, probas in found.items() if probas}

    def _correct(self, dataset: str) -> Mapping[str, npt.NDArray[np.bool_]]:
        """Return which test items each finished model and reference got right."""
        found = self._probabilities(dataset)
        found |= {
            reference.name: [reference.probabilities]
            for reference in self._references.get(dataset, [])
            if reference.probabilities is not None
        }
        return {name: self._tests[dataset].correct(probas) for name, probas in found.items()}
