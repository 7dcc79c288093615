"""Charts as plain values: positions and words that a template turns into SVG.

Across, positions are per cent of the drawing, so that a chart fills any width while its text keeps its size;
down, they are pixels. Lines and dots are drawn in a box of 1,000 units, four to a pixel down, that is stretched
across: whole numbers, each relative to the one before, are the shortest way to write them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from nncompare.report.scales import Scale, tick_label

Anchor = Literal["start", "middle", "end"]
Units = tuple[int, int]
ACROSS = 1000
DOWN = 4  # units to a pixel
PADDING = 52  # pixels of a frame, above and below
USUAL = 202  # pixels that a framed chart is high by the style sheet
Shape = int | Literal["dot", "cross"]


@dataclass(frozen=True, slots=True)
class Tick:
    """A grid line with its label; ``at`` is per cent across or pixels down."""

    at: str
    label: str
    anchor: Anchor = "middle"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as an SVG path; ``colour`` is a model's number, or None for the colour of the chart."""

    path: str
    kind: Literal["solid", "dashed", "guide"] = "solid"
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Dots:
    """Many round dots as one path; ``rows`` are their rows in the ``table`` that holds their numbers."""

    path: str
    rows: tuple[int, ...]
    kind: Literal["full", "small", "faint", "seed"] = "full"
    colour: int | None = None
    table: int = 0

    @property
    def ranges(self) -> str:
        """Return the rows as the script reads them: 0-2 4 7-9."""
        runs: list[list[int]] = []
        for row in self.rows:
            if runs and row == runs[-1][1] + 1:
                runs[-1][1] = row
            else:
                runs.append([row, row])
        return " ".join(f"{a}-{b}" if b > a else f"{a}" for a, b in runs)


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker: shape 0 to 7 of a model, or the ``dot`` of a seed, or the ``cross`` of a failed trial.

    Without a colour it has that of the chart. ``row`` is its row in the table that holds its numbers, ``table``
    which of the figure's or card's tables that is.
    """

    x: str
    y: str
    shape: Shape
    colour: int | None = None
    row: int | None = None
    table: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """Words inside a chart; those ``beside`` a marker keep clear of it."""

    x: str
    y: str
    text: str
    anchor: Anchor = "start"
    strong: bool = False
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawing with its name; ``colour`` is that of the only model in it."""

    title: str
    height: int
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    x_label: str = ""
    y_label: str = ""
    grid_height: int = 0
    lines: tuple[Line, ...] = ()
    dots: tuple[Dots, ...] = ()
    marks: tuple[Mark, ...] = ()
    texts: tuple[Text, ...] = ()
    framed: bool = True
    colour: int | None = None

    @property
    def outer_height(self) -> int | None:
        """Return the height in pixels, with the padding of a frame; None where it is that of the style sheet."""
        if not self.framed:
            return self.height
        outer = self.height + PADDING
        return None if outer == USUAL else outer

    @property
    def box(self) -> str:
        """Return the stretched box."""
        return f"0,0,{ACROSS},{DOWN * self.height}"

    @property
    def grid(self) -> str:
        """Return the path of the grid: lines down where there is no axis down, else lines across."""
        if not self.y_ticks:
            return "".join(
                f"M{round(ACROSS * float(tick.at.rstrip('%')) / 100)} 0V{DOWN * self.grid_height}"
                for tick in self.x_ticks
            )
        return "".join(f"M0 {round(DOWN * float(tick.at))}H{ACROSS}" for tick in self.y_ticks)


@dataclass(frozen=True, slots=True)
class Plane:
    """Two scales on a drawing of ``height`` pixels."""

    x: Scale
    y: Scale
    height: int

    def point(self, x: float, y: float) -> tuple[str, str]:
        """Return a marker's position: per cent across, pixels down."""
        return across(self.x.at(x)), number(self.height * (1 - self.y.at(y)))

    def units(self, x: float, y: float) -> Units:
        """Return a point in the stretched box."""
        return round(ACROSS * self.x.at(x)), round(DOWN * self.height * (1 - self.y.at(y)))

    def line(self, points: Iterable[tuple[float, float]]) -> str:
        """Return the path of a line through points."""
        return trace([self.units(x, y) for x, y in points])

    def curve(self, points: Iterable[tuple[float, float]]) -> str:
        """Return the path of a line from left to right without the corners that nobody would see."""
        return trace(simplified([self.units(x, y) for x, y in points]))

    def dots(self, points: Iterable[tuple[float, float]]) -> str:
        """Return the path of a dot at each point."""
        return specks([self.units(x, y) for x, y in points])

    def steps(self, points: Sequence[tuple[float, float]]) -> str:
        """Return a staircase through points that hold until the next one."""
        corners = [points[0]]
        for (_, before), (x, y) in pairwise(points):
            corners += [(x, before), (x, y)]
        return self.line(corners)

    def x_ticks(self, wanted: int = 4, apart: float = 0.1) -> tuple[Tick, ...]:
        """Return the grid across."""
        return ticks_across(self.x, wanted, apart)

    def y_ticks(self) -> tuple[Tick, ...]:
        """Return the grid down."""
        return tuple(
            Tick(number(self.height * (1 - self.y.at(value))), tick_label(value), "end")
            for value in self.y.ticks(4)
        )


def trace(points: Sequence[Units]) -> str:
    """Return the path through points, each relative to the one before."""
    if not points:
        return ""
    moves = [move for move in _moves(points) if move != (0, 0)]
    said = "".join(f"{'' if move[0] < 0 else ' '}{_pair(move)}" for move in moves).strip()
    return f"M{_pair(points[0])}{f'l{said}' if moves else 'z'}"


def simplified(points: Sequence[Units], tolerance: float = 1.5) -> list[Units]:
    """Return the corners that a line needs to stay within ``tolerance`` units of the points, up or down.

    This is the algorithm of Ramer (1972) and of Douglas and Peucker (1973), with distances measured downwards.
    """
    if len(points) < 3:
        return list(points)
    (x0, y0), (x1, y1) = points[0], points[-1]
    slope = (y1 - y0) / ((x1 - x0) or 1)
    far = [abs(y0 + slope * (x - x0) - y) for x, y in points]
    worst = max(range(len(points)), key=far.__getitem__)
    if far[worst] <= tolerance:
        return [points[0], points[-1]]
    return [*simplified(points[: worst + 1], tolerance)[:-1], *simplified(points[worst:], tolerance)]


def specks(points: Sequence[Units]) -> str:
    """Return the path of a dot at each point, which round caps draw: each part has no length."""
    return "".join([f"M{_pair(points[0])}z", *(f"m{_pair(move)}z" for move in _moves(points))]) if points else ""


def _moves(points: Sequence[Units]) -> list[Units]:
    return [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]


def _pair(at: Units) -> str:
    """Return two whole numbers; a sign parts them where there is one."""
    x, y = at
    return f"{x}{y}" if y < 0 else f"{x} {y}"


def ticks_across(scale: Scale, wanted: int = 4, apart: float = 0.1) -> tuple[Tick, ...]:
    """Return ticks across whose labels stay inside the drawing and ``apart`` of its width from each other."""
    kept: list[float] = []
    for value in scale.ticks(wanted):
        if not kept or scale.at(value) - scale.at(kept[-1]) >= apart:
            kept.append(value)
    return tuple(Tick(across(scale.at(value)), tick_label(value), anchor_at(scale.at(value))) for value in kept)


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
