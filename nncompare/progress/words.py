"""The words that the live table of a terminal and that of a notebook have in common."""

from __future__ import annotations

from rich.filesize import decimal

from nncompare.events import DownloadProgress
from nncompare.progress.tracker import StudyProgress, Tracker, duration


def count(study: StudyProgress) -> str:
    """Return how many trials, finals or refits a study has behind it."""
    if study.phase == "final":
        return f"{study.n_finals_done}/{study.n_finals} finals"
    if study.phase == "refit":
        return f"{study.n_refits_done}/{study.n_refits} refits"
    return f"{study.n_trials_done}/{study.n_trials} trials"


def scores(study: StudyProgress) -> str:
    """Return the best validation scores so far; empty before there are any."""
    if study.best_loss is None:
        return ""
    accuracy = "" if study.best_accuracy is None else f", acc. {study.best_accuracy:.3f}"
    return f"loss {study.best_loss:.4f}{accuracy}"


def state(study: StudyProgress, tracker: Tracker) -> str:
    """Return what a study does and how long it still takes, or how it ended."""
    if study.final is not None:
        return study.final.status.replace("_", " ")
    left = tracker.study_left_s(study)
    if study.phase == "waiting" or left is None:
        return study.phase
    return f"{study.phase}, {duration(left)} left"


def stopping(grace_s: float, again: str = "press Ctrl-C again") -> str:
    """Return what happens after the first signal, and what ends the run at once."""
    return f"Stopping: trials may finish within {grace_s:g} s; {again} to end at once."


def run_state(tracker: Tracker, again: str = "press Ctrl-C again") -> str:
    """Return how far the run is, or that it stops, as a sentence."""
    if tracker.stopping_s is not None:
        return stopping(tracker.stopping_s, again)
    total = len(tracker.studies)
    if total == 0:
        return f"Preparing models and data, {duration(tracker.elapsed_s())} so far ..."
    left = tracker.left_s()
    estimate = f", about {duration(left)} left" if left else ""
    noun = "study" if total == 1 else "studies"
    return f"{tracker.n_done} of {total} {noun} done{estimate}."


def arrived(event: DownloadProgress) -> str:
    """Return how much of a file is here."""
    if event.state == "waiting":
        return "another process fetches it"
    return f"{decimal(event.received_bytes)} of {decimal(event.total_bytes)} from {event.source}"
