"""Whether a run repeats: it does not where anything but its settings had a part in it."""

import pytest

from nncompare.repeating import have_changed, is_repeatable, told_in, void_reasons
from nncompare.results import Failure, RefitRecord, Settings, TrialRecord
from nncompare.settings import RunConfig

from .test_parts import results, study

CONFIG = RunConfig(deterministic=True)


def check(whole, config=CONFIG, *, changed=False):
    """Return whether a run says that it repeats; what a verdict of ``--deterministic`` says agrees with it."""
    repeats = is_repeatable(config, 1, "complete", whole.studies, changed=changed)
    checks = told_in(whole.datasets[0], config, whole.studies, changed=changed).verdict.checks
    assert [found.code for found in checks] == ([] if repeats else ["not_deterministic"])
    return repeats, checks[0].text if checks else ""


def test_settings_that_keep_a_run_from_repeating_are_known_before_it_starts():
    assert void_reasons(CONFIG) == []
    assert void_reasons(RunConfig(threads=2)) == ["2 threads may add numbers up in another order"]
    clock = "--timeout lets the clock decide how many trials there are"
    assert void_reasons(RunConfig(timeout_s=9.0, threads=3)) == [
        clock,
        "3 threads may add numbers up in another order",
    ]


def with_refits(*failures):
    refits = [RefitRecord(seed=n, failure=failure) for n, failure in enumerate(failures)]
    return study("a", 2).model_copy(update={"refits": refits})


def test_run_that_nothing_ended_repeats():
    assert check(results([with_refits(None, None)])) == (True, "")
    broken = Failure(category="plugin", message="broken")
    assert check(results([with_refits(None, broken)])) == (True, "")


@pytest.mark.parametrize("category", ["timeout", "oom", "killed", "storage", "disk"])
def test_refit_or_trial_or_search_that_was_ended_from_outside_does_not_repeat(category):
    failure = Failure(category=category, message="ended")
    trial = TrialRecord(number=2, state="failed", params={}, failure=failure)
    of_trial = study("a", 2).model_copy(update={"trials": [trial]})
    for ended in (with_refits(None, failure), of_trial, study("a", 2, "failed", failure=failure)):
        repeats, text = check(results([ended]))
        assert not repeats
        assert "1 training was ended by time, memory, a signal, a disk or the storage" in text


def test_study_that_failed_by_its_trainings_is_not_counted_beside_them():
    failure = Failure(category="oom", message="ended")
    both = with_refits(failure, failure).model_copy(update={"status": "failed", "failure": failure})
    assert "2 trainings were ended" in check(results([both]))[1]


def part(earlier, **settings):
    """Return the results of a part that goes on with ``earlier``."""
    asked = Settings(**settings)
    changed = have_changed(asked, earlier)
    return results([study("a", 2)], settings=asked, settings_changed=changed)


def test_part_with_other_jobs_is_remembered_by_all_later_ones():
    first = part(None, jobs=4)
    second = part(first, jobs=1)
    third = part(second, jobs=1)
    assert [found.settings_changed for found in (first, second, third)] == [False, True, True]
    assert not is_repeatable(RunConfig(), 1, "complete", third.studies, changed=third.settings_changed)


def test_other_jobs_are_no_change_where_a_search_does_not_depend_on_them():
    first = part(None, jobs=4, deterministic=True)
    assert not part(first, jobs=1, deterministic=True).settings_changed


@pytest.mark.parametrize("deterministic", [False, True])
def test_other_number_of_trials_draws_others_at_random(deterministic):
    first = part(None, n_trials=5, deterministic=deterministic)
    assert not part(first, n_trials=5, deterministic=deterministic).settings_changed
    longer = part(first, n_trials=12, deterministic=deterministic)
    assert longer.settings_changed
    repeats, text = check(longer, changed=True)
    assert not repeats
    assert "the number of trials was changed when it was resumed" in text


def test_part_that_was_killed_before_it_wrote_anything_changes_nothing():
    nothing = results([], "interrupted", settings=Settings(jobs=4, n_trials=9))
    assert not have_changed(Settings(), nothing)
