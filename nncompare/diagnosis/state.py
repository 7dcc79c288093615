"""Whether a run came to its end, and whether its two records can be read."""

from __future__ import annotations

from collections.abc import Iterator

from nncompare.cleaned import cleaned_sentence
from nncompare.diagnosis.records import Finding
from nncompare.diagnosis.subject import Subject
from nncompare.exceptions import VersionError
from nncompare.layout import CLEANED, RESULTS, RUN_FILE
from nncompare.runfile import LOCK, holder

__all__ = ["check_cleaned", "check_results_file", "check_run_file", "check_state"]


def check_state(subject: Subject) -> Iterator[Finding]:
    """Tell whether a process works on the run, or has stopped before its end."""
    if subject.held:
        what = f"The run is held by {holder(subject.folder)}."
        yield subject.finding("held", LOCK, what, "Wait for its end, then look again.")
    elif subject.results is not None and not subject.is_complete:
        how = "was stopped" if subject.results.state == "interrupted" else "was killed"
        done = sum(study.status == "complete" for study in subject.results.studies)
        what = f"The run {how} with {done} of {len(subject.results.studies)} studies done."
        yield subject.finding("stopped", RESULTS, what, _go_on(subject))


def check_cleaned(subject: Subject) -> Iterator[Finding]:
    """Tell what was removed on purpose: that it is not there is no damage."""
    what = cleaned_sentence(subject.folder)
    if what:
        yield subject.finding("cleaned", CLEANED, what[:1].upper() + what[1:], "Run again to have it back.")


def check_results_file(subject: Subject) -> Iterator[Finding]:
    """Tell why results.json cannot be read."""
    if subject.results is not None:
        return
    path = subject.folder / RESULTS
    if not path.exists():
        if subject.held:
            return  # it is still being planned
        yield subject.finding("results-missing", path, f"There is no {RESULTS}.", _made_again(subject, move=False))
        return
    if isinstance(subject.results_or_error, VersionError):
        remedy = "Until then nothing but its report.html can be read."
        yield subject.finding("results-version", path, str(subject.results_or_error), remedy)
        return
    yield subject.finding("results-damaged", path, str(subject.results_or_error), _made_again(subject, move=True))


def check_run_file(subject: Subject) -> Iterator[Finding]:
    """Tell why run.json cannot be read: then the run cannot be resumed."""
    if subject.run_file is not None:
        return
    path = subject.folder / RUN_FILE
    is_there = path.exists()
    gone = f"There is no {RUN_FILE}, so the run cannot be resumed."
    what = str(subject.run_file_or_error) if is_there else gone
    remedy = "Restore it from a copy, or run again."
    if subject.results is not None:
        remedy = "Restore it from a copy. Report, diff and predict work without it."
    yield subject.finding("run-file-damaged" if is_there else "run-file-missing", path, what, remedy)


def _go_on(subject: Subject) -> str:
    if subject.run_file is None:
        return f"It cannot go on without a {RUN_FILE} that can be read: restore that, or run again."
    return f"Go on with: {subject.resume}"


def _made_again(subject: Subject, *, move: bool) -> str:
    """Say how to get results.json again: from a copy, or from what the trials left."""
    if subject.run_file is None:
        return "Restore it from a copy, or run again."
    first = f"Restore it from a copy, or move it away; then {subject.resume}" if move else f"Say {subject.resume}"
    return f"{first}, which makes it again from the trials that finished."
