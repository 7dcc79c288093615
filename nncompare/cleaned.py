"""What was removed from a run directory on purpose: written down, so that nobody takes it for damage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from nncompare.data.files import write_atomic
from nncompare.layout import CLEANED

__all__ = ["PARTS", "cleaned_sentence", "note_cleaned", "read_cleaned"]

PARTS: Mapping[str, str] = {
    "models": "the saved models, so that it can neither predict nor be exported nor extended",
    "predictions": "the predictions on the test part, so that diff has intervals alone, and it cannot be extended",
    "trials": "the files of the trials and the database, so that it cannot be extended",
}
"""Folders of a run that can go without its results, and what goes with them."""


def read_cleaned(folder: Path) -> dict[str, str]:
    """Return which parts of a run were removed, each with the time, as ISO 8601; nothing where that is unknown."""
    try:
        found = json.loads((folder / CLEANED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {part: str(found[part]) for part in PARTS if part in found} if isinstance(found, dict) else {}


def note_cleaned(folder: Path, parts: Iterable[str]) -> None:
    """Write down that parts of a run are removed now, beside what was before.

    Raises
    ------
    StorageError
        The run directory cannot be written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    known = dict.fromkeys(parts, now) | read_cleaned(folder)
    write_atomic(folder / CLEANED, json.dumps(known, indent=1) + "\n")


def cleaned_sentence(folder: Path) -> str:
    """Say what was removed from a run and since when it lacks that; empty where nothing was."""
    found = read_cleaned(folder)
    told = [f"{PARTS[part]} ({when[:10]})" for part, when in found.items()]
    return f"nncompare clean removed from it {', and '.join(told)}." if told else ""
