"""The runs below a folder, found by path, id or age, and listed, without importing anything heavy."""

from __future__ import annotations

import difflib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from nncompare.exceptions import UsageError
from nncompare.layout import RESULTS, RUN_FILE

__all__ = ["ListedState", "RunSummary", "find_run", "list_runs", "run_folders"]

_CREATED = re.compile(r'"created_at": *"([^"]+)"')
_HEAD = 4096
"""Characters in which a run says when it was started: the whole may have megabytes."""

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
    return [_summary(folder) for folder in reversed(run_folders(out))]


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
        There is no such run, or several begin like that; the message names those that are there. An empty name,
        as of a shell variable that is not set, is that of no run.
    """
    if not run.strip():
        raise UsageError("The name of the run is empty. Give its id, its folder, or latest.")
    known = run_folders(out)
    if run == "latest" and known:
        return known[-1]
    if run == "latest":
        raise UsageError(f"There is no run in '{out}' yet. Start one: nncompare run --all --preset quick")
    path = Path(run).expanduser()
    for folder in (path.parent if path.name == RESULTS else path, out / run):
        if _is_run(folder):
            return folder
    matching = [folder for folder in known if folder.name.startswith(run)]
    if len(matching) == 1:
        return matching[0]
    names = [folder.name for folder in reversed(matching or known)]
    if matching:
        raise UsageError(f"'{run}' is the beginning of {len(matching)} runs: {', '.join(names[:5])}.")
    near = difflib.get_close_matches(run, ["latest", *names], n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    there = f"The newest are {', '.join(names[:5])}." if names else "There is none yet."
    raise UsageError(f"There is no run '{run}' in '{out}'.{hint} {there}")


def run_folders(out: Path) -> list[Path]:
    """Return the run directories, the one that was started first at the beginning."""
    found = {path.parent for name in (RESULTS, RUN_FILE) for path in out.glob(f"*/{name}")}
    return sorted(found, key=lambda folder: (_started(folder), folder.name))


def _started(folder: Path) -> float:
    """Return when a run was started, in seconds since the epoch; when it was written where it does not say.

    Copies, resumed runs and reports that are written again have files that are younger than the run.
    """
    files = [file for name in (RUN_FILE, RESULTS) if (file := folder / name).is_file()]
    for file in files:
        with suppress(OSError, ValueError), file.open(encoding="utf-8") as stream:
            found = _CREATED.search(stream.read(_HEAD))
            if found is not None:
                return datetime.fromisoformat(found[1]).timestamp()
    return max((file.stat().st_mtime for file in files), default=0.0)


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
