"""Whether run B may pass: no model really worse than in A by more than was allowed, none without its result."""

from __future__ import annotations

from dataclasses import dataclass

from nncompare.differences.records import RunDifference, StudyDifference
from nncompare.statistics import SINGLE_SEED

__all__ = ["GateResult", "check_scores"]

PASSED, FAILED, NOTHING_COMPARED = 0, 3, 4


@dataclass(frozen=True, slots=True)
class GateResult:
    """The exit code, a sentence for each reason why it is not 0, and warnings that change no exit code."""

    exit_code: int
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def check_scores(found: RunDifference, points: float) -> GateResult:
    """Check that no model became worse.

    Parameters
    ----------
    found : RunDifference
    points : float
        How many points of accuracy a model may lose. It fails where the whole interval of B minus A lies below
        −points: what may be chance fails nothing. Of a single seed that is not known, so it only warns.

    Returns
    -------
    GateResult
        3 where a model is worse or lost its result, 4 where no score could be compared, else 0.
    """
    reasons = [reason for study in found.studies if (reason := _lost(study))]
    worse = [(study, text) for study in found.studies if (text := _worse(study, points))]
    reasons += [f"{text}." for study, text in worse if not study.score.single_seed]
    warnings = tuple(f"Warning: {text}; {SINGLE_SEED}." for study, text in worse if study.score.single_seed)
    if reasons:
        return GateResult(FAILED, tuple(reasons), warnings)
    if all(study.score.state == "not compared" for study in found.studies):
        return GateResult(NOTHING_COMPARED, ("No score of B could be compared with A.",))
    return GateResult(PASSED, warnings=warnings)


def _lost(study: StudyDifference) -> str:
    """Return why a study does not pass, empty where it does."""
    what = f"{study.model} on {study.dataset}"
    if study.status_a == "complete" and study.status_b not in ("complete", None):
        return f"{what} has no result in B any more: {study.status_b.replace('_', ' ')}."
    return ""


def _worse(study: StudyDifference, points: float) -> str:
    """Return by how much a model is worse than is allowed, empty where it is not."""
    score = study.score
    if score.state != "worse" or score.high is None or score.difference is None:
        return ""
    if score.high >= -points / 100:
        return ""
    lost, least = -100 * score.difference, -100 * score.high
    return (
        f"{study.model} on {study.dataset} is worse by {lost:.1f} points, at least {least:.1f}; "
        f"{points:g} are allowed"
    )
