"""Whether the files of trials and refits can be read, and what killed processes left beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from nncompare.data.files import is_left_over
from nncompare.diagnosis.records import Finding
from nncompare.diagnosis.subject import Subject
from nncompare.trials import KeptTrial

__all__ = ["check_left_over", "check_trial_files", "damaged_record"]

_RECORD = ".record.json"


def check_trial_files(subject: Subject) -> Iterator[Finding]:
    """Tell which records of trials and which answers of processes cannot be read."""
    for path in sorted(subject.folder.glob("trials/*/*.json")):
        reason = damaged_record(path) if path.name.endswith(_RECORD) else _damaged_answer(path)
        if reason is None:
            continue
        is_record = path.name.endswith(_RECORD)
        lost = "The trial keeps what the database knows of it" if is_record else "What it was for is done again"
        remedy = f"Restore it from a copy, or leave it. {lost} when the run is resumed."
        yield subject.finding("record-damaged", path, f"It cannot be read: {reason}.", remedy)


def check_left_over(subject: Subject) -> Iterator[Finding]:
    """Tell of temporary files and folders, which only a process that was killed leaves."""
    for path in sorted(subject.folder.rglob(".*")):
        if is_left_over(path):
            what = "It is what a process that was killed had half written."
            yield subject.finding("left-over", path, what, "Delete it; nothing reads it.")


def damaged_record(path: Path) -> str | None:
    """Return why the record of a trial cannot be read, None where it can."""
    try:
        KeptTrial.model_validate_json(path.read_bytes())
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror}"
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
    return None


def _damaged_answer(path: Path) -> str | None:
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror}"
    except ValueError as error:
        return f"it is not JSON: {error}"
    return None if isinstance(found, dict) and "status" in found else "it is no answer of a process"
