"""Whether the saved models and the predictions of a run are those that it scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from nncompare.data.files import cache_root
from nncompare.data.records import Labels
from nncompare.diagnosis.records import Finding
from nncompare.diagnosis.subject import Subject
from nncompare.exceptions import DataError, PluginError, ResultsError
from nncompare.execution.saved import check_saved
from nncompare.inventory import find_stored
from nncompare.layout import RESULTS
from nncompare.metrics import predicted, read_probabilities
from nncompare.results import DatasetRecord, RefitRecord, StudyRecord

__all__ = ["check_models", "check_predictions"]

_CLOSE = 1e-9
_COPIED = "Restore it from the whole run directory, or run again."


def check_models(subject: Subject) -> Iterator[Finding]:
    """Tell which saved models are gone or changed; none is loaded."""
    if "models" in subject.cleaned:
        return
    worked = [(study, refit) for study, refit in _refits(subject) if refit.failure is None]
    if worked and not (subject.folder / "models").is_dir():
        what = "The folder of the saved models is gone, so none can predict."
        yield subject.finding("model-missing", subject.folder / "models", what, _COPIED)
        return
    for study, refit in worked:
        remedy = f"Restore it from a copy; else predict with another refit of {study.model}, or run again."
        path = subject.inside(refit.model)
        if path is None or refit.manifest_sha256 is None:
            what = f"{RESULTS} names no saved model of {study.model} on {study.dataset} (seed {refit.seed})."
            yield subject.finding("model-missing", subject.folder / RESULTS, what, remedy)
        elif not path.is_dir():
            yield subject.finding("model-missing", path, f"The saved model of {study.model} is gone.", remedy)
        else:
            try:
                check_saved(path, refit.manifest_sha256)
            except (ResultsError, OSError) as error:
                other = f"Till then another refit of {study.model} can predict (--refit)."
                yield subject.finding("model-changed", path, str(error), other)


def check_predictions(subject: Subject) -> Iterator[Finding]:
    """Tell which predictions are gone, damaged or not those that the scores are of.

    Each file has to give the predicted classes that its confusion matrix counts and, where the test labels are in
    the cache, the accuracy that results.json has.
    """
    if subject.results is None or "predictions" in subject.cleaned:
        return
    if any(refit.predictions for _, refit in _refits(subject)) and not (subject.folder / "predictions").is_dir():
        what = "The folder of the predictions is gone, so diff compares intervals alone."
        yield subject.finding("predictions-missing", subject.folder / "predictions", what, _COPIED)
        return
    data = {dataset.name: dataset for dataset in subject.results.datasets}
    labels: dict[str, Labels | None] = {}
    for study, refit in _refits(subject):
        dataset = data.get(study.dataset)
        if refit.failure is not None or refit.test_accuracy is None or dataset is None:
            continue
        if dataset.name not in labels:
            labels[dataset.name] = _test_labels(dataset)
        yield from _check_file(subject, study, refit, dataset, labels[dataset.name])


def _check_file(
    subject: Subject, study: StudyRecord, refit: RefitRecord, dataset: DatasetRecord, labels: Labels | None
) -> Iterator[Finding]:
    pair = f"{study.model} on {study.dataset} (seed {refit.seed})"
    remedy = "Restore it from a copy, or run again. Without it, diff compares intervals alone."
    path = subject.inside(refit.predictions)
    if path is None or not path.is_file():
        where = path or subject.folder / RESULTS
        yield subject.finding("predictions-missing", where, f"The predictions of {pair} are gone.", remedy)
        return
    try:
        probabilities = read_probabilities(path, dataset.n_test, len(dataset.class_names))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, PluginError) as error:
        what = f"The predictions of {pair} cannot be read: {type(error).__name__}: {str(error).rstrip('.')}."
        yield subject.finding("predictions-damaged", path, what, remedy)
        return
    codes = predicted(probabilities)
    n_classes, rows = len(dataset.class_names), refit.confusion_matrix
    if rows and {len(rows), *map(len, rows)} != {n_classes}:
        what = f"The confusion matrix of {pair} has not {n_classes} rows of {n_classes} numbers."
        edited = "It was edited or damaged: restore it from a copy, or run again."
        yield subject.finding("results-range", subject.folder / RESULTS, what, edited)
        return
    if not _fits(codes, refit, n_classes, labels):
        what = f"The predictions of {pair} are not those that were scored, or its scores in {RESULTS} were edited."
        yield subject.finding("predictions-differ", path, what, remedy)


def _fits(codes: npt.NDArray[np.int64], refit: RefitRecord, n_classes: int, labels: Labels | None) -> bool:
    """Tell whether predicted classes are those of a refit's scores."""
    counted = np.bincount(codes, minlength=n_classes)
    matrix = np.array(refit.confusion_matrix)
    if matrix.size and not np.array_equal(matrix.sum(axis=0), counted):
        return False
    if labels is None or len(labels) != len(codes) or refit.test_accuracy is None:
        return True
    return abs(float(np.mean(codes == labels)) - refit.test_accuracy) < _CLOSE


def _refits(subject: Subject) -> Sequence[tuple[StudyRecord, RefitRecord]]:
    studies = subject.results.studies if subject.results is not None else []
    return [(study, refit) for study in studies for refit in study.refits]


def _test_labels(dataset: DatasetRecord) -> Labels | None:
    stored = find_stored(cache_root(), dataset.fingerprint, dataset.test_fingerprint)
    try:
        return None if stored is None else np.array(stored.y_test())
    except (DataError, OSError, ValueError):
        return None
