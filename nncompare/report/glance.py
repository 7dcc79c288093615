"""At a glance: the verdicts of several data sets in one table, a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Part, Row, Table
from nncompare.report.verdicts import badge, to_note
from nncompare.results import Interval, ReferenceRecord


def glance(parts: tuple[Part, ...]) -> Table | None:
    """Return one row for each data set, or None where one card says it all."""
    if len(parts) < 2:
        return None
    labels = ("Verdict", "Most accurate", "Accuracy, %", "Next", "Behind, points", "Best reference, %", "To note")
    numeric = {"Accuracy, %", "Behind, points", "Best reference, %"}
    return Table(
        label="At a glance",
        columns=(Column("Data set", False), *(Column(label, label in numeric) for label in labels)),
        rows=tuple(_glance(part) for part in parts),
        kind="glance",
    )


def _glance(part: Part) -> Row:
    tested, dataset = part.tested, part.dataset
    best, second = (*tested[:2], None, None)[:2]
    return Row(
        (
            Cell(dataset.name),
            Cell(badge(part)),
            Cell(formats.MISSING) if best is None else Cell(best[0].study.model, series=best[0].series),
            percent(None if best is None else best[1].accuracy),
            Cell(formats.MISSING) if second is None else Cell(second[0].study.model, series=second[0].series),
            _behind(part),
            _reference(dataset.references),
            Cell(to_note((*part.checks, *dataset.data_checks))),
        ),
        kind="model" if tested else "missing",
    )


def percent(value: Interval | None) -> Cell:
    """Return a score in per cent with its interval, which never stand apart."""
    if value is None:
        return Cell(formats.MISSING)
    return Cell(f"{100 * value.mean:.1f}", detail=f"{100 * value.low:.1f} to {100 * value.high:.1f}")


def _reference(references: Sequence[ReferenceRecord]) -> Cell:
    """Return the accuracy of the best reference with its name."""
    known = [(r.test_accuracy, r.name) for r in references if r.test_accuracy is not None and r.failure is None]
    if not known:
        return Cell(formats.MISSING)
    accuracy, name = max(known, key=lambda one: one[0].mean)
    cell = percent(accuracy)
    return replace(cell, detail=f"{name.replace('_', ' ')}, {cell.detail}")


def _behind(part: Part) -> Cell:
    """Return the difference between the two most accurate models, as the verdict has it."""
    first = [entry.study.model for entry, _ in part.tested[:2]]
    for pair in part.dataset.verdict.pairs:
        if [pair.a, pair.b] == first:
            return Cell(
                f"{100 * pair.difference:.1f}",
                detail=f"{100 * pair.low:.1f} to {100 * pair.high:.1f}".replace("-", "−"),
            )
        if [pair.b, pair.a] == first:
            low, high = -100 * pair.high, -100 * pair.low
            return Cell(f"{-100 * pair.difference:.1f}", detail=f"{low:.1f} to {high:.1f}".replace("-", "−"))
    return Cell(formats.MISSING)
