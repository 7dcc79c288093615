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

SERVER_START_S = 120.0
CAN_FORK = sys.platform == "linux"


def child_environment() -> dict[str, str]:
    """Return the environment of servers and children: one BLAS thread until they set their own number."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    fixed = {"PYTHONHASHSEED": "0", "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    return {**os.environ, **quiet, **single, **fixed}


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


class ForkedChild:
    """A child of a fork server; its exit is reported by the server."""

    def __init__(self) -> None:
        self.pid = 0
        self.started = threading.Event()
        self.ended = threading.Event()
        self.status: int | None = None

    def wait(self, timeout: float) -> int | None:
        """Return the exit code if the child ends in time."""
        if not self.ended.wait(timeout):
            return None
        return -signal.SIGKILL if self.status is None else os.waitstatus_to_exitcode(self.status)


class ForkServer:
    """The coordinator's side of one :mod:`nncompare.execution.server`."""

    def __init__(self, framework: str) -> None:
        self._sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "nncompare.execution.server"]
        with theirs:
            self._process = subprocess.Popen(
                [*command, "--socket", str(theirs.fileno()), "--framework", framework],
                pass_fds=[theirs.fileno()],
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._lock = threading.Lock()
        self._children: dict[int, ForkedChild] = {}
        self._next_id = 0
        self._ready = threading.Event()
        self._lost: str | None = None
        threading.Thread(target=self._listen, name=f"fork-server-{framework}", daemon=True).start()

    def wait_ready(self) -> str | None:
        """Wait for the imports; return why the server cannot be used, or None."""
        if not self._ready.wait(SERVER_START_S):
            return f"it was not ready within {SERVER_START_S:.0f} s"
        return self._lost

    def launch(self, channel: socket.socket, log_fd: int) -> ForkedChild:
        """Fork a child."""
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
        child.started.wait()
        return child

    def close(self) -> None:
        """Close the line, which ends the server and all its children."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
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
            self._lost = self._lost or "the fork server ended"
            children, self._children = self._children, {}
        for child in children.values():
            child.started.set()
            child.ended.set()
        self._ready.set()

    def _take(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._lost = message["reason"]
            self._ready.set()
        elif "pid" in message:
            child = self._children[message["id"]]
            child.pid = message["pid"]
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
        """Return the exit code if the child ends in time."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None


class Spawner:
    """Starts one fresh interpreter per request: where forking is not safe."""

    def launch(self, channel: socket.socket, log_fd: int) -> SpawnedChild:
        """Start an interpreter."""
        command = [sys.executable, "-m", "nncompare.execution.child"]
        return SpawnedChild(
            subprocess.Popen(
                [*command, "--channel", str(channel.fileno()), "--log", str(log_fd)],
                pass_fds=[channel.fileno(), log_fd],
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    def close(self) -> None:
        """Nothing is kept between children."""
