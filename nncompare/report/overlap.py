"""How the errors of a data set's models overlap: what all get wrong, and what only one gets right."""

from __future__ import annotations

from collections.abc import Iterable

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Part, Row, Table
from nncompare.report.pictures import picture, said
from nncompare.results import Sample, SharedSample

NAMED = 3


def answer(part: Part) -> str:
    """Return the counts in a sentence, empty where there are fewer than two models or nothing is recorded."""
    n_models, n_wrong = len(part.tested), part.dataset.n_wrong_by_all
    if n_models < 2 or n_wrong is None:
        return ""
    who = "both models" if n_models == 2 else f"all {n_models} models"
    of = f"{formats.count(n_wrong)} of {formats.plural(part.dataset.n_test, 'test sample')}"
    alone = [(count, model) for model, count in _only_right(part) if count]
    return f"On {part.dataset.name}, {who} miss {of}{_alone_in_words(alone)}."


def _alone_in_words(alone: list[tuple[int, str]]) -> str:
    """Return how many samples the first models get right alone: the end of a sentence, empty where none does."""
    if not alone:
        return ""
    (count, model), *more = alone[:NAMED]
    first = f"; {formats.count(count)} {'is' if count == 1 else 'are'} right by {model} alone"
    others = " and others" if len(alone) > NAMED else ""
    return f"{first}{''.join(f', {formats.count(n)} by {name} alone' for n, name in more)}{others}"


def counts(part: Part) -> tuple[Table, ...]:
    """Return a table of what all models miss and what each alone gets right; none without two models."""
    n_wrong, n_test = part.dataset.n_wrong_by_all, part.dataset.n_test
    if len(part.tested) < 2 or n_wrong is None:
        return ()
    found = [("every model is wrong", n_wrong), *((f"only {m} is right", n) for m, n in _only_right(part))]
    rows = tuple(Row((Cell(what), Cell(formats.count(n)), Cell(_share(n, n_test)))) for what, n in found)
    columns = (Column("Test samples where", False, wide=True), Column("Count"), Column("Share"))
    return (Table(f"What the models get wrong together on {part.dataset.name}", columns, rows),)


def examples(part: Part) -> tuple[Table, ...]:
    """Return tables of samples that no model and that only one model gets right, where such are kept."""
    overlap = part.dataset.overlap
    if overlap is None:
        return ()
    name = part.dataset.name
    tables = (
        _samples(f"Samples of {name} that every model gets wrong", overlap.wrong_by_all),
        _samples(f"Samples of {name} that only one model gets right", overlap.right_by_one),
    )
    return tuple(table for table in tables if table.rows)


def which(sample: Sample) -> str:
    """Return the file of a sample, or where it has none its row in the test part."""
    return f"test row {sample.id}" if sample.file is None else sample.file


def sample_cell(sample: Sample, more: str = "") -> Cell:
    """Return what can be seen of a sample, and below it which one it is."""
    return Cell(said(sample), detail=f"{which(sample)}{more}", picture=picture(sample))


def _only_right(part: Part) -> list[tuple[str, int]]:
    """Return how many samples each model alone gets right, the highest number first."""
    overlap = part.dataset.overlap
    return sorted(overlap.only_right.items(), key=lambda item: -item[1]) if overlap is not None else []


def _share(count: int, n_test: int) -> str:
    return f"{100 * count / n_test:.1f} %" if n_test else formats.MISSING


def _samples(label: str, samples: Iterable[SharedSample]) -> Table:
    columns = (Column("True", False), Column("Sample", False), Column("Predicted", False))
    return Table(label, columns, tuple(_row(sample) for sample in samples))


def _row(sample: SharedSample) -> Row:
    taken: dict[str, list[str]] = {}
    for model, predicted in sample.predicted.items():
        taken.setdefault(predicted, []).append(model)
    predictions = "; ".join(f"{name} by {formats.listed(models)}" for name, models in taken.items())
    return Row((Cell(sample.true), sample_cell(sample), Cell(predictions)))
