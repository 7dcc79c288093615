"""Logs with a limit, memory, and how a process tree is ended."""

import os
import resource
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from nncompare.execution import memory, supervisor
from nncompare.execution.launch import SpawnedChild
from nncompare.execution.memory import MemoryWatch, available_mb
from nncompare.execution.process import cpu_seconds, kill_tree, peak_resident_mb, resident_mb
from nncompare.execution.specs import DescribeSpec, LoadSpec, MeasureSpec
from nncompare.execution.supervisor import LOG_BYTES, CappedLog, Supervisor, explain_timeout

from .children import fit_spec, n_descriptors, wait_until

TREE = """
import subprocess, sys, time
code = "import time; time.sleep(600)"
for own_session in (False, True):
    subprocess.Popen([sys.executable, "-c", code], start_new_session=own_session)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("n_bytes", [0, 10, LOG_BYTES, LOG_BYTES + 1, 2 * LOG_BYTES])
def test_log_keeps_the_first_megabyte_and_counts_the_rest(tmp_path, n_bytes):
    log, left = CappedLog(tmp_path / "a" / "log"), n_bytes
    while left:
        left -= os.write(log.write_fd, b"x" * min(left, 60_000))
        assert log.drain()
    log.close_write()
    log.close()
    text = (tmp_path / "a" / "log").read_bytes()
    dropped = max(0, n_bytes - LOG_BYTES)
    note = f"\n[{dropped} more bytes were not kept]\n".encode() if dropped else b""
    assert text == b"x" * min(n_bytes, LOG_BYTES) + note


def test_log_takes_what_is_left_when_it_is_closed(tmp_path):
    log = CappedLog(tmp_path / "log")
    os.write(log.write_fd, b"last words")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"last words"


def test_log_tells_when_every_writer_is_gone(tmp_path):
    log = CappedLog(tmp_path / "log")
    assert log.drain()
    log.close_write()
    assert not log.drain()
    log.close()


def test_log_closes_its_descriptors_also_where_no_child_was_started(tmp_path):
    before = n_descriptors()
    CappedLog(tmp_path / "log").close()
    assert n_descriptors() == before


def test_log_on_a_full_disk_costs_the_log_alone():
    log = CappedLog(Path("/dev/full"))
    os.write(log.write_fd, b"x" * 1000)
    assert log.drain()
    assert log._dropped == 1000
    log.close()


@pytest.mark.parametrize(("limit", "category"), [("time", "timeout"), ("kill", "interrupted")])
def test_supervisor_child_that_does_not_read_its_request_is_ended(tmp_path, limit, category):
    spec = fit_spec(tmp_path, timeout_s=0.3 if limit == "time" else 600.0)
    code = "import time; time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    kill, log = threading.Event(), CappedLog(spec.log)
    if limit == "kill":
        kill.set()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        request = b"x" * 10_000_000
        watched = Supervisor(
            SpawnedChild(process), spec, ours, request, log, lambda *_: None, threading.Event(), kill
        )
        watching = threading.Thread(target=watched.watch, daemon=True)
        watching.start()
        watching.join(20)
        assert not watching.is_alive()
    log.close()
    assert watched.failure.category == category


def test_supervisor_counts_no_pause_towards_the_time_limit(tmp_path, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now)
    ended = []
    monkeypatch.setattr(supervisor, "kill_tree", ended.append)
    child, log, ours = SimpleNamespace(pid=7), SimpleNamespace(), SimpleNamespace()
    spec, never = fit_spec(tmp_path, timeout_s=60.0), threading.Event()
    watched = Supervisor(child, spec, ours, b"", log, lambda *_: None, never, never)
    for step in (0.2, 50.0, 36_000.0, 0.2):  # two pauses
        now += step
        watched._enforce_limits()
    assert (watched.failure, ended) == (None, [])
    for _ in range(250):
        now += 0.2
        watched._enforce_limits()
    assert watched.failure.category == "timeout"
    assert ended[0] == 7


def test_supervisor_names_what_took_too_long(tmp_path):
    fit = fit_spec(tmp_path, timeout_s=3600.0)
    common = {"plugin": "p:P", "result": tmp_path / "r", "log": tmp_path / "l", "timeout_s": 60.5}
    describe = DescribeSpec(**common, data=fit.data)
    load = LoadSpec(**common, root=tmp_path, name="d")
    measure = MeasureSpec(**common, model=tmp_path, X_test=tmp_path, predictions=tmp_path)
    assert [explain_timeout(spec) for spec in (fit, describe, load, measure)] == [
        "Killed after 3600 s, the time limit of a trial (--trial-timeout).",
        "The search space was not described within 60.5 s (--trial-timeout).",
        "The data set did not load within 60.5 s.",
        "The saved model was not loaded and timed within 60.5 s (--trial-timeout).",
    ]


def test_kill_tree_ends_sessions_of_descendants_too():
    parent = subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE, start_new_session=True)
    assert parent.stdout.readline() == b"ready\n"
    family = [psutil.Process(parent.pid), *psutil.Process(parent.pid).children(recursive=True)]
    assert len(family) == 3
    kill_tree(parent.pid)
    parent.communicate()
    gone = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    assert wait_until(lambda: not any(p.is_running() and p.status() not in gone for p in family))


def test_kill_tree_of_a_process_that_is_gone():
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    kill_tree(done.pid)


def test_memory_watch_sees_growth_of_descendants():
    hoard = "import sys; hoard = b'x' * 80_000_000; print('ready', flush=True); sys.stdin.read()"
    code = f"""
import subprocess, sys
print("begun", flush=True)
sys.stdin.readline()
child = subprocess.Popen([sys.executable, "-c", {hoard!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(child.stdout.readline(), flush=True)
sys.stdin.readline()
child.communicate()
sys.stdin.read()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        parent.stdout.readline()
        watch = MemoryWatch(parent.pid)  # of a process that has no descendants yet, as a trial's
        print(file=parent.stdin, flush=True)
        parent.stdout.readline()
        assert wait_until(lambda: watch.grown_mb() > 70)
        print(file=parent.stdin, flush=True)
        assert wait_until(lambda: watch.grown_mb() < 40)
        parent.stdin.close()


def test_memory_watch_does_not_count_memory_maps(tmp_path, monkeypatch):
    monkeypatch.setattr("nncompare.execution.memory.SCAN_S", 600.0)  # servers of other tests are descendants too
    np.save(tmp_path / "a.npy", np.zeros(10_000_000))
    watch = MemoryWatch(os.getpid())
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    before = resident_mb()
    assert mapped.sum() == 0
    assert resident_mb() > before + 60
    assert watch.grown_mb() < 40


def test_memory_watch_of_a_process_that_is_gone():
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert MemoryWatch(done.pid).grown_mb() == 0


def test_memory_available_and_resident_are_plausible():
    assert 10 < resident_mb() <= peak_resident_mb()
    assert 100 < available_mb() <= psutil.virtual_memory().total / 1e6
    assert cpu_seconds() > 0


@pytest.mark.parametrize(("room", "expected"), [(None, 3000.0), (5e8, 500.0), (9e18, 3000.0)])
def test_memory_available_is_the_systems_or_what_the_cgroup_leaves(monkeypatch, room, expected):
    monkeypatch.setattr(memory, "free_memory", lambda: room)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: SimpleNamespace(available=3_000_000_000))
    assert available_mb() == expected


def test_cpu_seconds_hold_those_of_workers_that_were_waited_for():
    code = "import time\nwhile time.process_time() < 0.5: pass"
    own, total = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), cpu_seconds()
    subprocess.run([sys.executable, "-c", code], check=True)
    own, total = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - own, cpu_seconds() - total
    assert total - own >= 0.5


def test_process_knows_whether_it_has_children():
    code = (
        "import os, subprocess, sys; from nncompare.execution.process import has_children; "
        "told = [has_children()]; child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=-1); "
        "told += [has_children()]; child.kill(); os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT); "
        "told += [has_children()]; child.wait(); print(*told, has_children())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True", "False"]
