"""The line between a child and the coordinator: one JSON line each way, the child always asks first."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Sequence
from typing import Any

from nncompare.exceptions import PluginError

UNSAVED = "unsaved"
"""The message of a child that cannot write its result; the supervisor takes it, no handler sees it."""


class Channel:
    """The child's end.

    Parameters
    ----------
    sock : socket
        Connected to the coordinator; when the coordinator is gone, the child ends at once.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lines = sock.makefile("r", encoding="utf-8")
        self._lock = threading.Lock()
        self._owner = os.getpid()

    def request(self) -> str:
        """Return the first line, which says what is to be done."""
        return self._read()

    def ask(self, kind: str, **fields: Any) -> Any:
        """Send one message and return the answer; threads of a plugin take turns.

        Raises
        ------
        PluginError
            The coordinator refused what was asked.
        """
        self.leave_if_copied()
        line = json.dumps({"kind": kind, **fields}, allow_nan=False) + "\n"
        with self._lock:
            try:
                self._sock.sendall(line.encode())
            except OSError:
                os._exit(1)  # nobody is left to report to
            reply = json.loads(self._read())
        if "error" in reply:
            raise PluginError(reply["error"])
        return reply["value"]

    def leave_if_copied(self) -> None:
        """End this process if it is a copy, which a plugin has forked and let return to its caller.

        A request has one answer: that of the process which was started for it.
        """
        if os.getpid() != self._owner:
            os._exit(0)

    def _read(self) -> str:
        try:
            line = self._lines.readline()
        except OSError:
            line = ""
        if not line:
            os._exit(1)
        return line


class RemoteTrial:
    """A :class:`nncompare.plugin.Trial` whose values come from the coordinator's Optuna trial."""

    def __init__(self, number: int, channel: Channel) -> None:
        self.number = number
        self._channel = channel

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a float from ``[low, high]``."""
        value = self._ask("float", name, low=float(low), high=float(high), step=step, log=log)
        return float(value)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Return an integer from ``[low, high]``."""
        return int(self._ask("int", name, low=int(low), high=int(high), step=step, log=log))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of ``choices``."""
        return self._ask("categorical", name, choices=list(choices))

    def _ask(self, distribution: str, name: str, **arguments: Any) -> Any:
        try:
            return self._channel.ask("suggest", distribution=distribution, name=name, arguments=arguments)
        except (TypeError, ValueError) as error:
            raise PluginError(
                f"suggest_{distribution}({name!r}) has arguments that are not JSON values: {error}."
            ) from error
