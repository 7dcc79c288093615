"""What the parts of a run that was stopped, resumed or extended make together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nncompare.estimate import Estimate
from nncompare.plan import Plan, PlannedStudy
from nncompare.results import Results, StudyRecord

__all__ = ["earlier_notes", "earlier_study", "in_whole", "resumed_at"]

BEFORE = "Shown are the results of before"
"""How the notes begin that hold for one part of a run only."""


def resumed_at(plan: Plan) -> list[str]:
    """Return when the run went on, the last time now; empty for a new run."""
    if plan.earlier is None:
        return []
    return [*plan.earlier.resumed_at, datetime.now().astimezone().isoformat(timespec="seconds")]


def earlier_notes(plan: Plan) -> list[str]:
    """Return what was noted in the earlier parts and still holds."""
    notes = plan.earlier.notes if plan.earlier is not None else []
    return [note for note in notes if not note.startswith(BEFORE)]


def earlier_study(plan: Plan, study: PlannedStudy) -> StudyRecord | None:
    """Return what results.json said of a study when this part of the run began."""
    return None if plan.earlier is None else _by_pair(plan.earlier).get((study.model, study.dataset))


def in_whole(results: Results, plan: Plan, times: Sequence[str], estimate: Estimate | None) -> Results:
    """Add to the results of this part what the earlier ones found and took, and how long it was foretold to take.

    An estimate of an earlier part holds as long as the same is asked of the run: not for more trials, another
    limit of time or another number of jobs.
    """
    earlier = plan.earlier
    if earlier is None and estimate is None:
        return results
    seconds, studies = None, {}
    if estimate is not None:
        seconds, studies = estimate.seconds, dict(estimate.studies)
    elif earlier is not None and _asked(earlier) == _asked(results):
        seconds = earlier.estimate_s
        studies = {(s.model, s.dataset): s.estimate_s for s in earlier.studies if s.estimate_s is not None}
    before_s = (earlier.duration_s or 0.0) if earlier is not None else 0.0
    whole = results if earlier is None else _with_earlier(results, earlier)
    return whole.model_copy(
        update={
            "duration_s": round((results.duration_s or 0.0) + before_s, 1),
            "estimate_s": seconds,
            "resumed_at": list(times),
            "studies": [
                study.model_copy(update={"estimate_s": studies.get((study.model, study.dataset))})
                for study in whole.studies
            ],
        }
    )


def _asked(results: Results) -> tuple[int, float | None, int]:
    """Return what decides how long a run takes, and may change when it goes on."""
    return results.settings.n_trials, results.settings.timeout_s, results.settings.jobs


def _with_earlier(results: Results, earlier: Results) -> Results:
    """Let what was complete stand until all of its data set is complete again.

    The studies of a data set and its verdict go together: scores after 400 trials are not compared with scores
    after 20.
    """
    before = _by_pair(earlier)
    waiting = _waiting(results, before)
    datasets = {dataset.name: dataset for dataset in earlier.datasets if dataset.name in waiting}
    whole = results.model_copy(
        update={
            "studies": [_of_both(study, before, waiting) for study in results.studies],
            "datasets": [datasets.get(dataset.name, dataset) for dataset in results.datasets],
            "notes": [*results.notes, *_notes(results, waiting)],
        }
    )
    if waiting and results.state == "complete":  # something failed that had been complete: it can be tried again
        return whole.model_copy(update={"state": "interrupted", "repeatable": False})
    return whole


def _waiting(results: Results, before: dict[tuple[str, str], StudyRecord]) -> dict[str, list[StudyRecord]]:
    """Return, by data set, the studies that were complete and are not so now."""
    waiting: dict[str, list[StudyRecord]] = {}
    for study in results.studies:
        known = before.get((study.model, study.dataset))
        if known is not None and known.status == "complete" and study.status != "complete":
            waiting.setdefault(study.dataset, []).append(study)
    return waiting


def _of_both(
    study: StudyRecord, before: dict[tuple[str, str], StudyRecord], waiting: dict[str, list[StudyRecord]]
) -> StudyRecord:
    """Return the record of a study that stands: of one that did not go on yet, the earlier one."""
    known = before.get((study.model, study.dataset), study)
    has_begun = bool(study.trials) or study.status != "interrupted"
    return known if study.dataset in waiting or not has_begun else study


def _notes(results: Results, waiting: dict[str, list[StudyRecord]]) -> list[str]:
    if results.state != "complete":
        text = "more is asked for, and not complete yet. Go on with"
        return [f"{BEFORE} on {name}: {text}: nncompare resume {results.run_id}" for name in waiting]
    return [
        f"{BEFORE} on {study.dataset}: {study.model} failed when more was asked for. "
        f"{study.failure.message if study.failure is not None else ''}"
        for studies in waiting.values()
        for study in studies
    ]


def _by_pair(results: Results) -> dict[tuple[str, str], StudyRecord]:
    return {(study.model, study.dataset): study for study in results.studies}
