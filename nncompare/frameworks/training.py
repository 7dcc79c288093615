"""The training loop that all framework bases share: epochs, scores, reports, early stopping, best weights."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from nncompare.data.records import Array, Data, Labels, Samples
from nncompare.exceptions import DivergedError, PluginError
from nncompare.plugin import FitContext

SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)
ROW_SUM_TOLERANCE = 1e-3
SHORTEST_PATIENCE = 1


class Learner(Protocol):
    """A model under training, as :func:`train` sees it; a base for another framework implements these four."""

    def train_epoch(self, epoch: int) -> float | None:
        """Go through the training part once and return the mean loss in nats, None where it is not known."""
        ...

    def predict_proba(self, X: Samples) -> Array:
        """Return probabilities of shape (n_samples, n_classes)."""
        ...

    def snapshot(self) -> Any:
        """Return a copy of whatever the training changes."""
        ...

    def restore(self, state: Any) -> None:
        """Go back to what ``snapshot`` returned."""
        ...


def train(learner: Learner, valid: Data | None, context: FitContext, *, patience: int, max_epochs: int) -> None:
    """Train until the validation loss stops falling, and leave the learner at its best epoch.

    Parameters
    ----------
    learner : Learner
    valid : Data or None
        None trains for exactly ``max_epochs`` epochs and keeps the last one.
    context : FitContext
        Receives one report per epoch.
    patience : int
        Epochs without a lower validation log loss after which the training ends; at most a quarter of
        ``max_epochs`` counts, but never fewer than 1, so that short trainings stop early too.
    max_epochs : int

    Raises
    ------
    TrialPruned
        The coordinator stopped the trial.
    DivergedError
        A loss or a probability is not finite.
    PluginError
        The learner's predictions are not probabilities.
    """
    best: Any = None
    patience = min(patience, max(SHORTEST_PATIENCE, max_epochs // 4))
    for epoch in range(1, max_epochs + 1):
        train_loss = learner.train_epoch(epoch)
        if valid is None:
            context.report(epoch, train_loss=train_loss)
            continue
        loss, accuracy = score(learner.predict_proba(valid.X), valid.y)
        context.report(epoch, train_loss=train_loss, valid_loss=loss, valid_accuracy=accuracy)
        best_epoch = context.best_epoch() or epoch
        if best_epoch == epoch:
            best = learner.snapshot()
        elif epoch - best_epoch >= patience:
            break
    if best is not None:
        learner.restore(best)


def score(probabilities: Array, y: Labels) -> tuple[float, float]:
    """Return the log loss and the accuracy of one set of predictions.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
    y : ndarray of shape (n_samples,), int64

    Returns
    -------
    log_loss : float
        Mean of -ln p(true class) in nats, p clipped below at the machine epsilon of float32 (1.2e-7), as
        ``sklearn.metrics.log_loss`` does for float32.
    accuracy : float
        Fraction from 0 to 1.

    Raises
    ------
    DivergedError
        A probability is NaN or infinite.
    PluginError
        The rows do not sum to 1.
    """
    if not np.isfinite(probabilities).all():
        raise DivergedError("The predicted probabilities are not finite: the training diverged.")
    sums = probabilities.sum(axis=1, dtype=np.float64)
    if np.abs(sums - 1.0).max() > ROW_SUM_TOLERANCE:
        raise PluginError(
            f"The model's outputs sum to {sums.min():.4g} ... {sums.max():.4g} per sample; probabilities that sum "
            "to 1 are expected. End the model with a softmax over all classes."
        )
    chosen = probabilities[np.arange(len(y)), y].astype(np.float64)
    log_loss = -float(np.log(np.clip(chosen, SMALLEST_PROBABILITY, 1.0)).mean())
    return log_loss, float((probabilities.argmax(axis=1) == y).mean())
