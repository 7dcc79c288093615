"""The small table of scores in plain text that ends a run on a terminal and stands in ``print(comparison)``."""

from __future__ import annotations

from collections.abc import Sequence

from nncompare.columns import fitting
from nncompare.results import DatasetRecord, Interval, Results, StudyRecord
from nncompare.standing import SHORTEST_S

__all__ = ["ranked_studies", "score_table"]

_HEADER = ("MODEL", "ACCURACY", "95 % INTERVAL", "MACRO F1", "CPU S", "PARAMETERS")


def ranked_studies(results: Results, dataset: DatasetRecord) -> list[tuple[float, StudyRecord]]:
    """Return the studies of a data set that have test scores, best first."""
    scored = [
        (s.test.accuracy.mean, s) for s in results.studies if s.dataset == dataset.name and s.test is not None
    ]
    return sorted(scored, key=lambda item: (-item[0], item[1].model))


def score_table(
    ranked: Sequence[tuple[float, StudyRecord]], dataset: DatasetRecord, width: int | None = None
) -> list[str]:
    """Return a line for each model and reference under a header.

    Parameters
    ----------
    ranked : sequence of (mean accuracy, study)
        As :func:`ranked_studies` returns it.
    dataset : DatasetRecord
        Brings the references.
    width : int, optional
        Columns of the terminal: what does not fit is left out.
    """
    rows = [
        (
            study.model,
            *_score(study.test.accuracy if study.test else None),
            *_score(study.test.macro_f1 if study.test else None)[:1],
            _cpu(study.fit_cpu_s),
            "" if study.n_parameters is None else f"{study.n_parameters:,}",
        )
        for _mean, study in ranked
    ]
    rows += [
        (f"({reference.name})", *_score(reference.test_accuracy), *_score(reference.macro_f1)[:1], "", "")
        for reference in dataset.references
        if reference.failure is None
    ]
    return fitting(rows, _HEADER, right=(1, 3, 4, 5), width=width, drop=(5, 4, 3, 2))


def _score(interval: Interval | None) -> tuple[str, str]:
    if interval is None:
        return "", ""
    return f"{interval.mean:.4f}", f"{interval.low:.4f} to {interval.high:.4f}"


def _cpu(seconds: float | None) -> str:
    """Return CPU seconds with a digit behind the point; less than that is said to be less, not nothing."""
    if seconds is None:
        return ""
    return f"<{SHORTEST_S}" if seconds < SHORTEST_S else f"{seconds:.1f}"
