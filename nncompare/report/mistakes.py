"""Most confident mistakes: the texts that models get wrong and are sure of."""

from __future__ import annotations

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Figure, Group, Part, Row, Section, Table
from nncompare.report.classes import NO_SCORES
from nncompare.results import Mistake

SHOWN = 5
NO_WORDS = "no words"
ONLY_TEXTS = "in this version, mistakes are shown of texts only."
NOT_RECORDED = "no mistakes are recorded."
NONE_WRONG = "no test sample is predicted wrong."


def section(parts: tuple[Part, ...]) -> Section:
    """Return the most confident mistakes of each model, folded; one line where there are none."""
    made = [(part, entry) for part in parts for entry, _ in part.tested if entry.study.mistakes]
    if made:
        part, entry = max(made, key=lambda item: item[1].study.mistakes[0].probability)
        answer = (
            f"The surest mistake is one of {entry.study.model} on {part.dataset.name}: "
            f"{surest(entry)}.{''.join(_shared(part) for part in parts)}"
        )
    else:
        tested = sorted((part for part in parts if part.tested), key=lambda part: part.dataset.kind != "tokens")
        answer = f"There is nothing to show: {_why_none(tested[0]) if tested else NO_SCORES}"
    return Section(
        anchor="mistakes",
        short="Mistakes",
        question="What are they sure of, and wrong about?",
        answer=answer,
        groups=tuple(_group(part) for part in parts) if made else (),
        notes=(
            "Probabilities are means over the refits. Of a long text the beginning and the end are shown; “?” is "
            "a word that is not in the list of words.",
        )
        if made
        else (),
    )


def surest(entry: Entry) -> str:
    """Return the most confident mistake of a model in words."""
    first = entry.study.mistakes[0]
    return f"“{first.true}” taken for “{first.predicted}” with probability {formats.score(first.probability)}"


def _shared(part: Part) -> str:
    """Return how many samples all models of a data set get wrong, if there are several models."""
    n_models, n_wrong = len(part.tested), part.dataset.n_wrong_by_all
    if n_models < 2 or n_wrong is None:
        return ""
    who = "Both models" if n_models == 2 else f"All {n_models} models"
    return (
        f" {who} get {formats.count(n_wrong)} of the {formats.plural(part.dataset.n_test, 'test sample')} of "
        f"{part.dataset.name} wrong."
    )


def _group(part: Part) -> Group:
    entries = [entry for entry, _ in part.tested]
    if not any(entry.study.mistakes for entry in entries):
        return Group(part.dataset.name, notes=(_why_none(part),))
    models = [entry.study.model for entry in entries]
    return Group(part.dataset.name, figures=tuple(_figure(entry, models) for entry in entries))


def _why_none(part: Part) -> str:
    """Return why there are no mistakes on a data set."""
    if not part.tested:
        return NO_SCORES
    if part.dataset.kind != "tokens":
        return ONLY_TEXTS
    return NOT_RECORDED if part.dataset.n_wrong_by_all is None else NONE_WRONG


def _figure(entry: Entry, models: list[str]) -> Figure:
    mistakes = entry.study.mistakes[:SHOWN]
    if not mistakes:
        return Figure(entry.series, caption=NONE_WRONG)
    what = f"{len(mistakes)} most confident mistakes" if len(mistakes) > 1 else "only mistake"
    table = Table(
        f"The {what} of {entry.study.model} on {entry.study.dataset}",
        (Column("True → predicted", False), Column("Text", False)),
        tuple(_row(mistake, entry.study.model, models) for mistake in mistakes),
    )
    return Figure(entry.series, caption=f"surest: {surest(entry)}", details=(table,))


def _row(mistake: Mistake, model: str, models: list[str]) -> Row:
    """Return the classes with the probability, and the words with the company that the model is in."""
    where = f"test row {mistake.id}"
    return Row(
        (
            Cell(f"{mistake.true} → {mistake.predicted}", detail=formats.score(mistake.probability)),
            Cell(mistake.words or NO_WORDS, detail=f"{where}{_company(mistake, model, models)}"),
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
