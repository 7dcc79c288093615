"""Accuracy against cost: a scatter for each cost, with the front of the models that no other one dominates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nncompare.report import formats
from nncompare.report.blocks import Cell, Choice, Column, Entry, Group, Part, Row, Section, Table
from nncompare.report.charts import Chart, Dots, Line, Mark, Plane
from nncompare.report.labels import names
from nncompare.report.scales import axis, costs, linear
from nncompare.report.tradeoffs import COSTS, Cost, Point, answer, front
from nncompare.results import TestScores

HEIGHT = 260
MOST_SAID = 2
MOST_TRIALS_DRAWN = 400
ONE_MODEL = "one model was tested, so there is nothing to weigh."
NO_SCORES = "no model has test scores."
NO_COST = "no cost is known of two tested models."
TRIALS = (
    " The small dots are the complete trials, by their accuracy on validation, not test; they were trained on the "
    "training rows only. Their numbers stand under Search."
)
Tested = Sequence[tuple[Entry, TestScores]]


def section(parts: tuple[Part, ...]) -> Section:
    """Return a choice of scatters for each data set on which several models were tested."""
    words = {part.dataset.name: _said(part) for part in parts}
    told = [name for name, said in words.items() if said][:MOST_SAID]
    said = [f"On {name} {words[name]}" for name in told]
    groups = tuple(_group(part, is_told=part.dataset.name in told) for part in parts)
    return Section(
        anchor="cost",
        short="Cost",
        question="What does accuracy cost?",
        answer=" ".join(said) or "There is nothing to weigh: no data set has two tested models with a known cost.",
        groups=groups,
        notes=(
            "Markers are means over the refits with their 95 % interval; the line joins the models that no other "
            "one beats on both accuracy and cost. Up and to the left is better.",
        )
        if said
        else (),
    )


def _group(part: Part, *, is_told: bool) -> Group:
    tested = part.tested
    if len(tested) < 2:
        return Group(part.dataset.name, notes=(ONE_MODEL if tested else NO_SCORES,))
    choices = tuple(_choice(part, cost) for cost in COSTS if len(points(tested, cost)) > 1)
    if not choices:
        return Group(part.dataset.name, notes=(NO_COST,))
    if is_told:
        choices = (replace(choices[0], caption=_without_words(part, choices[0])), *choices[1:])
    return Group(part.dataset.name, choices=choices, details=(_table(part),))


def _without_words(part: Part, choice: Choice) -> str:
    """Return a caption without the words that stand below the heading of the section already."""
    return choice.caption.replace(_said(part), "see the words above.")


def _said(part: Part) -> str:
    """Return what the models gain and lose by the first cost that two of them have; empty where none has."""
    known = ((cost, points(part.tested, cost)) for cost in COSTS)
    return next((answer(c, cost, part.dataset.verdict.pairs) for cost, c in known if len(c) > 1), "")


def points(tested: Tested, cost: Cost) -> list[Point]:
    """Return the models whose cost is known."""
    known = [(entry.study, test, cost.of(entry.study)) for entry, test in tested]
    return [Point(study.model, test.accuracy.mean, c) for study, test, c in known if c is not None]


def _choice(part: Part, cost: Cost) -> Choice:
    found = points(part.tested, cost)
    said = answer(found, cost, part.dataset.verdict.pairs)
    missing = [e.study.model for e, _ in part.tested if cost.of(e.study) is None]
    if missing:
        said += f" The cost of {formats.listed(missing)} is not known."
    chart = _chart(part, cost, found)
    return Choice(cost.name, chart, f"{cost.name.capitalize()}: {said}{TRIALS if chart.dots else ''}")


def _chart(part: Part, cost: Cost, found: list[Point]) -> Chart:
    shown = [
        (row, entry, test) for row, (entry, test) in enumerate(part.tested) if cost.of(entry.study) is not None
    ]
    trials = _trials(part) if cost is COSTS[0] else []
    heights = [v for _, _, t in shown for v in (t.accuracy.low, t.accuracy.high)] + [y for _, _, y in trials]
    plane = Plane(
        costs([p.cost for p in found] + [x for _, x, _ in trials]), linear(heights, bounds=(0.0, 1.0)), HEIGHT
    )
    kept = [(point.cost, point.accuracy) for point in front(found)]
    marks = [
        Mark(*plane.point(cost.of(e.study) or 0.0, t.accuracy.mean), e.series.shape, e.series.colour, row=row)
        for row, e, t in shown
    ]
    return Chart(
        title=f"Test accuracy against {cost.axis} on {part.dataset.name}",
        height=HEIGHT,
        grid_height=HEIGHT,
        x_ticks=plane.x_ticks(),
        y_ticks=plane.y_ticks(),
        x_label=axis(cost.axis, plane.x),
        y_label="test accuracy",
        lines=(Line(plane.steps(kept), "guide"), *(_interval(plane, cost, e, t) for _, e, t in shown)),
        dots=_faint(plane, part, trials),
        marks=tuple(marks),
        texts=names(plane, [(e.series.name, cost.of(e.study) or 0.0, t.accuracy.mean) for _, e, t in shown]),
    )


def _interval(plane: Plane, cost: Cost, entry: Entry, test: TestScores) -> Line:
    at = cost.of(entry.study) or 0.0
    ends = [(at, test.accuracy.low), (at, test.accuracy.high)]
    return Line(plane.line(ends), colour=entry.series.colour)


def _trials(part: Part) -> list[tuple[Entry, float, float]]:
    """Return each complete trial as (entry, CPU seconds, validation accuracy) where that compares with the refits.

    After a search on a sub-sample it does not: a trial then saw fewer rows than a refit, and cost less.
    """
    return [
        (entry, trial.fit_cpu_s, trial.valid_accuracy)
        for entry, _ in part.tested
        if entry.study.budget is not None and entry.study.budget.refit_data == "train+validation"
        for trial in entry.study.trials
        if trial.state == "complete" and trial.fit_cpu_s is not None and trial.valid_accuracy is not None
    ][:MOST_TRIALS_DRAWN]


def _faint(plane: Plane, part: Part, trials: list[tuple[Entry, float, float]]) -> tuple[Dots, ...]:
    return tuple(
        Dots(plane.dots((x, y) for e, x, y in trials if e is entry), (), "faint", entry.series.colour)
        for entry, _ in part.tested
        if any(e is entry for e, _, _ in trials)
    )


def _table(part: Part) -> Table:
    """Return the accuracy and all costs of each model, and on which costs it lies on the front."""
    fronts = {cost.name: {p.model for p in front(points(part.tested, cost))} for cost in COSTS}
    return Table(
        f"Accuracy and costs on {part.dataset.name}",
        (
            Column("Model", False), Column("Test accuracy"), *(Column(cost.name.capitalize()) for cost in COSTS),
            Column("On the line for", False),
        ),
        tuple(
            Row(
                (
                    Cell(entry.study.model),
                    Cell(formats.mean_and_interval(test.accuracy)),
                    *(Cell(cost.text(cost.of(entry.study))) for cost in COSTS),
                    Cell(", ".join(n for n, models in fronts.items() if entry.study.model in models) or "nothing"),
                )
            )
            for entry, test in part.tested
        ),
        summary="Numbers",
    )  # fmt: skip
