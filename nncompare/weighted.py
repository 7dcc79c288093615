"""The scores of metrics.py as functions of item weights, so that 1,000 bootstraps cost a few matrix products.

scikit-learn's metrics give every reported score; these give its variance over the test items only.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nncompare.bootstraps import WeightedScores

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]
Weights: TypeAlias = NDArray[np.float32]

N_BINS = 15
SCORE_NAMES = (
    "balanced_accuracy",
    "macro_f1",
    "weighted_f1",
    "log_loss",
    "brier",
    "ece",
    "roc_auc",
    "average_precision",
)


def weighted_scores(y: Labels, proba: Floats) -> WeightedScores:
    """Return a function of item weights: the scores of ``SCORE_NAMES``, then the F1 of each class.

    The function maps weights of shape (n_items, n_batch) to scores of shape (8 + n_classes, n_batch). With
    whole weights it equals scikit-learn on items repeated that often, except that a tie between a positive
    and a negative in a ranking counts as the order in which the items stand.

    Parameters
    ----------
    y : ndarray of shape (n_items,), int64
    proba : ndarray of shape (n_items, n_classes), float64
    """
    n_classes = proba.shape[1]
    counts = _count_matrix(y, proba)
    losses = np.stack([item_log_loss(y, proba), item_brier(y, proba)]).astype(np.float32)
    segments = [_ranking_segments(y == k, proba[:, k]) for k in range(n_classes)]

    def scores(weights: Weights) -> Floats:
        total = weights.sum(axis=0, dtype=np.float64)
        sums = np.asarray(counts @ weights, dtype=np.float64)
        true, found, right = sums[: 3 * n_classes].reshape(3, n_classes, -1)
        f1 = _ratio(2 * right, true + found)
        by_class = np.array([_ranking_scores(*segment, weights, total) for segment in segments])
        overall = [
            _mean_where(_ratio(right, true), true > 0),
            f1.mean(axis=0),
            (f1 * true).sum(axis=0) / total,
            *((losses @ weights) / total),
            np.abs(sums[3 * n_classes :]).sum(axis=0) / total,
            *(_mean_where(by_class[:, k], (true > 0) & (true < total)) for k in range(2)),
        ]
        return np.stack([*overall, *f1])

    return scores


def item_log_loss(y: Labels, proba: Floats) -> Floats:
    """Return each item's −log p(true class) in nats.

    p is at least the machine epsilon of float32 (1.2e-7), as scikit-learn has it for float32, which is what
    models return; the validation losses of the search are clipped there too.
    """
    true = proba[np.arange(len(y)), y]
    return np.asarray(-np.log(np.clip(true, np.finfo(np.float32).eps, 1.0)))


def item_brier(y: Labels, proba: Floats) -> Floats:
    """Return each item's squared distance to its true class, summed over the classes (Brier 1950): 0 to 2."""
    return np.asarray(np.sum((proba - np.eye(proba.shape[1])[y]) ** 2, axis=1))


def confidence_bins(confidence: Floats) -> Labels:
    """Return the equal-width bin, 0 to 14, of each confidence; an upper edge belongs to its bin."""
    return np.clip(np.ceil(confidence * N_BINS).astype(np.int64) - 1, 0, N_BINS - 1)


def _count_matrix(y: Labels, proba: Floats) -> sparse.csr_array:
    """Return the rows true, found and right for each class, then right minus confidence for each bin."""
    n_items, n_classes = proba.shape
    items, y_pred, confidence = np.arange(n_items), proba.argmax(axis=1), proba.max(axis=1)
    right = y_pred == y
    rows = [y, n_classes + y_pred, 2 * n_classes + y[right], 3 * n_classes + confidence_bins(confidence)]
    columns = [items, items, items[right], items]
    values = [np.ones(2 * n_items + int(right.sum())), right - confidence]
    return sparse.csr_array(
        (np.concatenate(values).astype(np.float32), (np.concatenate(rows), np.concatenate(columns))),
        shape=(3 * n_classes + N_BINS, n_items),
    )


def _ranking_segments(is_positive: NDArray[np.bool_], score: Floats) -> tuple[sparse.csr_array, Labels]:
    """Cut the items, sorted by falling score, behind each positive; return the segments and the positives.

    One row per segment; items behind the last positive count in no sum of a ranking and are left out.
    """
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(is_positive[order]) + 1
    used = order[: ends[-1] if len(ends) else 0]
    indptr = np.concatenate([[0], ends])
    shape = (len(ends), len(score))
    return sparse.csr_array((np.ones(len(used), np.float32), used, indptr), shape=shape), order[ends - 1]


def _ranking_scores(segments: sparse.csr_array, positives: Labels, weights: Weights, total: Floats) -> Floats:
    """Return ROC AUC and average precision of one class against the rest, shape (2, n_batch)."""
    weight = weights[positives]
    above = np.cumsum(segments @ weights, axis=0)
    positives_above = np.cumsum(weight, axis=0)
    n_positive = weight.sum(axis=0, dtype=np.float64)
    n_negative = total - n_positive
    negatives_below = n_negative - (above - positives_above)
    auc = _ratio((weight * negatives_below).sum(axis=0, dtype=np.float64), n_positive * n_negative)
    # A positive drawn w times is w equal scores at one threshold: one step of height w.
    precision = _ratio(positives_above, above)
    return np.stack([auc, _ratio((weight * precision).sum(axis=0, dtype=np.float64), n_positive)])


def _ratio(top: NDArray[Any], bottom: NDArray[Any]) -> Floats:
    """Divide, 0 where the divisor is 0."""
    quotient = np.zeros(bottom.shape)
    np.divide(top, bottom, out=quotient, where=bottom > 0)
    return quotient


def _mean_where(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return the mean over the known classes of each bootstrap, NaN where there is none."""
    n_known = known.sum(axis=0)
    means = np.full(values.shape[1], np.nan)
    np.divide((values * known).sum(axis=0), n_known, out=means, where=n_known > 0)
    return means
