"""One study: what is asked, in which order, what Optuna is told, when it ends early."""

import threading
from functools import partial
from types import SimpleNamespace

import optuna
import pytest

from nncompare.data.records import DataSpec
from nncompare.data.views import PreparedPart, PreparedView
from nncompare.events import EpochFinished, Notice, StudyStarted, TrialFinished
from nncompare.exceptions import StorageError
from nncompare.execution.specs import FitAnswer
from nncompare.execution.supervisor import RefusedError
from nncompare.plan import PlannedStudy
from nncompare.registry import MODELS, PluginRef
from nncompare.results import Curve, Failure
from nncompare.samplers import quiet_optuna, suggest
from nncompare.search import Search
from nncompare.session import Session
from nncompare.settings import RunConfig
from nncompare.slots import Slots
from nncompare.storage import open_study_file
from nncompare.trials import SearchResult, trial_record

BROKEN = Failure(category="plugin", message="broken")
DEFAULTS = {"rate": 0.01, "width": 64, "kind": "relu"}


def complete(params, loss):
    return FitAnswer(status="complete", params=params, epochs=1, best_epoch=1, valid_log_loss=loss)


class Children:
    """Stands in for the runner: asks for three parameters, reports once, answers with ``outcome``."""

    def __init__(self, outcome=None):
        self.outcome = outcome or (lambda number, params: complete(params, abs(params["rate"] - 0.02)))
        self.specs, self.at_work, self.most = [], 0, 0
        self.lock = threading.Lock()

    def run(self, spec, handler):
        with self.lock:
            self.specs.append(spec)
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        params = {
            "rate": self.ask(handler, "float", "rate", low=1e-3, high=1e-1, step=None, log=True),
            "width": self.ask(handler, "int", "width", low=8, high=128, step=1, log=True),
            "kind": self.ask(handler, "categorical", "kind", choices=["relu", "tanh"]),
        }
        answer = self.outcome(spec.number, params)
        if answer.valid_log_loss is not None:
            handler("report", {"epoch": 1, "valid_loss": answer.valid_log_loss})
        with self.lock:
            self.at_work -= 1
        return answer

    @staticmethod
    def ask(handler, distribution, name, **arguments):
        return handler("suggest", {"name": name, "distribution": distribution, "arguments": arguments})


@pytest.fixture
def searching(tmp_path):
    """Return a function that runs one search, and the storage."""
    own = open_study_file(tmp_path / "study.db")
    storages, events = [own], []

    def go(
        children,
        n_trials=8,
        jobs=1,
        pins=None,
        stop=None,
        seed=42,
        slots=None,
        model=None,
        database=None,
        folder=None,
        deterministic=False,
    ):
        storage = own
        if database is not None:
            storage = open_study_file(tmp_path / database)
            storages.append(storage)
        part = PreparedPart(X=tmp_path / "X.npy", y=tmp_path / "y.npy")
        spec = DataSpec(
            name="d", view="tabular", n_classes=2, class_names=("a", "b"), sample_shape=(4,), n_train=10
        )
        study = PlannedStudy(
            model=model or f"m{len(storage.get_all_studies())}",
            dataset="d",
            n_trials=n_trials,
            max_epochs=5,
            n_refits=1,
            ref=PluginRef("m", MODELS, "m:M", "(local)", ""),
            defaults=DEFAULTS,
            pins=pins or {},
        )
        session = Session(
            config=RunConfig(seed=seed, deterministic=deterministic),
            runner=children,
            folder=tmp_path / f"run-{folder or database}",
            cache=tmp_path,
            jobs=jobs,
            memory_mb=None,
            stop=stop or threading.Event(),
            tell=events.append,
        )
        search = Search(study, PreparedView(spec, part, part, None), storage, session)
        found = search.run(slots or Slots(jobs), 0)
        return found, optuna.load_study(study_name=f"{study.model}--d", storage=storage)

    with quiet_optuna():
        yield SimpleNamespace(go=go, events=events)
    for storage in storages:
        storage.engine.dispose()


def test_search_runs_the_number_of_trials_beginning_with_the_default(searching):
    children = Children()
    found, _ = searching.go(children)
    assert [trial.number for trial in found.trials] == list(range(8))
    assert found.trials[0].params == DEFAULTS
    assert len({str(trial.params) for trial in found.trials}) == 8
    assert len({spec.seed for spec in children.specs}) == 8
    assert [spec.seed for spec in children.specs] == [trial.seed for trial in found.trials]
    assert len({spec.result for spec in children.specs}) == 8
    assert set(found.space) == set(DEFAULTS)


def test_search_database_agrees_with_the_records(searching):
    def outcome(number, params):
        if number == 2:
            return FitAnswer(status="failed", failure=BROKEN)
        if number == 4:
            return FitAnswer(status="pruned", params=params, epochs=2, valid_log_loss=3.0)
        return complete(params, 1 / (number + 1))

    found, study = searching.go(Children(outcome))
    names = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    assert [names[trial.state.name] for trial in study.trials] == [trial.state for trial in found.trials]
    assert [trial.params for trial in study.trials] == [trial.suggested for trial in found.trials]
    told = {trial.number: trial.value for trial in study.trials if trial.state.name == "COMPLETE"}
    assert told == {trial.number: trial.valid_log_loss for trial in found.trials if trial.state == "complete"}
    assert found.best.number == 7 == study.best_trial.number
    assert found.trials[2].params == found.trials[2].suggested


def test_search_best_has_the_lowest_log_loss_whatever_the_accuracy():
    answers = [(0.5, 0.99), (0.3, 0.1), (0.3, 0.9), (0.7, 1.0)]
    trials = [
        trial_record(i, {}, FitAnswer(status="complete", valid_log_loss=loss, valid_accuracy=accuracy), 0)
        for i, (loss, accuracy) in enumerate(answers)
    ]
    trials.append(trial_record(4, {}, FitAnswer(status="pruned", valid_log_loss=0.1), 0))
    assert SearchResult(trials, {}, {}, 0.0).best is trials[1]
    assert SearchResult(trials[4:], {}, {}, 0.0).best is None


def test_search_five_failures_in_a_row_end_it(searching):
    def outcome(number, params):
        return complete(params, 1.0) if number in (0, 4) else FitAnswer(status="failed", failure=BROKEN)

    found, study = searching.go(Children(outcome), n_trials=20)
    assert [trial.state for trial in found.trials] == [
        *["complete", "failed", "failed", "failed", "complete"],
        *["failed"] * 5,
    ]
    assert len(study.trials) == 10


def test_search_pruned_trial_breaks_a_row_of_failures(searching):
    def outcome(number, params):
        status = "pruned" if number == 4 else "failed"
        return FitAnswer(status=status, failure=None if number == 4 else BROKEN)

    found, _ = searching.go(Children(outcome), n_trials=20)
    assert len(found.trials) == 10


@pytest.mark.parametrize("jobs", [1, 3])
def test_search_never_more_at_a_time_than_jobs(searching, jobs):
    children = Children()
    found, _ = searching.go(children, n_trials=9, jobs=jobs)
    assert len(found.trials) == 9
    assert children.most <= jobs


def test_search_pin_reaches_every_trial_and_not_optuna(searching):
    found, study = searching.go(Children(), pins={"width": 17})
    assert {trial.params["width"] for trial in found.trials} == {17}
    assert all("width" not in trial.params for trial in study.trials)
    assert found.trials[0].params == DEFAULTS | {"width": 17}
    assert "width" not in found.importance


def test_search_same_seed_asks_the_same_and_another_seed_does_not(searching):
    """The name of the study is part of the seeds, so one study is repeated in storages of their own."""

    def repeat(number, seed):
        found, _ = searching.go(Children(), seed=seed, model="m", database=f"{number}.db")
        return [(trial.params, trial.seed) for trial in found.trials]

    first, again, other = repeat(0, seed=1), repeat(1, seed=1), repeat(2, seed=2)
    assert first == again
    asked = [{str(params) for params, _ in trials[1:]} for trials in (first, other)]
    seeds = [{seed for _, seed in trials} for trials in (first, other)]
    assert asked[0].isdisjoint(asked[1])
    assert seeds[0].isdisjoint(seeds[1])


def test_search_whose_database_was_lost_goes_on_from_the_committed_trials(searching):
    def outcome(number, params):
        if number == 1:
            return FitAnswer(status="failed", failure=BROKEN)
        if number == 2:
            curve = Curve(epoch=[1, 2], train_loss=[None] * 2, valid_loss=[3.0, 4.0], valid_accuracy=[None] * 2)
            return FitAnswer(status="pruned", params=params, epochs=2, valid_log_loss=3.0, curve=curve)
        return complete(params, abs(params["rate"] - 0.02))

    go = partial(searching.go, model="m", folder="one", pins={"width": 17})
    first, old = go(Children(outcome), n_trials=5, database="old.db")
    again = Children(outcome)
    found, new = go(again, n_trials=7, database="new.db")
    assert [spec.number for spec in again.specs] == [5, 6]
    assert found.trials[:5] == first.trials
    for before, after in zip(old.trials, new.trials[:5], strict=True):
        assert (after.number, after.state, after.params) == (before.number, before.state, before.params)
        assert after.distributions == before.distributions
        assert before.state.name == "PRUNED" or after.value == before.value
    assert new.trials[2].intermediate_values == {1: 3.0, 2: 3.0}
    (notice,) = [event for event in searching.events if isinstance(event, Notice)]
    assert notice.text == "m on d: the database lacks trials of the run; 5 were put back from the run directory."


def test_search_whose_database_was_lost_runs_again_what_was_not_committed(searching, tmp_path):
    go = partial(searching.go, model="m", folder="one")
    go(Children(), n_trials=3, database="old.db")
    for number in (0, 1):
        (tmp_path / "run-one" / "trials" / "m--d" / f"{number:04d}.record.json").unlink()
    again = Children()
    found, _ = go(again, n_trials=4, database="new.db")
    assert [spec.number for spec in again.specs] == [0, 1, 3]
    assert [trial.number for trial in found.trials] == [0, 1, 2, 3]
    assert found.trials[0].params == DEFAULTS


def test_search_whose_database_was_lost_refuses_trials_that_cannot_be_put_back(searching, tmp_path):
    go = partial(searching.go, model="m", folder="one")
    go(Children(), n_trials=2, database="old.db")
    file = tmp_path / "run-one" / "trials" / "m--d" / "0001.record.json"
    file.write_text(file.read_text().replace('"space":{"rate"', '"space":{"speed"'))
    again = Children()
    with pytest.raises(StorageError, match=r"Trial 1 of m on d is not in the database and cannot be put back"):
        go(again, n_trials=4, database="new.db")
    assert again.specs == []


def test_search_stopped_asks_for_nothing_more(searching):
    stop = threading.Event()

    def outcome(number, params):
        if number == 2:
            stop.set()
        return complete(params, 1.0)

    found, study = searching.go(Children(outcome), stop=stop)
    assert len(found.trials) == len(study.trials) == 3


def test_search_pruner_ends_what_is_not_among_the_best_third(searching):
    heard, losses = [], [3.0, 2.0, 2.4, 2.3, 2.0, 1.0, 2.1, 1.5]

    class Reporting(Children):
        def run(self, spec, handler):
            rate = self.ask(handler, "float", "rate", low=1e-3, high=1e-1, step=None, log=True)
            loss = losses[spec.number]
            for epoch in range(1, 6):
                if not handler("report", {"epoch": epoch, "valid_loss": loss}):
                    heard.append((spec.number, epoch))
                    return FitAnswer(status="pruned", params={"rate": rate}, epochs=epoch, valid_log_loss=loss)
            return complete({"rate": rate}, loss)

    found, study = searching.go(Reporting())
    assert heard == [(2, 1), (6, 1)]  # 2.4 is better than the median of 3 and 2
    assert [trial.state for trial in found.trials] == [("pruned" if n in (2, 6) else "complete") for n in range(8)]
    assert [trial.state.name for trial in study.trials] == [trial.state.upper() for trial in found.trials]


def test_search_tells_its_listener_what_happens(searching):
    searching.go(Children(lambda number, params: complete(params, 3.0 - number)), n_trials=3)
    kinds = [type(event) for event in searching.events]
    assert kinds == [StudyStarted, *[EpochFinished, TrialFinished] * 3]
    finished = [event for event in searching.events if isinstance(event, TrialFinished)]
    assert [event.best for event in finished] == [3.0, 2.0, 1.0]
    assert [event.n_finished for event in finished] == [1, 2, 3]


def test_search_that_cannot_ask_gives_its_slot_back(searching, monkeypatch):
    def full(self, *arguments, **keywords):
        raise OSError("disk full")

    slots = Slots(1)
    monkeypatch.setattr(optuna.Study, "ask", full)
    with pytest.raises(OSError, match="disk full"):
        searching.go(Children(), slots=slots)
    waiting = threading.Thread(target=slots.acquire, args=[9], daemon=True)
    waiting.start()
    waiting.join(5)
    assert not waiting.is_alive()


def test_search_impossible_range_is_refused_in_one_sentence():
    trial = optuna.create_study().ask()
    with pytest.raises(RefusedError, match=r"suggest_float\('rate'"):
        suggest(trial, "float", "rate", {"low": 2.0, "high": 1.0})


def test_search_storage_is_in_wal_mode(tmp_path):
    storage = open_study_file(tmp_path / "study.db")
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    storage.engine.dispose()


def test_search_writes_what_other_threads_go_through_under_its_lock(searching, monkeypatch):
    """Another thread goes through these to see whether the time is up, or which ranges were asked for."""
    without, begin = [], Search._begin

    class Guarded(dict):
        def __init__(self, search, name):
            super().__init__()
            self.note = lambda: search._lock.locked() or without.append(name)

        def __setitem__(self, key, value):
            self.note()
            super().__setitem__(key, value)

        def pop(self, *arguments):
            self.note()
            return super().pop(*arguments)

    def guard_and_begin(search):
        if not search._has_begun:
            for name in ("_running_since", "_spaces", "_records"):
                setattr(search, name, Guarded(search, name))
        begin(search)

    monkeypatch.setattr(Search, "_begin", guard_and_begin)
    asks_nothing = SimpleNamespace(run=lambda spec, _handler: complete({}, spec.number + 1.0))
    for children in (Children(), asks_nothing):
        found, _ = searching.go(children, n_trials=3)
        assert len(found.trials) == 3
    assert without == []
