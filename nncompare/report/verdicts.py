"""The verdicts: one card per data set, and the differences that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nncompare.points import points
from nncompare.report import formats
from nncompare.report.blocks import Cell, Column, Entry, Part, Row, Table
from nncompare.report.charts import Chart
from nncompare.report.forest import caption, close_up, forest
from nncompare.results import Check, CheckLevel, PairRecord, VerdictState
from nncompare.standing import (
    IN_WORDS,
    MAJORITY,
    REFERENCE,
    SHORTEST_S,
    Shortfall,
    is_better,
    is_slight,
    shortfall,
)

STATES: dict[VerdictState, str] = {
    "better": "clear winner",
    "equal": "practically equal",
    "undecided": "undecided",
    "single": "only one model finished",
    "none": "no result",
}
SINGLE_SEED = "ahead, single seed"
SLIGHT = "better, but barely"
LEVELS: tuple[CheckLevel, ...] = ("problem", "warning", "info", "ok")


@dataclass(frozen=True, slots=True)
class VerdictCard:
    """Which model to use on one data set, how sure that is, and what to know before believing it.

    ``state`` gives the badge its colour: that of a clear winner is kept for clear winners. The checks of the data
    are unfolded where they are ``doubtful``.
    """

    dataset: str
    about: str
    state: VerdictState
    badge: str
    text: str
    checks: tuple[Check, ...]
    data: str
    data_checks: tuple[Check, ...]
    doubtful: bool
    chart: Chart | None
    close_up: Chart | None
    caption: str
    absent: str
    details: tuple[Table, ...]


def cards(parts: tuple[Part, ...]) -> tuple[VerdictCard, ...]:
    """Return the card of each data set, in the order of the run."""
    return tuple(_card(part) for part in parts)


def answer(parts: tuple[Part, ...]) -> str:
    """Return the line under the heading: the winner on each data set."""
    if not parts:
        return "No data set was compared, so there is no verdict."
    absent = [part.dataset.name for part in parts if part.dataset.verdict.state == "none"]
    said = [_short(part) for part in parts if part.dataset.verdict.state != "none"]
    if absent:
        said.append(f"on {formats.listed(absent)} there is no result")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def _short(part: Part) -> str:
    """Return a data set's verdict in a few words, with what the sentence says against its first model."""
    verdict, name = part.dataset.verdict, part.dataset.name
    short = _shortfall(part)
    if verdict.state == "single":
        did = "was run" if len(part.entries) == 1 else "finished"
        return f"on {name} only {formats.listed(compared(part))} {did}{_alone(part, short)}"
    if verdict.state == "better" and verdict.winner is not None:
        if short is not None:
            return f"on {name} {verdict.winner} {_advice(short)}"
        if verdict.single_seed:
            return f"on {name} {verdict.winner} is ahead (single seed)"
        if is_slight(verdict):
            return f"on {name} {verdict.winner} is better, but too little to matter"
        return f"on {name} use {verdict.winner}"
    but = "" if short is None else f", but {compared(part)[0]} {_advice(short)}"
    if verdict.state == "equal":
        return f"on {name} {formats.listed(verdict.tied)} are practically equal{but}"
    between = f" between {formats.listed(verdict.tied)}" if len(verdict.tied) > 1 else ""
    return f"on {name} it is undecided{between}{but}"


def _alone(part: Part, short: Shortfall | None) -> str:
    """Return how the only model stands to the references."""
    if short is not None:
        return f", and it {_advice(short)}"
    beats = any(is_better(part.dataset.verdict, model, REFERENCE) for model in compared(part))
    return ", and it beats logistic regression" if beats else ""


def _advice(short: Shortfall) -> str:
    """Return what a model fails to beat; a reference that is shown to be better is the one to use."""
    return f"{short.words}: use that" if short.is_worse and short.reference == REFERENCE else short.words


def _shortfall(part: Part) -> Shortfall | None:
    """Return the reference that the most accurate model fails to beat."""
    first = next(iter(compared(part)), None)
    return None if first is None else shortfall(part.dataset.verdict, first)


def compared(part: Part) -> list[str]:
    """Return the models that the verdict compared; results of earlier versions do not name them."""
    return part.dataset.verdict.compared or [entry.study.model for entry, _ in part.tested]


def _card(part: Part) -> VerdictCard:
    dataset, verdict = part.dataset, part.dataset.verdict
    chart = forest(part)
    tables = (_models(part), _seeds(part), _pairs(part))
    name = badge(part)
    is_tempered = _shortfall(part) is not None or (verdict.state == "better" and name != STATES["better"])
    return VerdictCard(
        dataset=dataset.name,
        about=_about(part),
        state="undecided" if is_tempered else verdict.state,
        badge=name,
        text=verdict.text,
        checks=tuple(sorted(part.checks, key=lambda check: LEVELS.index(check.level))),
        data=f"Checks of the data: {to_note(dataset.data_checks)} to note",
        data_checks=tuple(dataset.data_checks),
        doubtful=any(check.level in LEVELS[:2] for check in dataset.data_checks),
        chart=chart,
        close_up=close_up(part),
        caption=caption(part) if chart is not None else "",
        absent=f"No chart: {_why_none(part)}",
        details=tuple(table for table in tables if table.rows),
    )


def to_note(checks: Sequence[Check]) -> str:
    """Return how many checks are problems and warnings."""
    counts = [(sum(check.level == level for check in checks), level) for level in LEVELS[:2]]
    return ", ".join(formats.plural(number, level) for number, level in counts if number) or "nothing"


def badge(part: Part) -> str:
    """Return the verdict's state in some words: no clear winner by one seed, by a hair, or below a reference."""
    verdict, short = part.dataset.verdict, _shortfall(part)
    if verdict.state in ("better", "single") and short is not None:
        what = "one class" if short.reference == MAJORITY else IN_WORDS[short.reference]
        return f"{'below' if short.is_worse else 'not shown to beat'} {what}"
    if verdict.state == "single" and len(part.entries) == 1:
        return "one model"
    if verdict.state != "better":
        return STATES[verdict.state]
    if verdict.single_seed:
        return SINGLE_SEED
    return SLIGHT if is_slight(verdict) else STATES["better"]


def _about(part: Part) -> str:
    """Return the size of a data set in words."""
    d = part.dataset
    if not d.class_names:
        return "not loaded"
    rows = f"{d.n_train:,} train, {d.n_valid:,} validation, {d.n_test:,} test"
    return f"{d.kind}, {len(d.class_names)} classes; {rows}"


def _why_none(part: Part) -> str:
    if part.dataset.failure is not None:
        return part.dataset.failure.message
    return "no model has test scores on this data set; see Run health."


def _pairs(part: Part) -> Table:
    """Return the differences between models (and references) with their simultaneous intervals and costs."""
    margin = points(part.dataset.verdict.margin)
    pairs = part.dataset.verdict.pairs
    has_sign_test = any(pair.mcnemar_p is not None for pair in pairs)
    p = "p of the sign test over groups" if any(pair.n_groups is not None for pair in pairs) else "McNemar p"
    return Table(
        label=f"Differences in accuracy on {part.dataset.name}",
        columns=(
            Column("Pair", False),
            Column("Conclusion", False),
            Column("Points"),
            Column("95 % CI, simultaneous over all pairs of the data set"),
            *((Column(f"{p} (uncorrected; not used for the verdict)"),) if has_sign_test else ()),
            Column("Training time", False, wide=True),
        ),
        rows=tuple(_pair(part, pair, has_sign_test) for pair in pairs),
        summary=f"Differences, first minus second; the margin is {margin} points",
    )


def _pair(part: Part, pair: PairRecord, has_sign_test: bool) -> Row:
    p = formats.MISSING if pair.mcnemar_p is None else f"{pair.mcnemar_p:.3g}"
    return Row(
        (
            Cell(f"{pair.a} − {pair.b}"),
            Cell(_conclusion(pair)),
            Cell(points(pair.difference, signed=True)),
            Cell(f"{points(pair.low, signed=True)} to {points(pair.high, signed=True)}"),
            *((Cell(p),) if has_sign_test else ()),
            Cell(_cost(part, pair)),
        )
    )


def _conclusion(pair: PairRecord) -> str:
    """Return which of the two is better, or what keeps that from being said."""
    if pair.state != "better":
        return STATES[pair.state]
    better = pair.a if pair.difference > 0 else pair.b
    return f"{better} better{', within the margin' if pair.within_margin else ''}"


def _cost(part: Part, pair: PairRecord) -> str:
    """Return how many times the slower one of a pair costs the faster one to train, in CPU seconds."""
    costs = [(e.study.fit_cpu_s, e.study.model) for e in part.entries if e.study.model in (pair.a, pair.b)]
    known = sorted((cost, model) for cost, model in costs if cost)
    if len(known) < 2:
        return formats.MISSING
    (fast, _), (slow, model) = known
    if slow < SHORTEST_S:
        return f"each less than {SHORTEST_S} s"
    if fast < SHORTEST_S:
        return f"{model} longer ({formats.cpu(slow)} against less than {SHORTEST_S} s), too short for a ratio"
    return f"{model} {formats.times(slow / fast)} as long ({formats.cpu(slow)} against {formats.cpu(fast)})"


def _models(part: Part) -> Table:
    """Return the accuracy of each model in per cent and its training time, as the sentence says them."""
    columns = ("Accuracy, %", "95 % CI, %", "Training CPU", "Refits", "Refits failed")
    return Table(
        label=f"Models on {part.dataset.name}",
        columns=(Column("Model", False), *(Column(name) for name in columns)),
        rows=tuple(
            Row(
                (
                    Cell(entry.study.model),
                    Cell(f"{100 * test.accuracy.mean:.1f}"),
                    Cell(f"{100 * test.accuracy.low:.1f} to {100 * test.accuracy.high:.1f}"),
                    Cell(formats.cpu(entry.study.fit_cpu_s)),
                    Cell(str(len(entry.study.refits))),
                    Cell(str(sum(refit.failure is not None for refit in entry.study.refits))),
                )
            )
            for entry, test in part.tested
        ),
        summary="Models",
    )


def _seeds(part: Part) -> Table:
    """Return every seed's scores: the dots of the forest plot."""
    return Table(
        label=f"Each seed on {part.dataset.name}",
        columns=(
            Column("Model", False),
            *(Column(c) for c in ("Seed", "Accuracy", "Macro F1", "Log loss", "Epochs", "CPU time", "Memory")),
        ),
        rows=tuple(row for entry in part.entries for row in _refits(entry)),
        summary="Each seed",
    )


def _refits(entry: Entry) -> list[Row]:
    return [
        Row(
            (
                Cell(entry.study.model),
                Cell(str(r.seed)),
                Cell(formats.score(r.test_accuracy)),
                Cell(formats.score(r.macro_f1)),
                Cell(formats.score(r.log_loss)),
                Cell(str(r.epochs)),
                Cell(formats.cpu(r.fit_cpu_s)),
                Cell(formats.size(None if r.peak_memory_mb is None else r.peak_memory_mb * 1e6)),
            )
        )
        for r in entry.study.refits
    ]
