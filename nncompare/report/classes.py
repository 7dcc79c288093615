"""Scores per class and confusions."""

from __future__ import annotations

from collections.abc import Sequence

from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Figure, Group, Part, Row, Section, Table, tint
from nncompare.results import ClassScores, TestScores

MOST_CLASSES_SHOWN = 25
MOST_CLASSES_IN_MATRIX = 20
MOST_CONFUSIONS = 10
NO_SCORES = "no model has test scores."
NO_ITEMS = "no test items"


def per_class(parts: tuple[Part, ...]) -> Section:
    """Return F1, precision, recall and support of every class, classes down and models across."""
    scored = [
        (c.f1, c.name, e.study.model, part.dataset.name, c)
        for part in parts
        for e, t in part.tested
        for c in t.per_class
        if c.support
    ]
    answer = "No class has scores, because no model has been tested."
    if scored:
        _, name, model, dataset, worst = min(scored, key=lambda row: row[0])
        bounds = "" if worst.f1_low is None or worst.f1_high is None else f" (95 % CI {_bounds(worst)})"
        answer = f"The lowest F1 is {formats.score(worst.f1)}{bounds}: “{name}” of {dataset} with {model}."
    return Section(
        anchor="classes",
        short="Classes",
        question="Which classes are hard?",
        answer=answer,
        groups=tuple(_class_group(part) for part in parts),
        notes=("A stronger tint is a higher F1, from the lowest to the highest of the data set.",)
        if scored
        else (),
    )


def _class_group(part: Part) -> Group:
    tested = part.tested
    if not tested:
        return Group(part.dataset.name, notes=(NO_SCORES,))
    rows = _f1_rows(tested)
    name = part.dataset.name
    columns = (Column("Class", False), *(Column(entry.study.model) for entry, _ in tested), Column("Support"))
    shown, folded = rows, rows[:0]
    notes: tuple[str, ...] = ()
    if len(rows) > MOST_CLASSES_SHOWN:
        hardest = sorted(range(len(rows)), key=lambda k: _hardness(tested, k))
        shown, folded = [rows[k] for k in hardest[:MOST_CLASSES_SHOWN]], rows
        notes = (f"The {MOST_CLASSES_SHOWN} hardest of {len(rows)} classes; all of them are folded below.",)
    tables = (Table(f"F1 by class on {name}", columns, tuple(shown), sortable=True),)
    every = (Table(f"F1 by class on {name}, all classes", columns, tuple(folded)),) if folded else ()
    return Group(name, notes=notes, tables=tables, details=(*every, _precision_recall(name, tested)))


def _f1_rows(tested: Sequence[tuple[Entry, TestScores]]) -> list[Row]:
    values = [c.f1 for _, test in tested for c in test.per_class if c.support]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return [
        Row(
            (
                Cell(scores[0].name),
                *(_f1(c, low, high) for c in scores),
                Cell(formats.count(scores[0].support)),
            )
        )
        for scores in zip(*(test.per_class for _, test in tested), strict=False)
    ]


def _hardness(tested: Sequence[tuple[Entry, TestScores]], k: int) -> tuple[bool, float]:
    """Return what orders classes from the lowest F1 up; those without test items come last."""
    rows = [test.per_class[k] for _, test in tested]
    return not any(row.support for row in rows), sum(row.f1 for row in rows)


def _f1(scores: ClassScores, low: float, high: float) -> Cell:
    """Return an F1 tinted from the lowest to the highest, or that the class has no test items."""
    if not scores.support:
        return Cell(formats.MISSING, detail=NO_ITEMS)
    return Cell(formats.score(scores.f1), detail=_bounds(scores), tint=tint(scores.f1, low, high))


def _bounds(scores: ClassScores) -> str:
    """Return the interval of an F1, where there is one."""
    if scores.f1_low is None or scores.f1_high is None:
        return ""
    return f"{scores.f1_low:.4f} to {scores.f1_high:.4f}"


def _precision_recall(name: str, tested: Sequence[tuple[Entry, TestScores]]) -> Table:
    columns = [Column("Class", False)]
    for entry, _ in tested:
        columns += [Column(f"{entry.study.model} precision"), Column(f"{entry.study.model} recall")]
    return Table(
        f"Precision and recall by class on {name}",
        tuple(columns),
        tuple(
            Row((Cell(group[0].name), *(Cell(text) for c in group for text in _precision_and_recall(c))))
            for group in zip(*(test.per_class for _, test in tested), strict=False)
        ),
        summary="Precision and recall",
    )


def _precision_and_recall(scores: ClassScores) -> tuple[str, str]:
    """Return both as text; neither says anything of a class without test items."""
    if not scores.support:
        return formats.MISSING, formats.MISSING
    return formats.score(scores.precision), formats.score(scores.recall)


def confusions(parts: tuple[Part, ...]) -> Section:
    """Return a confusion matrix per model, or the most frequent confusions where there are many classes."""
    tested = [(part, entry, test) for part in parts for entry, test in part.tested]
    worst = [(found[0], part, entry) for part, entry, test in tested if (found := frequent(part, test))]
    if worst:
        (share, expected, predicted, _), part, entry = max(worst, key=lambda item: item[0][0])
        answer = (
            f"The most frequent confusion: {entry.study.model} on {part.dataset.name} calls "
            f"{100 * share:.1f} % of the samples of class “{expected}” “{predicted}”."
        )
    else:
        answer = "No model confused any classes." if tested else "No confusions, because no model has been tested."
    return Section(
        anchor="confusions",
        short="Confusions",
        question="What is taken for what?",
        answer=answer,
        groups=tuple(_confusion_group(part) for part in parts),
        notes=(
            "Rows are the true classes, columns the predicted ones; counts are means over the refits. Blue is "
            "right, orange is wrong, empty is none; the tint is the share of the true class, on one scale for the "
            "data set.",
        )
        if tested
        else (),
    )


def _confusion_group(part: Part) -> Group:
    tested = part.tested
    if not tested:
        return Group(part.dataset.name, notes=(NO_SCORES,))
    many = len(part.dataset.class_names) > MOST_CLASSES_IN_MATRIX
    top = max((found[0][0] for _, test in tested if (found := frequent(part, test))), default=1.0)
    figures = tuple(
        Figure(
            entry.series,
            caption=f"{formats.count(sum(map(sum, test.confusion_matrix)))} test samples",
            table=_frequent_table(part, entry, test) if many else _matrix(part, entry, test, top),
        )
        for entry, test in tested
    )
    notes = (
        (f"{len(part.dataset.class_names)} classes: the {MOST_CONFUSIONS} most frequent confusions.",)
        if many
        else ()
    )
    return Group(part.dataset.name, notes=notes, figures=figures)


def _matrix(part: Part, entry: Entry, test: TestScores, top: float) -> Table:
    names = [formats.shorten(name, 12) for name in part.dataset.class_names]
    rows = []
    for k, (name, counts) in enumerate(zip(names, test.confusion_matrix, strict=False)):
        total = sum(counts) or 1.0
        cells = [
            Cell(
                _rounded(n) if n else "", tint=tint(n / total, 0, 1 if j == k else top) if n else None, miss=j != k
            )
            for j, n in enumerate(counts)
        ]
        rows.append(Row((Cell(name), *cells)))
    return Table(
        f"Confusion matrix of {entry.study.model} on {part.dataset.name}",
        (Column("true ↓ predicted →", False), *(Column(name) for name in names)),
        tuple(rows),
        kind="matrix",
    )


def _rounded(n: float) -> str:
    """Return a mean of counts in at most four characters."""
    return f"{n:.0f}" if n >= 10 or float(n).is_integer() else f"{n:.1f}"


def frequent(part: Part, test: TestScores) -> list[tuple[float, str, str, float]]:
    """Return (share of the true class, true, predicted, mean count) of wrong cells, most frequent share first."""
    names = part.dataset.class_names
    found = [
        (n / total, names[k], names[j], n)
        for k, counts in enumerate(test.confusion_matrix)
        for total in (sum(counts),)
        for j, n in enumerate(counts)
        if j != k and n > 0
    ]
    return sorted(found, key=lambda item: -item[0])


def _frequent_table(part: Part, entry: Entry, test: TestScores) -> Table:
    return Table(
        f"Most frequent confusions of {entry.study.model} on {part.dataset.name}",
        (Column("True", False), Column("Predicted", False), Column("Count"), Column("Share of the class")),
        tuple(
            Row((Cell(expected), Cell(predicted), Cell(formats.count(n)), Cell(f"{100 * share:.1f} %")))
            for share, expected, predicted, n in frequent(part, test)[:MOST_CONFUSIONS]
        ),
    )
