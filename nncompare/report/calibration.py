"""Calibration: whether a stated confidence is the share of right answers."""

from __future__ import annotations

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Figure, Group, Part, Row, Section, Table
from nncompare.report.charts import Chart, Dots, Line, Plane
from nncompare.report.classes import NO_SCORES
from nncompare.report.scales import Scale
from nncompare.results import TestScores

HEIGHT = 180
UNIT = Scale(0.0, 1.0)


def section(parts: tuple[Part, ...]) -> Section:
    """Return the reliability diagrams of all tested models."""
    tested = [(entry, test) for part in parts for entry, test in part.tested]
    if tested:
        entry, test = max(tested, key=lambda item: item[1].ece.mean)
        answer = (
            f"Least of all those of {entry.study.model} on {entry.study.dataset}, whose confidence is off by "
            f"{formats.mean_and_interval(test.ece)} on average (ECE; 0 is best)."
        )
    else:
        answer = "That cannot be told, because no model has been tested."
    return Section(
        anchor="calibration",
        short="Calibration",
        question="Can the probabilities be believed?",
        answer=answer,
        groups=tuple(_group(part) for part in parts),
        notes=(
            "On the dashed line confidence equals accuracy; below it the model is too sure of itself. An ECE with "
            "an interval is the mean over the refits; the bins pool the refits.",
        )
        if tested
        else (),
    )


def _group(part: Part) -> Group:
    tested = part.tested
    if not tested:
        return Group(part.dataset.name, notes=(NO_SCORES,))
    return Group(part.dataset.name, figures=tuple(_figure(entry, test) for entry, test in tested))


def caption(test: TestScores) -> str:
    """Return the mean ECE of the refits and that of the bins, which pool the refits: they need not agree."""
    said, pooled = f"ECE {formats.mean_and_interval(test.ece)}", formats.score(test.calibration.ece)
    if pooled == formats.score(test.ece.mean):
        return said
    return f"{said}; {pooled} for the refits pooled"


def _figure(entry: Entry, test: TestScores) -> Figure:
    bins = list(zip(test.calibration.confidence, test.calibration.accuracy, test.calibration.count, strict=False))
    if not bins:
        return Figure(entry.series, caption=caption(test), notes=("No bins were recorded.",))
    plane = Plane(UNIT, UNIT, HEIGHT)
    points = [(confidence, accuracy) for confidence, accuracy, _ in bins]
    name = f"{entry.study.model} on {entry.study.dataset}"
    chart = Chart(
        title=f"Reliability of {name}",
        height=HEIGHT,
        grid_height=HEIGHT,
        x_ticks=plane.x_ticks(),
        y_ticks=plane.y_ticks(),
        x_label="confidence",
        y_label="accuracy",
        lines=(
            Line(plane.line([(0.0, 0.0), (1.0, 1.0)]), "guide"),
            Line(plane.line(points)),
        ),
        dots=(Dots(plane.dots(points), tuple(range(len(points)))),),
        colour=entry.series.colour,
    )
    table = Table(
        f"Bins of confidence of {name}",
        (Column("Confidence"), Column("Accuracy"), Column("Samples, all refits")),
        tuple(Row((Cell(formats.score(c)), Cell(formats.score(a)), Cell(formats.count(n)))) for c, a, n in bins),
        summary="Bins",
    )
    return Figure(entry.series, caption=caption(test), chart=chart, details=(table,))
