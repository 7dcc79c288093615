"""Which trial may run next: a semaphore that serves the earliest study first."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Slots:
    """As many trials at a time as the user asked for; the rest wait in the order of their studies.

    One study at a time gets all slots that it can use, and the next study the ones that it leaves idle: at
    the end of a search no processor waits for the last trial.

    Parameters
    ----------
    n_slots : int
        At least 1.
    """

    def __init__(self, n_slots: int) -> None:
        self._free = self._n_slots = n_slots
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._tickets = itertools.count()

    def acquire(self, priority: int) -> None:
        """Wait for a slot; the lowest ``priority`` goes first, then who came first."""
        with self._changed:
            ticket = (priority, next(self._tickets))
            heapq.heappush(self._waiting, ticket)
            self._changed.wait_for(lambda: self._free > 0 and self._waiting[0] == ticket)
            heapq.heappop(self._waiting)
            self._free -= 1
            self._changed.notify_all()

    def release(self) -> None:
        """Give a slot back."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def map(self, function: Callable[[T], R], items: Iterable[T], priority: int) -> list[R]:
        """Call a function for each item in a slot and a thread of its own; return what came, in the same order."""

        def in_slot(item: T) -> R:
            with self.slot(priority):
                return function(item)

        with ThreadPoolExecutor(max_workers=self._n_slots) as pool:
            return list(pool.map(in_slot, items))

    @contextmanager
    def slot(self, priority: int) -> Iterator[None]:
        """Hold a slot for a block."""
        self.acquire(priority)
        try:
            yield
        finally:
            self.release()
