"""Whether a run repeats exactly, and what ``--deterministic`` could not keep."""

from __future__ import annotations

from collections.abc import Sequence

from nncompare.checks import with_check
from nncompare.results import Check, DatasetRecord, RunState, StudyRecord
from nncompare.settings import RunConfig

__all__ = ["CLOCK_DECIDES", "is_repeatable", "told_in"]

LIMITED = ("timeout", "oom", "killed", "interrupted")
CLOCK_DECIDES = "--timeout lets the clock decide how many trials there are"


def is_repeatable(config: RunConfig, jobs: int, state: RunState, studies: Sequence[StudyRecord]) -> bool:
    """Tell whether nothing depended on the clock, on free memory, or on which trial or thread was first."""
    in_order = config.threads == 1 and (jobs == 1 or config.deterministic)
    return state == "complete" and in_order and config.timeout_s is None and not _cut_short(studies)


def told_in(dataset: DatasetRecord, config: RunConfig, studies: Sequence[StudyRecord]) -> DatasetRecord:
    """Return a data set whose verdict says, where that was asked for, that its searches do not repeat, and why."""
    own = [study for study in studies if study.dataset == dataset.name]
    reasons = [CLOCK_DECIDES] if config.timeout_s is not None else []
    reasons += [f"{config.threads} threads may add numbers up in another order"] if config.threads > 1 else []
    if cut := _cut_short(own):
        reasons.append(f"{cut} trial{'s were' if cut > 1 else ' was'} ended by time, memory or a signal")
    if not (config.deterministic and reasons):
        return dataset
    text = f"--deterministic could not be kept, so this does not repeat exactly: {'; '.join(reasons)}."
    check = Check(code="not_deterministic", level="warning", text=text)
    verdict = dataset.verdict.model_copy(update={"checks": with_check(dataset.verdict.checks, check)})
    return dataset.model_copy(update={"verdict": verdict})


def _cut_short(studies: Sequence[StudyRecord]) -> int:
    """Count the trials that something else than themselves ended."""
    failures = [trial.failure for study in studies for trial in study.trials if trial.failure is not None]
    return sum(failure.category in LIMITED for failure in failures)
