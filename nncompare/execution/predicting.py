"""What a child does to predict: it loads a saved model with its preprocessing and stores probabilities."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nncompare.data.arrays import write_chunks
from nncompare.data.records import Array, Samples
from nncompare.data.samples import count_samples, open_samples
from nncompare.data.saved_conversion import load_conversion
from nncompare.execution.plugins import checked_probabilities
from nncompare.execution.saved import PREPROCESSING, load_model
from nncompare.execution.specs import PredictAnswer, PredictSpec
from nncompare.plugin import FittedModel

BLOCK_ROWS = 50_000
"""Samples that a model sees at once. More than any built-in test part has: those are predicted as in the run."""


def predict(spec: PredictSpec) -> PredictAnswer:
    """Convert samples from their native form, chunk by chunk, predict block by block, and store the probabilities.

    Raises
    ------
    ResultsError
        The model's files are not those that were saved.
    PluginError
        The model cannot be loaded, or returned something else than probabilities.
    """
    model = load_model(spec.model, spec.manifest_sha256)
    samples = open_samples(spec.X)
    n_samples = count_samples(samples)
    rows = np.arange(n_samples, dtype=np.int64)
    X = open_samples(load_conversion(spec.model / PREPROCESSING).write(spec.work, samples, rows))
    write_chunks(spec.predictions, (n_samples, spec.n_classes), np.float64, _blocks(model, X, spec.n_classes))
    return PredictAnswer(status="complete", n_samples=n_samples)


def _blocks(model: FittedModel, X: Samples, n_classes: int) -> Iterator[Array]:
    """Yield the probabilities of consecutive samples."""
    n_samples = count_samples(X)
    for start in range(0, n_samples, BLOCK_ROWS):
        block = X[start : start + BLOCK_ROWS]
        yield checked_probabilities(model.predict_proba(block), (count_samples(block), n_classes))
