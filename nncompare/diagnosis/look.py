"""Looks at everything that a run directory holds, and at what it needs elsewhere."""

from __future__ import annotations

from pathlib import Path

from nncompare.diagnosis.database import check_database
from nncompare.diagnosis.records import Diagnosis
from nncompare.diagnosis.saved_files import check_models, check_predictions
from nncompare.diagnosis.scores import check_report, check_values
from nncompare.diagnosis.state import check_cleaned, check_results_file, check_run_file, check_state
from nncompare.diagnosis.strange import strange_entries
from nncompare.diagnosis.subject import Subject
from nncompare.diagnosis.surroundings import check_data, check_disk, check_plugins
from nncompare.diagnosis.trial_files import check_left_over, check_trial_files
from nncompare.exceptions import ResultsError
from nncompare.layout import RESULTS, RUN_FILE, STUDY_FILE
from nncompare.results import Results
from nncompare.runfile import FOLDERS, RunFile, is_held, read_run_file
from nncompare.runs import ListedState

__all__ = ["diagnose", "looks_like_a_run"]

_ALWAYS = (
    check_state,
    check_cleaned,
    check_results_file,
    check_run_file,
    check_values,
    check_models,
    check_predictions,
    check_plugins,
    check_data,
    check_disk,
)
_AT_REST = (check_report, check_trial_files, check_database, check_left_over)
"""Not while a process writes: what it has just begun would look damaged."""


def diagnose(folder: Path) -> Diagnosis:
    """Return what is wrong with a run directory; nothing in it is changed.

    No code of a plugin runs, and no database but ``study.db`` is opened, of which a copy is read.

    Parameters
    ----------
    folder : Path
        A run directory, whatever is left of it.
    """
    strange = list(strange_entries(folder.absolute()))
    if strange:  # the rest could wait for them without end
        return Diagnosis(run_id=folder.absolute().name, folder=str(folder), state="damaged", findings=strange)
    subject = _subject(folder.absolute())
    checks = _ALWAYS if subject.held else (*_ALWAYS, *_AT_REST)
    findings = [finding for check in checks for finding in check(subject)]
    return Diagnosis(run_id=_run_id(subject), folder=str(folder), state=_state(subject), findings=findings)


def looks_like_a_run(folder: Path) -> bool:
    """Tell whether a folder has parts of a run, also where both of its records are gone."""
    is_one = any((folder / name).is_file() for name in (RESULTS, RUN_FILE, STUDY_FILE))
    return is_one or all((folder / name).is_dir() for name in FOLDERS)


def _subject(folder: Path) -> Subject:
    held = is_held(folder)  # before its files are read: what was written meanwhile is no damage
    results: Results | ResultsError
    run_file: RunFile | ResultsError
    try:
        results = Results.read(folder / RESULTS)
    except ResultsError as error:
        results = error
    try:
        run_file = read_run_file(folder)
    except ResultsError as error:
        run_file = error
    return Subject(folder=folder, results_or_error=results, run_file_or_error=run_file, held=held)


def _run_id(subject: Subject) -> str:
    known = subject.results or subject.run_file
    return known.run_id if known is not None else subject.folder.name


def _state(subject: Subject) -> ListedState:
    """Return the state as ``nncompare runs`` lists it."""
    if subject.held:
        return "running"
    if subject.results is None:
        return "damaged" if (subject.folder / RESULTS).exists() else "interrupted"
    return "complete" if subject.is_complete else "interrupted"
