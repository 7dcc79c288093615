"""Watches one child from its start to its end: messages, log, time, memory."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import psutil

from nncompare.execution.launch import Child
from nncompare.execution.memory import MemoryWatch
from nncompare.execution.specs import Spec
from nncompare.results import Failure, FailureCategory

Handler: TypeAlias = Callable[[str, dict[str, Any]], Any]

POLL_S = 0.1
GRACE_S = 10.0
LOG_BYTES = 1_000_000


class RefusedError(ValueError):
    """Raised by a handler; its text is the answer to the child."""


class CappedLog:
    """A log file that takes the first megabyte and counts the rest.

    The child writes into a pipe, so that no output of any size reaches a terminal or fills a disk.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._room = LOG_BYTES
        self._dropped = 0
        self.read_fd, self.write_fd = os.pipe()
        self._write_open = True
        os.set_blocking(self.read_fd, False)

    def close_write(self) -> None:
        """Close the coordinator's copy of the writing end, once the child has its own."""
        if self._write_open:
            self._write_open = False
            os.close(self.write_fd)

    def drain(self) -> bool:
        """Take what is there; False when every writer is gone."""
        try:
            data = os.read(self.read_fd, 1 << 16)
        except BlockingIOError:
            return True
        self._file.write(data[: self._room])
        self._dropped += max(0, len(data) - self._room)
        self._room -= min(self._room, len(data))
        return bool(data)

    def close(self) -> None:
        """Take the rest, note what was dropped, close."""
        for _ in range(64):
            before = self._file.tell() + self._dropped
            self.drain()
            if self._file.tell() + self._dropped == before:
                break
        if self._dropped:
            self._file.write(f"\n[{self._dropped} more bytes were not kept]\n".encode())
        self._file.close()
        self.close_write()
        os.close(self.read_fd)


class Supervisor:
    """One child, watched by the thread that calls :meth:`watch`.

    Parameters
    ----------
    child : Child
    spec : Spec
        Brings the limits.
    sock : socket
        The coordinator's end of the channel.
    log : CappedLog
    handler : callable
        ``handler(kind, message)`` answers the child's messages; it may raise :class:`RefusedError`.
    stop, kill : threading.Event
        ``stop`` asks the child to end (it is told so at its next report, and killed 10 s later), ``kill``
        ends it at once.
    """

    def __init__(
        self,
        child: Child,
        spec: Spec,
        sock: socket.socket,
        log: CappedLog,
        handler: Handler,
        stop: threading.Event,
        kill: threading.Event,
    ) -> None:
        self._child, self._spec, self._sock, self._log = child, spec, sock, log
        self._handler, self._stop, self._kill = handler, stop, kill
        self._deadline = time.monotonic() + spec.timeout_s
        self._stop_deadline: float | None = None
        self._memory = MemoryWatch(child.pid) if spec.memory_mb is not None else None
        self._next_check = 0.0
        self._buffer = b""
        self.failure: Failure | None = None

    def watch(self) -> int:
        """Serve the child until it ends; return its exit code (negative: the signal that ended it).

        An exception here (Ctrl-C in the main thread, a handler that fails) ends the child too.
        """
        try:
            return self._serve()
        except BaseException:
            kill_tree(self._child.pid)
            raise

    def _serve(self) -> int:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            selector.register(self._log.read_fd, selectors.EVENT_READ)
            while (code := self._child.wait(0)) is None:
                for key, _ in selector.select(POLL_S):
                    alive = self._receive() if key.fileobj is self._sock else self._log.drain()
                    if not alive:
                        selector.unregister(key.fileobj)
                if not selector.get_map() and (code := self._child.wait(POLL_S)) is not None:
                    return code
                self._enforce_limits()
        return code

    def _receive(self) -> bool:
        """Answer all complete lines; False when the child has closed its end."""
        try:
            data = self._sock.recv(1 << 16)
        except OSError:
            return False
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._reply(json.loads(line))
        return bool(data)

    def _reply(self, message: dict[str, Any]) -> None:
        kind = message.pop("kind")
        try:
            answer: dict[str, Any] = {"value": self._answer(kind, message)}
        except RefusedError as error:
            answer = {"error": str(error)}
        try:
            self._sock.sendall(json.dumps(answer).encode() + b"\n")
        except OSError:
            return  # the child died while it was waiting; its exit code says why

    def _answer(self, kind: str, message: dict[str, Any]) -> Any:
        if kind == "report" and self._stop.is_set():
            self.failure = Failure(category="interrupted", message="The run was interrupted.")
            return False
        return self._handler(kind, message)

    def _enforce_limits(self) -> None:
        """Kill the child when it is over a limit, or when the run is being stopped."""
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + POLL_S
        if self._stop.is_set() and self._stop_deadline is None:
            self._stop_deadline = now + GRACE_S
        if self._kill.is_set() or (self._stop_deadline is not None and now > self._stop_deadline):
            self._end("interrupted", "The run was interrupted.")
        elif now > self._deadline:
            limit = f"{self._spec.timeout_s:g} s"
            self._end("timeout", f"Killed after {limit}, the time limit of a trial (--trial-timeout).")
        elif self._memory is not None:
            self._check_memory(self._memory.grown_mb())

    def _check_memory(self, grown_mb: float) -> None:
        limit = self._spec.memory_mb or 0.0
        if grown_mb > limit:
            text = f"Killed: its memory grew by {grown_mb:.0f} MB, the limit is {limit:.0f} MB (--trial-memory)."
            self._end("oom", text)

    def _end(self, category: FailureCategory, message: str) -> None:
        if self.failure is None:
            self.failure = Failure(category=category, message=message)
        kill_tree(self._child.pid)


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
