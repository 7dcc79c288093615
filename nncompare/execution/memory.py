"""The private memory of a process and its descendants, read cheaply and often."""

from __future__ import annotations

import time

import psutil

from nncompare.cgroup import free_memory

SCAN_S = 2.0


class MemoryWatch:
    """Growth of a process tree's memory since the watch began.

    File-backed and shared pages are left out: what a forked child shares with its server, and the memory
    maps of the data, are not its own. Descendants are looked for every two seconds, because a search costs
    milliseconds.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._next_scan = time.monotonic() + SCAN_S  # a child that has just begun has no descendants
        try:
            self._tree = [psutil.Process(pid)]
        except psutil.Error:
            self._tree = []
        self._base_mb = self._total_mb()

    def grown_mb(self) -> float:
        """Return the growth in MB (10**6 bytes); 0 when the process is gone."""
        return max(0.0, self._total_mb() - self._base_mb)

    def _total_mb(self) -> float:
        if time.monotonic() >= self._next_scan:
            self._scan()
        total = 0
        for process in self._tree:
            try:
                memory = process.memory_info()
            except psutil.Error:
                continue
            total += memory.rss - getattr(memory, "shared", 0)
        return total / 1e6

    def _scan(self) -> None:
        self._next_scan = time.monotonic() + SCAN_S
        try:
            root = psutil.Process(self._pid)
            self._tree = [root, *root.children(recursive=True)]
        except psutil.Error:
            self._tree = []


MEMORY_SHARE = 0.8
"""Of what is free, for children together."""


def available_mb() -> float:
    """Return the memory in MB that this process may still use: the system's, or what its cgroups leave if less."""
    free, room = float(psutil.virtual_memory().available), free_memory()
    return (free if room is None else min(free, room)) / 1e6
