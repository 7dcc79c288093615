"""Scores of predicted probabilities: scikit-learn's metrics, and their intervals over seeds and test items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from nncompare.bootstraps import bootstrap_variances
from nncompare.clusters import Groups, effective_df, effective_number
from nncompare.exceptions import PluginError
from nncompare.results import Calibration, ClassScores, Interval, TestScores
from nncompare.statistics import LARGEST_LOG_LOSS, accuracy_interval, score_interval
from nncompare.weighted import SCORE_NAMES, confidence_bins, item_brier, item_log_loss, weighted_scores

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

ROW_SUM_TOLERANCE = 1e-3


def read_probabilities(path: Path, n_samples: int, n_classes: int) -> Floats:
    """Return the probabilities of a file of predictions, checked as :func:`check_probabilities` does.

    Raises
    ------
    OSError, ValueError, KeyError, EOFError, BadZipFile
        The file cannot be read, or is none.
    PluginError
        They are not probabilities of this shape.
    """
    with (
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):  # np.load would not close a bad file
        return check_probabilities(stored["probabilities"], n_samples, n_classes)


def check_probabilities(proba: Any, n_samples: int, n_classes: int) -> Floats:
    """Return a model's probabilities as float64 with rows that sum to 1 exactly enough.

    Rows that miss 1 by at most 1e-3 (float32 soft-max) are divided by their sum.

    Raises
    ------
    PluginError
        Not an array of shape (n_samples, n_classes), not floating, NaN or infinite, outside [0, 1], or a row
        sum further from 1; one sentence that says which.
    """
    array = np.asarray(proba)
    if array.shape != (n_samples, n_classes):
        raise _refusal(f"have the shape {array.shape}, not ({n_samples}, {n_classes}), samples by classes")
    if not np.issubdtype(array.dtype, np.floating):
        raise _refusal(f"have the dtype {array.dtype}, not a floating one; return probabilities, not classes")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise _refusal(f"hold NaN or infinity in {int((~np.isfinite(values)).any(axis=1).sum())} rows")
    if values.size and (values.min() < 0 or values.max() > 1):
        raise _refusal(f"lie outside 0 to 1 (from {values.min():.4g} to {values.max():.4g}); end with a soft-max")
    sums = values.sum(axis=1, keepdims=True)
    if values.size and np.abs(sums - 1).max() > ROW_SUM_TOLERANCE:
        worst = int(np.abs(sums - 1).argmax())
        raise _refusal(f"do not sum to 1 in row {worst} (sum {sums[worst, 0]:.4g}); end with a soft-max")
    return np.asarray(values / sums, dtype=np.float64)


def _refusal(what: str) -> PluginError:
    return PluginError(f"The probabilities that predict_proba returned {what}.")


def predicted(proba: Floats) -> Labels:
    """Return the most probable class of each row, the first one where some are equal."""
    return np.asarray(proba.argmax(axis=1), dtype=np.int64)


def refit_scores(y: Labels, proba: Floats, class_names: Sequence[str]) -> dict[str, Any]:
    """Return the scores of one refit, as the fields of ``RefitRecord`` that depend on its predictions.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), int64
    proba : ndarray of shape (n_samples, n_classes), float64
        As :func:`check_probabilities` returned it.
    class_names : sequence of str
        In the order of the columns.

    Returns
    -------
    dict
        ``test_accuracy``, ``macro_f1``, ``log_loss``, ``per_class`` and ``confusion_matrix``, all equal to
        scikit-learn's with every class as a label and ``zero_division=0``.
    """
    per_class = _per_class(y, proba, class_names)
    return {
        "test_accuracy": float(np.mean(predicted(proba) == y)),
        "macro_f1": float(np.mean([scores.f1 for scores in per_class])),
        "log_loss": _log_loss(y, proba),
        "per_class": per_class,
        "confusion_matrix": _confusion_matrix(y, proba).tolist(),
    }


def reference_scores(y: Labels, proba: Floats, seed: int, groups: Groups | None = None) -> dict[str, Interval]:
    """Return ``test_accuracy``, ``macro_f1`` and ``log_loss`` of a reference, which has one refit."""
    names = [str(code) for code in range(proba.shape[1])]
    scores = test_scores(y, [proba], names, seed, groups)
    return {"test_accuracy": scores.accuracy, "macro_f1": scores.macro_f1, "log_loss": scores.log_loss}


def test_scores(
    y: Labels,
    probas: Sequence[Floats],
    class_names: Sequence[str],
    seed: int,
    groups: Groups | None = None,  # noqa: PT028 - not a pytest function
) -> TestScores:
    """Return the means over the refits of all scores, with 95 % intervals.

    The accuracy's interval is :func:`nncompare.statistics.accuracy_interval`; the others combine the variance
    over 1,000 bootstraps of the items with the variance of the refits' scores. Balanced accuracy is the mean
    recall of the classes that the test part holds; the Brier score is summed over the classes (Brier 1950: 0
    to 2); ROC AUC and average precision are one-vs-rest, macro-averaged, and None where the test part lacks a
    class; the calibration error uses 15 equal-width bins of the highest probability (Guo et al. 2017).

    Parameters
    ----------
    y : ndarray of shape (n_samples,), int64
    probas : sequence of ndarrays of shape (n_samples, n_classes), float64
        One for each refit, as :func:`check_probabilities` returned it.
    class_names : sequence of str
    seed : int
        Of the bootstraps.
    groups : ndarray of shape (n_samples,), int64, optional
        Samples of equal numbers depend on each other: intervals count groups.
    """
    units, df = _units(len(y), groups)
    points = np.array([_overall_scores(y, proba) for proba in probas])
    refits = [_per_class(y, proba, class_names) for proba in probas]
    f1s = np.array([[scores.f1 for scores in per_class] for per_class in refits])
    weighted = [weighted_scores(y, proba) for proba in probas]
    variances = bootstrap_variances(weighted, len(y), seed=seed, groups=groups)
    overall = {
        name: score_interval(
            points[:, i],
            variances[i],
            units,
            df=df,
            is_fraction=name not in _HIGHEST_LOSS,
            highest=_HIGHEST_LOSS.get(name, 1.0),
        )
        for i, name in enumerate(SCORE_NAMES)
        if not np.isnan(points[:, i]).any()
    }
    return TestScores(
        accuracy=accuracy_interval(np.array([predicted(proba) == y for proba in probas]), groups=groups),
        **overall,
        per_class=_mean_per_class(refits, f1s, variances[len(SCORE_NAMES) :], _units_by_class(y, groups)),
        confusion_matrix=np.mean([_confusion_matrix(y, proba) for proba in probas], axis=0).tolist(),
        calibration=_calibration(y, probas),
    )


test_scores.__test__ = False  # type: ignore[attr-defined]  # not a pytest function

_HIGHEST_LOSS = {"log_loss": LARGEST_LOG_LOSS, "brier": 2.0}


def _overall_scores(y: Labels, proba: Floats) -> list[float]:
    """Return one refit's scores in the order of ``SCORE_NAMES``, NaN for rankings that lack a class."""
    y_pred, labels = predicted(proba), np.arange(proba.shape[1])
    present = np.unique(y)
    is_ranked = len(present) == len(labels) > 1
    return [
        float(sk.recall_score(y, y_pred, labels=present, average="macro", zero_division=0)),
        float(sk.f1_score(y, y_pred, labels=labels, average="macro", zero_division=0)),
        float(sk.f1_score(y, y_pred, labels=labels, average="weighted", zero_division=0)),
        _log_loss(y, proba),
        float(item_brier(y, proba).mean()),
        _calibration(y, [proba]).ece,
        _one_vs_rest(sk.roc_auc_score, y, proba) if is_ranked else np.nan,
        _one_vs_rest(sk.average_precision_score, y, proba) if is_ranked else np.nan,
    ]


def _one_vs_rest(score: Callable[..., float], y: Labels, proba: Floats) -> float:
    """Return the unweighted mean over the classes of a ranking score."""
    return float(np.mean([score(y == k, proba[:, k]) for k in range(proba.shape[1])]))


def _per_class(y: Labels, proba: Floats, class_names: Sequence[str]) -> list[ClassScores]:
    """Return the rows of ``classification_report`` as fractions."""
    columns = sk.precision_recall_fscore_support(
        y, predicted(proba), labels=np.arange(len(class_names)), zero_division=0
    )
    return [
        ClassScores(name=name, precision=float(p), recall=float(r), f1=float(f), support=int(s))
        for name, p, r, f, s in zip(class_names, *columns, strict=True)
    ]


def _units(n_items: int, groups: Groups | None) -> tuple[float, float]:
    """Return how many independent units there are, and the degrees of freedom of a variance over them."""
    if groups is None:
        return n_items, n_items - 1
    return effective_number(groups), effective_df(groups)


def _units_by_class(y: Labels, groups: Groups | None) -> dict[int, tuple[float, float]]:
    """Return the units of the items of each class, and their degrees of freedom."""
    return {int(k): _units(int(np.sum(y == k)), None if groups is None else groups[y == k]) for k in np.unique(y)}


def _mean_per_class(
    refits: Sequence[Sequence[ClassScores]],
    f1s: Floats,
    variances: Floats,
    units: Mapping[int, tuple[float, float]],
) -> list[ClassScores]:
    """Return each class's means over the refits, with the interval of F1 where the class has items."""
    means = []
    for k, rows in enumerate(zip(*refits, strict=True)):
        support = rows[0].support
        f1 = None
        if support:
            n_units, df = units[k]
            f1 = score_interval(f1s[:, k], variances[k], n_units, df=df, is_fraction=True)
        means.append(
            ClassScores(
                name=rows[0].name,
                precision=float(np.mean([row.precision for row in rows])),
                recall=float(np.mean([row.recall for row in rows])),
                f1=float(f1s[:, k].mean()),
                support=support,
                f1_low=f1 and f1.low,
                f1_high=f1 and f1.high,
            )
        )
    return means


def _confusion_matrix(y: Labels, proba: Floats) -> NDArray[np.int64]:
    return np.asarray(sk.confusion_matrix(y, predicted(proba), labels=np.arange(proba.shape[1])))


def _log_loss(y: Labels, proba: Floats) -> float:
    return float(item_log_loss(y, proba).mean())


def _calibration(y: Labels, probas: Sequence[Floats]) -> Calibration:
    """Return the reliability table of all refits together; ``ece`` is its count-weighted mean gap."""
    confidence = np.concatenate([proba.max(axis=1) for proba in probas])
    right = np.concatenate([predicted(proba) == y for proba in probas])
    bins = confidence_bins(confidence)
    count = np.bincount(bins)
    filled = np.flatnonzero(count)
    mean_confidence = (np.bincount(bins, weights=confidence)[filled]) / count[filled]
    accuracy = np.bincount(bins, weights=right)[filled] / count[filled]
    return Calibration(
        ece=float(np.average(np.abs(accuracy - mean_confidence), weights=count[filled])),
        confidence=mean_confidence.tolist(),
        accuracy=accuracy.tolist(),
        count=count[filled].tolist(),
    )
