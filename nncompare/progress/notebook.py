"""The table in a notebook: one output of the cell, replaced in place while the run goes on."""

from __future__ import annotations

import contextlib
import contextvars
import secrets
from importlib import import_module
from threading import Event as Flag
from threading import Thread
from typing import Any, Self

from nncompare.events import DownloadProgress, Event, Notice, StudyFinished, TrialChosen
from nncompare.progress.lines import Progress, message, outcome
from nncompare.progress.tracker import RUNNING, StudyProgress
from nncompare.progress.words import arrived, count, run_state, scores, state
from nncompare.report import render_fragment

PERIOD_S = 0.5
MAX_NOTICES = 20
MAX_STUDIES = 40
_AGAIN = "press the stop button again"


class NotebookProgress(Progress):
    """Shows the run as HTML through IPython, at most twice a second, from a thread of its own.

    At the end there is one line for each study. Without HTML, as in a console on a kernel, there are words.
    """

    def __init__(self) -> None:
        super().__init__()
        self._id = f"nncompare-{secrets.token_hex(8)}"
        self._notices: list[str] = []
        self._ended: list[str] = []
        self._shown: dict[str, str] = {}
        self._end = Flag()
        # A copy of the caller's context: IPython keeps in it to which cell an output belongs.
        context = contextvars.copy_context()
        self._thread = Thread(target=context.run, args=(self._redraw,), name="nncompare-notebook", daemon=True)

    def __enter__(self) -> Self:
        self._show(self.draw(), update=False)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Show how each study ended, for good."""
        self._end.set()
        self._thread.join()
        self._show(self.draw(final=True))

    def _line(self, event: Event, study: StudyProgress | None) -> str:
        """Keep what the next drawing shows; nothing is written at once."""
        if isinstance(event, Notice | TrialChosen):
            self._notices = [*self._notices, message(event, study, self.tracker)][-MAX_NOTICES:]
        elif isinstance(event, StudyFinished):
            self._ended.append(outcome(event.study))
        return ""

    def _redraw(self) -> None:
        while not self._end.wait(PERIOD_S):
            self._show(self.draw())

    def draw(self, *, final: bool = False) -> dict[str, str]:
        """Return the output by MIME type, as HTML and as words."""
        with self._lock:
            studies = list(self.tracker.studies.values())
            lines = [*self._notices, *(self._ended if final else [run_state(self.tracker, _AGAIN)])]
            shown = [] if final else _with_room(studies)
            html = render_fragment(
                "progress.html.j2",
                lines=lines,
                rows=[_row(study, state(study, self.tracker)) for study in shown],
                n_more=0 if final else len(studies) - len(shown),
                downloads=[] if final else [_download(event) for event in self.tracker.downloads.values()],
            )
        return {"text/html": html, "text/plain": "\n".join(lines)}

    def _show(self, output: dict[str, str], *, update: bool = True) -> None:
        """Send an output that differs from the last one; a notebook that cannot show it costs nothing."""
        if output == self._shown:
            return
        self._shown = output
        display = import_module("IPython.display")
        show = display.update_display if update else display.display
        with contextlib.suppress(Exception):  # whatever a front end lacks, the run goes on
            show(output, raw=True, display_id=self._id)


def _with_room(studies: list[StudyProgress]) -> list[StudyProgress]:
    """Return what there is room for, in the order of the plan: the running ones, where there are very many."""
    if len(studies) <= MAX_STUDIES:
        return studies
    return [study for study in studies if study.phase in RUNNING][:MAX_STUDIES]


def _row(study: StudyProgress, doing: str) -> dict[str, Any]:
    final = study.final
    best = scores(study)
    if final is not None and final.test is not None:
        accuracy = final.test.accuracy
        best = f"test accuracy {accuracy.mean:.4f} (95 % interval {accuracy.low:.4f} to {accuracy.high:.4f})"
    return {
        "label": study.label,
        "count": count(study) if final is None else "",
        "done": study.work_done,
        "total": max(1, study.work),
        "best": best,
        "state": doing,
    }


def _download(event: DownloadProgress) -> dict[str, Any]:
    return {
        "file": event.file,
        "done": event.received_bytes,
        "total": max(1, event.total_bytes),
        "state": arrived(event),
    }
