"""A run in the output of a notebook's cell: the verdicts, a small table, and where the report is."""

from __future__ import annotations

from pathlib import Path

from nncompare.ranks import rank_line
from nncompare.report import formats
from nncompare.report.blocks import Part, parts
from nncompare.report.render import render_fragment
from nncompare.results import Interval, Results, StudyRecord

HEADER = ("Model", "Accuracy", "95 % interval", "Macro F1", "Log loss", "Training CPU", "Parameters")
_NOT_COMPLETE = {
    "running": "This run is not finished: this is what is there so far.",
    "interrupted": "This run was interrupted: this is what was finished.",
}


def render_comparison(results: Results, report: Path) -> str:
    """Return a run as a piece of HTML without scripts or colours, to suit any notebook's theme.

    Parameters
    ----------
    results : Results
    report : Path
        Where report.html is; it is shown, not read.
    """
    found = parts(results)
    return render_fragment(
        "comparison.html.j2",
        warning=_NOT_COMPLETE.get(results.state, ""),
        parts=found,
        header=HEADER,
        tables=[{"dataset": part.dataset.name, "rows": rows} for part in found if (rows := _rows(part))],
        ranks=rank_line(results),
        without=[_why_not(entry.study) for part in found for entry in part.entries if entry.study.test is None],
        report=str(report),
    )


def _rows(part: Part) -> list[tuple[str, ...]]:
    """Return the models that have test scores, best first, then the references."""
    models = [
        (
            entry.study.model,
            *_scores(test.accuracy, test.macro_f1, test.log_loss),
            formats.cpu(entry.study.fit_cpu_s),
            formats.count(entry.study.n_parameters),
        )
        for entry, test in part.tested
    ]
    references = [
        (
            f"{reference.name} (reference)",
            *_scores(reference.test_accuracy, reference.macro_f1, reference.log_loss),
            formats.MISSING,
            formats.MISSING,
        )
        for reference in part.dataset.references
        if reference.failure is None
    ]
    return models + references


def _scores(accuracy: Interval | None, macro_f1: Interval | None, log_loss: Interval | None) -> tuple[str, ...]:
    means = (formats.score(None if value is None else value.mean) for value in (accuracy, macro_f1, log_loss))
    first, *others = means
    return (first, formats.interval(accuracy), *others)


def _why_not(study: StudyRecord) -> str:
    why = f": {study.failure.message}" if study.failure is not None else ""
    return f"{study.model} on {study.dataset}: {study.status.replace('_', ' ')}{why}"
