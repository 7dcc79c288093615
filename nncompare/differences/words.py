"""What changed between two runs, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nncompare.columns import fitting, printable
from nncompare.differences.records import Change, DataDifference, RunDifference, ScoreDifference, StudyDifference
from nncompare.points import points
from nncompare.report import formats
from nncompare.statistics import SINGLE_SEED

__all__ = ["difference_lines"]

_HEADER = ("MODEL", "A", "B", "B − A, POINTS", "95 % CI", "CONCLUSION")
_NUMBERS = (1, 2, 3, 4)
_DROPPED = (4, 2, 1)
_CONCLUSIONS = {
    "better": "better in B",
    "worse": "worse in B",
    "equal": "practically equal",
    "undecided": "undecided: may be chance",
    "identical": "identical predictions",
    "not compared": "not compared",
}
_CLAIMS = ("better", "worse", "equal")
_SAID_COSTS = ("fit_cpu_s", "latency_ms", "peak_memory_mb", "n_parameters", "size_bytes")
_NOTABLE = 0.2
_PREFIXES = ("environment.packages.", "environment.", "settings.")


def difference_lines(found: RunDifference, width: int | None = None) -> list[str]:
    """Return what changed, in words and one table for each data set.

    Parameters
    ----------
    found : RunDifference
    width : int or None
        Columns of the terminal; None for no limit.
    """
    lines = [
        f"{name}  {run.run_id}  {formats.moment(run.created_at)}" for name, run in (("A", found.a), ("B", found.b))
    ]
    changed = _listed(found.changes)
    lines += ["", f"Changed: {changed}." if changed else "Neither settings nor versions changed."]
    for data in found.datasets:
        lines += ["", *_dataset(data, [study for study in found.studies if study.dataset == data.dataset], width)]
    return [printable(line) for line in lines]


def _dataset(data: DataDifference, studies: Sequence[StudyDifference], width: int | None) -> Iterator[str]:
    if data.state != "same":
        yield f"{data.dataset}: not compared: {data.reason}."
        return
    yield f"{data.dataset}: the same data, split and test labels."
    if studies:
        rows = [_row(study) for study in studies]
        yield from (f"  {line}" for line in fitting(rows, _HEADER, _NUMBERS, width=width, drop=_DROPPED))
    for study in studies:
        yield from _notes(study)
    if data.verdict_changed:
        yield f"  Verdict of A: {data.verdict_a}"
        yield f"  Verdict of B: {data.verdict_b}"


def _row(study: StudyDifference) -> tuple[str, ...]:
    score = study.score
    known = score.difference is not None and score.low is not None and score.high is not None
    return (
        study.model,
        formats.score(score.a.mean if score.a else None),
        formats.score(score.b.mean if score.b else None),
        _points(score.difference) if known else formats.MISSING,
        f"{_points(score.low)} to {_points(score.high)}" if known and score.low != score.high else formats.MISSING,
        _conclusion(score),
    )


def _conclusion(score: ScoreDifference) -> str:
    """Return the state in words, with the reason why nothing is compared or with what leaves it open."""
    said = _CONCLUSIONS[score.state]
    if score.state == "not compared":
        return f"{said}: {score.reason}"
    if score.failed_refits:
        return f"undecided: {score.failed_refits}"
    return f"{said}, {SINGLE_SEED}" if score.single_seed and score.state in _CLAIMS else said


def _notes(study: StudyDifference) -> Iterator[str]:
    """Yield what else changed for a model."""
    if study.score.reason and study.score.state != "not compared":
        yield f"  {study.model}: not compared item by item, because {study.score.reason}; the interval is wider."
    for what, changes in (("budget", study.budget), ("chosen", study.params), ("cost", _notable(study.costs))):
        if changes:
            yield f"  {study.model}, {what}: {_listed(changes)}."


def _notable(costs: Sequence[Change]) -> list[Change]:
    """Return what a reader wants to know of costs, where it changed by more than times do from run to run."""
    return [cost for cost in costs if cost.name in _SAID_COSTS and _is_notable(cost.a, cost.b)]


def _is_notable(a: float | None, b: float | None) -> bool:
    return a is None or b is None or abs(b - a) > _NOTABLE * max(abs(a), abs(b))


def _listed(changes: Sequence[Change]) -> str:
    return "; ".join(f"{_short(change.name)} {_value(change.a)} → {_value(change.b)}" for change in changes)


def _short(name: str) -> str:
    prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), "")
    return name.removeprefix(prefix)


def _value(value: object) -> str:
    return "none" if value is None else formats.plain(value)


def _points(fraction: float | None) -> str:
    return formats.MISSING if fraction is None else points(fraction, signed=True)
