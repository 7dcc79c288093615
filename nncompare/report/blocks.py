"""The plain values that templates draw: sections made of tables and figures, and one mark per model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from nncompare.report.charts import Chart
from nncompare.report.formats import listed
from nncompare.report.pictures import Picture
from nncompare.results import Check, DatasetRecord, Results, StudyRecord, TestScores

COLOURS = 8
SHAPES = 8
Kind: TypeAlias = Literal["plain", "matrix", "glance", "across"]
KINDS: dict[Kind, tuple[str, ...]] = {
    "plain": (), "matrix": ("matrix",), "glance": ("glance", "stack"), "across": ("across", "stack"),
}  # fmt: skip
"""The classes of tables of each kind."""


@dataclass(frozen=True, slots=True)
class Series:
    """One model: its name, and its colour and marker in every chart, key and table of the report."""

    name: str
    index: int

    @property
    def colour(self) -> int:
        """Return the number of the colour, 0 to 7."""
        return self.index % COLOURS

    @property
    def shape(self) -> int:
        """Return the number of the marker, 0 to 7; colour and marker together repeat after 64 models."""
        return (self.index + self.index // COLOURS) % SHAPES


@dataclass(frozen=True, slots=True)
class Entry:
    """A study with the mark of its model."""

    study: StudyRecord
    series: Series


@dataclass(frozen=True, slots=True)
class Part:
    """A data set with the studies on it, best first; those without test scores come last."""

    dataset: DatasetRecord
    entries: tuple[Entry, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """Return the checks of the verdict, without those that the checks of the data say in more words."""
        told = {check.code for check in self.dataset.data_checks}
        return tuple(check for check in self.dataset.verdict.checks if check.code not in told)

    @property
    def tested(self) -> tuple[tuple[Entry, TestScores], ...]:
        """Return the studies that have test scores, best first."""
        return tuple((entry, entry.study.test) for entry in self.entries if entry.study.test is not None)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; a wide one holds sentences."""

    label: str
    numeric: bool = True
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its picture, text, second line and mark, its tint (0 to 9, of which 0 is not drawn), its model."""

    text: str
    detail: str = ""
    mark: str = ""
    tint: int | None = None
    miss: bool = False
    series: Series | None = None
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row whose first cell is its header."""

    cells: tuple[Cell, ...]
    kind: Literal["model", "reference", "missing"] = "model"


@dataclass(frozen=True, slots=True)
class Table:
    """A table; ``label`` names it, ``summary`` where it is folded below what it belongs to.

    ``sorted_by`` is the column that orders it. Of the kind "across" each cell carries the label of its column,
    which a narrow screen shows in place of the header.
    """

    label: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sortable: bool = False
    sorted_by: int | None = None
    kind: Kind = "plain"
    summary: str = ""

    @property
    def classes(self) -> str:
        """Return the classes of the table: its kind unless plain, and t1, t2 … for its columns of text.

        Those of the class "stack" have their cells below each other on a narrow screen.
        """
        text = (f"t{number}" for number, column in enumerate(self.columns, start=1) if not column.numeric)
        return " ".join((*KINDS[self.kind], *text))


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart or a table of one model (or of all, without ``series``), with the same numbers in folded tables.

    ``more`` are small charts beside the first one; their numbers stand in the same folded table.
    """

    series: Series | None
    caption: str
    chart: Chart | None = None
    more: tuple[Chart, ...] = ()
    table: Table | None = None
    details: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several charts of which a reader sees one at a time: its button, and what it says in words."""

    label: str
    chart: Chart
    caption: str


@dataclass(frozen=True, slots=True)
class Group:
    """What a section says about one data set."""

    dataset: str
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    details: tuple[Table, ...] = ()
    choices: tuple[Choice, ...] = ()

    @property
    def is_filled(self) -> bool:
        """Return whether there is anything to show but notes."""
        return bool(self.tables or self.figures or self.choices)

    @property
    def width(self) -> int:
        """Return how many columns of the page the group wants, 1 to 4."""
        return max(1, min(4, len(self.figures)))


@dataclass(frozen=True, slots=True)
class Section:
    """A question and its answer in words, with the evidence by data set.

    ``page_notes`` are about the page itself, and so in no other form of the report.
    """

    anchor: str
    short: str
    question: str
    answer: str
    groups: tuple[Group, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    page_notes: tuple[str, ...] = ()

    @property
    def filled(self) -> tuple[Group, ...]:
        """Return the data sets that there is something to show of."""
        return tuple(group for group in self.groups if group.is_filled)

    @property
    def absent(self) -> tuple[str, ...]:
        """Return one line for each reason why a data set has nothing to show, with the data sets' names."""
        why: dict[str, list[str]] = {}
        for group in self.groups:
            if not group.is_filled:
                for note in group.notes:
                    why.setdefault(note, []).append(group.dataset)
        return tuple(f"{listed(names)}: {note}" for note, names in why.items())


def seed_scores(entry: Entry) -> list[float]:
    """Return the test accuracy of each refit that has one."""
    return [r.test_accuracy for r in entry.study.refits if r.test_accuracy is not None]


def parts(results: Results) -> tuple[Part, ...]:
    """Return the data sets with their studies, those with most results first; a model keeps its mark on all."""
    names = dict.fromkeys(study.model for study in results.studies)
    marks = {name: Series(name, index) for index, name in enumerate(names)}
    found = [
        Part(d, _best_first([Entry(s, marks[s.model]) for s in results.studies if s.dataset == d.name]))
        for d in results.datasets
    ]
    return tuple(sorted(found, key=lambda part: -len(part.tested)))


def _best_first(entries: list[Entry]) -> tuple[Entry, ...]:
    """Return entries by falling test accuracy, those without a score last, else in the order of the request."""
    return tuple(sorted(entries, key=lambda e: -e.study.test.accuracy.mean if e.study.test is not None else 2.0))


def tint(value: float, low: float, high: float) -> int:
    """Return the heat class, 0 to 9, of a value on a scale that a whole table shares."""
    if high <= low:
        return 5
    return round(9 * min(1.0, max(0.0, (value - low) / (high - low))))


def texts(*values: str) -> tuple[Cell, ...]:
    """Return cells of text."""
    return tuple(Cell(value) for value in values)
