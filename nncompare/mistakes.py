"""The test samples that models get wrong with most confidence, with their words where they are texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nncompare.data.ragged import decode
from nncompare.data.records import Labels
from nncompare.data.store import StoredDataset
from nncompare.metrics import predicted
from nncompare.results import DatasetRecord, Mistake, StudyRecord

__all__ = ["Mistakes", "find_mistakes"]

Floats: TypeAlias = npt.NDArray[np.float64]

KEPT = 10
WORDS_AT_EACH_END = 30
CHARACTERS_OF_A_WORD = 40


@dataclass(frozen=True, slots=True)
class Mistakes:
    """What the models of one data set get wrong; empty where nothing was predicted, or it is not shown.

    Parameters
    ----------
    by_model : mapping of str to list of Mistake
        At most 10 for each model, the most confident first.
    n_wrong_by_all : int or None
        Test samples that every model gets wrong.
    problem : str
        Why there are no mistakes, or why they lack their words.
    """

    by_model: Mapping[str, list[Mistake]] = field(default_factory=dict)
    n_wrong_by_all: int | None = None
    problem: str = ""

    def in_study(self, study: StudyRecord) -> StudyRecord:
        """Return a study with its mistakes, which are known when the others of its data set are."""
        if study.model not in self.by_model:
            return study
        return study.model_copy(update={"mistakes": self.by_model[study.model]})

    def in_dataset(self, dataset: DatasetRecord) -> DatasetRecord:
        """Return a data set with the number of samples that every model gets wrong."""
        return dataset.model_copy(update={"n_wrong_by_all": self.n_wrong_by_all})


def find_mistakes(stored: StoredDataset, y: Labels, probabilities: Mapping[str, Sequence[Floats]]) -> Mistakes:
    """Return the most confident mistakes of each model; in this version of texts only.

    What counts is the mean over the refits of the probabilities; of equal ones the first row comes first.

    Parameters
    ----------
    stored : StoredDataset
        Only the test samples that are shown are read.
    y : ndarray of shape (n_test,), int64
        The test labels.
    probabilities : mapping of str to sequence of ndarray of shape (n_test, n_classes)
        One array for each refit, by model, in the order in which ``Mistake.by`` names the models.

    Returns
    -------
    Mistakes
        With the ``problem`` alone where anything went wrong.
    """
    try:
        return _find(stored, y, probabilities)
    except Exception as error:  # noqa: BLE001 - the border: a run is worth more than a look at its mistakes
        return Mistakes(problem=f"The mistakes on {stored.name} are not shown. {_cause(error)}.")


def _find(stored: StoredDataset, y: Labels, probabilities: Mapping[str, Sequence[Floats]]) -> Mistakes:
    if stored.view != "tokens" or not probabilities:
        return Mistakes()
    means = {model: np.mean(probas, axis=0) for model, probas in probabilities.items()}
    wrong = {model: predicted(mean) != y for model, mean in means.items()}
    rows = {model: _surest(mean, wrong[model]) for model, mean in means.items()}
    texts, problem = _texts(stored, sorted({row for found in rows.values() for row in found}))
    names = stored.class_names

    def mistake(mean: Floats, row: int) -> Mistake:
        return Mistake(
            id=row,
            true=names[y[row]],
            predicted=names[mean[row].argmax()],
            probability=round(float(mean[row].max()), 4),
            by=[model for model in wrong if wrong[model][row]],
            words=texts.get(row),
        )

    return Mistakes(
        by_model={model: [mistake(mean, row) for row in rows[model]] for model, mean in means.items()},
        n_wrong_by_all=int(np.logical_and.reduce(list(wrong.values())).sum()),
        problem=problem,
    )


def _surest(mean: Floats, wrong: npt.NDArray[np.bool_]) -> list[int]:
    """Return the rows that are wrong, by falling probability, then by number."""
    rows = np.flatnonzero(wrong)
    order = np.argsort(-mean[rows].max(axis=1), kind="stable")[:KEPT]
    return [int(row) for row in rows[order]]


def _texts(stored: StoredDataset, rows: Sequence[int]) -> tuple[dict[int, str], str]:
    """Return the text of each row, none where the data set brings no words, and why they cannot be read."""
    try:
        words, X_test = stored.words(), stored.X_test()
    except (EOFError, OSError, ValueError) as error:  # an empty file, none, a short or a changed one
        what = f"The mistakes on {stored.name} lack their words. {_cause(error)}."
        return {}, f"{what} Delete the folder '{stored.folder.name}' in the cache and run again."
    return {row: _excerpt(decode(X_test[row], words)) for row in rows} if words else {}, ""


def _cause(error: Exception) -> str:
    """Return type and first line of an error, without the path of a file."""
    text = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}"


def _excerpt(words: Sequence[str]) -> str:
    """Return words as one text, of a long one only the beginning and the end, of a long word the beginning."""
    if len(words) > 2 * WORDS_AT_EACH_END:
        words = [*words[:WORDS_AT_EACH_END], "…", *words[-WORDS_AT_EACH_END:]]
    return " ".join(map(_cut, words))


def _cut(word: str) -> str:
    return word if len(word) <= CHARACTERS_OF_A_WORD else f"{word[:CHARACTERS_OF_A_WORD]}…"
