"""What a run prints before it starts and after it ends: the plan, the verdicts, what did not run."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nncompare.columns import fitting, one_line
from nncompare.progress.lines import outcome
from nncompare.progress.tracker import duration
from nncompare.ranks import rank_line
from nncompare.registry import LOCAL
from nncompare.results import DatasetRecord, Results, StudyRecord
from nncompare.scoretable import ranked_studies, score_table

if TYPE_CHECKING:
    from nncompare.estimate import Estimate
    from nncompare.plan import Plan

_NARROWEST = 30
_FINGERPRINT_DIGITS = 12
_SHORT_RUN = frozenset({"few_trials", "still_learning"})

EXIT_MEANINGS = {
    1: "an error stopped the run",
    3: "at least one model has no result on a data set, or a plugin is broken",
    4: "no model has a valid result",
    74: "a file could not be written",
    75: "another process holds the run directory",
    130: "interrupted",
    143: "terminated",
}


def plan_lines(plan: Plan, estimate: Estimate | None = None, width: int | None = None) -> list[str]:
    """Return what a run is going to do.

    Parameters
    ----------
    plan : Plan
    estimate : Estimate, optional
        Adds how long each study takes, why that is not known of one, and the time of the whole run.
    width : int, optional
        Columns of the terminal: sentences are wrapped, and tables leave columns out.

    Returns
    -------
    list of str
        A table of data sets, a table of studies, and what will not run, with the reason.
    """
    data = [
        (d.name, str(d.n_train), str(d.n_valid), str(d.n_test), d.fingerprint[:_FINGERPRINT_DIGITS])
        for d in plan.datasets
        if d.failure is None
    ]
    titles = ("DATA SET", "TRAIN", "VALIDATION", "TEST", "FINGERPRINT")
    lines = fitting(data, titles, right=(1, 2, 3), width=width, drop=(4, 2))
    studies = [
        (
            s.model,
            s.dataset,
            str(s.view),
            str(s.n_trials),
            str(s.max_epochs),
            str(s.n_finals) if s.n_finals else "-",
            str(s.n_refits),
            str(s.search_samples),
            *([estimate.of_study(s.model, s.dataset)] if estimate is not None else []),
        )
        for s in plan.studies
        if s.failure is None
    ]
    header = ("MODEL", "DATA SET", "VIEW", "TRIALS", "EPOCHS", "FINALS", "REFITS", "SEARCHED ON", "ESTIMATE")
    n_columns = len(header) - (estimate is None)
    right = range(3, n_columns)
    lines += ["", *fitting(studies, header[:n_columns], right, width=width, drop=(2, 7, 5, 6, 4))]
    failures = [f"{s.model} on {s.dataset}: {s.failure.message}" for s in plan.studies if s.failure is not None]
    if failures:
        lines += ["", "Will not run:", *_indented(failures, width)]
    if estimate is not None and estimate.reasons:
        reasons = [f"{model} on {name}: {reason}" for (model, name), reason in estimate.reasons.items()]
        lines += ["", "Not estimated:", *_indented(reasons, width)]
    if estimate is not None and estimate.text:
        lines += ["", *_wrapped(estimate.text, width)]
    where = f"The results would be in a new folder of {plan.folder.parent}."
    return [*lines, "", *_wrapped(f"Trials at a time: {plan.jobs}. {where}", width)]


def result_lines(results: Results, report: Path, width: int | None = None) -> list[str]:
    """Return the end of a run in words.

    Parameters
    ----------
    results : Results
    report : Path
    width : int, optional
        Columns of the terminal: sentences are wrapped, and the leaderboard leaves columns out.

    Returns
    -------
    list of str
        Per data set the verdict and a leaderboard, mean ranks where there are any, then what has no result and
        why, then the time that the run took and was estimated to take, then the report's path.
    """
    lines: list[str] = []
    for dataset in results.datasets:
        ranked = ranked_studies(results, dataset)
        if ranked:
            verdict = _wrapped(f"{dataset.name}: {one_line(dataset.verdict.text)}", width)
            lines += [
                *verdict,
                *_indented(_cautions(dataset), width),
                "",
                *score_table(ranked, dataset, width),
                "",
            ]
    if ranks := rank_line(results):
        lines += [*_wrapped(one_line(ranks), width), ""]
    missing = [_missing(study, results.command) for study in results.studies if study.status != "complete"]
    if missing:
        lines += ["Without a result:", *_indented(missing, width), ""]
    if results.estimate_s is not None and results.duration_s is not None:
        took = duration(results.duration_s)
        lines.append(f"Took {took} after loading and estimating; estimated {duration(results.estimate_s)}.")
    return [*lines, f"Report: {report}"]


def _cautions(dataset: DatasetRecord) -> list[str]:
    """Return what makes all scores doubtful, and what says that a longer run may end with another verdict.

    One line for each kind of it.
    """
    found: dict[str, list[str]] = {}
    for check in dataset.data_checks:
        if check.level == "problem":
            found.setdefault(check.code, []).append(check.text)
    for check in dataset.verdict.checks:
        if check.code in _SHORT_RUN:
            found.setdefault(check.code, []).append(check.text)
    return [
        f"Warning: {texts[0]}{f' So it is with {len(texts) - 1} more; see the report.' if len(texts) > 1 else ''}"
        for texts in found.values()
    ]


def _missing(study: StudyRecord, command: Sequence[str]) -> str:
    """Return how a study without a result ended, and for a fault of its plugin the command that tells more."""
    text = outcome(study)
    if study.failure is None or study.failure.category != "plugin":
        return text
    is_local = study.plugin is not None and study.plugin.distribution == LOCAL
    name = next((word for word in command if word.endswith(f":{study.model}")), None if is_local else study.model)
    if name is None:
        return text
    return f"{text.rstrip('.')}. `nncompare check-plugin {shlex.quote(name)}` tells more."


def _indented(texts: Iterable[str], width: int | None) -> list[str]:
    return [line for text in texts for line in _wrapped(one_line(text), width, "  ")]


def _wrapped(text: str, width: int | None, indent: str = "") -> list[str]:
    """Return text in lines of at most ``width`` columns, the later ones indented; one line without a width."""
    if width is None:
        return [f"{indent}{text}"]
    return textwrap.wrap(
        text,
        max(_NARROWEST, width),
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def exit_line(code: int) -> str:
    """Return the meaning of an exit code that is not 0."""
    return f"Exit code {code}: {EXIT_MEANINGS.get(code, 'see the README')}."
