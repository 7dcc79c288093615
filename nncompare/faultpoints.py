"""Steps of a run at which a test can have the process end as a kill would: nothing is closed, nothing is told.

For tests alone. ``NNCOMPARE_EXIT_AT="told"`` ends the process the first time that it comes to that step,
``"told#3"`` the third time. Without the variable, which is read once, a step costs one comparison.
"""

from __future__ import annotations

import functools
import os
import threading

__all__ = ["EXIT_CODE", "VARIABLE", "reached"]

VARIABLE = "NNCOMPARE_EXIT_AT"
EXIT_CODE = 99
_lock = threading.Lock()
_n_seen = 0


def reached(step: str) -> None:
    """End this process at once if it is ``step`` that a test asked for.

    Parameters
    ----------
    step : str
        ``ask``, ``asked``, ``suggested``, ``answered``, ``tell``, ``told``, ``final``, ``finalled``, ``refit``,
        ``refitted``, ``remove`` and ``removed`` (files whose place others took), or ``rename NAME`` and
        ``renamed NAME``, around the moment from which on a file called NAME has its new content.
    """
    wanted, n_wanted = _wanted()
    if step == wanted:
        _count(n_wanted)


def _count(n_wanted: int) -> None:
    global _n_seen
    with _lock:
        _n_seen += 1
        if _n_seen == n_wanted:
            os._exit(EXIT_CODE)


@functools.cache
def _wanted() -> tuple[str, int]:
    step, _, number = os.environ.get(VARIABLE, "").partition("#")
    return step, int(number or 1)
