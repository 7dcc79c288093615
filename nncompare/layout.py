"""What the files of a run directory are called; light, because commands that only look for runs import it."""

from pathlib import Path

__all__ = ["CLEANED", "REPORT", "RESULTS", "RUN_FILE", "STUDY_FILE", "trials_folder"]

CLEANED = "cleaned.json"
REPORT = "report.html"
RESULTS = "results.json"
RUN_FILE = "run.json"
STUDY_FILE = "study.db"


def trials_folder(run: Path, model: str, dataset: str) -> Path:
    """Return the folder of the records, result files and logs of one study."""
    return run / "trials" / f"{model}--{dataset}"
