"""The search: every trial over time with the best so far, and which parameters mattered."""

from __future__ import annotations

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Figure, Group, Part, Row, Section, Table
from nncompare.report.charts import Chart, Line, Mark, Plane, Shape, across
from nncompare.report.leaderboard import is_interrupted, trial_counts
from nncompare.report.scales import losses, whole
from nncompare.results import StudyRecord, TrialRecord

HEIGHT = 150
FEWEST_TRIALS = 10
ENOUGH_TRIALS = 100


def section(parts: tuple[Part, ...]) -> Section:
    """Return the history of every search, on the same axes within a data set."""
    studies = [e.study for part in parts for e in part.entries if e.study.trials]
    answer = _answer(parts) if studies else "No trial was started, so this cannot be told."
    return Section(
        anchor="search",
        short="Search",
        question="Was the search long enough?",
        answer=answer,
        groups=tuple(_group(part) for part in parts),
        notes=(
            "Filled: complete. Hollow: pruned. A cross at the top edge: failed. The line is the best so far; "
            "lower is better. Trial 0 is the plugin's default configuration.",
        )
        if studies
        else (),
    )


def _answer(parts: tuple[Part, ...]) -> str:
    """Say what the verdicts' checks say about the length of the searches, so that the two never disagree."""
    found = [(part.dataset.name, check) for part in parts for check in part.dataset.verdict.checks]
    late = [f"On {name}: {check.text}" for name, check in found if check.code == "search_still_improving"]
    few = [name for name, check in found if check.code == "few_trials"]
    if late:
        return f"Perhaps not. {' '.join(late)}"
    if few:
        return f"That cannot be told on {formats.listed(few)}, where few trials were searched; see the verdict."
    return "It seems so: no verdict notes a search that was still improving at its end."


def last_gain(study: StudyRecord) -> int | None:
    """Return the number of the complete trial with the lowest validation log loss."""
    values = _complete(study)
    return min(values, key=lambda point: (point[1], point[0]))[0] if values else None


def _complete(study: StudyRecord) -> list[tuple[int, float]]:
    return [
        (t.number, t.valid_log_loss)
        for t in study.trials
        if t.state == "complete" and t.valid_log_loss is not None
    ]


def _group(part: Part) -> Group:
    searched = [entry for entry in part.entries if entry.study.trials]
    if not searched:
        return Group(part.dataset.name, notes=("no trial was started.",))
    values = [t.valid_log_loss for e in searched for t in e.study.trials if t.valid_log_loss is not None]
    last = max(t.number for e in searched for t in e.study.trials)
    plane = Plane(whole(last), losses(values or [0.0, 1.0]), HEIGHT)
    return Group(part.dataset.name, figures=tuple(_figure(entry, plane) for entry in searched))


def caption(study: StudyRecord) -> str:
    """Return where the best trial came, counted from 0 as in results.json, and what became of all of them."""
    complete, pruned, failed = trial_counts(study)
    stopped, gain = sum(map(is_interrupted, study.trials)), last_gain(study)
    counts = f"{complete} complete, {pruned} pruned, {failed} failed" + (
        f", {stopped} interrupted" * bool(stopped)
    )
    if gain is None:
        return f"no complete trial; {counts}"
    return f"best at trial {gain} (numbered 0 to {study.trials[-1].number}); {counts}"


def _figure(entry: Entry, plane: Plane) -> Figure:
    study = entry.study
    return Figure(
        entry.series,
        caption=caption(study),
        chart=_chart(entry, plane),
        table=_importance(study) if study.importance and _n_complete(study) >= FEWEST_TRIALS else None,
        details=(_trials(study),),
        notes=_caution(study),
    )


def _chart(entry: Entry, plane: Plane) -> Chart:
    study, shape = entry.study, entry.series.shape
    so_far = _best_so_far(study)
    line = (Line(plane.steps(so_far)),) if so_far else ()
    log = " (log)" if plane.y.log else ""
    return Chart(
        title=f"Search history of {study.model} on {study.dataset}",
        description="Validation log loss of each trial and the best so far; pruned hollow, failed crossed.",
        height=HEIGHT,
        grid_height=HEIGHT,
        x_ticks=plane.x_ticks(),
        y_ticks=plane.y_ticks(),
        x_label="trial",
        y_label=f"validation log loss{log}",
        lines=line,
        marks=tuple(_mark(trial, plane, shape) for trial in study.trials if trial.state != "running"),
        colour=entry.series.colour,
    )


def _best_so_far(study: StudyRecord) -> list[tuple[float, float]]:
    """Return the lowest value up to each trial, from the first complete one to the last trial."""
    found: list[tuple[float, float]] = []
    for number, value in sorted(_complete(study)):
        if not found or value < found[-1][1]:
            found.append((float(number), value))
    return [*found, (float(study.trials[-1].number), found[-1][1])] if found else []


def _mark(trial: TrialRecord, plane: Plane, shape: int) -> Mark:
    if trial.valid_log_loss is None:
        x, _ = plane.point(trial.number, plane.y.high)
        return Mark(x, "4", "cross")
    kind: Shape = "cross" if trial.state == "failed" else shape
    return Mark(*plane.point(trial.number, trial.valid_log_loss), kind, hollow=trial.state == "pruned")


def _importance(study: StudyRecord) -> Table:
    ranked = sorted(study.importance.items(), key=lambda item: -item[1])
    return Table(
        f"Importance of the parameters of {study.model} on {study.dataset}",
        (Column("Parameter", False), Column("Importance")),
        tuple(Row((Cell(name), Cell(f"{value:.2f}", bar=across(max(0.0, value))))) for name, value in ranked),
    )


def _caution(study: StudyRecord) -> tuple[str, ...]:
    if not study.importance:
        return ("No importance of the parameters was computed.",)
    complete = _n_complete(study)
    if complete < FEWEST_TRIALS:
        few = formats.plural(complete, "complete trial")
        return (f"The importance of the parameters is not shown: {few} say nothing of it, {FEWEST_TRIALS} may.",)
    if complete >= ENOUGH_TRIALS:
        return ()
    return (
        f"Importance from {formats.plural(complete, 'complete trial')}, fewer than {ENOUGH_TRIALS}: only a hint.",
    )


def _n_complete(study: StudyRecord) -> int:
    return trial_counts(study)[0]


def _trials(study: StudyRecord) -> Table:
    """Return every trial with a column for each parameter, so that their names stand there once."""
    names = tuple(dict.fromkeys(name for trial in study.trials for name in trial.params))
    numbers = ("Log loss", "Accuracy", "Epochs", "CPU time")
    return Table(
        f"Trials of {study.model} on {study.dataset}",
        (Column("Trial"), Column("State", False), *(Column(name) for name in (*numbers, *names))),
        tuple(
            Row(
                (
                    Cell(str(t.number)),
                    Cell(t.state),
                    Cell(formats.score(t.valid_log_loss)),
                    Cell(formats.score(t.valid_accuracy)),
                    Cell(str(t.epochs)),
                    Cell(formats.cpu(t.fit_cpu_s)),
                    *(Cell(formats.plain(t.params.get(name))) for name in names),
                )
            )
            for t in study.trials
        ),
    )
