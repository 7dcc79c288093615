"""Most confident mistakes: the samples that models get wrong and are sure of, and those that they share."""

from __future__ import annotations

from nncompare.report import formats, overlap
from nncompare.report.blocks import Cell, Column, Entry, Figure, Group, Part, Row, Section, Table
from nncompare.report.classes import NO_SCORES
from nncompare.report.pictures import picture
from nncompare.results import Mistake

SHOWN = 5
NOT_SHOWN = "rows of tables and of your own data are shown only where a run is told to (--show-rows)."
NOT_RECORDED = "no mistakes are recorded."
NONE_WRONG = "no test sample is predicted wrong."
_LABELS = {"image": "Image", "sequence": "Curve", "tokens": "Text", "tabular": "Row"}
_NOTES = {
    "image": "Images are reduced to 32 pixels at most.",
    "sequence": "Of a sequence the first feature is drawn, in 64 steps at most.",
    "tokens": "Of a long text the beginning and the end are shown; “?” is a word that is in no list.",
    "tabular": "Of a row the first 20 columns are shown.",
}


def section(parts: tuple[Part, ...]) -> Section:
    """Return the most confident mistakes of each model and what all share; one line where there is nothing."""
    made = [part for part in parts if _has_samples(part)]
    shared = "".join(f" {text}" for part in parts if (text := overlap.answer(part)))
    groups = tuple(_group(part) for part in parts)
    return Section(
        anchor="mistakes",
        short="Mistakes",
        question="What are they sure of, and wrong about?",
        answer=f"{_answer(parts, made)}{shared}",
        groups=groups if made or shared else (),
        notes=(" ".join(["Predictions are means over the refits.", *_notes(made)]),) if made or shared else (),
    )


def _answer(parts: tuple[Part, ...], made: list[Part]) -> str:
    entries = [entry for part in made for entry, _ in part.tested if entry.study.mistakes]
    if entries:
        entry = max(entries, key=lambda entry: entry.study.mistakes[0].probability)
        return f"The surest mistake is one of {entry.study.model} on {entry.study.dataset}: {surest(entry)}."
    tested = sorted((part for part in parts if part.tested), key=lambda part: part.dataset.n_wrong_by_all is None)
    return f"There is nothing to show: {_why_none(tested[0]) if tested else NO_SCORES}"


def _notes(made: list[Part]) -> list[str]:
    """Return how the samples of each kind are shown, each once."""
    return [text for kind, text in _NOTES.items() if any(part.dataset.kind == kind for part in made)]


def surest(entry: Entry) -> str:
    """Return the most confident mistake of a model in words."""
    first = entry.study.mistakes[0]
    return f"“{first.true}” taken for “{first.predicted}” with probability {formats.score(first.probability)}"


def _has_samples(part: Part) -> bool:
    return any(entry.study.mistakes for entry, _ in part.tested)


def _group(part: Part) -> Group:
    tables, details = overlap.counts(part), overlap.examples(part)
    if not _has_samples(part):
        return Group(part.dataset.name, notes=(_why_none(part),), tables=tables)
    models = [entry.study.model for entry, _ in part.tested]
    figures = tuple(_figure(entry, models, part.dataset.kind) for entry, _ in part.tested)
    return Group(part.dataset.name, tables=tables, figures=figures, details=details)


def _why_none(part: Part) -> str:
    """Return why there are no mistakes on a data set."""
    if not part.tested:
        return NO_SCORES
    if not part.dataset.rows_shown:
        return NOT_SHOWN
    return NOT_RECORDED if part.dataset.n_wrong_by_all is None else NONE_WRONG


def _figure(entry: Entry, models: list[str], kind: str) -> Figure:
    """Return a model's mistakes: pictures at a glance, words and rows folded."""
    mistakes = entry.study.mistakes[:SHOWN]
    if not mistakes:
        return Figure(entry.series, caption=NONE_WRONG)
    what = f"{len(mistakes)} most confident mistakes" if len(mistakes) > 1 else "only mistake"
    table = Table(
        f"The {what} of {entry.study.model} on {entry.study.dataset}",
        (Column("True → predicted", False), Column(_LABELS.get(kind, "Sample"), False)),
        tuple(_row(mistake, entry.study.model, models) for mistake in mistakes),
    )
    caption = f"surest: {surest(entry)}"
    if any(picture(mistake) is not None for mistake in mistakes):
        return Figure(entry.series, caption=caption, table=table)
    return Figure(entry.series, caption=caption, details=(table,))


def _row(mistake: Mistake, model: str, models: list[str]) -> Row:
    """Return the classes with the probability, and the sample with the company that the model is in."""
    return Row(
        (
            Cell(f"{mistake.true} → {mistake.predicted}", detail=formats.score(mistake.probability)),
            overlap.sample_cell(mistake, _company(mistake, model, models)),
        )
    )


def _company(mistake: Mistake, model: str, models: list[str]) -> str:
    """Return which other models get a sample wrong, where there are others."""
    others = [name for name in models if name != model]
    wrong = [name for name in others if name in mistake.by]
    if not others:
        return ""
    if not wrong:
        return "; no other model gets it wrong"
    if len(wrong) == len(others):
        return "; every model gets it wrong"
    return f"; {formats.listed(wrong)} {'gets' if len(wrong) == 1 else 'get'} it wrong too"
