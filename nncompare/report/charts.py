"""Charts as plain values: positions and words that a template turns into SVG.

Across, positions are per cent of the drawing, so that a chart fills any width while its text keeps its size;
down, they are pixels. A line is drawn in a box of 100 units by ``height`` pixels that is stretched across.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from nncompare.report.scales import Scale, tick_label

Anchor = Literal["start", "middle", "end"]
Shape = int | Literal["dot", "cross"]


@dataclass(frozen=True, slots=True)
class Tick:
    """A grid line with its label; ``at`` is per cent across or pixels down."""

    at: str
    label: str
    anchor: Anchor = "middle"


@dataclass(frozen=True, slots=True)
class Line:
    """A connected line; ``points`` is what SVG expects; a model's number, or None for the colour of the chart."""

    points: str
    kind: Literal["solid", "dashed", "guide"] = "solid"
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker: shape 0 to 7 of a model, or the ``dot`` of a seed, or the ``cross`` of a failed trial.

    Without a colour it has that of the chart.
    """

    x: str
    y: str
    shape: Shape
    colour: int | None = None
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """Words inside a chart."""

    x: str
    y: str
    text: str
    anchor: Anchor = "start"
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawing with its name and description; ``colour`` is that of the only model in it."""

    title: str
    description: str
    height: int
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    x_label: str = ""
    y_label: str = ""
    grid_height: int = 0
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    texts: tuple[Text, ...] = ()
    framed: bool = True
    colour: int | None = None

    @property
    def grid(self) -> str:
        """Return the path of the grid in the stretched box."""
        across = (f"M{tick.at.rstrip('%')},0V{self.grid_height}" for tick in self.x_ticks)
        return "".join((*across, *(f"M0,{tick.at}H100" for tick in self.y_ticks)))


@dataclass(frozen=True, slots=True)
class Plane:
    """Two scales on a drawing of ``height`` pixels."""

    x: Scale
    y: Scale
    height: int

    def point(self, x: float, y: float) -> tuple[str, str]:
        """Return a marker's position: per cent across, pixels down."""
        return across(self.x.at(x)), number(self.height * (1 - self.y.at(y)))

    def line(self, points: Iterable[tuple[float, float]]) -> str:
        """Return a line's points in the stretched box."""
        return " ".join(
            f"{number(100 * self.x.at(x))},{number(self.height * (1 - self.y.at(y)))}" for x, y in points
        )

    def steps(self, points: Sequence[tuple[float, float]]) -> str:
        """Return a staircase through points that hold until the next one."""
        corners = [points[0]]
        for (_, before), (x, y) in pairwise(points):
            corners += [(x, before), (x, y)]
        return self.line(corners)

    def x_ticks(self, wanted: int = 4) -> tuple[Tick, ...]:
        """Return the grid across."""
        return ticks_across(self.x, wanted)

    def y_ticks(self) -> tuple[Tick, ...]:
        """Return the grid down."""
        return tuple(
            Tick(number(self.height * (1 - self.y.at(value))), tick_label(value), "end")
            for value in self.y.ticks(4)
        )


def ticks_across(scale: Scale, wanted: int = 4) -> tuple[Tick, ...]:
    """Return ticks across whose labels stay inside the drawing."""
    return tuple(
        Tick(across(scale.at(value)), tick_label(value), anchor_at(scale.at(value)))
        for value in scale.ticks(wanted)
    )


def anchor_at(fraction: float) -> Anchor:
    """Return the anchor that keeps a text at this place inside the drawing."""
    if fraction < 0.06:
        return "start"
    return "end" if fraction > 0.94 else "middle"


def across(fraction: float) -> str:
    """Return a fraction of the width as SVG writes it, rounded to 0.1 per cent."""
    return f"{number(100 * fraction)}%"


def number(value: float) -> str:
    """Return a coordinate rounded to 0.1."""
    return f"{round(value, 1) + 0.0:g}"
