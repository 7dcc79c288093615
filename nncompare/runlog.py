"""run.log: one line for each thing that happened, with its time, for whoever asks afterwards what went on."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from nncompare.choice import finals_in_words
from nncompare.events import (
    DownloadProgress,
    EpochFinished,
    Event,
    FinalFinished,
    Notice,
    RefitFinished,
    RunFinished,
    Stopping,
    StudyFinished,
    StudyStarted,
    TrialChosen,
    TrialFinished,
)
from nncompare.results import Failure


class RunLog:
    """Appends to a file that a reader can follow while the run goes on.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, event: Event) -> None:
        """Append one line for ``event``; epochs are left out, and downloads end before there is a log.

        A disk that is full costs the log, and not the run.
        """
        text = describe(event)
        if text is not None:
            stamp = datetime.now().astimezone().isoformat(timespec="milliseconds")
            with suppress(OSError), open(self._path, "a", encoding="utf-8", opener=_at_once) as file:
                file.write(f"{stamp} {text}\n")


def _at_once(path: str, flags: int) -> int:
    """Open a file, and a named pipe in its place not: nobody may ever read from that."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def describe(event: Event) -> str | None:
    """Return what happened on one line, None for what is too small to keep."""
    match event:
        case EpochFinished() | DownloadProgress():
            return None
        case StudyStarted():
            finals = f", {event.n_finalists} finals" if event.n_finalists > 1 else ""
            most = f"{event.n_trials} trials of at most {event.max_epochs} epochs"
            budget = f"{most}{finals}, {event.n_refits} refits"
            return f"study {event.model} {event.dataset}: {budget}"
        case TrialFinished(trial=trial):
            value = "-" if trial.valid_log_loss is None else f"{trial.valid_log_loss:.4f}"
            line = f"trial {event.model} {event.dataset} {trial.number}: {trial.state}, log loss {value}"
            return line + _why(trial.failure)
        case FinalFinished(final=final):
            value = "-" if final.valid_log_loss is None else f"{final.valid_log_loss:.4f}"
            line = f"final {event.model} {event.dataset} {final.trial}: log loss {value}"
            return line + _why(final.failure)
        case TrialChosen():
            return f"chosen {event.model} {event.dataset}: {finals_in_words(event.finals, event.n_samples)}"
        case RefitFinished(refit=refit):
            score = "-" if refit.test_accuracy is None else f"{refit.test_accuracy:.4f}"
            line = f"refit {event.model} {event.dataset} {refit.seed}: test accuracy {score}"
            return line + _why(refit.failure)
        case StudyFinished(study=study):
            return f"study {study.model} {study.dataset}: {study.status}{_why(study.failure)}"
        case Notice():
            return f"{event.level}: {' '.join(event.text.split())}"
        case Stopping():
            return "stopping: a signal came"
        case RunFinished():
            return f"run {event.results.run_id}: {event.results.state}"


def _why(failure: Failure | None) -> str:
    return "" if failure is None else f" ({failure.category}: {' '.join(failure.message.split())})"
