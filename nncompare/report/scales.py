"""Scales: from a value to a fraction of an axis, and the ticks that a reader can name."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
LOG_FROM_RATIO = 20.0
LOG_COSTS_FROM_RATIO = 8.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis over ``[low, high]``, ``low < high``; on a counted one, ticks are whole."""

    low: float
    high: float
    log: bool = False
    counted: bool = False

    def at(self, value: float) -> float:
        """Return where the value lies, from 0.0 to 1.0; values outside lie on the edge."""
        if self.log:
            low, high, at = math.log(self.low), math.log(self.high), math.log(max(value, self.low))
        else:
            low, high, at = self.low, self.high, value
        return min(1.0, max(0.0, (at - low) / (high - low)))

    def ticks(self, wanted: int = 4) -> tuple[float, ...]:
        """Return about ``wanted`` round values inside the axis, ascending."""
        return self._decades(wanted) if self.log else self._steps(wanted)

    def _steps(self, wanted: int) -> tuple[float, ...]:
        rough = (self.high - self.low) / wanted
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(n * power for n in NICE if n * power >= rough * (1 - 1e-9))
        if self.counted:
            step = max(1.0, math.ceil(step))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(float(f"{i * step:.10g}") for i in range(first, last + 1))

    def _decades(self, wanted: int) -> tuple[float, ...]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for multiples in ((1,), (1, 3), (1, 2, 5)):
            found = [m * 10.0**p for p in powers for m in multiples]
            inside = [t for t in found if self.low * (1 - 1e-9) <= t <= self.high * (1 + 1e-9)]
            if len(inside) >= min(3, wanted):
                break
        return tuple(float(f"{t:.10g}") for t in inside) or (self.low, self.high)


def linear(values: Iterable[float], *, pad: float = 0.05, bounds: tuple[float, float] | None = None) -> Scale:
    """Return a linear scale around the values, with room at both ends and never outside ``bounds``."""
    found = list(values)
    low, high = min(found), max(found)
    room = pad * (high - low) or 0.05 * abs(high) or 0.5
    low, high = low - room, high + room
    if bounds is not None:
        low, high = max(bounds[0], low), min(bounds[1], high)
    return Scale(low, high)


def losses(values: Iterable[float]) -> Scale:
    """Return a scale for losses: from zero, or logarithmic where the largest is 20 times the smallest."""
    found = list(values)
    low, high = min(found), max(found)
    if low > 0 and high / low >= LOG_FROM_RATIO:
        return Scale(low / 1.1, high * 1.1, log=True)
    return Scale(min(0.0, low), high * 1.05 if high > 0 else 1.0)


def costs(values: Iterable[float]) -> Scale:
    """Return a scale for costs: from zero, or logarithmic where the largest is 8 times the smallest."""
    found = list(values)
    low, high = min(found), max(found)
    if low > 0 and high / low >= LOG_COSTS_FROM_RATIO:
        room = (high / low) ** 0.06
        return Scale(low / room, high * room, log=True)
    return Scale(0.0, high * 1.08 if high > 0 else 1.0)


def whole(last: int) -> Scale:
    """Return the scale of counted things, from 0 to ``last``."""
    return Scale(0.0, float(max(1, last)), counted=True)


def tick_label(value: float) -> str:
    """Return a tick's value as short as it can be said: 0.25, 20k, 5M."""
    for least, size, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / size:.6g}{unit}".replace("-", "−")
    return f"{value:.6g}".replace("-", "−").replace("e−0", "e−")


def axis(quantity: str, scale: Scale) -> str:
    """Return the label of an axis: the quantity, and that its scale is logarithmic where it is."""
    return f"{quantity}, log scale" if scale.log else quantity
