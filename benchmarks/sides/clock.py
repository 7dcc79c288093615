"""A clock of wall and CPU seconds that stands still while the benchmark itself has work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from nncompare.execution.process import cpu_seconds


class Clock:
    """Runs from its making."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), cpu_seconds()

    def read(self) -> tuple[float, float]:
        """Return the wall and the CPU seconds so far."""
        return time.perf_counter() - self._wall, cpu_seconds() - self._cpu

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave a block out."""
        wall, cpu = time.perf_counter(), cpu_seconds()
        yield
        self._wall += time.perf_counter() - wall
        self._cpu += cpu_seconds() - cpu
