"""Shows a run in lines, one for each thing that ends; and chooses what suits a notebook, a terminal or a pipe."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from threading import RLock
from typing import TYPE_CHECKING, Self

import click
from rich.filesize import decimal

from nncompare.choice import finals_in_words
from nncompare.columns import one_line
from nncompare.events import (
    DownloadProgress,
    Event,
    FinalFinished,
    Notice,
    RefitFinished,
    Stopping,
    StudyFinished,
    StudyStarted,
    TrialChosen,
    TrialFinished,
)
from nncompare.points import counted
from nncompare.progress.tracker import Foretold, StudyProgress, Tracker, duration
from nncompare.progress.words import stopping
from nncompare.results import FinalRecord, StudyRecord, TrialRecord

if TYPE_CHECKING:
    from nncompare.plan import Plan


class Progress(ABC):
    """A listener with a beginning and an end; events may come from several threads.

    The lock guards the tracker and is never held while something is written: rich's live display holds a lock
    of its own while it draws, and drawing takes this one.
    """

    def __init__(self) -> None:
        self.tracker = Tracker()
        self._lock = RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the terminal as it was."""
        del exception

    def __call__(self, event: Event) -> None:
        """Count one event and write its line, if it has one."""
        with self._lock:
            text = self._line(event, self.tracker.update(event))
        if text:
            self._write(text)

    def follow(self, plan: Plan, estimate: Foretold | None = None) -> None:
        """Take over what is going to run, and how long that was foretold to take."""
        with self._lock:
            self.tracker.follow(plan, estimate)

    @abstractmethod
    def _line(self, event: Event, study: StudyProgress | None) -> str:
        """Return the line of one event, empty where it has none; called with the lock held."""

    def _write(self, text: str) -> None:
        """Write one line; called without the lock."""
        click.echo(text, err=True)


class QuietProgress(Progress):
    """Shows warnings only, and that the run stops."""

    def _line(self, event: Event, study: StudyProgress | None) -> str:
        is_warning = isinstance(event, Notice) and event.level == "warning"
        return message(event, study, self.tracker) if is_warning or isinstance(event, Stopping) else ""


class PlainProgress(Progress):
    """Writes a line for each download, trial, final and refit, for logs and pipes."""

    def _line(self, event: Event, study: StudyProgress | None) -> str:
        if isinstance(event, StudyFinished) and study is not None:
            return outcome(event.study, told=study.errors)
        return message(event, study, self.tracker)


def choose_progress(quiet: bool) -> Progress:
    """Return the progress that suits a notebook, a terminal or a pipe, whichever standard error is."""
    if quiet:
        return QuietProgress()
    if in_notebook():
        from nncompare.progress.notebook import NotebookProgress

        return NotebookProgress()
    if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from nncompare.progress.live import LiveProgress

        return LiveProgress()
    return PlainProgress()


def in_notebook() -> bool:
    """Return whether this is the kernel of a notebook; IPython is looked at where it is loaded, never imported."""
    find_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return getattr(find_shell() if find_shell else None, "kernel", None) is not None


def message(event: Event, study: StudyProgress | None, tracker: Tracker) -> str:
    """Return one line for an event, empty for those that need none."""
    match event:
        case Notice(text=text, level=level):
            return one_line(f"Warning: {text}" if level == "warning" else text)
        case Stopping(grace_s=grace_s):
            return stopping(grace_s)
        case DownloadProgress():
            return _download(event)
        case StudyFinished(study=record):
            return outcome(record)
        case StudyStarted() if study is not None:
            trials, epochs = counted(event.n_trials, "trial"), counted(event.max_epochs, "epoch")
            finals = f"{event.n_finalists} finals and " if event.n_finalists > 1 else ""
            return f"{study.label}: {trials} of at most {epochs}, then {finals}{counted(event.n_refits, 'refit')}"
        case TrialFinished() if study is not None:
            return _trial(event, study, tracker)
        case FinalFinished(final=final) if study is not None:
            return f"{study.label}: final {event.n_finished} of {event.n_finals}, {_final(final)}"
        case TrialChosen() if study is not None:
            return f"{study.label}: {finals_in_words(event.finals, event.n_samples)}"
        case RefitFinished(refit=refit) if study is not None:
            accuracy = refit.test_accuracy
            score = "failed" if accuracy is None else f"test accuracy {accuracy:.4f}"
            return f"{study.label}: refit {event.n_finished} of {event.n_refits}, {score}"
    return ""


def _download(event: DownloadProgress) -> str:
    """Return a line for the beginning and the end of a download; the bytes between have none."""
    match event.state:
        case "waiting":
            text = f"Another process fetches {event.file}; waiting for it ..."
        case "receiving" if event.received_bytes == 0:
            text = f"Fetching {event.file}, {decimal(event.total_bytes)}, from {event.source} ..."
        case "done":
            text = f"Fetched {event.file}."
        case "failed":
            text = f"{event.file} was not fetched."
        case _:
            text = ""
    return one_line(text)


def outcome(record: StudyRecord, told: Iterable[str] = ()) -> str:
    """Return how a study ended, in one line; an error of those that were told is not repeated."""
    status = {"complete": "complete", "failed": "failed", "not_run": "not run", "interrupted": "interrupted"}
    text = f"{record.model} on {record.dataset}: {status[record.status]}"
    if record.status == "interrupted":
        n_kept = sum(trial.state in {"complete", "pruned"} for trial in record.trials)
        text += f", {counted(n_kept, 'finished trial')} kept"
    elif record.failure is not None:
        text += f": {_untold(record.failure.message, told)}"
    elif record.test is not None:
        interval = record.test.accuracy
        text += f", test accuracy {interval.mean:.4f} (95 % interval {interval.low:.4f} to {interval.high:.4f})"
    return one_line(text)


def _untold(text: str, told: Iterable[str]) -> str:
    """Return a failure without the error at its end where that stands above already."""
    known = next((error for error in told if error and text.endswith(f". {error}")), None)
    return text if known is None else f"{text.removesuffix(known)}The error is told above."


def _trial(event: TrialFinished, study: StudyProgress, tracker: Tracker) -> str:
    trial = event.trial
    # Behind a resumed run the number of a trial is no count: trials that were cut off are repeated at the end.
    parts = [
        f"{study.label}: {event.n_finished} of {counted(event.n_trials, 'trial')} done, number {trial.number}"
    ]
    if trial.state == "pruned":
        parts.append("pruned")
    elif trial.state == "complete" and trial.valid_log_loss is not None:
        parts.append(f"validation log loss {trial.valid_log_loss:.4f}")
    if study.best_loss is not None:
        parts.append(f"best {best(study)}")
    left = tracker.left_s()
    if left is not None:
        parts.append(f"about {duration(left)} left")
    if trial.state == "failed":  # at the end, because an error is a sentence, or several
        parts.append(_failed(trial, study))
    return one_line(", ".join(parts))


def _final(final: FinalRecord) -> str:
    """Return how a final ended; its error is a sentence and stands at the end."""
    if final.failure is not None:
        return one_line(f"trial {final.trial} failed: {final.failure.message}")
    return f"trial {final.trial}, validation log loss {final.valid_log_loss:.4f}"


def _failed(trial: TrialRecord, study: StudyProgress) -> str:
    """Return the error of a trial; one that came before in the study is counted, not repeated."""
    if trial.failure is None:
        return "failed"
    times = study.errors[trial.failure.message]
    return (
        f"failed: the same error again, {times} times so far" if times > 1 else f"failed: {trial.failure.message}"
    )


def best(study: StudyProgress) -> str:
    """Return the lowest validation log loss so far and the accuracy that came with it."""
    if study.best_loss is None:
        return ""
    accuracy = "" if study.best_accuracy is None else f" (accuracy {study.best_accuracy:.3f})"
    return f"{study.best_loss:.4f}{accuracy}"
