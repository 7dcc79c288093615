"""Slices: the validation log loss of a study's trials over the values of one parameter."""

from __future__ import annotations

from typing import Any

from nncompare.report.blocks import Entry
from nncompare.report.charts import Chart, Dots, Mark, Plane, Tick, across, anchor_at
from nncompare.report.formats import plain, shorten
from nncompare.report.scales import LOG_FROM_RATIO, Scale, axis, linear
from nncompare.results import StudyRecord, TrialRecord, TrialState

MOST_CATEGORIES = 8
LABELS_LENGTH = 26
At = list[tuple[float | None, TrialRecord]]


def slices(entry: Entry, names: list[str], plane: Plane) -> tuple[Chart, ...]:
    """Return a small chart for each parameter, on the loss axis of the study's history.

    Numbers lie on an axis that is logarithmic where the parameter was searched so; anything else gets a place for
    each value. Only complete trials are shown: a pruned one was judged at fewer epochs. A parameter
    that never varied has no chart.
    """
    found = (_slice(entry, name, plane) for name in names)
    return tuple(chart for chart in found if chart is not None)


def dots(plane: Plane, at: At, state: TrialState = "complete") -> tuple[Dots, ...]:
    """Return a dot for each trial of a state, small unless complete, by their rows in the table."""
    shown = [
        (row, x, t.valid_log_loss)
        for row, (x, t) in enumerate(at)
        if t.state == state and t.valid_log_loss is not None and x is not None
    ]
    path, rows = plane.dots((x, loss) for _, x, loss in shown), tuple(row for row, _, _ in shown)
    return (Dots(path, rows, "full" if state == "complete" else "small"),) if shown else ()


def chosen(entry: Entry, plane: Plane, at: At) -> tuple[Mark, ...]:
    """Return the model's marker at the trial that was chosen."""
    return tuple(
        Mark(*plane.point(x, t.valid_log_loss), entry.series.shape, row=row)
        for row, (x, t) in enumerate(at)
        if t.number == entry.study.best_trial and t.valid_log_loss is not None and x is not None
    )


def _slice(entry: Entry, name: str, plane: Plane) -> Chart | None:
    study = entry.study
    values = [t.params[name] for t in study.trials if name in t.params]
    if len({plain(value) for value in values}) < 2:
        return None
    if _is_numeric(study, name, values):
        scale = _scale(study, name, [float(value) for value in values])
        ticks, place = Plane(scale, plane.y, plane.height).x_ticks(3, apart=0.3), {}
    else:
        place = {plain(value): k for k, value in enumerate(_ordered(values))}
        scale = Scale(-0.5, len(place) - 0.5)
        ticks = _categories(place, scale)
    at = [(_x(t, name, place), t) for t in study.trials]
    on = Plane(scale, plane.y, plane.height)
    return Chart(
        title=f"Log loss of {study.model} on {study.dataset} by {name}",
        height=plane.height,
        grid_height=plane.height,
        x_ticks=ticks,
        y_ticks=on.y_ticks(),
        x_label=axis(shorten(name, 16), scale),
        dots=dots(on, at),
        marks=chosen(entry, on, at),
        colour=entry.series.colour,
    )


def _x(trial: TrialRecord, name: str, place: dict[str, int]) -> float | None:
    """Return where a trial lies; None where it does not have the parameter."""
    if name not in trial.params:
        return None
    value = trial.params[name]
    return float(place[plain(value)]) if place else float(value)


def _is_numeric(study: StudyRecord, name: str, values: list[Any]) -> bool:
    """Return whether the values lie on an axis: numbers, and not a choice among a few."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    kind = study.space.get(name, {}).get("type", "")
    return numbers and kind != "categorical" and (bool(kind) or len(set(values)) > MOST_CATEGORIES)


def _scale(study: StudyRecord, name: str, values: list[float]) -> Scale:
    """Return the axis of a number: logarithmic where it was searched so, or spans decades."""
    space = study.space.get(name, {})
    low, high = min(values), max(values)
    is_log = space.get("log", low > 0 and high / low >= LOG_FROM_RATIO)
    if is_log and low > 0:
        room = (high / low) ** 0.05
        return Scale(low / room, high * room, log=True)
    found = linear(values)
    return Scale(found.low, found.high, counted=all(value.is_integer() for value in values))


def _ordered(values: list[Any]) -> list[Any]:
    """Return each value once: numbers ascending, others in the order in which they came."""
    once = list({plain(value): value for value in values}.values())
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in once)
    return sorted(once) if numbers else once


def _categories(place: dict[str, int], scale: Scale) -> tuple[Tick, ...]:
    """Return a tick for each category, with its name where there is room for all of them."""
    length = max(3, LABELS_LENGTH // len(place))
    return tuple(
        Tick(across(scale.at(k)), shorten(name, length), anchor_at(scale.at(k))) for name, k in place.items()
    )
