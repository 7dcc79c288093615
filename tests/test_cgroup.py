"""Control groups: made of files in a temporary folder, as the kernel writes them."""

import pytest

from nncompare import cgroup, settings
from nncompare.cgroup import cpu_quota, free_memory
from nncompare.settings import default_jobs


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Return a function that writes files below the mount, and the list of groups of this process."""
    monkeypatch.setattr(cgroup, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(cgroup, "MOUNT", tmp_path / "mount")

    def write(membership, **files):
        (tmp_path / "membership").write_text(membership)
        for name, text in files.items():
            file = tmp_path / "mount" / name.replace("__", "/").replace("_dot_", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    return write


V2, V1 = "0::/slice/job\n", "4:memory:/job\n3:cpu,cpuacct:/job\n0::/\n"


def test_cgroup_absent_limits_nothing(groups):
    assert cpu_quota() is None
    assert free_memory() is None


def test_cgroup_without_limits_limits_nothing(groups):
    groups(V2, slice__job__cpu_dot_max="max 100000\n", slice__job__memory_dot_max="max\n")
    assert cpu_quota() is None
    assert free_memory() is None


@pytest.mark.parametrize("place", ["slice__job__", "slice__", ""])
def test_cgroup_v2_of_the_process_or_above_it_limits(groups, place):
    files = {"cpu_dot_max": "150000 100000\n", "memory_dot_max": "1000\n", "memory_dot_current": "600\n"}
    groups(V2, **{f"{place}{name}": text for name, text in files.items()})
    assert cpu_quota() == 1.5
    assert free_memory() == 400


def test_cgroup_of_others_does_not_limit(groups):
    groups(V2, other__cpu_dot_max="100000 100000", other__memory_dot_max="1", other__memory_dot_current="1")
    assert cpu_quota() is None
    assert free_memory() is None


def test_cgroup_lowest_of_all_levels_counts(groups):
    groups(V2, slice__job__cpu_dot_max="400000 100000", slice__cpu_dot_max="200000 100000")
    assert cpu_quota() == 2


def test_cgroup_v1_limits(groups):
    groups(
        V1,
        **{
            "cpu,cpuacct__job__cpu_dot_cfs_quota_us": "300000\n",
            "cpu,cpuacct__job__cpu_dot_cfs_period_us": "100000\n",
            "cpu,cpuacct__cpu_dot_cfs_quota_us": "-1\n",
            "cpu,cpuacct__cpu_dot_cfs_period_us": "100000\n",
            "memory__job__memory_dot_limit_in_bytes": "5000\n",
            "memory__job__memory_dot_usage_in_bytes": "4000\n",
            "memory__job__memory_dot_stat": "total_cache 900\ntotal_inactive_file 500\n",
        },
    )
    assert cpu_quota() == 3
    assert free_memory() == 1500


def test_cgroup_file_cache_that_is_not_in_use_is_free(groups):
    groups(
        "0::/\n",
        memory_dot_max="1000",
        memory_dot_current="1000",
        memory_dot_stat="anon 300\ninactive_file 700\n",
    )
    assert free_memory() == 700


@pytest.mark.parametrize(("quota", "jobs"), [(None, 8), (2.9, 2), (0.1, 1), (100.0, 8)])
def test_default_jobs_follow_the_quota_where_it_is_lower(monkeypatch, quota, jobs):
    monkeypatch.setattr(settings.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(settings, "cpu_quota", lambda: quota)
    assert default_jobs() == jobs
