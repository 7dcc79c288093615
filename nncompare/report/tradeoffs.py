"""What accuracy costs, in words: which models no other one beats on both, and what the others lose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nncompare.report import formats
from nncompare.results import PairRecord, StudyRecord

MOST_SAID = 3
MOST_NAMED = 6
SAME_COST = 1.05


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost of a model: its name on a button, on an axis, what it is in a study, and how a ratio is said."""

    name: str
    axis: str
    of: Callable[[StudyRecord], float | None]
    text: Callable[[float | None], str]
    cheaper: str
    as_cheap: str


def _memory(study: StudyRecord) -> float | None:
    return None if study.peak_memory_mb is None else study.peak_memory_mb * 1e6


COSTS = (
    Cost("training", "CPU seconds of a training", lambda s: s.fit_cpu_s, formats.cpu,
         "trains {} faster", "trains as fast"),
    Cost("latency", "latency of one sample, ms", lambda s: s.latency_ms, formats.milliseconds,
         "answers {} faster", "answers as fast"),
    Cost("parameters", "parameters", lambda s: s.n_parameters, formats.count,
         "has {} fewer parameters", "has as many parameters"),
    Cost("memory", "memory while training, bytes", _memory, formats.size,
         "needs {} less memory", "needs as much memory"),
    Cost("size", "size on disk, bytes", lambda s: s.size_bytes, formats.size,
         "is {} smaller on disk", "is as large on disk"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """A model's mean test accuracy and one of its costs."""

    model: str
    accuracy: float
    cost: float


def dominator(point: Point, points: Sequence[Point], pairs: Sequence[PairRecord] = ()) -> Point | None:
    """Return the model that is no worse on both and better on one, or None.

    Of several it is the most accurate one, before all one that is shown to be more accurate. Costs that differ
    by less than 5 % are equal.
    """
    better = [
        other
        for other in points
        if other.accuracy >= point.accuracy
        and other.cost <= SAME_COST * point.cost
        and (other.accuracy > point.accuracy or point.cost > SAME_COST * other.cost)
    ]
    return max(
        better,
        key=lambda other: (not _may_be_chance(point, other, pairs), other.accuracy, -other.cost),
        default=None,
    )


def front(points: Sequence[Point]) -> list[Point]:
    """Return the models that no other one dominates, the cheapest first."""
    kept = [point for point in points if dominator(point, points) is None]
    return sorted(kept, key=lambda point: (point.cost, point.accuracy))


def answer(points: Sequence[Point], cost: Cost, pairs: Sequence[PairRecord]) -> str:
    """Say who is most accurate, what cheaper models on the front lose, and who is dominated.

    Parameters
    ----------
    points : sequence of Point
        The models of one data set, at least two.
    cost : Cost
    pairs : sequence of PairRecord
        The differences of the verdict: where one may be chance, the words say so.
    """
    kept = front(points)
    best = max(kept, key=lambda point: point.accuracy)
    cheaper = [point for point in reversed(kept) if point is not best and point.cost < best.cost]
    said = [_cheaper(point, best, cost, pairs) for point in cheaper[:MOST_SAID]]
    if len(cheaper) > MOST_SAID:
        said.append(f"{len(cheaper) - MOST_SAID} more on the line are cheaper and less accurate still")
    text = "; ".join([_head(best, points, bool(cheaper)), *said]) + "."
    lost = [(point, by) for point in points if (by := dominator(point, points, pairs)) is not None]
    return " ".join([text, *_dominated(lost, pairs)])


def _head(best: Point, points: Sequence[Point], has_cheaper: bool) -> str:
    text = f"{best.model} is the most accurate"
    if has_cheaper:
        return text
    is_cheapest = best.cost == min(point.cost for point in points)
    return f"{text}{' and the cheapest' if is_cheapest else ', and none is cheaper by 5 % or more'}"


def _cheaper(point: Point, best: Point, cost: Cost, pairs: Sequence[PairRecord]) -> str:
    """Return what a cheaper model gains and loses against the most accurate one."""
    gap = f"{100 * (best.accuracy - point.accuracy):.1f} points"
    loses = f"is {gap} behind, which may be chance" if _may_be_chance(point, best, pairs) else f"loses {gap}"
    return f"{point.model} {_saving(point, best, cost)} but {loses}"


def _saving(point: Point, best: Point, cost: Cost) -> str:
    ratio = best.cost / point.cost if point.cost > 0 else 0.0
    if ratio < SAME_COST:
        return cost.as_cheap
    return cost.cheaper.format(formats.times(ratio))


def _may_be_chance(one: Point, other: Point, pairs: Sequence[PairRecord]) -> bool:
    return any({pair.a, pair.b} == {one.model, other.model} and pair.state != "better" for pair in pairs)


def _dominated(lost: Sequence[tuple[Point, Point]], pairs: Sequence[PairRecord]) -> list[str]:
    """Return a sentence for each model that dominates others, another for those that may be below by chance."""
    by: dict[tuple[str, bool, bool], list[str]] = {}
    for point, better in lost:
        may_be_chance = _may_be_chance(point, better, pairs)
        costs_more = point.cost > SAME_COST * better.cost
        by.setdefault((better.model, may_be_chance, costs_more and may_be_chance), []).append(point.model)
    return [_sentence(models, *found) for found, models in by.items()]


def _sentence(models: list[str], better: str, may_be_chance: bool, costs_more: bool) -> str:
    who, is_one = _named(models), len(models) == 1
    be, s = ("is", "s") if is_one else ("are", "")
    if not may_be_chance:
        return f"{who} {be} dominated by {better}: no more accurate, no cheaper."
    if costs_more:
        return f"{who} cost{s} more than {better} and {be} not shown to be more accurate."
    return f"{who} cost{s} as much as {better}, and which is more accurate is not shown."


def _named(models: list[str]) -> str:
    return f"{len(models)} models" if len(models) > MOST_NAMED else formats.listed(models)
