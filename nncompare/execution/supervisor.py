"""Watches one child from its start to its end: messages, log, time, memory."""

from __future__ import annotations

import json
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from nncompare.execution.channel import UNSAVED
from nncompare.execution.launch import Child
from nncompare.execution.memory import MemoryWatch
from nncompare.execution.process import kill_tree
from nncompare.execution.specs import DescribeSpec, LoadSpec, MeasureSpec, PredictSpec, ReadSpec, Spec
from nncompare.results import Failure, FailureCategory

Handler: TypeAlias = Callable[[str, dict[str, Any]], Any]

POLL_S = 0.1
GRACE_S = 10.0
LOG_BYTES = 1_000_000
LONGEST_STEP_S = 5.0
"""More at a time does not count towards a child's time limit: this process was paused, as on a closed laptop."""

_TOO_LONG: dict[type[Spec], str] = {
    LoadSpec: "The data set did not load within {}.",
    ReadSpec: "The data were not read within {}.",
    DescribeSpec: "The search space was not described within {} (--trial-timeout).",
    MeasureSpec: "The saved model was not loaded and timed within {} (--trial-timeout).",
    PredictSpec: "The predictions were not made within {}.",
}


class RefusedError(ValueError):
    """Raised by a handler; its text is the answer to the child."""


def check_epoch(epoch: int, most: int) -> None:
    """Refuse the report of an epoch that a training may not have.

    Raises
    ------
    RefusedError
        The epoch is above ``most``.
    """
    if epoch > most:
        raise RefusedError(f"fit() trained for epoch {epoch}, and max_epochs is {most}.")


class CappedLog:
    """A log file that takes the first megabyte and counts the rest.

    The child writes into a pipe, so that no output of any size reaches a terminal or fills a disk.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)
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
        kept = self._write(data[: self._room])
        self._dropped += len(data) - kept
        self._room -= kept
        return bool(data)

    def _write(self, data: bytes) -> int:
        """Write what the disk takes: a full one costs the rest of the log, not the trial."""
        try:
            return self._file.write(data)
        except OSError:
            self._room = 0
            return 0

    def close(self) -> None:
        """Take the rest, note what was dropped, close."""
        for _ in range(64):
            before = self._file.tell() + self._dropped
            self.drain()
            if self._file.tell() + self._dropped == before:
                break
        if self._dropped:
            self._write(f"\n[{self._dropped} more bytes were not kept]\n".encode())
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
    request : bytes
        The first line for the child, sent as fast as it reads: a request may be larger than the socket's
        buffer.
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
        request: bytes,
        log: CappedLog,
        handler: Handler,
        stop: threading.Event,
        kill: threading.Event,
    ) -> None:
        self._child, self._spec, self._sock, self._log = child, spec, sock, log
        self._handler, self._stop, self._kill = handler, stop, kill
        self._looked, self._spent_s = time.monotonic(), 0.0
        self._stop_deadline: float | None = None
        self._memory = MemoryWatch(child.pid) if spec.memory_mb is not None else None
        self._next_check = 0.0
        self._buffer = b""
        self._outgoing = request
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
                self._announce(selector)
                for key, events in selector.select(POLL_S):
                    alive = self._exchange(events) if key.fileobj is self._sock else self._log.drain()
                    if not alive:
                        selector.unregister(key.fileobj)
                if not selector.get_map() and (code := self._child.wait(POLL_S)) is not None:
                    return code
                self._enforce_limits()
        return code

    def _announce(self, selector: selectors.BaseSelector) -> None:
        """Wait for room in the channel too, while there is something to send."""
        if self._sock in selector.get_map():
            writing = selectors.EVENT_WRITE if self._outgoing else 0
            selector.modify(self._sock, selectors.EVENT_READ | writing)

    def _exchange(self, events: int) -> bool:
        """Send and receive what is possible now; False when the child has closed its end."""
        if events & selectors.EVENT_WRITE:
            self._flush()
        return self._receive() if events & selectors.EVENT_READ else True

    def _flush(self) -> None:
        """Send what the channel takes without waiting: limits and stops hold while a child does not read."""
        try:
            self._outgoing = self._outgoing[self._sock.send(self._outgoing, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return
        except OSError:
            self._outgoing = b""  # the child died; its exit code says why

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
        self._outgoing += json.dumps(answer).encode() + b"\n"
        self._flush()

    def _answer(self, kind: str, message: dict[str, Any]) -> Any:
        if kind == "report" and self._stop.is_set():
            self.failure = Failure(category="interrupted", message="The run was interrupted.")
            return False
        if kind == UNSAVED:
            self.failure = self.failure or Failure(category="disk", message=str(message["reason"]))
            return True
        return self._handler(kind, message)

    def _enforce_limits(self) -> None:
        """Kill the child when it is over a limit, or when the run is being stopped."""
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + POLL_S
        self._spent_s += min(now - self._looked, LONGEST_STEP_S)
        self._looked = now
        if self._stop.is_set() and self._stop_deadline is None:
            self._stop_deadline = now + GRACE_S
        if self._kill.is_set() or (self._stop_deadline is not None and now > self._stop_deadline):
            self._end("interrupted", "The run was interrupted.")
        elif self._spent_s > self._spec.timeout_s:
            self._end("timeout", explain_timeout(self._spec))
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


def explain_timeout(spec: Spec) -> str:
    """Say in one sentence what took longer than it may."""
    text = _TOO_LONG.get(type(spec), "Killed after {}, the time limit of a trial (--trial-timeout).")
    return text.format(f"{spec.timeout_s:g} s")
