"""Slots: never more at a time than allowed, the earliest study first."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncompare.slots import Slots

from .children import wait_until


@settings(max_examples=15, deadline=None)
@given(n_slots=st.integers(1, 4), priorities=st.lists(st.integers(-1, 3), min_size=1, max_size=12))
def test_slots_never_more_at_a_time_than_allowed(n_slots, priorities):
    slots, lock = Slots(n_slots), threading.Lock()
    running, most = 0, 0

    def work(priority):
        nonlocal running, most
        for _ in range(5):
            with slots.slot(priority):
                with lock:
                    running += 1
                    most = max(most, running)
                with lock:
                    running -= 1

    threads = [threading.Thread(target=work, args=[priority]) for priority in priorities]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert running == 0
    assert 1 <= most <= n_slots


def waiting(slots, priority, order):
    """Start a thread that waits for a slot, and return once it does."""
    before = len(slots._waiting)

    def work():
        with slots.slot(priority):
            order.append(priority)

    thread = threading.Thread(target=work)
    thread.start()
    assert wait_until(lambda: len(slots._waiting) > before)
    return thread


def test_slots_lowest_priority_number_goes_first():
    slots, order = Slots(1), []
    slots.acquire(0)
    threads = [waiting(slots, priority, order) for priority in (3, 1, 2, -1, 1)]
    slots.release()
    for thread in threads:
        thread.join(5)
    assert order == [-1, 1, 1, 2, 3]


def test_slots_released_when_the_block_raises():
    slots = Slots(1)
    with pytest.raises(ZeroDivisionError), slots.slot(0):
        _ = 1 / 0
    taken = threading.Thread(target=slots.acquire, args=[0], daemon=True)
    taken.start()
    taken.join(5)
    assert not taken.is_alive()
