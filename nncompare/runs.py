"""The runs below a folder, found by path, id or age, without importing anything heavy."""

from __future__ import annotations

from pathlib import Path

from nncompare.exceptions import UsageError

__all__ = ["find_run"]

_RESULTS = "results.json"


def find_run(run: str, out: Path) -> Path:
    """Return a run directory.

    Parameters
    ----------
    run : str
        The path of a run directory or of its results.json, the id of a run below ``out``, or ``latest``.
    out : Path
        The folder of the run directories.

    Raises
    ------
    UsageError
        There is no such run; the message names those that are there.
    """
    known = sorted(out.glob(f"*/{_RESULTS}"), key=lambda path: path.stat().st_mtime)
    if run == "latest" and known:
        return known[-1].parent
    if run == "latest":
        raise UsageError(f"There is no run in '{out}' yet. Start one: nncompare run --all --preset quick")
    path = Path(run)
    for folder in (path.parent if path.name == _RESULTS else path, out / run):
        if (folder / _RESULTS).is_file():
            return folder
    newest = ", ".join(path.parent.name for path in reversed(known[-5:]))
    there = f"The newest are {newest}." if known else "There is none yet."
    raise UsageError(f"There is no run '{run}' in '{out}'. {there}")
