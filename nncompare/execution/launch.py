"""Two ways to start a child: fork it from a warm server, or start a fresh interpreter."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any, Protocol

from nncompare.exceptions import NNCompareError
from nncompare.settings import STORAGE_VARIABLE

SERVER_START_S = 120.0
FORK_S = 60.0
CLOSE_S = 5.0
STEP_S = 0.1
CAN_FORK = sys.platform == "linux"
MODULE = (sys.executable, "-P", "-m")  # -P: a file of the user's folder must not stand in for a library


def child_environment(hash_seed: int = 0) -> dict[str, str]:
    """Return the environment of servers and children: one BLAS thread until they set their own number.

    TensorFlow's oneDNN kernels train convolutions in about half the time, but are off by default on processors
    without AVX-512; whoever sets ``TF_ENABLE_ONEDNN_OPTS`` has the last word. Where pyarrow is installed, pandas
    imports it, and its memory allocator would start a thread that a fork server must not have. The address of the
    storage, which may hold a password, is none of a child's business.
    """
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    kernels = {"TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")}
    single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    single["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
    fixed = {"PYTHONHASHSEED": str(hash_seed), "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    inherited = {name: value for name, value in os.environ.items() if name != STORAGE_VARIABLE}
    return {**inherited, **quiet, **kernels, **single, **fixed}


class Child(Protocol):
    """A started child."""

    pid: int

    def wait(self, timeout: float) -> int | None:
        """Return the exit code (negative: the signal) if the child ends within ``timeout`` seconds."""
        ...


class Launcher(Protocol):
    """Starts children."""

    def launch(self, channel: socket.socket, log_fd: int) -> Child:
        """Start a child with its end of the channel, on which its request waits, and its log."""
        ...

    def close(self) -> None:
        """End everything that was started."""
        ...


class ServerLostError(NNCompareError):
    """The fork server ended, or could not be used."""


class StartError(NNCompareError):
    """The system has no room for one more process."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"No process could be started for this request. {cause}. "
            "End other programs, raise the limit of processes, or use fewer jobs, and run again."
        )


def wait_in_steps(event: threading.Event, seconds: float) -> bool:
    """Wait for ``event``, as long as ``seconds`` of this process at work.

    Steps are counted, not time: a process that is stopped for hours, as all are on a paused laptop, has then
    waited for one step more.
    """
    return any(event.wait(STEP_S) for _ in range(round(seconds / STEP_S)))


def start_process(
    command: list[str], *, pass_fds: tuple[int, ...], quiet: bool, hash_seed: int = 0
) -> subprocess.Popen[bytes]:
    """Start an interpreter in a session of its own.

    Raises
    ------
    StartError
        The system refused.
    """
    output = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.Popen(
            command,
            pass_fds=pass_fds,
            env=child_environment(hash_seed),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        raise StartError(f"{type(error).__name__}: {error.strerror}") from error


class ForkedChild:
    """A child of a fork server; its exit is reported by the server."""

    def __init__(self) -> None:
        self.pid = 0
        self.started = threading.Event()
        self.ended = threading.Event()
        self.status: int | None = None
        self.refusal: str | None = None

    def wait(self, timeout: float) -> int | None:
        """Return the exit code if the child ends in time."""
        if not self.ended.wait(timeout):
            return None
        return -signal.SIGKILL if self.status is None else os.waitstatus_to_exitcode(self.status)


class ForkServer:
    """The coordinator's side of one :mod:`nncompare.execution.server`."""

    def __init__(self, framework: str) -> None:
        self._sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [*MODULE, "nncompare.execution.server"]
        command += ["--socket", str(theirs.fileno()), "--framework", framework]
        with theirs:
            try:
                self._process = start_process(command, pass_fds=(theirs.fileno(),), quiet=True)
            except StartError:
                self._sock.close()
                raise
        self.pid = self._process.pid
        self._lock = threading.Lock()
        self._children: dict[int, ForkedChild] = {}
        self._next_id = 0
        self._ready = threading.Event()
        self._unusable: str | None = None
        self._lost: str | None = None
        self._listener = threading.Thread(target=self._listen, name=f"fork-server-{framework}", daemon=True)
        self._listener.start()

    def wait_ready(self) -> str | None:
        """Wait for the imports; return why the server cannot be used, or None."""
        if not wait_in_steps(self._ready, SERVER_START_S):
            return f"it was not ready within {SERVER_START_S:.0f} s"
        return self._unusable

    def launch(self, channel: socket.socket, log_fd: int) -> ForkedChild:
        """Fork a child.

        Raises
        ------
        ServerLostError
            The server ended, before or while it forked, or did not answer within a minute.
        StartError
            The system refused the fork; the server goes on.
        """
        child = ForkedChild()
        with self._lock:
            if self._lost is not None:
                raise ServerLostError(self._lost)
            self._next_id += 1
            message = json.dumps({"id": self._next_id}).encode()
            self._children[self._next_id] = child
            try:
                socket.send_fds(self._sock, [message], [channel.fileno(), log_fd])
            except OSError as error:
                raise ServerLostError(f"the fork server is gone: {error}") from error
        if not wait_in_steps(child.started, FORK_S):
            raise ServerLostError(f"the fork server did not answer within {FORK_S:g} s")
        if child.refusal is not None:
            raise StartError(child.refusal)
        if child.pid == 0:
            raise ServerLostError("the fork server ended while it forked")
        return child

    def close(self) -> None:
        """Close the line, which ends the server and all its children."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        if not self._ready.is_set():
            self._process.kill()  # it has no children yet, and would not look before its imports are done
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        self._sock.close()

    def _listen(self) -> None:
        """Take the server's messages until it goes away."""
        while True:
            try:
                data = self._sock.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                break
            self._take(json.loads(data))
        with self._lock:
            self._lost = self._unusable or "the fork server ended"
            children, self._children = self._children, {}
        if not self._ready.is_set():
            self._unusable = "it ended during its imports"
        for child in children.values():
            child.started.set()
            child.ended.set()
        self._ready.set()

    def _take(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._unusable = message["reason"]
            self._ready.set()
        elif "pid" in message:
            child = self._children[message["id"]]
            child.pid = message["pid"]
            child.started.set()
        elif "refusal" in message:
            with self._lock:
                child = self._children.pop(message["id"])
            child.refusal = message["refusal"]
            child.started.set()
        else:
            with self._lock:
                child = self._children.pop(message["id"])
            child.status = message["status"]
            child.ended.set()


class SpawnedChild:
    """A child with an interpreter of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def wait(self, timeout: float) -> int | None:
        """Return the exit code if the child ends in time, and end what is left of its session."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return code


class Spawner:
    """Starts one fresh interpreter per request: where forking is not safe, or does not give the hash seed."""

    def __init__(self, hash_seed: int = 0) -> None:
        self._hash_seed = hash_seed

    def launch(self, channel: socket.socket, log_fd: int) -> SpawnedChild:
        """Start an interpreter."""
        command = [*MODULE, "nncompare.execution.child"]
        command += ["--channel", str(channel.fileno()), "--log", str(log_fd), "--parent", str(os.getpid())]
        fds = channel.fileno(), log_fd
        return SpawnedChild(start_process(command, pass_fds=fds, quiet=False, hash_seed=self._hash_seed))

    def close(self) -> None:
        """Nothing is kept between children."""
