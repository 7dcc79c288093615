"""The runs below a folder, found by path, id or age, and listed, without importing anything heavy."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from nncompare.exceptions import UsageError
from nncompare.layout import RESULTS, RUN_FILE

__all__ = ["ListedState", "RunSummary", "find_run", "list_runs"]

ListedState: TypeAlias = Literal["running", "complete", "interrupted", "damaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run as it is listed.

    Parameters
    ----------
    run_id : str
        The name of its folder.
    folder : Path
    state : {"running", "complete", "interrupted", "damaged"}
        "running" only while a process holds the folder.
    created_at : str
        ISO 8601 with offset; empty where it is not known.
    preset : str
    verdicts : dict of str to str
        The sentence of each data set.
    models : tuple of str
    reason : str
        Why it is damaged.
    n_studies, n_complete : int
        The studies of the run, and those that have a result.
    """

    run_id: str
    folder: Path
    state: ListedState
    created_at: str = ""
    preset: str = ""
    verdicts: dict[str, str]
    models: tuple[str, ...] = ()
    reason: str = ""
    n_studies: int = 0
    n_complete: int = 0


def list_runs(out: Path) -> list[RunSummary]:
    """Return the runs below a folder, the newest first; a damaged one hides no other."""
    return [_summary(folder) for folder in reversed(_folders(out))]


def find_run(run: str, out: Path) -> Path:
    """Return a run directory.

    Parameters
    ----------
    run : str
        The path of a run directory or of its results.json, the id of a run below ``out`` or its beginning, or
        ``latest``.
    out : Path
        The folder of the run directories.

    Raises
    ------
    UsageError
        There is no such run, or several begin like that; the message names those that are there.
    """
    known = _folders(out)
    if run == "latest" and known:
        return known[-1]
    if run == "latest":
        raise UsageError(f"There is no run in '{out}' yet. Start one: nncompare run --all --preset quick")
    path = Path(run).expanduser()
    for folder in (path.parent if path.name == RESULTS else path, out / run):
        if _is_run(folder):
            return folder
    matching = [folder for folder in known if run and folder.name.startswith(run)]
    if len(matching) == 1:
        return matching[0]
    names = [folder.name for folder in reversed(matching or known)]
    if matching:
        raise UsageError(f"'{run}' is the beginning of {len(matching)} runs: {', '.join(names[:5])}.")
    near = difflib.get_close_matches(run, ["latest", *names], n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    there = f"The newest are {', '.join(names[:5])}." if names else "There is none yet."
    raise UsageError(f"There is no run '{run}' in '{out}'.{hint} {there}")


def _folders(out: Path) -> list[Path]:
    """Return the run directories, the oldest first."""
    found = {path.parent for name in (RESULTS, RUN_FILE) for path in out.glob(f"*/{name}")}
    return sorted(found, key=lambda folder: (_age(folder), folder.name))


def _age(folder: Path) -> float:
    """Return when a run was last written, in seconds since the epoch."""
    files = (folder / RESULTS, folder / RUN_FILE)
    return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)


def _is_run(folder: Path) -> bool:
    return (folder / RESULTS).is_file() or (folder / RUN_FILE).is_file()


def _summary(folder: Path) -> RunSummary:
    """Read one run."""
    from nncompare.exceptions import ResultsError
    from nncompare.results import Results
    from nncompare.runfile import is_held

    held = is_held(folder)
    try:
        text = (folder / RESULTS).read_text(encoding="utf-8")
        results = Results.from_json(text)
    except FileNotFoundError:
        state: ListedState = "running" if held else "interrupted"
        return RunSummary(run_id=folder.name, folder=folder, state=state, verdicts={})
    except (OSError, UnicodeDecodeError, ResultsError) as error:
        return RunSummary(run_id=folder.name, folder=folder, state="damaged", verdicts={}, reason=str(error))
    state = "running" if held else "complete" if results.state == "complete" else "interrupted"
    return RunSummary(
        run_id=folder.name,
        folder=folder,
        state=state,
        created_at=results.created_at,
        preset=results.preset,
        verdicts={dataset.name: dataset.verdict.text for dataset in results.datasets},
        models=tuple(dict.fromkeys(study.model for study in results.studies)),
        n_studies=len(results.studies),
        n_complete=sum(study.status == "complete" for study in results.studies),
    )
