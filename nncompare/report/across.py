"""Models x data sets: each model's accuracy on each data set, and mean ranks where there are data sets enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nncompare.ranks import rank_models
from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Part, Row, Section, Series, Table
from nncompare.report.glance import percent
from nncompare.report.verdicts import STATES, badge, compared
from nncompare.results import DatasetRecord, Ranks, Results

FIRST = 2
"""The tint of a model that is first on a data set, alone or with others."""
DOWN = (
    "Test accuracy in % with its 95 % interval, and at whoever is first the word of that data set's verdict. Read "
    "down a column: along a row the tasks differ in difficulty."
)
BY_MEANS = (
    "Ranks go by mean test accuracy; equal ones share the mean of their places (Demšar 2006). Gaps that a verdict "
    "calls undecided move a rank as any other does, and a mean rank depends on which models are beside it."
)
NO_SAMPLE = (
    "The data sets are those that this run was given, a convenience sample: mean ranks describe these alone, and "
    "no test is made of them."
)


def section(results: Results, parts: tuple[Part, ...]) -> Section | None:
    """Return the models x data sets table with what may be said of ranks; None where there is one data set."""
    ranks = results.ranks or rank_models(results)
    if ranks is None:
        return None
    return Section(
        anchor="across",
        short="Data sets",
        question="How do the models do on each data set?",
        answer=ranks.text,
        tables=(table(parts, ranks),),
        notes=(DOWN, BY_MEANS, NO_SAMPLE) if ranks.models else (DOWN,),
    )


def table(parts: tuple[Part, ...], ranks: Ranks) -> Table:
    """Return a row for each model, the ranked ones first, and each reference; a column for each data set."""
    mean_ranks = {one.model: one.mean_rank for one in ranks.models}
    models = {entry.study.model: entry.series for part in parts for entry in part.entries}
    ordered = [*mean_ranks, *sorted((m for m in models if m not in mean_ranks), key=lambda m: models[m].index)]
    names = dict.fromkeys(reference.name for part in parts for reference in part.dataset.references)
    return Table(
        label="Test accuracy in % by model and data set",
        columns=(
            Column("Model", False),
            *((Column("Mean rank"),) if mean_ranks else ()),
            *(Column(part.dataset.name) for part in parts),
        ),
        rows=(
            *(_model(models[model], mean_ranks, parts) for model in ordered),
            *(_reference(name, parts, is_ranked=bool(mean_ranks)) for name in names),
        ),
        kind="across",
    )


def _model(series: Series, mean_ranks: Mapping[str, float], parts: Sequence[Part]) -> Row:
    rank = mean_ranks.get(series.name)
    ranked = (Cell("not ranked" if rank is None else f"{rank:.2f}"),) if mean_ranks else ()
    return Row((Cell(series.name, series=series), *ranked, *(_on(part, series.name) for part in parts)))


def _on(part: Part, model: str) -> Cell:
    """Return the accuracy of a model on a data set and how it stands there, or in words why there is none."""
    entry = next((entry for entry in part.entries if entry.study.model == model), None)
    if entry is None:
        return Cell("no study")
    test = entry.study.test
    if test is None:
        return Cell(_without(entry, part.dataset))
    marks = [_mark(part, model), *_doubts(entry)]
    is_first = bool(marks[0]) and part.dataset.verdict.state != "single"
    return replace(percent(test.accuracy), mark="; ".join(filter(None, marks)), tint=FIRST if is_first else None)


def _doubts(entry: Entry) -> list[str]:
    """Return what keeps a score from counting in full, and in mean ranks at all."""
    study = entry.study
    failed = sum(refit.failure is not None for refit in study.refits)
    return [
        *([] if study.status == "complete" else [study.status]),
        *([f"{failed} of {formats.plural(len(study.refits), 'refit')} failed"] if failed else []),
    ]


def _without(entry: Entry, dataset: DatasetRecord) -> str:
    """Return what became of a study without scores; one that was not run on data that are there does not apply."""
    if entry.study.status == "not_run" and dataset.failure is None:
        return "does not apply"
    return entry.study.status.replace("_", " ")


def _mark(part: Part, model: str) -> str:
    """Return what the verdict says of a model that is first, alone or with others; empty for all others."""
    verdict = part.dataset.verdict
    if model in verdict.tied:
        return STATES[verdict.state] if len(verdict.tied) > 1 else f"first, {STATES[verdict.state]}"
    if verdict.state in ("better", "single") and model in compared(part)[:1]:
        return badge(part)
    return ""


def _reference(name: str, parts: Sequence[Part], *, is_ranked: bool) -> Row:
    ranked = (Cell("not ranked"),) if is_ranked else ()
    cells = (_of_reference(part.dataset, name) for part in parts)
    return Row((Cell(name, detail="reference"), *ranked, *cells), kind="reference")


def _of_reference(dataset: DatasetRecord, name: str) -> Cell:
    found = next((reference for reference in dataset.references if reference.name == name), None)
    if found is None or found.failure is not None:
        return Cell("none" if found is None else "failed")
    return percent(found.test_accuracy)
