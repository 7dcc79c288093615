"""Which model wins at which budget: the best so far of each search over the CPU seconds that it had used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Figure, Group, Part, Row, Section, Table
from nncompare.report.charts import Chart, Dots, Line, Mark, Plane
from nncompare.report.labels import names
from nncompare.report.scales import Scale, axis, costs, linear, losses
from nncompare.results import TrialRecord

HEIGHT = 220
MOST_LEADS = 5


@dataclass(frozen=True, slots=True)
class Step:
    """The best trial so far, from the CPU seconds that had been used when it ended."""

    cpu_s: float
    trial: int
    log_loss: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Spent:
    """A model's best so far over its whole search, which took ``total_s`` CPU seconds.

    ``n_unknown`` counts the failed trials that told no time, as a killed process does not: they are not in it.
    """

    model: str
    steps: tuple[Step, ...]
    total_s: float
    n_unknown: int = 0


def spent(model: str, trials: Sequence[TrialRecord]) -> Spent | None:
    """Return the best so far over CPU seconds, or None where a trial's cost is unknown or no trial is complete.

    Trials count in the order of their numbers; pruned and failed ones cost time and improve nothing. The best is
    the one with the lowest validation log loss, as the search chooses.
    """
    used, steps, n_unknown = 0.0, list[Step](), 0
    for trial in sorted(trials, key=lambda t: t.number):
        if trial.fit_cpu_s is None:
            if trial.state != "failed":
                return None
            n_unknown += 1
            continue
        used += trial.fit_cpu_s
        loss = trial.valid_log_loss
        if trial.state == "complete" and loss is not None and (not steps or loss < steps[-1].log_loss):
            steps.append(Step(used, trial.number, loss, trial.valid_accuracy))
    return Spent(model, tuple(steps), used, n_unknown) if steps else None


def _loss(step: Step) -> float:
    return step.log_loss


def _error(step: Step) -> float:
    return 1.0 if step.accuracy is None else 1.0 - step.accuracy


def leaders(searches: Sequence[Spent], value: Callable[[Step], float] = _loss) -> list[tuple[float, str]]:
    """Return who has the lowest value from which CPU seconds on; a tie leaves the lead where it is."""
    events = sorted((step.cpu_s, search.model, value(step)) for search in searches for step in search.steps)
    best: dict[str, float] = {}
    found: list[tuple[float, str]] = []
    for cpu_s, model, reached in events:
        best[model] = reached
        leader = min(best, key=lambda name: (best[name], name != (found[-1][1] if found else name)))
        if not found or leader != found[-1][1]:
            found.append((cpu_s, leader))
    return found


def answer(searches: Sequence[Spent]) -> str:
    """Return in words which model is ahead up to which budget, by accuracy too where that says otherwise."""
    by_loss, by_accuracy = leaders(searches), leaders(searches, _error)
    text = f"by log loss {_ahead(by_loss)}"
    if by_accuracy == by_loss or any(step.accuracy is None for search in searches for step in search.steps):
        return text
    return f"{text} By the accuracy of the same trials {_ahead(by_accuracy)}"


def _ahead(lead: Sequence[tuple[float, str]]) -> str:
    if len(lead) == 1:
        return f"{lead[0][1]} is ahead at every budget."
    if len(lead) > MOST_LEADS:
        last, (at, first) = lead[-1], lead[0]
        return (
            f"the lead changes {len(lead) - 1} times: {first} is ahead first, from {at:.1f} CPU s, and "
            f"{last[1]} for good from {last[0]:.1f} CPU s on."
        )
    ends = [cpu_s for cpu_s, _ in lead[1:]]
    said = [f"up to {ends[0]:.1f} CPU s {lead[0][1]} is ahead"]
    said += [f"then {name} up to {end:.1f} CPU s" for (_, name), end in zip(lead[1:-1], ends[1:], strict=True)]
    return f"{', '.join(said)}, after that {lead[-1][1]}."


def section(parts: tuple[Part, ...]) -> Section:
    """Return the searches of each data set over what they cost."""
    groups = tuple(_group(part) for part in parts)
    found = [(part.dataset.name, _searches(part)) for part in parts if len(_searches(part)) > 1]
    said = [f"On {name} {answer([search for _, search in searches])}" for name, searches in found]
    return Section(
        anchor="budget",
        short="Budget",
        question="Which model wins at which budget?",
        answer=" ".join(said) or "That cannot be told: no data set has two searches at known costs.",
        groups=groups,
        notes=(
            "One search of each model, judged on validation rows: with another seed the lines may cross "
            "elsewhere. A line ends where its search ended.",
        )
        if said
        else (),
    )


def _searches(part: Part) -> list[tuple[Entry, Spent]]:
    made = [(entry, spent(entry.study.model, entry.study.trials)) for entry in part.entries]
    return [(entry, search) for entry, search in made if search is not None]


def _group(part: Part) -> Group:
    """Return both charts of a data set that several models searched, else why there is none."""
    name, found = part.dataset.name, _searches(part)
    if len(part.entries) < 2:
        return Group(name, notes=("one model was searched, so there is nothing to compare.",))
    if len(found) < 2:
        return Group(name, notes=("of fewer than two models are the costs of all trials known.",))
    shown = [search.model for _, search in found]
    absent = [entry.study.model for entry in part.entries if entry.study.model not in shown]
    without = f"Not shown: {formats.listed(absent)}, without complete trials or their cost."
    untold = [
        f"Without {formats.plural(search.n_unknown, 'failed trial')} of {search.model} whose time is unknown."
        for _, search in found
        if search.n_unknown
    ]
    notes = (*((without,) if absent else ()), *untold)
    x = costs([s.total_s for _, s in found] + [s.steps[0].cpu_s for _, s in found])
    figures = tuple(_figures(name, found, x))
    return Group(name, notes=notes, figures=figures, details=(_table(name, found),))


def _figures(name: str, found: list[tuple[Entry, Spent]], x: Scale) -> list[Figure]:
    loss = Plane(x, losses([step.log_loss for _, s in found for step in s.steps]), HEIGHT)
    made = [Figure(None, "Validation log loss of the best trial so far", _chart(name, found, loss, "log loss"))]
    known = [step.accuracy for _, s in found for step in s.steps if step.accuracy is not None]
    if known:
        accuracy = Plane(x, linear(known, bounds=(0.0, 1.0)), HEIGHT)
        made.append(Figure(None, "Validation accuracy of that trial", _chart(name, found, accuracy, "accuracy")))
    return made


def _chart(name: str, found: list[tuple[Entry, Spent]], plane: Plane, what: str) -> Chart:
    lines, dots, marks, ends, row = [], [], [], [], 0
    for entry, search in found:
        rows = range(row, row + len(search.steps))
        row = rows.stop
        value = [step.log_loss if what == "log loss" else step.accuracy for step in search.steps]
        at = [(s.cpu_s, v, r) for s, v, r in zip(search.steps, value, rows, strict=True) if v is not None]
        if not at:
            continue
        colour, (_, last, last_row) = entry.series.colour, at[-1]
        lines.append(Line(plane.steps([*((x, v) for x, v, _ in at), (search.total_s, last)]), colour=colour))
        dots.append(Dots(plane.dots((x, v) for x, v, _ in at), tuple(r for _, _, r in at), "full", colour))
        marks.append(Mark(*plane.point(search.total_s, last), entry.series.shape, colour, row=last_row))
        ends.append((entry.series.name, search.total_s, last))
    return Chart(
        title=f"Best validation {what} so far on {name} against CPU seconds",
        height=HEIGHT,
        grid_height=HEIGHT,
        x_ticks=plane.x_ticks(),
        y_ticks=plane.y_ticks(),
        x_label=axis("CPU seconds of search", plane.x),
        y_label=axis(f"validation {what}", plane.y),
        lines=tuple(lines),
        dots=tuple(dots),
        marks=tuple(marks),
        texts=names(plane, ends, above=True),
    )


def _table(name: str, found: list[tuple[Entry, Spent]]) -> Table:
    rows = [
        Row(
            (
                Cell(search.model),
                Cell(formats.cpu(step.cpu_s)),
                Cell(formats.score(step.log_loss)),
                Cell(formats.score(step.accuracy)),
                Cell(str(step.trial)),
            )
        )
        for _, search in found
        for step in search.steps
    ]
    columns = ("From CPU time", "Log loss", "Accuracy", "Trial")
    return Table(
        f"Best so far on {name}", (Column("Model", False), *map(Column, columns)), tuple(rows), summary="Numbers"
    )
