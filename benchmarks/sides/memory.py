"""By how much the memory of a process and its descendants grows, pages that they share counted once."""

from __future__ import annotations

import contextlib
import threading

import psutil

INTERVAL_S = 0.5


class MemoryWatch:
    """Samples twice a second from its making on; ``growth_mb`` is the highest sample minus the first."""

    def __init__(self) -> None:
        self._first = self._highest = _tree_mb()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """End the sampling and return the growth in MB."""
        self._stop.set()
        self._thread.join()
        return self._highest - self._first

    def _watch(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            self._highest = max(self._highest, _tree_mb())


def _tree_mb() -> float:
    """Return the proportional set sizes of this process and all below it (Linux; elsewhere resident sizes)."""
    own, total = psutil.Process(), 0.0
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            memory = process.memory_full_info()
            total += getattr(memory, "pss", memory.rss)
    return total / 1e6
