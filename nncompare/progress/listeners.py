"""Hands each event to several listeners, none of which can harm the run or the others."""

from __future__ import annotations

from threading import RLock

from nncompare.events import Event, Listener, Notice


class Listeners:
    """One listener that stands for several; events reach them one at a time, in the order given.

    Parameters
    ----------
    *listeners : callable
        One that raises hears no more; the others are told why by a warning.
    """

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = list(listeners)
        self._lock = RLock()

    def __call__(self, event: Event) -> None:
        """Pass on one event; never raises an ``Exception``."""
        with self._lock:
            for listener in list(self._listeners):
                try:
                    listener(event)
                except Exception as error:  # noqa: BLE001 - the border to whoever listens, such as a closed terminal
                    self._drop(listener, error)

    def _drop(self, listener: Listener, error: Exception) -> None:
        if listener not in self._listeners:
            return  # it has failed again at the news of another's failure
        self._listeners.remove(listener)
        self(Notice(f"A listener failed and hears no more of the run: {type(error).__name__}: {error}", "warning"))
