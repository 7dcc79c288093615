"""Whether run B may pass: no model really worse than in A by more than was allowed, none without its result."""

from __future__ import annotations

from dataclasses import dataclass

from nncompare.differences.records import RunDifference, ScoreDifference, StudyDifference
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
        −points: what may be chance fails nothing. Where a run has a single seed, or refits of A failed,
        it only warns.

    Returns
    -------
    GateResult
        3 where a model of A is worse or has no score in B that compares with its own; 4 where no score could be
        compared because the data differ or A has none; else 0.
    """
    worse = [(study, text) for study in found.studies if (text := _worse(study, points))]
    warnings = tuple(f"Warning: {text}; {doubt}." for study, text in worse if (doubt := _doubt(study.score)))
    lost = [_lost(study) for study in found.studies if study.score.a is not None and study.score.b is None]
    if not lost and all(study.score.state == "not compared" for study in found.studies):
        return GateResult(NOTHING_COMPARED, ("No score of B could be compared with A.",))
    reasons = [f"{text}." for study, text in worse if not _doubt(study.score)]
    reasons += [*lost, *(text for study in found.studies if (text := _apart(study)))]
    return GateResult(FAILED if reasons else PASSED, tuple(reasons), warnings)


def _lost(study: StudyDifference) -> str:
    """Say what became of a model that has a score in A and none in B."""
    status = study.status_b
    why = study.score.reason if status in ("complete", None) else status.replace("_", " ")
    return f"{study.model} on {study.dataset} has no result in B any more: {why}."


def _apart(study: StudyDifference) -> str:
    """Return why a model with a score in both runs is not compared, empty where it is."""
    score = study.score
    if score.state != "not compared" or score.a is None or score.b is None:
        return ""
    return f"{study.model} on {study.dataset} is not compared: {score.reason}."


def _worse(study: StudyDifference, points: float) -> str:
    """Return by how much a model is worse than is allowed, empty where it is not."""
    score = study.score
    is_worse = score.state == "worse" or bool(score.failed_refits)
    if not is_worse or score.high is None or score.difference is None:
        return ""
    if score.high >= -points / 100:
        return ""
    lost, least = -100 * score.difference, -100 * score.high
    return (
        f"{study.model} on {study.dataset} is worse by {lost:.1f} points, at least {least:.1f}; "
        f"{points:g} are allowed"
    )


def _doubt(score: ScoreDifference) -> str:
    """Return why a difference may be noise though its interval excludes 0, empty where nothing speaks for that."""
    return SINGLE_SEED if score.single_seed else score.failed_refits
