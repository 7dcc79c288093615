"""Names of models inside a chart, a line's height apart wherever they stand."""

from __future__ import annotations

from collections.abc import Sequence

from nncompare.report import formats
from nncompare.report.charts import Anchor, Plane, Text, across, number

NAME_LENGTH = 15
LINE = 15
MOST_NAMES = 8
RAISED = 8  # from the middle of a marker to the foot of a name above it
LOWERED = 4  # to the foot of a name beside it


def names(plane: Plane, ends: Sequence[tuple[str, float, float]], *, above: bool = False) -> tuple[Text, ...]:
    """Return each name beside its marker, or above it; left of it in the right half. A key serves many models.

    A name that has no room above its marker stands below. Names keep a line's height apart wherever they stand:
    how wide the drawing will be is not known.

    Parameters
    ----------
    plane : Plane
    ends : sequence of (name, x, y)
        Where the markers stand, in values of the plane's scales; the highest are named first.
    above : bool
        Above the marker, where a line leads to it.
    """
    if len(ends) > MOST_NAMES:
        return ()
    found: list[Text] = []
    taken: list[float] = []
    for name, x, value in sorted(ends, key=lambda end: -plane.y.at(end[2])):
        at = plane.x.at(x)
        middle = plane.height * (1 - plane.y.at(value))
        y = middle + LOWERED
        if above:
            y = middle - RAISED if middle - RAISED >= LINE - LOWERED else middle + LINE + LOWERED
        while any(abs(y - other) < LINE for other in taken):
            y += 1
        taken.append(y)
        anchor: Anchor = "end" if at > 0.55 else "start"
        found.append(
            Text(across(at), number(y), formats.shorten(name, NAME_LENGTH), anchor, strong=True, beside=not above)
        )
    return tuple(found)
