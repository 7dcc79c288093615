"""What the control groups of this process allow it: CPUs and memory (Linux, versions 1 and 2).

Source: the kernel's "Control Group v2" and "cgroups v1" documents, https://docs.kernel.org/admin-guide/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")


def cpu_quota() -> float | None:
    """Return the CPUs' worth of time that this process may use, None where nothing limits it."""
    quotas = [*map(_quota_v2, _folders("")), *map(_quota_v1, _folders("cpu"))]
    return min((quota for quota in quotas if quota is not None), default=None)


def free_memory() -> float | None:
    """Return the bytes that this process may still use, None where nothing limits it.

    A group's file cache that was not used lately does not count as used: the kernel gives it back.
    """
    v2 = (_room(folder, "memory.max", "memory.current", "inactive_file") for folder in _folders(""))
    v1 = (
        _room(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        for folder in _folders("memory")
    )
    return min((room for room in (*v2, *v1) if room is not None), default=None)


def _folders(controller: str) -> Iterator[Path]:
    """Yield the group of this process and all groups above it; version 2 has no controller's name.

    Inside a container the path may be the host's, and only the mount itself is there.
    """
    try:
        lines = [line.split(":", 2) for line in MEMBERSHIP.read_text().splitlines()]
    except OSError:
        return
    for _, names, path in lines:
        if controller in names.split(","):
            mount = MOUNT / names if controller else MOUNT
            group = mount / path.lstrip("/")
            yield from (group, *(above for above in group.parents if above.is_relative_to(mount)))


def _quota_v2(folder: Path) -> float | None:
    numbers = _numbers(folder / "cpu.max")
    return numbers[0] / numbers[1] if len(numbers) == 2 else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = _numbers(folder / "cpu.cfs_quota_us"), _numbers(folder / "cpu.cfs_period_us")
    return quota[0] / period[0] if quota and period and quota[0] > 0 else None


def _room(folder: Path, limit_file: str, used_file: str, cache: str) -> float | None:
    limit, used = _numbers(folder / limit_file), _numbers(folder / used_file)
    if not (limit and used):
        return None
    return max(0.0, limit[0] - max(0.0, used[0] - _statistic(folder / "memory.stat", cache)))


def _statistic(file: Path, name: str) -> float:
    try:
        rows = dict(line.split() for line in file.read_text().splitlines())
    except (OSError, ValueError):
        return 0.0
    return float(rows.get(name, 0))


def _numbers(file: Path) -> list[float]:
    """Return the numbers of a one-line file; none where it is absent or says ``max``."""
    try:
        return [float(word) for word in file.read_text().split()]
    except (OSError, ValueError):
        return []
