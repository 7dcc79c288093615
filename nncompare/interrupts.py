"""What Ctrl-C and SIGTERM do to a run: first let it end well, then end it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from nncompare.events import Listener, Stopping
from nncompare.execution.runner import LocalRunner
from nncompare.execution.supervisor import GRACE_S

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end a block by ``SystemExit(143)``, so that all that it opened is closed, as Ctrl-C does.

    For the work before a run, where :class:`Interrupts` has nothing to stop yet. In a thread other than the main
    one, and where the caller has a handler of its own, it does nothing.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _leave(signum: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)


class Interrupts:
    """Handles SIGINT and SIGTERM for a block; in a thread other than the main one it does nothing.

    The first signal stops asking for trials and lets children end for 10 s, the second kills them.

    Parameters
    ----------
    stop : threading.Event
        Set at the first signal.
    runner : LocalRunner
    tell : callable, optional
        Receives :class:`~nncompare.events.Stopping` at the first signal, in a thread of its own: it may have to
        wait for a lock that the interrupted thread holds.
    """

    def __init__(self, stop: threading.Event, runner: LocalRunner, tell: Listener | None = None) -> None:
        self._stop, self._runner, self._tell = stop, runner, tell
        self._previous: dict[int, Any] = {}
        self.signum: int | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, signum: int, _frame: FrameType | None) -> None:
        if self.signum is None:
            self.signum = signum
            self._stop.set()
            self._runner.stop()
            if self._tell is not None:
                threading.Thread(target=self._tell, args=(Stopping(GRACE_S),), daemon=True).start()
        else:
            self._runner.kill()
