"""What the files of a run directory are called; light, because commands that only look for runs import it."""

from pathlib import Path

__all__ = ["CLEANED", "LOG", "REPORT", "RESULTS", "RUN_FILE", "STUDY_FILE", "STUDY_FILES", "trials_folder"]

CLEANED = "cleaned.json"
LOG = "run.log"
REPORT = "report.html"
RESULTS = "results.json"
RUN_FILE = "run.json"
STUDY_FILE = "study.db"
STUDY_FILES = tuple(f"{STUDY_FILE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal"))
"""The database, and what SQLite keeps beside it."""


def trials_folder(run: Path, model: str, dataset: str) -> Path:
    """Return the folder of the records, result files and logs of one study."""
    return run / "trials" / f"{model}--{dataset}"
