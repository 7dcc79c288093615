"""The first lines of every child: its session, its streams, its limits; and what can be read about a process."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    """Call Linux's prctl; elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def adopt_orphans() -> None:
    """Make this process the parent of grandchildren whose parent dies, so that it can end them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_descendants() -> None:
    """Kill whatever this process has started and what was left to it, sessions of their own included.

    It has to be one that adopts orphans: without a child, it then has no descendants either, and need not read
    the list of all processes of the machine.
    """
    if not has_children():
        return
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()


def has_children() -> bool:
    """Tell whether this process has, or elsewhere than on Linux may have, a child that it has not waited for."""
    if sys.platform != "linux":
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def kill_tree(pid: int) -> None:
    """Kill a child, its session's group and all its descendants."""
    try:
        descendants = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        descendants = []
    for victim in (pid, *(process.pid for process in descendants)):
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when ``parent``, which started it, dies; end if it is gone (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if sys.platform == "linux" and os.getppid() != parent:
        os._exit(1)


def isolate(log_fd: int) -> None:
    """Detach from the terminal: no standard input, output into the log, no core files."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    if log_fd > 2:
        os.close(log_fd)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


@functools.cache
def thread_pools() -> ThreadpoolController:
    """Return the thread pools of BLAS and OpenMP that are loaded when it is first called.

    A fork server calls it for its children: to look through 300 loaded libraries takes longer than to fork.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def limit_threads(n_threads: int, framework: str | None) -> None:
    """Hold BLAS, OpenMP and TensorFlow to ``n_threads``; call it before any operation."""
    thread_pools().limit(limits=n_threads)
    if framework == "keras":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def seed_globals(seed: int) -> None:
    """Seed the global generators of Python and NumPy, for plugins that draw from them."""
    import numpy as np

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global state is the point


def be_deterministic(framework: str | None, seed: int) -> None:
    """Hold TensorFlow to operations that give the same result each time, and seed it; others already do.

    NumPy, and BLAS with a fixed number of threads, sum in a fixed order. TensorFlow refuses, in one sentence, an
    operation that it cannot do so.
    """
    if framework == "keras":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        tf.random.set_seed(seed)  # for models that draw before anybody seeds: such draws are refused else


def resident_mb() -> float:
    """Return this process's resident memory in MB (10**6 bytes)."""
    return _status_mb("VmRSS")


def peak_resident_mb() -> float:
    """Return the highest resident memory of this process so far in MB (10**6 bytes)."""
    return _status_mb("VmHWM")


def _status_mb(field: str) -> float:
    """Read one line of /proc/self/status, or fall back to the peak that getrusage knows."""
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
    line = next(row for row in text.splitlines() if row.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


def cpu_seconds() -> float:
    """Return the user and system CPU seconds of this process and of the descendants that it waited for.

    All threads count. A worker process counts from the moment at which its parent has waited for it: a pool
    that is still open, and a process that was left behind, are not seen.
    """
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def process_age_s() -> float:
    """Return the seconds since this process was started, which is when its time limit began."""
    return max(0.0, time.time() - psutil.Process().create_time())
