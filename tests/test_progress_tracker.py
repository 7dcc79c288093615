"""Counting events, and the estimate of the time left, against a clock that the test moves."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncompare.events import (
    EpochFinished,
    FinalFinished,
    Notice,
    RefitFinished,
    StudyFinished,
    StudyStarted,
    TrialFinished,
)
from nncompare.progress.tracker import Tracker, duration
from nncompare.results import Failure, FinalRecord, RefitRecord, StudyRecord, TrialRecord

from .planned_studies import planned

START = StudyStarted("mlp", "digits", n_trials=4, max_epochs=10, n_refits=2)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def trial(number, n_finished, loss=None, accuracy=None, state="complete"):
    record = TrialRecord(number=number, state=state, params={}, valid_log_loss=loss, valid_accuracy=accuracy)
    return TrialFinished("mlp", "digits", record, n_finished, 4, loss)


def epoch(role, number, count):
    return EpochFinished("mlp", "digits", role, number, count, 10, 0.5)


def refit(n_finished):
    return RefitFinished("mlp", "digits", RefitRecord(seed=n_finished, test_accuracy=0.9), n_finished, 2)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tracker(clock):
    return Tracker(clock)


def test_tracker_counts_trials_and_keeps_the_best(tracker):
    tracker.update(START)
    tracker.update(trial(0, 1, loss=0.5, accuracy=0.8))
    tracker.update(trial(2, 2, loss=0.3, accuracy=0.9))
    study = tracker.update(trial(1, 3, loss=0.4, accuracy=0.95))
    assert (study.n_trials_done, study.best_loss, study.best_accuracy) == (3, 0.3, 0.9)
    assert study.phase == "search"


def test_tracker_counts_finals_between_the_search_and_the_refits(tracker):
    tracker.follow(SimpleNamespace(studies=[planned(n_finals=2, max_epochs=9)]))
    study = tracker.update(StudyStarted("mlp", "digits", n_trials=4, max_epochs=9, n_refits=2, n_finals=2))
    assert study.work == 9 * (4 * 100 + 2 * 200) + 2 * 3 * 200
    before = study.work_done
    tracker.update(EpochFinished("mlp", "digits", "final", 3, 2, 3, 0.5))
    assert (study.phase, study.work_done - before) == ("final", 2 * 200)
    tracker.update(FinalFinished("mlp", "digits", FinalRecord(trial=3, valid_log_loss=0.4), 1, 2))
    assert (study.n_finals_done, study.running, study.work_done - before) == (1, {}, 3 * 200)
    tracker.update(refit(1))
    assert study.phase == "refit"
    assert study.best_loss is None  # that of the search


@pytest.mark.parametrize("state", ["pruned", "failed"])
def test_tracker_best_is_never_of_a_trial_that_did_not_complete(tracker, state):
    tracker.update(START)
    assert tracker.update(trial(0, 1, loss=0.1, state=state)).best_loss is None


def test_tracker_work_grows_with_epochs_and_a_finished_trial_is_whole(tracker):
    tracker.follow(SimpleNamespace(studies=[planned()]))
    study = tracker.update(START)
    assert (study.work_done, study.work) == (0, 10 * (4 * 100 + 2 * 200))
    tracker.update(epoch("trial", 0, 3))
    tracker.update(epoch("trial", 1, 2))
    assert study.work_done == 500
    tracker.update(trial(0, 1, loss=0.5))
    assert study.work_done == 1200


def test_tracker_refits_end_one_by_one(tracker):
    tracker.follow(SimpleNamespace(studies=[planned()]))
    study = tracker.update(START)
    for number in range(4):
        tracker.update(trial(number, number + 1, loss=0.5))
    tracker.update(epoch("refit", 0, 9))
    tracker.update(epoch("refit", 1, 4))
    assert study.phase == "refit"
    tracker.update(refit(1))
    assert study.work_done == 4000 + 2000 + 4 * 200
    assert study.n_refits_done == 1


def test_tracker_final_record_ends_a_study(tracker):
    study = tracker.update(START)
    failure = Failure(category="plugin", message="broken")
    record = StudyRecord(model="mlp", dataset="digits", status="failed", failure=failure)
    assert tracker.update(StudyFinished(record)) is study
    assert (study.phase, study.final, tracker.n_done) == ("done", record, 1)
    assert study.work_done == study.work


def test_tracker_ignores_what_belongs_to_no_study(tracker):
    record = StudyRecord(model="cnn", dataset="mnist", status="not_run")
    assert tracker.update(StudyFinished(record)) is None
    assert tracker.update(Notice("hello")) is None


def test_tracker_plan_leaves_out_what_will_not_run(tracker):
    failure = Failure(category="data", message="no network")
    tracker.follow(SimpleNamespace(studies=[planned(), planned("cnn", failure)]))
    assert list(tracker.studies) == [("mlp", "digits")]


def test_time_left_extends_the_pace_over_all_studies(tracker, clock):
    tracker.follow(SimpleNamespace(studies=[planned(), planned("cnn")]))
    assert tracker.left_s() is None
    study = tracker.update(START)
    clock.now = 10.0
    assert study.phase == "waiting"
    tracker.update(epoch("trial", 0, 1))
    clock.now = 30.0
    for number in range(4):
        tracker.update(trial(number, number + 1))
    assert tracker.left_s() == pytest.approx(90.0)  # a quarter of two equal studies is done
    assert tracker.study_left_s(study) == pytest.approx(20.0)  # half of this one, in 20 s


def test_time_left_is_what_was_foretold_until_enough_is_done(tracker, clock):
    tracker.follow(SimpleNamespace(studies=[planned()]), SimpleNamespace(seconds=100.0))
    clock.now = 10.0
    assert tracker.left_s() == pytest.approx(90.0)
    tracker.update(START)
    tracker.update(epoch("trial", 0, 2))
    assert tracker.left_s() == pytest.approx(90.0)  # 2.5 % of the work
    for number in range(2):
        tracker.update(trial(number, number + 1))
    assert tracker.left_s() == pytest.approx(30.0)  # a quarter of it, in 10 s


@pytest.mark.parametrize("seconds", [None, 9.0])
def test_time_left_is_unknown_where_nothing_or_too_little_was_foretold(tracker, clock, seconds):
    tracker.follow(SimpleNamespace(studies=[planned()]), SimpleNamespace(seconds=seconds))
    clock.now = 10.0
    assert tracker.left_s() is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 12)), max_size=60))
def test_work_done_stays_within_the_work(events):
    tracker = Tracker(Clock())
    study = tracker.update(START)
    for number, count in events:
        tracker.update(epoch("trial", number, count))
    assert 0 <= study.work_done <= study.work


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59.4, "59 s"), (60, "1 min"), (150, "2 min"), (3600, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_duration_in_words(seconds, text):
    assert duration(seconds) == text
