"""What a run that ended tells the shell: its words, its JSON, its report in the browser, its exit code."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nncompare.cli.streams import say, terminal_width
from nncompare.layout import REPORT, RESULTS

if TYPE_CHECKING:
    from nncompare.estimate import Estimate
    from nncompare.plan import Plan
    from nncompare.results import DatasetRecord, Results

__all__ = ["Output", "finish", "print_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How a command was asked to answer: in few words, as JSON, in the browser."""

    quiet: bool = False
    as_json: bool = False
    open_report: bool = False


def finish(
    results: Results, folder: Path, output: Output, *, strict: bool = False, signum: int | None = None
) -> int:
    """Print what a run found, open its report where asked to, and return the exit code.

    Parameters
    ----------
    results : Results
    folder : Path
        The run directory.
    output : Output
    strict : bool
        A study that was not run makes the exit code 3.
    signum : int, optional
        The signal that stopped the run; its exit code is 128 more.
    """
    from nncompare.comparison import exit_code

    code = exit_code(results, strict) if signum is None else 128 + int(signum)
    _print(results, folder, output, code)
    if signum is not None:
        _say_what_was_kept(results, folder)
    elif code:
        from nncompare.cli.summary import exit_line

        click.echo(exit_line(code), err=True)
    if output.open_report and signum is None:
        _open(folder / REPORT)
    return code


def print_plan(plan: Plan, estimate: Estimate | None, output: Output, code: int) -> None:
    """Print what a run would do, as words or as JSON with the exit code."""
    from nncompare.cli.summary import plan_lines

    if output.as_json:
        say(json.dumps(_plan_as_json(plan, estimate, code), indent=1, allow_nan=False))
    else:
        say("\n".join(plan_lines(plan, estimate, terminal_width())))


def _print(results: Results, folder: Path, output: Output, code: int) -> None:
    """Print data on standard output: JSON or words; with JSON the words go to standard error."""
    from nncompare.cli.summary import result_lines

    report = folder / REPORT
    if output.as_json:
        say(json.dumps(_as_json(results, folder, code), indent=1, allow_nan=False))
    if output.quiet:
        if not output.as_json:
            say(str(report))
        return
    text = "\n".join(result_lines(results, report, terminal_width()))
    if output.as_json:
        click.echo(text, err=True)
    else:
        say(text)


def _as_json(results: Results, folder: Path, code: int) -> dict[str, Any]:
    """Return what ``--json`` prints; the field names are those of results.json."""
    return {
        "run_id": results.run_id,
        "state": results.state,
        "exit_code": code,
        "folder": str(folder),
        "report": str(folder / REPORT),
        "results": str(folder / RESULTS),
        "duration_s": results.duration_s,
        "estimate_s": results.estimate_s,
        "datasets": [_dataset(results, dataset) for dataset in results.datasets],
        "ranks": results.ranks and results.ranks.model_dump(),
        "missing": [
            {
                "model": study.model,
                "dataset": study.dataset,
                "status": study.status,
                "failure": study.failure and study.failure.model_dump(),
            }
            for study in results.studies
            if study.status != "complete"
        ],
    }


def _plan_as_json(plan: Plan, estimate: Estimate | None, code: int) -> dict[str, Any]:
    told = {} if estimate is None else estimate.studies
    study_fields = (
        "model",
        "dataset",
        "view",
        "n_trials",
        "max_epochs",
        "n_finalists",
        "n_refits",
        "search_samples",
        "refit_samples",
    )
    return {
        "dry_run": True,
        "exit_code": code,
        "folder": str(plan.folder),
        "jobs": plan.jobs,
        "estimate_s": None if estimate is None else estimate.seconds,
        "datasets": [
            {name: getattr(dataset, name) for name in ("name", "n_train", "n_valid", "n_test", "fingerprint")}
            | {"data_checks": [asdict(finding) for finding in dataset.findings]}
            | {"failure": dataset.failure and dataset.failure.model_dump()}
            for dataset in plan.datasets
        ],
        "studies": [
            {name: getattr(study, name) for name in study_fields}
            | {"estimate_s": told.get((study.model, study.dataset))}
            | {"failure": study.failure and study.failure.model_dump()}
            for study in plan.studies
        ],
    }


def _dataset(results: Results, dataset: DatasetRecord) -> dict[str, Any]:
    from nncompare.scoretable import ranked_studies

    verdict = dataset.verdict.model_dump(include={"text", "state", "winner", "tied"})
    models = [
        {
            "model": study.model,
            "accuracy": study.test and study.test.accuracy.model_dump(),
            "macro_f1": study.test and study.test.macro_f1.model_dump(),
            "fit_cpu_s": study.fit_cpu_s,
            "n_parameters": study.n_parameters,
        }
        for _mean, study in ranked_studies(results, dataset)
    ]
    references = [
        {
            "model": reference.name,
            "accuracy": reference.test_accuracy and reference.test_accuracy.model_dump(),
            "macro_f1": reference.macro_f1 and reference.macro_f1.model_dump(),
        }
        for reference in dataset.references
        if reference.failure is None
    ]
    return {"name": dataset.name, "verdict": verdict, "leaderboard": models, "references": references}


def _say_what_was_kept(results: Results, folder: Path) -> None:
    from nncompare.trials import kept_numbers

    n_complete = sum(study.status == "complete" for study in results.studies)
    n_trials = sum(len(kept_numbers(trials)) for trials in folder.glob("trials/*"))  # of an extension, too
    click.echo(
        f"Interrupted. Kept: {n_complete} of {len(results.studies)} studies complete, {n_trials} finished trials. "
        f"Go on with: nncompare resume {shlex.quote(str(folder))}",
        err=True,
    )


def _open(report: Path) -> None:
    """Show the report in the browser, or say that there is none to show it in."""
    import webbrowser

    try:
        opened = webbrowser.open(report.resolve().as_uri())
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        click.echo(f"No browser could be started here. Open the report yourself: {report}", err=True)
