"""What Markdown says in a line for each model where the page draws a chart."""

from __future__ import annotations

from dataclasses import dataclass

from nncompare.report import calibration, classes, formats, mistakes, overlap, searching
from nncompare.report.blocks import Entry, Part
from nncompare.results import TestScores

MOST_CONFUSIONS = 5


@dataclass(frozen=True, slots=True)
class Brief:
    """One data set's confusions, searches, surest mistakes and calibration, a line for each model."""

    confusions: tuple[str, ...]
    searches: tuple[str, ...]
    mistakes: tuple[str, ...]
    calibration: tuple[str, ...]


def brief(part: Part) -> Brief:
    """Return the lines of one data set, the models in the order of its leaderboard."""
    return Brief(
        confusions=tuple(_confusions(part, entry, test) for entry, test in part.tested),
        searches=tuple(_search(entry) for entry in part.entries if entry.study.trials),
        mistakes=(
            *(_mistake(entry) for entry, _ in part.tested if entry.study.mistakes),
            *filter(None, (overlap.answer(part),)),
        ),
        calibration=tuple(f"{entry.study.model}: {calibration.caption(test)}" for entry, test in part.tested),
    )


def _confusions(part: Part, entry: Entry, test: TestScores) -> str:
    found = classes.frequent(part, test)[:MOST_CONFUSIONS]
    said = [
        f"true “{true}” called “{other}” {formats.count(n)} ({100 * share:.1f} %)"
        for share, true, other, n in found
    ]
    return f"{entry.study.model}: {', '.join(said) or 'nothing was confused'}"


def _mistake(entry: Entry) -> str:
    return f"{entry.study.model}: {mistakes.surest(entry)} ({overlap.which(entry.study.mistakes[0])})"


def _search(entry: Entry) -> str:
    study = entry.study
    parts = [f"{study.model}: {searching.caption(study)}"]
    if study.valid_log_loss is not None:
        parts.append(f"validation log loss {formats.score(study.valid_log_loss)}")
    if study.best_params:
        parts.append(f"chosen: {formats.params(study.best_params)}")
    if study.refits:
        seeds = ", ".join(str(refit.seed) for refit in study.refits)
        parts.append(
            f"one refit with the seed {seeds}" if len(study.refits) == 1 else f"refits with the seeds {seeds}"
        )
    return "; ".join(parts)
