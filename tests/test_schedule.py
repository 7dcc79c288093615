"""The rehearsal of a run: who gets a slot when, and when all is done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncompare.schedule import StudyWork, wall_time

seconds = st.lists(st.floats(0.01, 100), max_size=5)
works = st.lists(st.builds(StudyWork, seconds, seconds, seconds), max_size=4)


@pytest.mark.parametrize(
    ("n_slots", "expected"),
    [(1, 4 * 2 + 2 * 3), (2, 2 * 2 + 3), (3, 2 * 2 + 3), (4, 2 + 3), (100, 2 + 3)],
)
def test_schedule_refits_begin_after_the_last_trial(n_slots, expected):
    assert wall_time([StudyWork([2.0] * 4, [3.0] * 2)], n_slots) == expected


@pytest.mark.parametrize(("n_slots", "expected"), [(1, 8 + 15 + 6), (2, 4 + 10 + 3), (3, 4 + 5 + 3)])
def test_schedule_finals_begin_after_the_last_trial_and_before_the_first_refit(n_slots, expected):
    assert wall_time([StudyWork([2.0] * 4, [3.0] * 2, [5.0] * 3)], n_slots) == expected


def test_schedule_a_later_study_gets_the_slots_that_an_earlier_one_leaves():
    first, second = StudyWork([10.0], [10.0]), StudyWork([4.0] * 5)
    assert wall_time([first, second], 2) == 20
    assert wall_time([first, second], 1) == 40


def test_schedule_an_earlier_study_goes_first():
    assert wall_time([StudyWork([5.0, 5.0]), StudyWork([8.0])], 2) == 13


def test_schedule_references_hold_one_slot():
    assert wall_time([StudyWork([2.0, 2.0])], 2, references_s=3.0) == 4
    assert wall_time([StudyWork([2.0, 2.0])], 1, references_s=3.0) == 7
    assert wall_time([], 2, references_s=3.0) == 3


@pytest.mark.parametrize(("limit_s", "expected"), [(0.5, 10 + 1), (10.5, 20 + 1), (1000.0, 50 + 1)])
def test_schedule_no_trial_begins_after_the_limit_and_refits_follow(limit_s, expected):
    assert wall_time([StudyWork([10.0] * 5, [1.0])], 1, search_limit_s=limit_s) == expected


def test_schedule_the_limit_counts_from_the_first_trial_of_a_study():
    work = StudyWork([10.0] * 2, [1.0])
    assert wall_time([work, work], 1, search_limit_s=15.0) == 42


@given(works, st.integers(1, 4), st.floats(0, 50))
def test_schedule_lies_between_perfect_sharing_and_one_after_the_other(studies, n_slots, references_s):
    tasks = [*(s for work in studies for s in (*work.trials, *work.finals, *work.refits)), references_s]
    found = wall_time(studies, n_slots, references_s)
    assert max(max(tasks), sum(tasks) / n_slots) * 0.999 <= found <= sum(tasks) * 1.001
