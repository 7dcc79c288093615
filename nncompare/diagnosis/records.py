"""What a diagnosis says: findings, each of a kind that a script can rely on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from nncompare.results import Record
from nncompare.runs import ListedState

__all__ = ["KINDS", "Diagnosis", "Finding", "Level"]

Level: TypeAlias = Literal["problem", "note"]

KINDS: Mapping[str, tuple[Level, str]] = {
    "held": ("note", "a process works on the run now; what it writes is not looked at"),
    "not-a-file": (
        "problem",
        "a pipe, a socket, a device or a dead link is in the place of a file",
    ),
    "stopped": ("problem", "the run was stopped or killed before its end"),
    "results-missing": ("problem", "there is no results.json"),
    "results-damaged": ("problem", "results.json cannot be read"),
    "results-version": ("problem", "results.json is of another version of nncompare, which this one cannot read"),
    "results-range": ("problem", "a value in results.json is none that it can have"),
    "results-contradict": ("problem", "records of results.json contradict each other: no report can be drawn"),
    "run-file-missing": ("problem", "there is no run.json"),
    "run-file-damaged": ("problem", "run.json cannot be read, or is of another version"),
    "database-missing": ("problem", "there is no study.db"),
    "database-damaged": ("problem", "study.db is damaged, by SQLite's own check"),
    "database-unread": ("problem", "study.db cannot be copied to be looked at, for want of rights or of room"),
    "database-elsewhere": ("note", "the trials are in a database of your own, which is not looked at"),
    "trials-running": ("problem", "trials were begun and have not ended"),
    "trials-not-told": ("problem", "trials ended and the database was not told"),
    "trials-told-twice": ("problem", "the database has a trial, or its value, twice"),
    "trials-lost": ("problem", "the database lacks trials that the run directory has"),
    "trials-differ": ("problem", "the database and the run directory differ on how trials ended"),
    "record-damaged": ("problem", "the record of a trial, or an answer of a process, cannot be read"),
    "left-over": ("problem", "a killed process left a temporary file"),
    "model-missing": ("problem", "a saved model is gone, or was saved by a version that kept no digest of it"),
    "model-changed": ("problem", "the files of a saved model are not those that were saved"),
    "predictions-missing": ("problem", "the predictions of a refit are gone"),
    "predictions-damaged": ("problem", "a file of predictions cannot be read"),
    "predictions-differ": ("problem", "a file of predictions is not the one that was scored"),
    "plugin-gone": ("problem", "the plugin of a model is not installed any more"),
    "plugin-changed": ("problem", "the code of a model was changed since, or cannot be read"),
    "plugin-version": ("note", "another version of a plugin is installed"),
    "data-gone": ("problem", "the data of the run are not where they were"),
    "report-missing": ("problem", "there is no report"),
    "report-old": ("problem", "the report shows other results than results.json has"),
    "cleaned": ("note", "parts of the run were removed by nncompare clean"),
    "disk-low": ("problem", "the disk is nearly full"),
}
"""Each kind of finding: its level, and what it means."""


class Finding(Record):
    """One thing that is wrong, or good to know: ``kind`` is stable, the words are for people.

    ``where`` is a path inside the run directory, or of what the run needs elsewhere. ``what`` and ``remedy`` are
    sentences.
    """

    kind: str
    where: str
    what: str
    remedy: str

    @property
    def level(self) -> Level:
        """``problem`` where something has to be done, else ``note``."""
        return KINDS[self.kind][0]


class Diagnosis(Record):
    """What was found in one run directory; nothing in it was changed."""

    run_id: str
    folder: str
    state: ListedState
    findings: list[Finding]

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.level == "note" for finding in self.findings)
