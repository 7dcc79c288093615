"""Provenance: how the results were made, and how to make them again."""

from __future__ import annotations

import shlex
from typing import Any

from nncompare.report import formats
from nncompare.report.blocks import Column, Row, Section, Table, texts
from nncompare.results import DatasetRecord, Results

LABELS = {
    "jobs": "trials at a time",
    "threads": "threads per trial",
    "n_trials": "trials per study",
    "n_refits": "refits per study",
    "max_epochs": "most epochs of a training",
    "trial_timeout_s": "time limit of a trial, s",
    "trial_memory_mb": "memory limit of a trial, MB",
}
TWO = (Column("What", False), Column("Value", False))


def section(results: Results) -> Section:
    """Return everything that a stranger needs to judge and repeat the run."""
    return Section(
        anchor="provenance",
        short="Provenance",
        question="How was this made, and how can it be repeated?",
        answer=_answer(results),
        tables=tuple(
            t for t in (_run(results), _environment(results), _plugins(results), *_data(results)) if t.rows
        ),
        notes=(
            *results.notes,
            "To dig deeper, install optuna-dashboard and run, in the run directory: "
            "optuna-dashboard sqlite:///study.db",
        ),
        page_notes=(
            "The results are inside this page, as far as it shows them: the button saves them as a file that "
            "nncompare report renders again. Without scripts, nncompare.report.results_in reads them from the "
            "page, and results.json lies beside the original.",
        ),
    )


def _answer(results: Results) -> str:
    command = shlex.join(results.command)
    how = f"Run again: {command}" if command else "The command was not recorded"
    settings = results.settings
    if settings.jobs > 1 and not settings.deterministic:
        return (
            f"{how} — with more than one job the order of trials, and so the search, can differ; --jobs 1 "
            "repeats, as does --deterministic."
        )
    if not results.repeatable:
        return f"{how} — but {_why_not(results)}, so it does not repeat exactly."
    return f"{how} — on the same machine and versions it gives the same scores."


def _why_not(results: Results) -> str:
    """Return why a run does not repeat though trials had an order."""
    if results.settings_changed:
        return "this run was resumed with another number of trials or jobs"
    if results.settings.timeout_s is not None:
        return "this run stopped by the clock"
    return "not its settings alone decided it (threads, or time, memory, a signal or a disk ended something)"


def _run(results: Results) -> Table:
    settings = _flat(results.settings.model_dump())
    settings["max_epochs"] = settings["max_epochs"] or _most_epochs(results)
    rows: dict[str, Any] = {
        "run": results.run_id,
        "state": results.state,
        "started": results.created_at,
        "finished": results.finished_at,
        "duration": formats.seconds(results.duration_s),
        **_estimated(results),
        "command": shlex.join(results.command),
        "seed": results.seed,
        "preset": results.preset,
        "repeats exactly": results.repeatable,
        **{LABELS.get(name, name.replace("_", " ")): value for name, value in settings.items() if value != ""},
    }
    return _pairs("The run", rows)


def _estimated(results: Results) -> dict[str, str]:
    """Return the duration that was foretold and how far off it was, where both are known."""
    if results.estimate_s is None:
        return {}
    told = formats.seconds(results.estimate_s)
    if not results.duration_s or results.state != "complete" or results.resumed_at:
        return {"estimated duration": told}
    return {"estimated duration": f"{told}, {results.estimate_s / results.duration_s:.2f} times what it took"}


def _most_epochs(results: Results) -> str:
    """Return each data set's limit, which the preset sets where the user did not; empty if none is known."""
    most = {s.dataset: s.budget.max_epochs for s in results.studies if s.budget is not None}
    return ", ".join(f"{epochs} on {dataset}" for dataset, epochs in most.items())


def _environment(results: Results) -> Table:
    return _pairs("Versions and hardware", _flat(results.environment))


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values on one level, their names joined."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name} ")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _pairs(label: str, values: dict[str, Any]) -> Table:
    return Table(label, TWO, tuple(Row(texts(name, formats.plain(value))) for name, value in values.items()))


def _plugins(results: Results) -> Table:
    owners = {study.model: study.plugin for study in results.studies if study.plugin is not None}
    return Table(
        "Plugins and their distributions",
        tuple(Column(c, False) for c in ("Model", "Distribution", "Version", "File")),
        tuple(Row(texts(m, o.distribution, o.version, o.file or formats.MISSING)) for m, o in owners.items()),
    )


def _split(dataset: DatasetRecord) -> dict[str, str]:
    """Return how the parts were made, where that is recorded."""
    words = {
        "class": "at random, with the classes in their proportions",
        "given": "the test part came with the data",
        "group": f"whole groups, by column '{dataset.split_column}'",
        "time": f"the last rows, by column '{dataset.split_column}'",
    }
    return {"test part": words[dataset.split_by]} if dataset.split_by else {}


def _data(results: Results) -> list[Table]:
    """Return a table for each data set that was loaded; of others there is nothing to tell."""
    return [
        _pairs(
            f"Data set {d.name}",
            {
                "fingerprint of the data": d.fingerprint,
                "fingerprint of the test labels": d.test_fingerprint,
                "fingerprint of the split": d.split_fingerprint,
                **_split(d),
                "rows in both train and test": d.duplicates,
                "description": d.description,
                "licence": d.licence,
                "citation": d.citation,
            },
        )
        for d in results.datasets
        if d.fingerprint
    ]
