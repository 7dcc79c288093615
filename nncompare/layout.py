"""What the files of a run directory are called; light, because commands that only look for runs import it."""

__all__ = ["REPORT", "RESULTS", "RUN_FILE"]

REPORT = "report.html"
RESULTS = "results.json"
RUN_FILE = "run.json"
