"""Learning curves: the loss per epoch of the refits, or of the best trial where the refits saw no validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Figure, Group, Part, Row, Section, Table
from nncompare.report.charts import Chart, Line, Mark, Plane
from nncompare.report.scales import losses, whole
from nncompare.results import Curve, StudyRecord

HEIGHT = 150
MOST_ROWS = 15
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
    best = [f"{run.name}: best epoch {run.best_epoch} of {run.curve.epoch[-1]}" for run in runs if run.best_epoch]
    caption = "; ".join(best) or f"{formats.listed([run.name for run in runs])}, trained without validation"
    return Figure(
        entry.series, caption=caption, chart=_chart(entry, runs, plane), details=(_table(entry, runs[0]),)
    )


def _chart(entry: Entry, runs: list[Run], plane: Plane) -> Chart:
    lines, marks = [], []
    for run in runs:
        train = series(run.curve.epoch, run.curve.train_loss)
        valid = series(run.curve.epoch, run.curve.valid_loss)
        lines += [Line(plane.line(train), "dashed")] * bool(train)
        lines += [Line(plane.line(valid))] * bool(valid)
        marks += [Mark(*plane.point(e, v), entry.series.shape) for e, v in valid if e == run.best_epoch]
    log = " (log)" if plane.y.log else ""
    return Chart(
        title=f"Learning curves of {entry.study.model} on {entry.study.dataset}",
        description="Loss per epoch: validation solid, training dashed, the best epoch marked.",
        height=HEIGHT,
        grid_height=HEIGHT,
        x_ticks=plane.x_ticks(),
        y_ticks=plane.y_ticks(),
        x_label="epoch",
        y_label=f"log loss{log}",
        lines=tuple(lines),
        marks=tuple(marks),
        colour=entry.series.colour,
    )


def _table(entry: Entry, run: Run) -> Table:
    """Return the numbers of the curve, of a long one about 15 epochs; results.json has them all."""
    curve = run.curve
    columns = (curve.train_loss, curve.valid_loss, curve.valid_accuracy)
    step = -(-len(curve.epoch) // MOST_ROWS)
    rows = [
        Row((Cell(str(epoch)), *(Cell(formats.score(c[i] if i < len(c) else None)) for c in columns)))
        for i, epoch in enumerate(curve.epoch)
        if i % step == 0 or epoch in (run.best_epoch, curve.epoch[-1])
    ]
    sample = f", 1 epoch in {step}, the best and the last" if step > 1 else ""
    return Table(
        f"Curve of {entry.study.model} on {entry.study.dataset}, {run.name}{sample}",
        tuple(Column(c) for c in ("Epoch", "Training loss", "Validation loss", "Validation accuracy")),
        tuple(rows),
    )
