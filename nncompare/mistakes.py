"""Which test samples models get wrong: the most confident mistakes of each, and how their errors overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nncompare.data.records import Labels
from nncompare.data.store import StoredDataset
from nncompare.excerpts import NAMES, excerpts
from nncompare.metrics import predicted
from nncompare.results import DatasetRecord, ErrorOverlap, Mistake, SharedSample, StudyRecord

__all__ = ["Mistakes", "find_mistakes"]

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

KEPT = 10
KEPT_OF_ALL = 5
KEPT_OF_ONE = 3


@dataclass(frozen=True, slots=True)
class Mistakes:
    """What the models of one data set get wrong; empty where nothing was predicted.

    Parameters
    ----------
    by_model : mapping of str to list of Mistake
        At most 10 for each model, the most confident first; empty where rows are not shown.
    n_wrong_by_all : int or None
        Test samples that every model gets wrong.
    overlap : ErrorOverlap or None
        Of two or more models; without examples where rows are not shown.
    rows_shown : bool
        Whether single samples may be shown.
    problem : str
        Why there are no mistakes, or why they lack what can be seen of them.
    """

    by_model: Mapping[str, list[Mistake]] = field(default_factory=dict)
    n_wrong_by_all: int | None = None
    overlap: ErrorOverlap | None = None
    rows_shown: bool = True
    problem: str = ""

    def in_study(self, study: StudyRecord) -> StudyRecord:
        """Return a study with its mistakes, which are known when the others of its data set are."""
        if study.model not in self.by_model:
            return study
        return study.model_copy(update={"mistakes": self.by_model[study.model]})

    def in_dataset(self, dataset: DatasetRecord) -> DatasetRecord:
        """Return a data set with what its models get wrong together."""
        names = ("n_wrong_by_all", "overlap", "rows_shown")
        return dataset.model_copy(update={name: getattr(self, name) for name in names})


def find_mistakes(
    stored: StoredDataset,
    y: Labels,
    probabilities: Mapping[str, Sequence[Floats]],
    *,
    rows_shown: bool = True,
) -> Mistakes:
    """Return the most confident mistakes of each model, and how the errors of several overlap.

    What counts is the mean over the refits of the probabilities; of equal ones the first row comes first.

    Parameters
    ----------
    stored : StoredDataset
        Only the test samples that are shown are read.
    y : ndarray of shape (n_test,), int64
        The test labels.
    probabilities : mapping of str to sequence of ndarray of shape (n_test, n_classes)
        One array for each refit, by model, in the order in which ``Mistake.by`` names the models.
    rows_shown : bool, default True
        Otherwise samples are counted, and none is named or shown.

    Returns
    -------
    Mistakes
        With the ``problem`` alone where anything went wrong.
    """
    if not probabilities:
        return Mistakes(rows_shown=rows_shown)
    try:
        return _Errors(stored, y, probabilities).found(rows_shown)
    except Exception as error:  # noqa: BLE001 - the border: a run is worth more than a look at its mistakes
        problem = f"The mistakes on {stored.name} are not shown. {_cause(error)}."
        return Mistakes(rows_shown=rows_shown, problem=problem)


class _Errors:
    """The mean predictions of all models of one data set, and where they are wrong."""

    def __init__(self, stored: StoredDataset, y: Labels, probabilities: Mapping[str, Sequence[Floats]]) -> None:
        self.stored, self.y = stored, y
        self.means: dict[str, Floats] = {model: np.mean(p, axis=0) for model, p in probabilities.items()}
        self.wrong: dict[str, Flags] = {model: predicted(mean) != y for model, mean in self.means.items()}
        self.n_wrong = np.sum(list(self.wrong.values()), axis=0)

    def found(self, rows_shown: bool) -> Mistakes:
        n_models = len(self.means)
        by_all = self.n_wrong == n_models
        alone = {m: ~wrong & (self.n_wrong == n_models - 1) for m, wrong in self.wrong.items()}
        several, n_by_all = n_models > 1, int(by_all.sum())
        counts = {model: int(flags.sum()) for model, flags in alone.items()}
        if not rows_shown:
            overlap = ErrorOverlap(only_right=counts) if several else None
            return Mistakes(n_wrong_by_all=n_by_all, overlap=overlap, rows_shown=False)
        sure = {model: mean.max(axis=1) for model, mean in self.means.items()}
        own = {model: _surest(self.wrong[model], sure[model], KEPT) for model in self.means}
        of_all = _surest(by_all, np.min(list(sure.values()), axis=0), KEPT_OF_ALL) if several else []
        of_one = {m: _surest(flags, sure[m], KEPT_OF_ONE) for m, flags in alone.items()} if several else {}
        seen, problem = self._seen({row for rows in (*own.values(), of_all, *of_one.values()) for row in rows})
        overlap = ErrorOverlap(
            only_right=counts,
            wrong_by_all=[self._shared(row, seen) for row in of_all],
            right_by_one=[self._shared(row, seen, model) for model, rows in of_one.items() for row in rows],
        )
        return Mistakes(
            by_model={model: [self._mistake(model, row, seen) for row in rows] for model, rows in own.items()},
            n_wrong_by_all=n_by_all,
            overlap=overlap if several else None,
            problem=problem,
        )

    def _seen(self, rows: Iterable[int]) -> tuple[dict[int, dict[str, Any]], str]:
        """Return what can be seen of each row, and why nothing can."""
        try:
            return excerpts(self.stored, sorted(rows)), ""
        except (EOFError, OSError, ValueError) as error:  # an empty file, none, a short or a changed one
            what = f"The mistakes on {self.stored.name} lack their {NAMES[self.stored.view]}. {_cause(error)}."
            return {}, f"{what} Delete the folder '{self.stored.folder.name}' in the cache and run again."

    def _name(self, code: int) -> str:
        return self.stored.class_names[code]

    def _mistake(self, model: str, row: int, seen: Mapping[int, dict[str, Any]]) -> Mistake:
        mean = self.means[model][row]
        return Mistake(
            id=row,
            true=self._name(self.y[row]),
            predicted=self._name(int(mean.argmax())),
            probability=round(float(mean.max()), 4),
            by=[name for name, wrong in self.wrong.items() if wrong[row]],
            **seen.get(row, {}),
        )

    def _shared(self, row: int, seen: Mapping[int, dict[str, Any]], right: str | None = None) -> SharedSample:
        return SharedSample(
            id=row,
            true=self._name(self.y[row]),
            predicted={model: self._name(int(mean[row].argmax())) for model, mean in self.means.items()},
            right=right,
            **seen.get(row, {}),
        )


def _surest(flags: Flags, sure: Floats, most: int) -> list[int]:
    """Return rows that are flagged, by falling probability, then by number."""
    rows = np.flatnonzero(flags)
    order = np.argsort(-sure[rows], kind="stable")[:most]
    return [int(row) for row in rows[order]]


def _cause(error: Exception) -> str:
    """Return type and first line of an error, without the path of a file."""
    text = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}"
