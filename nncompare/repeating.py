"""Whether a run repeats exactly, and what ``--deterministic`` could not keep."""

from __future__ import annotations

from collections.abc import Sequence

from nncompare.checks import with_check
from nncompare.results import Check, DatasetRecord, Results, RunState, Settings, StudyRecord
from nncompare.settings import RunConfig

__all__ = ["have_changed", "is_repeatable", "told_in", "void_reasons"]

LIMITED = ("timeout", "oom", "killed", "interrupted", "storage", "disk")


def void_reasons(config: RunConfig) -> list[str]:
    """Return what of a run's settings keeps it from repeating, whatever ``--deterministic`` says."""
    reasons = []
    if config.timeout_s is not None:
        reasons.append("--timeout lets the clock decide how many trials there are")
    if config.threads > 1:
        reasons.append(f"{config.threads} threads may add numbers up in another order")
    return reasons


def have_changed(settings: Settings, earlier: Results | None) -> bool:
    """Tell whether trials of one run were drawn under different settings, in this part of it or in an earlier one.

    The number of trials decides how many of them are drawn at random; the number of jobs, but for
    ``--deterministic``, what a trial knows of others.
    """
    if earlier is None or not earlier.studies:  # nothing had begun
        return False
    before = earlier.settings
    jobs_count = not (settings.deterministic and before.deterministic)
    return (
        earlier.settings_changed
        or before.n_trials != settings.n_trials
        or (jobs_count and before.jobs != settings.jobs)
    )


def is_repeatable(
    config: RunConfig, jobs: int, state: RunState, studies: Sequence[StudyRecord], *, changed: bool
) -> bool:
    """Tell whether nothing depended on the clock, on free memory, or on which trial or thread was first.

    ``changed`` says what :func:`have_changed` found.
    """
    in_order = config.threads == 1 and (jobs == 1 or config.deterministic) and not changed
    return state == "complete" and in_order and config.timeout_s is None and not _cut_short(studies)


def told_in(
    dataset: DatasetRecord, config: RunConfig, studies: Sequence[StudyRecord], *, changed: bool
) -> DatasetRecord:
    """Return a data set whose verdict says, where that was asked for, that its searches do not repeat, and why."""
    own = [study for study in studies if study.dataset == dataset.name]
    reasons = void_reasons(config)
    reasons += ["the number of trials was changed when it was resumed"] if changed else []
    if cut := _cut_short(own):
        what = "trainings were" if cut > 1 else "training was"
        reasons.append(f"{cut} {what} ended by time, memory, a signal, a disk or the storage")
    if not (config.deterministic and reasons):
        return dataset
    text = f"--deterministic could not be kept, so this does not repeat exactly: {'; '.join(reasons)}."
    check = Check(code="not_deterministic", level="warning", text=text)
    verdict = dataset.verdict.model_copy(update={"checks": with_check(dataset.verdict.checks, check)})
    return dataset.model_copy(update={"verdict": verdict})


def _cut_short(studies: Sequence[StudyRecord]) -> int:
    """Count the trials, finals and refits that something else ended, and the studies that it did."""
    return sum(_cut_in(study) for study in studies)


def _cut_in(study: StudyRecord) -> int:
    failures = [trial.failure for trial in study.trials]
    failures += [final.failure for final in study.finals]
    failures += [refit.failure for refit in study.refits]
    n_cut = sum(failure is not None and failure.category in LIMITED for failure in failures)
    if n_cut == 0 and study.failure is not None and study.status != "interrupted":
        return int(study.failure.category in LIMITED)
    return n_cut
