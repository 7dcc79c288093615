"""The run directory that is looked at, and its two records, or why they cannot be read."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nncompare.cleaned import read_cleaned
from nncompare.diagnosis.records import Finding
from nncompare.exceptions import ResultsError
from nncompare.report import render_html
from nncompare.results import Results
from nncompare.runfile import RunFile

__all__ = ["Subject", "first_few"]

_MOST_NAMED = 8


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One run directory.

    Parameters
    ----------
    folder : Path
        Absolute.
    results_or_error : Results or ResultsError
        results.json.
    run_file_or_error : RunFile or ResultsError
        run.json.
    held : bool
        A process works in it now.
    """

    folder: Path
    results_or_error: Results | ResultsError
    run_file_or_error: RunFile | ResultsError
    held: bool

    @property
    def results(self) -> Results | None:
        """results.json, None where it is missing or cannot be read."""
        return self.results_or_error if isinstance(self.results_or_error, Results) else None

    @property
    def run_file(self) -> RunFile | None:
        """run.json, None where it is missing or cannot be read."""
        return self.run_file_or_error if isinstance(self.run_file_or_error, RunFile) else None

    @cached_property
    def page(self) -> str | Exception | None:
        """The report that results.json gives, or why it gives none; None where that cannot be read."""
        if self.results is None:
            return None
        try:
            return render_html(self.results)
        except Exception as error:  # noqa: BLE001 - what a hand-edited file holds can break any part of the report
            return error

    @cached_property
    def cleaned(self) -> frozenset[str]:
        """The parts of the run that were removed on purpose."""
        return frozenset(read_cleaned(self.folder))

    @property
    def resume(self) -> str:
        """The command that goes on with the run."""
        return f"nncompare resume {shlex.quote(str(self.folder))}"

    @property
    def is_complete(self) -> bool:
        """Whether results.json says that the run came to its end."""
        return self.results is not None and self.results.state == "complete"

    def inside(self, name: str | None) -> Path | None:
        """Return the path of a file that results.json names, None where it is outside of the run directory."""
        if name is None:
            return None
        path = self.folder / name
        return path if path.resolve().is_relative_to(self.folder.resolve()) else None

    def finding(self, kind: str, where: Path | str, what: str, remedy: str) -> Finding:
        """Return a finding; a place inside the run directory is told relative to it."""
        path = Path(where)
        is_inside = path.is_absolute() and path.is_relative_to(self.folder)
        told = str(path.relative_to(self.folder)) if is_inside else str(where)
        return Finding(kind=kind, where=told, what=what, remedy=remedy)


def first_few(numbers: list[int]) -> str:
    """Return numbers for a sentence, of many the first ones and how many more there are."""
    shown = ", ".join(map(str, numbers[:_MOST_NAMED]))
    more = len(numbers) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
