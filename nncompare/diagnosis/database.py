"""Whether study.db is whole, and whether it and the run directory agree on the trials."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nncompare.diagnosis.records import Finding
from nncompare.diagnosis.subject import Subject, first_few
from nncompare.layout import STUDY_FILE
from nncompare.trials import kept_numbers, kept_trial

__all__ = ["check_database"]

_NOT_ITS_FAULT = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_READONLY,
}
_STATES = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
_TRIALS = """
SELECT study_name, number, state, (SELECT COUNT(*) FROM trial_values v WHERE v.trial_id = t.trial_id)
FROM trials t JOIN studies s ON s.study_id = t.study_id ORDER BY study_name, number
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """A trial as the database has it."""

    number: int
    state: str
    n_values: int


def check_database(subject: Subject) -> Iterator[Finding]:
    """Tell whether study.db is there and whole, and which trials it and the run directory differ on."""
    path = subject.folder / STUDY_FILE
    address = subject.run_file.config.get("storage") if subject.run_file is not None else None
    if address is not None:
        remedy = "Look at it with the tools of that database, or with optuna-dashboard."
        yield subject.finding("database-elsewhere", str(address), "The trials are kept there.", remedy)
        return
    if "trials" in subject.cleaned and not path.is_file():
        return
    if not path.is_file():
        yield subject.finding("database-missing", path, f"There is no {STUDY_FILE}.", _put_back(subject))
        return
    try:
        studies = _read(path)
    except OSError as error:
        what = f"It cannot be copied to be looked at: {type(error).__name__}: {error.strerror or error}."
        remedy = "Take the right to read it, or set TMPDIR to a folder with room for a copy; then look again."
        yield subject.finding("database-unread", path, what, remedy)
        return
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) in _NOT_ITS_FAULT:
            what = f"The copy that is looked at cannot be read: {error}."
            remedy = "Set TMPDIR to a folder with room that can be written to; then look again."
            yield subject.finding("database-unread", path, what, remedy)
            return
        what = f"It is damaged: {type(error).__name__}: {error}."
        files = f"Move {STUDY_FILE}, and {STUDY_FILE}-wal and -shm where they are, away."
        yield subject.finding("database-damaged", path, what, f"{files} {_put_back(subject)}")
        return
    prefix = subject.run_file.study_prefix if subject.run_file is not None else ""
    for name, rows in studies.items():
        yield from _check_study(subject, name.removeprefix(prefix).rpartition("/")[2], rows)
    known = {name.removeprefix(prefix).rpartition("/")[2] for name in studies}
    for folder in sorted(subject.folder.glob("trials/*--*")):
        if folder.is_dir() and folder.name not in known:
            yield from _check_study(subject, folder.name, [])


def _read(path: Path) -> dict[str, list[_Row]]:
    """Return the trials by the name of their study.

    A copy is read: even a reader changes the files beside a database that keeps a log or a journal.

    Raises
    ------
    sqlite3.Error
        It is no database, or not a whole one.
    OSError
        It cannot be copied.
    """
    with tempfile.TemporaryDirectory(prefix="nncompare-doctor-") as name:
        copy = Path(name) / STUDY_FILE
        for ending in ("", "-wal", "-journal"):
            file = path.with_name(path.name + ending)
            if file.is_file():
                shutil.copyfile(file, copy.with_name(copy.name + ending))
        with closing(sqlite3.connect(copy)) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if said != "ok":
                raise sqlite3.DatabaseError(" ".join(str(said).split())[:200])
            rows = connection.execute(_TRIALS).fetchall()
    studies: dict[str, list[_Row]] = {}
    for study, number, state, n_values in rows:
        studies.setdefault(str(study), []).append(_Row(number, state, n_values))
    return studies


def _check_study(subject: Subject, name: str, rows: list[_Row]) -> Iterator[Finding]:
    """Compare one study of the database with its committed trials."""
    folder = subject.folder / "trials" / name
    kept = kept_numbers(folder)
    ended = {row.number: row.state for row in rows if row.state not in ("RUNNING", "WAITING")}
    begun = [row.number for row in rows if row.state == "RUNNING"]
    counts = Counter(row.number for row in rows)
    twice = sorted({number for number, n in counts.items() if n > 1} | {r.number for r in rows if r.n_values > 1})
    go_on = f"Go on with: {subject.resume}"
    running = [number for number in begun if number not in kept]
    where = f"{STUDY_FILE}: {name}"
    if running:
        what = f"Trials of these numbers were begun and have not ended: {first_few(running)}."
        yield subject.finding("trials-running", where, what, f"They are run again under their numbers. {go_on}")
    untold = [number for number in begun if number in kept]
    if untold:
        what = f"Trials ended and the database was not told: {first_few(untold)}."
        yield subject.finding("trials-not-told", where, what, f"It is told when the run is resumed. {go_on}")
    if twice:
        what = f"Trials are there twice, or were told twice: {first_few(twice)}."
        yield subject.finding("trials-told-twice", where, what, f"Move {STUDY_FILE} away. {_put_back(subject)}")
    lost = [number for number in kept if number not in counts]
    if lost:
        what = f"It lacks trials that the run directory has: {first_few(lost)}."
        yield subject.finding("trials-lost", where, what, _put_back(subject))
    other = [number for number, state in ended.items() if _differs(folder, number, state)]
    if other:
        what = f"It differs from the run directory on how trials ended: {first_few(sorted(other))}."
        yield subject.finding("trials-differ", where, what, f"Move {STUDY_FILE} away. {_put_back(subject)}")


def _differs(folder: Path, number: int, state: str) -> bool:
    kept = kept_trial(folder, number)
    return kept is not None and _STATES.get(kept.record.state) != state


def _put_back(subject: Subject) -> str:
    if subject.run_file is None:
        return "Nothing but a resumed run needs it, and that needs a run.json that can be read first."
    more = " with more --trials" if subject.is_complete else ""
    return f"Finished trials are put back from the run directory when the run is resumed{more}: {subject.resume}"
