"""What the parts of a run that was stopped and resumed make together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nncompare.estimate import Estimate
from nncompare.plan import Plan
from nncompare.results import Results

__all__ = ["earlier_notes", "in_whole", "resumed_at"]


def resumed_at(plan: Plan) -> list[str]:
    """Return when the run went on, the last time now; empty for a new run."""
    if plan.earlier is None:
        return []
    return [*plan.earlier.resumed_at, datetime.now().astimezone().isoformat(timespec="seconds")]


def earlier_notes(plan: Plan) -> list[str]:
    """Return what was noted in the earlier parts."""
    return list(plan.earlier.notes) if plan.earlier is not None else []


def in_whole(results: Results, plan: Plan, times: Sequence[str], estimate: Estimate | None) -> Results:
    """Add to the results of this part what the earlier ones took, and how long the run was foretold to take."""
    earlier = plan.earlier
    if estimate is not None:
        seconds, studies = estimate.seconds, dict(estimate.studies)
    elif earlier is not None:
        seconds = earlier.estimate_s
        studies = {(s.model, s.dataset): s.estimate_s for s in earlier.studies if s.estimate_s is not None}
    else:
        return results
    before_s = (earlier.duration_s or 0.0) if earlier is not None else 0.0
    return results.model_copy(
        update={
            "duration_s": round((results.duration_s or 0.0) + before_s, 1),
            "estimate_s": seconds,
            "resumed_at": list(times),
            "studies": [
                study.model_copy(update={"estimate_s": studies.get((study.model, study.dataset))})
                for study in results.studies
            ],
        }
    )
