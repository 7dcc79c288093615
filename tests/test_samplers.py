"""Draws that a kill does not change; Optuna's advice, kept from users, whoever Python says that it comes from."""

import warnings

import optuna
import pytest

from nncompare.lagged import LAG, lagged_study
from nncompare.plan import PlannedStudy
from nncompare.results import TrialRecord
from nncompare.samplers import (
    RememberingPruner,
    importance,
    make_pruner,
    make_sampler,
    n_startup_trials,
    quiet_optuna,
)
from nncompare.storage import open_study_file
from nncompare.studies import tell_optuna

PLANNED = PlannedStudy(model="m", dataset="d", n_trials=40, max_epochs=5, n_refits=1)
FAMILIAR, UNKNOWN = ("x", "y", "z"), "rare"


@pytest.fixture
def storage(tmp_path):
    with quiet_optuna():
        own = open_study_file(tmp_path / "study.db")
        yield own
    own.engine.dispose()


def study_of(storage, name, number, lagged):
    """Return the study as a process that has just begun has it."""
    if lagged:
        return lagged_study(storage, name, PLANNED, 42, number)
    return optuna.load_study(study_name=name, storage=storage, sampler=make_sampler(PLANNED, 42))


def drawn(trial, names):
    return {name: trial.suggest_float(name, 0.0, 1.0) for name in names}


def draws(storage, n_before, n_known, *, lagged):
    """Return what trial ``n_before`` draws, where its process ends after ``n_known`` parameters."""
    name = f"{n_before}-{n_known}-{lagged}"
    study = optuna.create_study(storage=storage, study_name=name)
    for number in range(n_before):
        params = {x: (number * k + 1) % 17 / 17 for k, x in enumerate(FAMILIAR, 3)}
        space = dict.fromkeys(FAMILIAR, optuna.distributions.FloatDistribution(0.0, 1.0))
        study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=params["x"]))
    names = (FAMILIAR[0], UNKNOWN, *FAMILIAR[1:], "last")
    trial = study_of(storage, name, n_before, lagged).ask()
    drawn(trial, names[:n_known])
    return drawn(optuna.Trial(study_of(storage, name, n_before, lagged), trial._trial_id), names)


@pytest.mark.parametrize("lagged", [False, True])
@pytest.mark.parametrize("n_before", [1, n_startup_trials(PLANNED) + LAG + 2])
def test_trial_that_goes_on_draws_what_it_would_have_drawn(storage, n_before, lagged):
    whole = draws(storage, n_before, 0, lagged=lagged)
    assert len(set(whole.values())) == len(whole)
    for n_known in range(1, len(whole) + 1):
        assert draws(storage, n_before, n_known, lagged=lagged) == whole


def test_trials_side_by_side_draw_by_their_own_numbers(storage):
    optuna.create_study(storage=storage, study_name="one")
    study = study_of(storage, "one", 0, lagged=False)
    first, second = study.ask(), study.ask()
    ours = drawn(second, FAMILIAR), drawn(first, FAMILIAR)
    assert not set(ours[0].values()) & set(ours[1].values())
    optuna.create_study(storage=storage, study_name="two")
    study = study_of(storage, "two", 0, lagged=False)
    assert (drawn(study.ask(), FAMILIAR), drawn(study.ask(), FAMILIAR)) == ours[::-1]


@pytest.mark.parametrize("module", ["optuna.importance._ped_anova.evaluator", "nncompare.samplers"])
def test_advice_of_optuna_is_silenced_in_its_own_name_and_in_that_of_its_caller(module):
    with quiet_optuna():
        warnings.warn_explicit("Some regimes have less than 2 trials.", UserWarning, "file.py", 1, module=module)


def test_warnings_of_others_are_heard():
    with quiet_optuna(), pytest.raises(UserWarning, match="mine"):
        warnings.warn_explicit("mine", UserWarning, "file.py", 1, module="somebody.else")


def test_pruner_that_remembers_prunes_as_the_one_that_reads_each_time(storage):
    remembering, reading = RememberingPruner(make_pruner(PLANNED)), make_pruner(PLANNED)
    study = optuna.create_study(storage=storage, study_name="pruned", pruner=remembering)
    said = []
    running = [study.ask() for _ in range(4)]  # they end out of order, and between the reports of others
    for step in range(40):
        trial = running.pop(step % 4)
        for epoch in range(1, PLANNED.max_epochs + 1):
            value = (trial.number * 7 % 11) / epoch
            trial.report(value, epoch)
            frozen = storage.get_trial(trial._trial_id)
            said.append((remembering.prune(study, frozen), reading.prune(study, frozen)))
            if said[-1][1]:
                break
        state = "pruned" if said[-1][1] else "complete"
        tell_optuna(study, TrialRecord(number=trial.number, state=state, params={}, valid_log_loss=value))
        running.append(study.ask())
    assert [ours for ours, _ in said] == [theirs for _, theirs in said]
    assert {theirs for _, theirs in said} == {True, False}


def test_pruner_lets_a_third_of_the_complete_trials_go_on_once_a_fifth_is_complete(storage):
    study = optuna.create_study(storage=storage, study_name="third", pruner=make_pruner(PLANNED))

    def is_pruned(value):
        trial = study.ask()
        trial.report(value, 1)
        pruned = trial.should_prune()
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return pruned

    for n_complete in range(1, 10):
        assert is_pruned(99.0) == (n_complete > 8)  # of 40 trials 8
        trial = study.ask()
        trial.report(float(n_complete), 1)
        study.tell(trial, float(n_complete))
    assert [value for value in (1.0, 2.0, 3.0, 3.5, 4.0, 5.0) if not is_pruned(value)] == [1.0, 2.0, 3.0, 3.5]


def test_pruner_that_remembers_reads_once_for_each_trial_that_ended(storage, monkeypatch):
    study = optuna.create_study(storage=storage, study_name="read", pruner=RememberingPruner(make_pruner(PLANNED)))
    reads = []
    monkeypatch.setattr(study, "get_trials", lambda **_: reads.append(1) or [])
    trial = study.ask()
    for epoch in range(1, 6):
        trial.report(1.0, epoch)
        trial.should_prune()
    assert len(reads) == 1
    tell_optuna(study, TrialRecord(number=trial.number, state="complete", params={}, valid_log_loss=1.0))
    study.ask().should_prune()
    assert len(reads) == 2


def test_importance_counts_pruned_trials_among_the_rest():
    space = dict.fromkeys(("x", "y"), optuna.distributions.FloatDistribution(0.0, 1.0))
    with quiet_optuna():
        study = optuna.create_study()
        for number in range(20):
            params = {"x": number / 20, "y": number * 7 % 20 / 20}
            ended = {"value": 0.1 + params["x"]} if number < 4 else {"state": optuna.trial.TrialState.PRUNED}
            values = {1: 1.0 + params["x"]}
            trial = optuna.trial.create_trial(
                params=params, distributions=space, intermediate_values=values, **{"value": values[1], **ended}
            )
            study.add_trial(trial)
        found = importance(study)
    assert found["x"] > 2 * found["y"]
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-3)
