"""What a plugin may report of an epoch: numbers, each in its range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncompare.exceptions import DivergedError, PluginError

__all__ = ["EpochReport", "checked_fraction", "checked_loss"]

LARGEST_LOSS = 1e30


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One epoch as it was reported.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    train_loss, valid_loss : float or None
        Mean log loss in nats; None where it was not reported.
    valid_accuracy : float or None
        Fraction from 0 to 1; None where it was not reported.
    """

    epoch: int
    train_loss: float | None
    valid_loss: float | None
    valid_accuracy: float | None


def checked_loss(name: str, value: float | None) -> float | None:
    """Return a mean log loss in nats as a float, None for None.

    Raises
    ------
    PluginError
        It is no number.
    DivergedError
        It is NaN, infinite or beyond 1e30.
    """
    if value is None:
        return None
    number = _number(name, value)
    if not abs(number) <= LARGEST_LOSS:
        raise DivergedError(f"{name} is {number}: the training diverged.")
    return number


def checked_fraction(name: str, value: float | None) -> float | None:
    """Return a fraction from 0 to 1 as a float, None for None.

    Raises
    ------
    PluginError
        It is no number, or outside of the range.
    """
    if value is None:
        return None
    number = _number(name, value)
    if not 0.0 <= number <= 1.0:
        raise PluginError(f"{name} is {number}; a fraction from 0 to 1 is expected.")
    return number


def _number(name: str, value: object) -> float:
    if isinstance(value, bool | np.bool_ | str) or not isinstance(value, int | float | np.number):
        raise PluginError(f"{name} is {value!r} ({type(value).__name__}); a number is expected.")
    return float(value)
