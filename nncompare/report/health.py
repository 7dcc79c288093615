"""Run health: what failed, what did not run, and why; every requested pair has a row."""

from __future__ import annotations

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Row, Section, Table
from nncompare.report.leaderboard import trial_counts
from nncompare.results import Failure, Results, StudyRecord, was_interrupted

MOST_PLACES = 8
STOPPED = "stopped before it was finished"
CATEGORIES = {
    "plugin": "the plugin raised an error or broke its contract",
    "data": "the data could not be used or fetched",
    "oom": "over the memory limit",
    "timeout": "over the time limit",
    "killed": "killed from outside",
    "diverged": "the loss was not finite",
    "storage": "the study storage could not be used",
    "disk": "the disk is full or not writable",
    "interrupted": "interrupted by the user",
    "internal": "an error of nncompare itself",
}


def section(results: Results) -> Section:
    """Return the state of every requested pair, and all failures by category."""
    failures = _table_of_failures(results)
    return Section(
        anchor="health",
        short="Run health",
        question="What failed, and what did not run?",
        answer=answer(results),
        tables=(pairs(results), *((failures,) if failures.rows else ())),
        notes=() if failures.rows else ("No failure was recorded.",),
    )


def answer(results: Results) -> str:
    """Return how many pairs and trials have a result, in words."""
    studies = results.studies
    if not studies:
        return "Nothing was requested: the results name no pair of model and data set."
    complete = sum(study.status == "complete" for study in studies)
    trials = [trial for study in studies for trial in study.trials]
    failed = sum(trial_counts(study)[2] for study in studies)
    stopped = sum(map(was_interrupted, trials))
    said = f"{complete} of {formats.plural(len(studies), 'requested pair')} of model and data set complete"
    rest = [
        f"{sum(s.status == status for s in studies)} {label}"
        for status, label in (("failed", "failed"), ("not_run", "not run"), ("interrupted", "interrupted"))
        if any(s.status == status for s in studies)
    ]
    return f"{', '.join([said, *rest])}; {failed} of {formats.plural(len(trials), 'trial')} failed" + (
        f", {stopped} interrupted." if stopped else "."
    )


def pairs(results: Results) -> Table:
    """Return one row for each requested pair, whatever happened to it."""
    return Table(
        "Every requested pair of model and data set",
        (
            Column("Model", False),
            Column("Data set", False),
            Column("Status", False),
            Column("Reason", False, wide=True),
            *(
                Column(c)
                for c in ("Complete", "Pruned", "Failed", "Interrupted", "Finals", "Epochs", "Search CPU")
            ),
            Column("Refits saw", False),
        ),
        tuple(_pair(study) for study in results.studies),
    )


def without_result(results: Results) -> Table:
    """Return the requested pairs that have no result, with the reason."""
    return Table(
        "Pairs without a result",
        tuple(Column(c, False, wide=c == "Reason") for c in ("Model", "Data set", "Status", "Reason")),
        tuple(Row(_pair(study).cells[:4]) for study in results.studies if study.status != "complete"),
    )


def _pair(study: StudyRecord) -> Row:
    budget = study.budget
    return Row(
        (
            Cell(study.model),
            Cell(study.dataset),
            Cell(study.status.replace("_", " ")),
            Cell(_reason(study)),
            *(Cell(str(n)) for n in (*trial_counts(study), sum(map(was_interrupted, study.trials)))),
            Cell(str(budget.finals_run) if budget else formats.MISSING),
            Cell(formats.count(budget.epochs_used + budget.final_epochs_used) if budget else formats.MISSING),
            Cell(formats.seconds(budget.search_cpu_s + budget.finals_cpu_s) if budget else formats.MISSING),
            Cell(f"{budget.refit_data}, {budget.refit_samples:,} rows" if budget else formats.MISSING),
        ),
        kind="model" if study.status == "complete" else "missing",
    )


def _reason(study: StudyRecord) -> str:
    if study.status == "interrupted":
        return STOPPED
    return f"{study.failure.category}: {study.failure.message}" if study.failure else formats.MISSING


def failures(results: Results) -> list[tuple[Failure, str]]:
    """Return every failure with the place where it happened."""
    found = [(d.failure, f"data set {d.name}") for d in results.datasets]
    found += [(r.failure, f"reference {r.name} on {d.name}") for d in results.datasets for r in d.references]
    for study in results.studies:
        name = f"{study.model} on {study.dataset}"
        found.append((study.failure, name))
        found += [(trial.failure, f"{name}, trial {trial.number}") for trial in study.trials]
        found += [(final.failure, f"{name}, final of trial {final.trial}") for final in study.finals]
        found += [(refit.failure, f"{name}, seed {refit.seed}") for refit in study.refits]
    return [(failure, place) for failure, place in found if failure is not None]


def _table_of_failures(results: Results) -> Table:
    places: dict[tuple[str, str], list[str]] = {}
    for failure, place in failures(results):
        places.setdefault((failure.category, failure.message), []).append(place)
    rows = [
        Row(
            (
                Cell(category, detail=CATEGORIES[category]),
                Cell(str(len(where))),
                Cell(message),
                Cell("; ".join(where[:MOST_PLACES]) + (" …" if len(where) > MOST_PLACES else "")),
            )
        )
        for (category, message), where in sorted(places.items())
    ]
    columns = (
        Column("Category", False),
        Column("Times"),
        Column("Message", False, wide=True),
        Column("Where", False, wide=True),
    )
    return Table("Failures by category", columns, tuple(rows))
