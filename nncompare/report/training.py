"""Learning curves: the loss per epoch of the refits, or of the best trial where the refits saw no validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Figure, Group, Part, Row, Section, Table
from nncompare.report.charts import Chart, Line, Mark, Plane
from nncompare.report.scales import axis, losses, whole
from nncompare.results import Curve, StudyRecord

HEIGHT = 150
MOST_ROWS = 6
Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Run:
    """One training with its curve."""

    name: str
    curve: Curve
    best_epoch: int | None


def section(parts: tuple[Part, ...]) -> Section:
    """Return the learning curves of all models, on the same axes within a data set."""
    shown = [(entry, run) for part in parts for entry in part.entries for run in curves(entry.study)]
    late = list(dict.fromkeys(f"{e.study.model} on {e.study.dataset}" for e, run in shown if _ends_at_best(run)))
    if not shown:
        answer = "No curve was recorded, so this cannot be told."
    elif late:
        answer = f"Not everywhere: the last epoch was the best one for {formats.listed(late)}."
    else:
        answer = "It did: no training shown was still at its best in the last epoch."
    return Section(
        anchor="curves",
        short="Learning curves",
        question="Did the training settle?",
        answer=answer,
        groups=tuple(_group(part) for part in parts),
        notes=("Solid: validation. Dashed: training. The marker is the best epoch.",) if shown else (),
    )


def curves(study: StudyRecord) -> list[Run]:
    """Return the trainings to show: refits with validation, else the best trial, else refits without."""
    refits = [Run(f"seed {r.seed}", r.curve, lowest(r.curve)) for r in study.refits if r.curve.epoch]
    if any(run.best_epoch is not None for run in refits):
        return refits
    trial = next((t for t in study.trials if t.number == study.best_trial and t.curve.epoch), None)
    if trial is None:
        return refits
    best = trial.best_epoch if trial.best_epoch is not None else lowest(trial.curve)
    return [Run(f"trial {trial.number}", trial.curve, best)]


def lowest(curve: Curve) -> int | None:
    """Return the epoch of the lowest validation loss, or None where none was reported."""
    found = series(curve.epoch, curve.valid_loss)
    return int(min(found, key=lambda point: point[1])[0]) if found else None


def series(epochs: Sequence[int], values: Sequence[float | None]) -> Points:
    """Return the points of a column that were reported."""
    return [(float(e), v) for e, v in zip(epochs, values, strict=False) if v is not None]


def _ends_at_best(run: Run) -> bool:
    return run.best_epoch is not None and len(run.curve.epoch) > 1 and run.best_epoch == run.curve.epoch[-1]


def _group(part: Part) -> Group:
    runs = [(entry, curves(entry.study)) for entry in part.entries]
    found = [v for _, rs in runs for r in rs for v in (*r.curve.train_loss, *r.curve.valid_loss) if v is not None]
    if not found:
        return Group(part.dataset.name, notes=("no model recorded a curve.",))
    last = max(r.curve.epoch[-1] for _, rs in runs for r in rs)
    plane = Plane(whole(last), losses(found), HEIGHT)
    return Group(part.dataset.name, figures=tuple(_figure(entry, rs, plane) for entry, rs in runs if rs))


def _figure(entry: Entry, runs: list[Run], plane: Plane) -> Figure:
    table, best_rows = _table(entry, runs)
    return Figure(
        entry.series, caption=_caption(runs), chart=_chart(entry, runs, plane, best_rows), details=(table,)
    )


def _caption(runs: list[Run]) -> str:
    """Return what is drawn and where it was best, in words."""
    drawn = runs[0].name if len(runs) == 1 else f"{len(runs)} refits"
    best = [f"{run.best_epoch} of {run.curve.epoch[-1]}" for run in runs if run.best_epoch]
    if not best:
        return f"{drawn}, trained without validation"
    return f"{drawn}, best epoch{'s' * (len(best) > 1)} {formats.listed(best)}"


def _chart(entry: Entry, runs: list[Run], plane: Plane, best_rows: list[int | None]) -> Chart:
    lines, marks = [], []
    for run, row in zip(runs, best_rows, strict=True):
        train = series(run.curve.epoch, run.curve.train_loss)
        valid = series(run.curve.epoch, run.curve.valid_loss)
        lines += [Line(plane.curve(train), "dashed")] * bool(train)
        lines += [Line(plane.curve(valid))] * bool(valid)
        marks += [Mark(*plane.point(e, v), entry.series.shape, row=row) for e, v in valid if e == run.best_epoch]
    return Chart(
        title=f"Learning curves of {entry.study.model} on {entry.study.dataset}",
        height=HEIGHT,
        grid_height=HEIGHT,
        x_ticks=plane.x_ticks(),
        y_ticks=plane.y_ticks(),
        x_label="epoch",
        y_label=axis("log loss", plane.y),
        lines=tuple(lines),
        marks=tuple(marks),
        colour=entry.series.colour,
    )


def _table(entry: Entry, runs: list[Run]) -> tuple[Table, list[int | None]]:
    """Return the numbers of the curves, of long ones about 6 epochs, and the row of each one's best epoch."""
    step = -(-max(len(run.curve.epoch) for run in runs) // MOST_ROWS)
    rows: list[Row] = []
    best_rows: list[int | None] = []
    for run in runs:
        best_rows.append(None)
        columns = (run.curve.train_loss, run.curve.valid_loss)
        for i, epoch in enumerate(run.curve.epoch):
            if epoch == run.best_epoch:
                best_rows[-1] = len(rows)
            if i % step == 0 or epoch in (run.best_epoch, run.curve.epoch[-1]):
                name = (Cell(run.name.removeprefix("seed ")),) if len(runs) > 1 else ()
                numbers = (Cell(formats.score(c[i] if i < len(c) else None)) for c in columns)
                rows.append(Row((*name, Cell(str(epoch)), *numbers)))
    names = ("Epoch", "Training loss", "Validation loss")
    sample = f", 1 epoch in {step}, the best and the last" if step > 1 else ""
    return Table(
        f"Curve of {entry.study.model} on {entry.study.dataset}{sample}",
        tuple(Column(c) for c in (*(("Seed",) if len(runs) > 1 else ()), *names)),
        tuple(rows),
        summary=f"Numbers{sample}",
    ), best_rows
