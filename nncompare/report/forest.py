"""The forest plot of one data set: mean, interval, a dot per seed, references as dashed lines."""

from __future__ import annotations

from collections.abc import Sequence

from nncompare.report.blocks import Entry, Part, seed_scores
from nncompare.report.charts import (
    ACROSS,
    DOWN,
    Chart,
    Dots,
    Line,
    Mark,
    Text,
    across,
    number,
    specks,
    ticks_across,
    trace,
)
from nncompare.report.formats import score, shorten
from nncompare.report.scales import Scale, linear
from nncompare.results import Interval

ROW = 46
WORDS = 19  # how far down the words of a row reach
NAME_LENGTH = 15
WIDEST_FOR_REFERENCE = 4.0
CRUSHED = 12.0
CLOSE = 4.0

MODELS, SEEDS = 0, 1  # the tables of the card that hold the numbers

Rows = Sequence[tuple[Entry, Interval]]
Means = Sequence[tuple[str, float]]


def forest(part: Part) -> Chart | None:
    """Return the forest plot of all tested models, or None where there is none."""
    rows = _rows(part)
    return _chart(part, f"Test accuracy on {part.dataset.name}", rows, _references(part)) if rows else None


def close_up(part: Part) -> Chart | None:
    """Return the plot of the best models alone where distant ones crush their intervals, else None."""
    rows = _rows(part)
    if len(rows) < 3:
        return None
    near = _near(rows)
    widest = max(accuracy.high - accuracy.low for _, accuracy in near)
    if rows[0][1].mean - rows[-1][1].mean < CRUSHED * widest or not 2 <= len(near) < len(rows):
        return None
    return _chart(part, f"The best models on {part.dataset.name}, enlarged", near, ())


def _near(rows: Rows) -> Rows:
    """Return the models near the best one, by the intervals of the two best: a distant one may be wide."""
    widest = max(accuracy.high - accuracy.low for _, accuracy in rows[:2])
    return [row for row in rows if rows[0][1].mean - row[1].mean <= CLOSE * widest]


def caption(part: Part) -> str:
    """Return what the forest plot shows, in words."""
    seeds = max(len(seed_scores(entry)) for entry, _ in part.tested)
    dots = "a dot for each seed" if seeds > 1 else "one seed only"
    dashes = "; dashed: references" if _references(part) else ""
    return f"Test accuracy: mean and 95 % interval, {dots}{dashes}."


def _rows(part: Part) -> list[tuple[Entry, Interval]]:
    return [(entry, test.accuracy) for entry, test in part.tested]


def _references(part: Part) -> list[tuple[str, float]]:
    """Return the references that have a score, by name."""
    return [
        (reference.name, reference.test_accuracy.mean)
        for reference in part.dataset.references
        if reference.failure is None and reference.test_accuracy is not None
    ]


def _chart(part: Part, title: str, rows: Rows, references: Means) -> Chart:
    scale, grid = _scale(rows, references), ROW * len(rows)
    dashes, names = _dashed(scale, references, grid)
    drawn = [_model(scale, index, entry, accuracy) for index, (entry, accuracy) in enumerate(rows)]
    return Chart(
        title=title,
        height=grid + 25 + 17 * len(references),
        grid_height=grid,
        x_ticks=ticks_across(scale),
        lines=(*dashes, *(line for line, _, _ in drawn)),
        dots=(_seeds(scale, rows, _first_seeds(part)),),
        marks=tuple(mark for _, marks, _ in drawn for mark in marks),
        texts=(*names, *(text for _, _, texts in drawn for text in texts)),
        framed=False,
    )


def _first_seeds(part: Part) -> dict[str, int]:
    """Return the row of each model's first seed in the table of seeds."""
    found, row = {}, 0
    for entry in part.entries:
        found[entry.study.model] = row
        row += len(entry.study.refits)
    return found


def _model(scale: Scale, index: int, entry: Entry, accuracy: Interval) -> tuple[Line, list[Mark], list[Text]]:
    """Return the interval, the marks and the words of one row."""
    top, shape, colour = ROW * index, entry.series.shape, entry.series.colour
    said = f"{score(accuracy.mean)} [{score(accuracy.low)}, {score(accuracy.high)}]"
    mean = Mark(across(scale.at(accuracy.mean)), number(top + 26), shape, colour, row=index, table=MODELS)
    texts = [
        Text("14", number(top + 13), shorten(entry.series.name, NAME_LENGTH), strong=True),
        Text("100%", number(top + 13), said, "end"),
    ]
    ends = [(round(ACROSS * scale.at(value)), DOWN * (top + 26)) for value in (accuracy.low, accuracy.high)]
    return Line(trace(ends), colour=colour), [Mark("5", number(top + 9), shape, colour), mean], texts


def _seeds(scale: Scale, rows: Rows, first: dict[str, int]) -> Dots:
    """Return a dot for each seed, below the interval of its model."""
    found = [
        ((round(ACROSS * scale.at(refit.test_accuracy)), DOWN * (ROW * index + 37)), first[entry.study.model] + k)
        for index, (entry, _) in enumerate(rows)
        for k, refit in enumerate(entry.study.refits)
        if refit.test_accuracy is not None
    ]
    return Dots(specks([at for at, _ in found]), tuple(row for _, row in found), "seed", table=SEEDS)


def _scale(rows: Rows, references: Means) -> Scale:
    """Return a scale around the models, widened for a reference unless that would crush them."""
    values = [v for entry, a in rows for v in (a.low, a.mean, a.high, *seed_scores(entry))]
    span = (max(values) - min(values)) or 0.01
    for mean in sorted((mean for _, mean in references), reverse=True):
        with_it = [*values, mean]
        if max(with_it) - min(with_it) <= WIDEST_FOR_REFERENCE * span:
            values = with_it
    return linear(values, bounds=(0.0, 1.0))


def _dashed(scale: Scale, references: Means, grid: int) -> tuple[list[Line], list[Text]]:
    """Return a dashed line and a name below the axis for each reference, an arrow for those off the scale.

    The line runs beside the marks alone and ends above its name, so that it strikes no words through.
    """
    lines, texts = [], []
    for index, (full_name, mean) in enumerate(references, start=1):
        name = shorten(full_name, 24)
        y, at = grid + 20 + 17 * index, scale.at(mean)
        if mean < scale.low:
            texts.append(Text("0", number(y), f"← {name} (off this scale)"))
        elif mean > scale.high:
            texts.append(Text("100%", number(y), f"{name} (off this scale) →", "end"))
        else:
            lines.append(Line(_between_words(round(ACROSS * at), grid // ROW, y), "guide"))
            texts.append(Text(across(at), number(y), name, "start" if at < 0.5 else "end"))
    return lines, texts


def _between_words(x: int, n_rows: int, y_of_name: int) -> str:
    """Return the path of a reference's line: a part in the band of each row's marks, and one above its name."""
    bands = [(ROW * row + WORDS, ROW * (row + 1)) for row in range(n_rows)]
    return "".join(f"M{x} {DOWN * top}V{DOWN * end}" for top, end in (*bands, (y_of_name - 14, y_of_name - 11)))
