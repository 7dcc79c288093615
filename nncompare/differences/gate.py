"""Whether run B may pass: no model really worse than in A by more than was allowed, none without its result."""

from __future__ import annotations

from dataclasses import dataclass

from nncompare.differences.records import RunDifference, StudyDifference

__all__ = ["GateResult", "check_scores"]

PASSED, FAILED, NOTHING_COMPARED = 0, 3, 4


@dataclass(frozen=True, slots=True)
class GateResult:
    """The exit code, and a sentence for each reason why it is not 0."""

    exit_code: int
    reasons: tuple[str, ...] = ()


def check_scores(found: RunDifference, points: float) -> GateResult:
    """Check that no model became worse.

    Parameters
    ----------
    found : RunDifference
    points : float
        How many points of accuracy a model may lose. It fails where the whole interval of B minus A lies below
        −points: what may be chance fails nothing.

    Returns
    -------
    GateResult
        3 where a model is worse or lost its result, 4 where no score could be compared, else 0.
    """
    reasons = [reason for study in found.studies if (reason := _reason(study, points))]
    if reasons:
        return GateResult(FAILED, tuple(reasons))
    if all(study.score.state == "not compared" for study in found.studies):
        return GateResult(NOTHING_COMPARED, ("No score of B could be compared with A.",))
    return GateResult(PASSED)


def _reason(study: StudyDifference, points: float) -> str:
    """Return why a study does not pass, empty where it does."""
    what, score = f"{study.model} on {study.dataset}", study.score
    if study.status_a == "complete" and study.status_b not in ("complete", None):
        return f"{what} has no result in B any more: {study.status_b.replace('_', ' ')}."
    if score.state != "worse" or score.high is None or score.difference is None:
        return ""
    if score.high >= -points / 100:
        return ""
    lost, least = -100 * score.difference, -100 * score.high
    return f"{what} is worse by {lost:.1f} points, at least {least:.1f}; {points:g} are allowed."
