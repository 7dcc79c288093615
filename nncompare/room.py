"""A full disk stops a run before it takes unfinished work for failures: once there is room, the run goes on."""

from __future__ import annotations

import errno
import os
import re
import shlex
import shutil
import threading
from pathlib import Path

from nncompare.exceptions import StorageError
from nncompare.execution.runner import LocalRunner, spec_task
from nncompare.execution.specs import ANSWERS, Answer, Spec
from nncompare.execution.supervisor import Handler
from nncompare.results import Failure

__all__ = ["GuardedRunner", "free_bytes", "is_no_room"]

_FULL = re.compile(
    "|".join(
        [
            *(re.escape(os.strerror(number)) for number in (errno.ENOSPC, errno.EDQUOT)),
            "database or disk is full",  # SQLite
            r"\d+ requested and \d+ written",  # NumPy, which keeps the cause to itself
        ]
    )
)
_ANY_FAULT = "disk I/O error"
_QUOTA = os.strerror(errno.EDQUOT)  # of a user; the free bytes do not tell of it
_TOO_LITTLE = 1_000_000
_LITTLE_FOR_A_CHILD = 50_000_000  # what a child began to write is gone again when its disk is looked at
_MOST_LETTERS = 500


def is_no_room(text: str, folder: Path) -> bool:
    """Tell whether an error says that a disk is full, or says no more than that writing to a full one failed.

    Parameters
    ----------
    text : str
        The message of an error or of a failure.
    folder : Path
        On the disk in question.
    """
    return bool(_FULL.search(text)) or (_ANY_FAULT in text and free_bytes(folder) < _TOO_LITTLE)


def free_bytes(folder: Path) -> int:
    """Return how many bytes the user may still write to the disk of ``folder``, or of what is above it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


class GuardedRunner:
    """A runner that stops the run when a disk is full: what failed by it is no result, and is run again.

    Parameters
    ----------
    runner : LocalRunner
    folder : Path
        The run directory.
    stop : threading.Event
        Set when there is no room: nothing new starts.
    """

    def __init__(self, runner: LocalRunner, folder: Path, stop: threading.Event) -> None:
        self._runner, self._folder, self._stop = runner, folder, stop
        self._lock = threading.Lock()
        self.reason: str | None = None

    def run(self, spec: Spec, handler: Handler) -> Answer:
        """Run ``spec``; its answer is "interrupted" where the disk was full.

        A child that filled another disk (that of ``TMPDIR``, ``/dev/shm``) has failed, as others have.
        """
        try:
            answer = self._runner.run(spec, handler)
        except Exception as error:
            if not self.halts_for(f"{type(error).__name__}: {error}"):
                raise
        else:
            failure = answer.failure
            if failure is None or not is_no_room(failure.message, self._folder):
                return answer
            if not self._is_ours(failure.message):
                return answer.model_copy(update={"failure": failure.model_copy(update={"category": "disk"})})
            self.halt(failure.message)
        spec.result.unlink(missing_ok=True)  # else the failure is the answer of the next part too
        failure = Failure(category="interrupted", message="The disk was full.")
        return ANSWERS[spec_task(spec)](status="failed", failure=failure)

    def _is_ours(self, text: str) -> bool:
        """Tell whether the full disk that a child met can be that of the run, and not one of its own choice."""
        return _QUOTA in text or str(self._folder) in text or free_bytes(self._folder) < _LITTLE_FOR_A_CHILD

    def halts_for(self, text: str) -> bool:
        """Stop the run if the message of an error says that a disk is full, and tell whether it does."""
        no_room = is_no_room(text, self._folder)
        if no_room:
            self.halt(text)
        return no_room

    def halt(self, reason: str) -> None:
        """Stop the run, because something cannot be written; the first reason is the one that is told."""
        with self._lock:
            self.reason = self.reason or " ".join(reason.split())[:_MOST_LETTERS]
        self._stop.set()
        self._runner.stop()

    def check(self) -> None:
        """Say how the run goes on, if it was stopped here.

        Raises
        ------
        StorageError
            With path, cause and remedy.
        """
        if self.reason is None:
            return
        free, command = free_bytes(self._folder) / 1e6, f"nncompare resume {shlex.quote(str(self._folder))}"
        raise StorageError(
            f"The run in '{self._folder}' stopped, because it could not write. {self.reason.rstrip('.')}. "
            f"{free:,.1f} MB are free there now. What finished is kept; once there is room, go on with: {command}"
        )
