"""The search: every trial over time with the best so far, beside slices of the parameters that mattered."""

from __future__ import annotations

from typing import Any

from nncompare.choice import finals_in_words
from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Figure, Group, Part, Row, Section, Table
from nncompare.report.charts import Chart, Line, Mark, Plane
from nncompare.report.leaderboard import trial_counts
from nncompare.report.scales import axis, losses, whole
from nncompare.report.slices import At, chosen, dots, slices
from nncompare.results import StudyRecord, TrialRecord, was_interrupted

HEIGHT = 150
FEWEST_TRIALS = 10
ENOUGH_TRIALS = 100
MOST_PARAMETERS = 5
MOST_SLICES = 2


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
            "Each dot is a trial: large where it was complete, small where it was pruned; a cross at the top edge "
            "failed. The line is the best so far, the model's marker the chosen trial; lower is better. Trial 0 "
            "is the plugin's default configuration. The charts beside the history show the complete trials over "
            "the values of the most important parameters.",
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
    stopped, gain = sum(map(was_interrupted, study.trials)), last_gain(study)
    counts = f"{complete} complete, {pruned} pruned, {failed} failed" + (
        f", {stopped} interrupted" * bool(stopped)
    )
    if gain is None:
        return f"no complete trial; {counts}"
    last = study.trials[-1].number
    return f"best at trial {gain} (numbered 0 to {last}); {counts}{_finals(study)}"


def _finals(study: StudyRecord) -> str:
    """Return which trials were trained on all rows after the search, and how they did."""
    if not study.finals or study.budget is None:
        return ""
    return f"; {finals_in_words(study.finals, study.budget.refit_samples)}"


def _figure(entry: Entry, plane: Plane) -> Figure:
    study = entry.study
    ranked = _ranked(study)
    return Figure(
        entry.series,
        caption=caption(study),
        chart=_chart(entry, plane),
        more=slices(entry, [name for name, _ in ranked[:MOST_SLICES]], plane),
        details=(_trials(study),),
        notes=_importance(study, ranked),
    )


def _ranked(study: StudyRecord) -> list[tuple[str, float]]:
    """Return the parameters by falling importance, without those of which too few trials can tell."""
    known = [(name, value) for name, value in study.importance.items() if _n_with(study, name) >= FEWEST_TRIALS]
    return sorted(known, key=lambda item: -item[1])


def _chart(entry: Entry, plane: Plane) -> Chart:
    study = entry.study
    so_far = _best_so_far(study)
    line = (Line(plane.steps(so_far)),) if so_far else ()
    at: At = [(float(trial.number), trial) for trial in study.trials]
    return Chart(
        title=f"Search history of {study.model} on {study.dataset}",
        height=HEIGHT,
        grid_height=HEIGHT,
        x_ticks=plane.x_ticks(),
        y_ticks=plane.y_ticks(),
        x_label="trial",
        y_label=axis("validation log loss", plane.y),
        lines=line,
        dots=(*dots(plane, at), *dots(plane, at, "pruned")),
        marks=(*chosen(entry, plane, at), *_failed(study, plane)),
        colour=entry.series.colour,
    )


def _best_so_far(study: StudyRecord) -> list[tuple[float, float]]:
    """Return the lowest value up to each trial, from the first complete one to the last trial."""
    found: list[tuple[float, float]] = []
    for number, value in sorted(_complete(study)):
        if not found or value < found[-1][1]:
            found.append((float(number), value))
    return [*found, (float(study.trials[-1].number), found[-1][1])] if found else []


def _failed(study: StudyRecord, plane: Plane) -> list[Mark]:
    """Return a cross at the top edge for each trial without a value."""
    lost = [
        (row, t)
        for row, t in enumerate(study.trials)
        if t.state == "failed" or (t.valid_log_loss is None and t.state != "running")
    ]
    return [Mark(plane.point(t.number, plane.y.high)[0], "4", "cross", row=row) for row, t in lost]


def _importance(study: StudyRecord, ranked: list[tuple[str, float]]) -> tuple[str, ...]:
    """Return the importance of the parameters in words, with a caution where few trials speak of it."""
    if not study.importance:
        return ("No importance of the parameters was computed.",)
    n_trials = _n_valued(study)
    if n_trials < FEWEST_TRIALS:
        few = f"{formats.plural(n_trials, 'trial')} {'is' if n_trials == 1 else 'are'} too few"
        return (f"The importance of the parameters is not shown: {few}, it takes {FEWEST_TRIALS}.",)
    first = ", ".join(f"{name} {value:.2f}{_only_with(study, name)}" for name, value in ranked[:MOST_PARAMETERS])
    rest = [f"{name}{_only_with(study, name)}" for name, _ in ranked[MOST_PARAMETERS:]]
    hint = "" if n_trials >= ENOUGH_TRIALS else f"; a hint from {formats.plural(n_trials, 'trial')} only"
    less = f". Less: {', '.join(rest)}" if rest else ""
    said = [f"Importance: {first}{hint}{less}."] if first else []
    few_of = [name for name in study.importance if _n_with(study, name) < FEWEST_TRIALS]
    if few_of:
        named = formats.listed([f"{name}{_only_with(study, name)}" for name in few_of])
        said.append(f"No importance is shown of {named}.")
    return (" ".join(said),)


def _only_with(study: StudyRecord, name: str) -> str:
    """Return how many of the trials had a parameter, where not all of them did."""
    n_trials, having = _n_valued(study), _n_with(study, name)
    return f" (only with {having} of {n_trials} trials)" if having < n_trials else ""


def _n_with(study: StudyRecord, name: str) -> int:
    """Return how many trials had a parameter: some exist only beside the value of another one."""
    return sum(_has_value(trial) and name in trial.params for trial in study.trials)


def _n_valued(study: StudyRecord) -> int:
    """Count the trials that the importance of the parameters rests on."""
    return sum(_has_value(trial) for trial in study.trials)


def _has_value(trial: TrialRecord) -> bool:
    return trial.state in {"complete", "pruned"} and trial.valid_log_loss is not None


def _short(value: Any) -> str:
    """Return a parameter's value, a fraction with 3 digits: a table of trials has room for no more."""
    return f"{value:.3g}" if isinstance(value, float) else formats.plain(value)


def _trials(study: StudyRecord) -> Table:
    """Return every trial with a column for each parameter that varied; what never did is said once."""
    names = tuple(dict.fromkeys(name for trial in study.trials for name in trial.params))
    values = {name: [_short(t.params.get(name)) for t in study.trials] for name in names}
    varied = [name for name in names if len(set(values[name])) > 1 or len(study.trials) == 1]
    same = ", ".join(f"{name} = {values[name][0]}" for name in names if name not in varied)
    return Table(
        f"Trials of {study.model} on {study.dataset}",
        (Column("Trial"), *(Column(name) for name in ("Log loss", "Accuracy", "Epochs", "CPU, s", *varied))),
        tuple(
            Row(
                (
                    Cell(str(t.number), detail="" if t.state == "complete" else t.state),
                    Cell(formats.score(t.valid_log_loss)),
                    Cell(formats.score(t.valid_accuracy)),
                    Cell(str(t.epochs)),
                    Cell(formats.MISSING if t.fit_cpu_s is None else f"{t.fit_cpu_s:.1f}"),
                    *(Cell(values[name][row]) for name in varied),
                )
            )
            for row, t in enumerate(study.trials)
        ),
        summary=f"Trials{f', all with {same}' if same and len(study.trials) > 1 else ''}",
    )
