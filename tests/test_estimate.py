"""How long a run will take: what moves the estimate, what it leaves behind, and how it is said."""

import itertools
from dataclasses import replace

import pytest

from nncompare import estimate
from nncompare.estimate import Estimate, estimate_plan, in_words, study_work
from nncompare.events import Notice
from nncompare.execution.runner import LocalRunner
from nncompare.pace import Pace
from nncompare.plan import PlannedStudy
from nncompare.planning import make_plan
from nncompare.schedule import wall_time
from nncompare.settings import RunConfig

from .children import dataset, fault
from .whole_runs import files_of

PACE = Pace(startup_s=1.0, epoch_s=0.5)


def planned(**fields):
    budget = {"n_trials": 20, "max_epochs": 40, "n_refits": 3}
    return PlannedStudy(model="m", dataset="d", **(budget | fields))


def seconds(study=None, pace=PACE, n_valid=100, n_test=100, longest_s=1e6):
    return wall_time([study_work(study or planned(), pace, n_valid, n_test, longest_s)], 1)


@pytest.fixture
def plan_of(runner, tmp_path):
    """Return a function that plans models of faults.py on digits."""

    def go(*models, datasets=("digits",), **settings):
        names = tuple(map(fault, models))
        config = RunConfig(models=names, datasets=tuple(datasets), out=tmp_path / "out", **settings)
        return make_plan(config, runner)

    return go


@pytest.mark.parametrize("field", ["n_trials", "max_epochs", "n_refits"])
def test_estimate_more_of_anything_takes_longer(field):
    found = [seconds(planned(**{field: value})) for value in (1, 2, 3, 5, 10, 30, 100)]
    assert all(less < more for less, more in itertools.pairwise(found))


def test_estimate_refits_on_more_rows_take_longer():
    few = planned(search_rows=range(1000), refit_rows=range(1000))
    assert seconds(few) < seconds(replace(few, refit_rows=range(5000)))
    assert seconds(few) < seconds(replace(few, valid_in_refit=True))


def test_estimate_counts_finals_of_a_quarter_of_the_epochs_on_the_rows_of_refits():
    sample = planned(search_rows=range(1000), refit_rows=range(5000), valid_in_refit=True)
    without = study_work(sample, PACE, 100, 100, 1e6)
    work = study_work(replace(sample, n_finalists=3), PACE, 100, 100, 1e6)
    assert (without.finals, len(work.finals)) == ([], 3)
    assert (work.trials, work.refits) == (without.trials, without.refits)
    row_s = PACE.epoch_s / (1000 + 100 / 3)
    assert work.finals[0] == pytest.approx(1.0 + 10 * 0.92 * row_s * (5000 + 100 / 3))
    assert study_work(replace(sample, n_finalists=3, n_trials=2), PACE, 100, 100, 1e6).finals == work.finals[:2]


def test_estimate_a_slower_pace_takes_longer():
    assert seconds(pace=Pace(1.0, 0.5)) < seconds(pace=Pace(2.0, 0.5)) < seconds(pace=Pace(2.0, 1.0))


def test_estimate_of_a_model_fitted_in_one_go_knows_no_epochs():
    pace = Pace(0.0, 2.0, at_once=True)
    study = planned(search_rows=range(100), refit_rows=range(100))
    found = study_work(study, pace, 50, 50, 1e6)
    assert found.trials == [2.0] * 20
    assert found == study_work(replace(study, max_epochs=1000), pace, 50, 50, 1e6)


def test_estimate_no_training_is_longer_than_its_limit():
    work = study_work(planned(), PACE, 100, 100, 3.0)
    assert max(*work.trials, *work.refits) == 3.0


def test_estimate_later_trials_are_shorter_than_the_first_ones():
    trials = study_work(planned(), PACE, 100, 100, 1e6).trials
    assert len(trials) == 20
    assert len(set(trials[:4])) == 1
    assert trials[3] > trials[4] == trials[-1]


@pytest.mark.slow
def test_estimate_of_known_epochs_is_near_the_truth(plan_of, runner):
    plan = plan_of("Slow", n_trials=4, max_epochs=3, n_refits=2, jobs=1)  # each epoch sleeps 0.2 s
    found = estimate_plan(plan, runner)
    at_least = 0.2 * (4 + 2)  # an epoch of each training
    assert at_least < found.studies["Slow", "digits"] < found.seconds < 10 * at_least


def test_estimate_leaves_nothing_behind_and_tells_the_listener(plan_of, runner, tmp_path):
    plan, events = plan_of("Nearest", n_trials=3, max_epochs=3, n_refits=1), []
    found = estimate_plan(plan, runner, events.append)
    assert not plan.folder.exists()
    assert files_of(tmp_path) == []
    assert found.seconds > 0
    assert set(found.studies) == {("Nearest", "digits")}
    assert found.reasons == {}
    assert events == [Notice(found.text)]


def test_estimate_a_study_that_cannot_be_probed_has_a_reason_and_the_run_no_estimate(plan_of, runner):
    events = []
    found = estimate_plan(plan_of("Nearest", "Raises", jobs=2), runner, events.append)
    assert found.seconds is None
    assert set(found.studies) == {("Nearest", "digits")}
    assert set(found.reasons) == {("Raises", "digits")}
    assert "ValueError" in found.reasons["Raises", "digits"]
    assert (found.text, events) == ("", [])
    assert found.of_study("Raises", "digits") == "unknown"


def test_estimate_a_probe_has_a_time_limit(plan_of, runner, monkeypatch):
    monkeypatch.setattr(estimate, "PROBE_TIMEOUT_S", 0.5)
    found = estimate_plan(plan_of("SleepsForEver"), runner)
    assert found.reasons == {("SleepsForEver", "digits"): "Its first epoch takes more than 0.5 s."}


def test_estimate_studies_that_will_not_run_are_not_probed(plan_of, runner):
    plan = plan_of("ImageOnly", "Nearest", datasets=("digits", dataset("Waves")))
    run = [(s.model, s.dataset) for s in plan.studies if s.failure is None]
    found = estimate_plan(plan, runner)
    assert sorted(found.studies) == sorted(run)
    assert len(run) < len(plan.studies)


def test_estimate_of_nothing_is_none(plan_of, runner):
    plan = plan_of("Nearest", datasets=(dataset("Absent"),))
    assert estimate_plan(plan, runner) == Estimate(seconds=None, jobs=plan.jobs, probe_s=pytest.approx(0, abs=5))


def test_estimate_in_a_run_that_is_being_stopped_has_reasons(plan_of):
    plan = plan_of("Nearest")
    with LocalRunner() as stopped:
        stopped.stop()
        found = estimate_plan(plan, stopped)
    assert found.reasons == {("Nearest", "digits"): "The run was interrupted."}


def test_estimate_ctrl_c_ends_the_children(plan_of, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    plan = plan_of("Nearest")
    monkeypatch.setattr(estimate, "measure_pace", interrupted)
    with LocalRunner() as stopped:
        with pytest.raises(KeyboardInterrupt):
            estimate_plan(plan, stopped)
        assert stopped.stopping


def test_estimate_a_wall_time_for_the_searches_shortens_the_run(plan_of, runner, monkeypatch):
    monkeypatch.setattr(estimate, "measure_pace", lambda *_: PACE)
    free, limited = (
        estimate_plan(plan_of("Nearest", n_refits=1, **settings), runner) for settings in ({}, {"timeout_s": 5.0})
    )
    assert limited.seconds < free.seconds
    assert limited.studies["Nearest", "digits"] < free.studies["Nearest", "digits"]


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0.1, "1 s"), (14.4, "14 s"), (19.8, "20 s"), (33.0, "35 s"), (59.0, "60 s"), (95.0, "100 s"),
        (117.0, "2 min"), (130.0, "2 min"), (1100.0, "18 min"), (1700.0, "30 min"), (3500.0, "1 h"),
        (5300.0, "1 h 30 min"), (7300.0, "2 h"), (40_000.0, "11 h"), (9e6, "2,500 h"),
    ],
)  # fmt: skip
def test_estimate_is_said_as_coarsely_as_it_is_known(length, words):
    assert in_words(length) == words


def test_estimate_in_one_sentence():
    found = Estimate(seconds=1100.0, jobs=2, studies={("cnn", "mnist"): 700.0})
    assert found.text == (
        "The run takes about 18 min, likely 11 to 30 min, 2 trials at a time "
        "(estimated from an epoch or two of each study)."
    )
    assert found.of_study("cnn", "mnist") == "12 min"
    assert "1 trial at a time" in replace(found, jobs=1).text
    assert "likely 60 s to 3 min" in replace(found, seconds=100.0).text
    assert "likely 40 min to 1 h 50 min" in replace(found, seconds=4000.0).text


def test_estimate_on_a_busy_machine_says_that_it_may_be_too_long():
    found = Estimate(seconds=1100.0, jobs=2, busy=True)
    assert found.text.endswith(" of each study). Other work is running, so this may be off.")
    assert replace(found, seconds=None).text == ""


@pytest.mark.parametrize(("load", "busy"), [(2.5, True), (1.9, False)])
def test_machine_is_busy_with_a_load_above_its_processors(monkeypatch, load, busy):
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert estimate._is_busy() is busy
