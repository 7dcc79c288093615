"""The live table on a terminal: downloads, trials done, best score and time left, per study and for the run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nncompare.columns import one_line
from nncompare.events import DownloadProgress, Event, Notice, StudyFinished, TrialChosen
from nncompare.progress.lines import Progress, message
from nncompare.progress.tracker import RUNNING, StudyProgress
from nncompare.progress.words import arrived, count, run_state, scores, state

_BAR_FROM_WIDTH = 90
_SCORES_FROM_WIDTH = 60
_WORDS_FROM_WIDTH = 50
_BAR_WIDTH = 16
_OTHER_LINES = 4


class LiveProgress(Progress):
    """Redraws one table in place and prints notices above it."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self._console = console or Console(stderr=True)
        self._live = Live(
            get_renderable=self.draw,
            console=self._console,
            refresh_per_second=4,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._live.stop()

    def _line(self, event: Event, study: StudyProgress | None) -> str:
        return (
            message(event, study, self.tracker) if isinstance(event, Notice | StudyFinished | TrialChosen) else ""
        )

    def _write(self, text: str) -> None:
        self._console.print(Text(text))

    def draw(self) -> Group:
        """Return the table and the line below it, as wide as the terminal allows."""
        with self._lock:
            studies = list(self.tracker.studies.values())
            width, height = self._console.size
            if len(studies) > height - _OTHER_LINES:
                studies = [study for study in studies if study.phase in RUNNING]
            downloads = _downloads(self.tracker.downloads.values(), width)
            return Group(self._table(studies, width), downloads, self._last_line())

    def _table(self, studies: list[StudyProgress], width: int) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, overflow="ellipsis", min_width=8)
        table.add_column(no_wrap=True, justify="right")
        if width >= _BAR_FROM_WIDTH:
            table.add_column(no_wrap=True, width=_BAR_WIDTH)
        if width >= _SCORES_FROM_WIDTH:
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        for study in studies:
            table.add_row(*self._cells(study, width), style="dim" if study.phase == "waiting" else "")
        return table

    def _cells(self, study: StudyProgress, width: int) -> list[Text | ProgressBar]:
        short = width < _WORDS_FROM_WIDTH
        done = count(study).partition(" ")[0] if short else count(study)
        cells: list[Text | ProgressBar] = [Text(study.label, style="bold"), Text(done)]
        if width >= _BAR_FROM_WIDTH:
            cells.append(ProgressBar(total=max(1, study.work), completed=study.work_done, width=_BAR_WIDTH))
        if width >= _SCORES_FROM_WIDTH:
            cells.append(Text(scores(study)))
        doing = state(study, self.tracker)
        cells.append(Text(doing.partition(",")[0] if short else doing))
        return cells

    def _last_line(self) -> Text:
        can_stop = self.tracker.studies and self.tracker.stopping_s is None
        hint = " Ctrl-C stops and keeps what is done." if can_stop else ""
        return Text(f"{run_state(self.tracker)}{hint}")


def _downloads(downloads: Iterable[DownloadProgress], width: int) -> Table:
    """Return a line with a bar for each file that is on its way."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, overflow="ellipsis", min_width=8)
    if width >= _SCORES_FROM_WIDTH:
        table.add_column(no_wrap=True, width=_BAR_WIDTH)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for event in downloads:
        bar = ProgressBar(total=max(1, event.total_bytes), completed=event.received_bytes, width=_BAR_WIDTH)
        far = Text(one_line(arrived(event)))
        cells: list[Text | ProgressBar] = [Text(one_line(event.file), style="bold"), bar, far]
        table.add_row(*(cells if width >= _SCORES_FROM_WIDTH else [cells[0], cells[2]]))
    return table
