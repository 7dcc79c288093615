"""What a peer delivers: the weights of the best epoch of all its trials, whatever ended the trial."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class OutOfTime(Exception):  # noqa: N818 - no error: the budget is used up
    """The deadline passed in the middle of a trial."""


class Best:
    """The lowest validation log loss so far, and what reached it.

    Parameters
    ----------
    deadline : float
        Value of ``time.monotonic()``.
    ended : exception class
        What is raised at the deadline.
    """

    def __init__(self, deadline: float, ended: type[OutOfTime] = OutOfTime) -> None:
        self._deadline, self._ended = deadline, ended
        self.loss, self.accuracy = math.inf, math.nan
        self.params: dict[str, Any] = {}
        self.state: Any = None

    def offer(self, loss: float, accuracy: float, params: dict[str, Any], state: Callable[[], Any]) -> None:
        """Keep an epoch that is better than all before; NaN is never better."""
        if loss < self.loss:
            self.loss, self.accuracy, self.params, self.state = loss, accuracy, params, state()

    def check_time(self) -> None:
        """Cut a trial at the deadline."""
        if time.monotonic() >= self._deadline:
            raise self._ended

    def remaining_s(self) -> float:
        """Return the seconds until the deadline."""
        return self._deadline - time.monotonic()


@dataclass(frozen=True, slots=True)
class Found:
    """How a peer's search ended; ``deliver`` makes the model ready and returns what predicts the test part."""

    n_finished: int
    best: Best
    deliver: Callable[[], Callable[[], Any]]
