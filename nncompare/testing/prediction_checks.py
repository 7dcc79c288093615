"""Checks of a fitted model: its probabilities, and how it is saved."""

from __future__ import annotations

import inspect
import math
import tempfile
from pathlib import Path

import numpy as np

from nncompare.data.fingerprint import fingerprint
from nncompare.data.ragged import Ragged
from nncompare.data.records import Array
from nncompare.data.samples import arrays_of, write_samples
from nncompare.execution.saved import save_files, seal
from nncompare.execution.specs import MeasureAnswer
from nncompare.testing.calling import plugin_errors, predict_raw
from nncompare.testing.comparisons import SAME, difference
from nncompare.testing.fresh import answer_of, importable_value
from nncompare.testing.outcomes import BuildsOn, CheckFailedError, SkippedCheck
from nncompare.testing.problems import copy_data, copy_samples
from nncompare.testing.reloading import elsewhere, reload_spec
from nncompare.testing.subject import ModelSubject

SUM_TOLERANCE = 1e-4
FAR = 1000
MANY = 2049
"""Samples: one more than chunks of any usual size hold."""


def check_probabilities_have_shape_and_dtype(subject: ModelSubject) -> None:
    """``predict_proba`` returns an ndarray of float32 and shape (n_samples, n_classes)."""
    problem = subject.problem()
    found = subject.first_prediction()
    expected = len(problem.valid), problem.spec.n_classes
    if not isinstance(found, np.ndarray):
        raise CheckFailedError(
            f"predict_proba() returned an object of type {type(found).__name__}. Return an ndarray of float32."
        )
    if found.shape != expected:
        raise CheckFailedError(
            f"predict_proba() returned shape {found.shape}; {expected} is expected: a row per sample, a "
            "column per class."
        )
    if found.dtype != np.float32:
        raise CheckFailedError(
            f"predict_proba() returned {found.dtype}; float32 is expected. Convert with astype(numpy.float32)."
        )


def check_probabilities_sum_to_one(subject: ModelSubject) -> None:
    """Probabilities are finite, between 0 and 1, and sum to 1 in each row."""
    fault = _fault_of(_floats(subject.predict(subject.reference(), subject.problem().valid.X)))
    if fault:
        raise CheckFailedError(fault)


def check_far_samples_have_probabilities(subject: ModelSubject) -> None:
    """Dense samples, a thousand times as large as those of training, have probabilities too.

    A family that has none so far away may say so in ``expected_failures``.
    """
    X = subject.problem().valid.X
    if not isinstance(X, np.ndarray) or X.dtype.kind != "f":
        raise SkippedCheck("The samples of its first view are no dense floats.")
    trained = subject.reference()
    if _fault_of(_floats(subject.predict(trained, X))):
        raise BuildsOn("check_probabilities_sum_to_one")
    fault = _fault_of(_floats(subject.predict(trained, FAR * X)))
    if fault:
        raise CheckFailedError(
            f"For samples {FAR:,} times as large as those of training: {fault} Where the family has no "
            "probabilities so far away, say so in expected_failures."
        )


def _fault_of(found: Array) -> str:
    """Say why floats are no probabilities; empty where they are."""
    if not np.isfinite(found).all():
        return (
            "predict_proba() returned NaN or infinite values. Look for overflow in the last layer: a softmax "
            "takes the largest logit of a row away first."
        )
    sums = found.sum(axis=1, dtype=np.float64)
    if found.min() < -SUM_TOLERANCE or np.abs(sums - 1).max() > SUM_TOLERANCE:
        return (
            f"Values of predict_proba() go from {found.min():.4g} to {found.max():.4g} and rows sum to "
            f"{sums.min():.4g} ... {sums.max():.4g}; probabilities that sum to 1 are expected. Apply a "
            "softmax to logits."
        )
    return ""


def check_predictions_repeat(subject: ModelSubject) -> None:
    """A second prediction of the same samples is the same, and leaves the array of the first as it was."""
    X = subject.problem().valid.X
    subject.first_prediction()
    first = predict_raw(subject.reference(), copy_samples(X))
    kept = np.array(first)
    subject.predict(subject.reference(), X[::-1])
    if isinstance(first, np.ndarray) and not np.array_equal(first, kept, equal_nan=kept.dtype.kind == "f"):
        raise CheckFailedError(
            "A second predict_proba() changed the array that the first returned. Return an array of its own each "
            "time, not a view of a buffer."
        )
    found = difference(subject.predict(subject.reference(), X), subject.predict(subject.reference(), X))
    if not found <= SAME:
        raise CheckFailedError(
            f"Two predictions of the same samples differ by {found:.2g}. Switch dropout and noise off in "
            "predict_proba()."
        )


def check_rows_keep_their_order(subject: ModelSubject) -> None:
    """Samples in another order give the same rows in that order."""
    X, trained = subject.problem().valid.X, subject.reference()
    straight = _steady(subject)
    order = np.random.default_rng(0).permutation(len(straight))
    found = difference(straight[order], subject.predict(trained, X[order]))
    if not found <= SAME:
        raise CheckFailedError(
            f"Samples in another order have other probabilities, by {found:.2g}. Return row i for sample i: "
            "undo any "
            "sorting, and let no sample depend on its neighbours."
        )


def check_one_row_equals_its_row_in_a_batch(subject: ModelSubject) -> None:
    """A sample alone has the probabilities that it has among others."""
    X, trained, together = subject.problem().valid.X, subject.reference(), subject.predictions()
    for row in (0, len(together) - 1):
        found = difference(together[row : row + 1], subject.predict(trained, X[row : row + 1]))
        if not found <= SAME:
            raise CheckFailedError(
                f"Sample {row} alone has other probabilities than among {len(together)}, by {found:.2g}. Use no "
                "statistics of the batch in predict_proba()."
            )


def check_many_rows_equal_their_rows_in_a_batch(subject: ModelSubject) -> None:
    """Each of 2,049 samples, too many for one chunk, has the probabilities that it has among 40."""
    try:
        check_one_row_equals_its_row_in_a_batch(subject)
    except CheckFailedError as error:
        raise BuildsOn("check_one_row_equals_its_row_in_a_batch") from error
    X, trained, few = subject.problem().valid.X, subject.reference(), subject.predictions()
    copies = np.arange(MANY) % len(few)
    many = subject.predict(trained, X[copies])
    if many.shape[:1] != (MANY,):
        raise CheckFailedError(
            f"predict_proba() returned shape {many.shape} for {MANY:,} samples. Return a row for each, "
            "those of the last chunk too."
        )
    found = difference(few[copies], many)
    if not found <= SAME:
        raise CheckFailedError(
            f"A sample among {MANY:,} has other probabilities than among {len(few)}, by {found:.2g}. Look at how "
            "predict_proba() puts its chunks together."
        )


def check_predicting_leaves_samples_alone(subject: ModelSubject) -> None:
    """``predict_proba`` does not change its samples."""
    subject.first_prediction()
    given, trained = copy_data(subject.problem().valid), subject.reference()
    before = fingerprint(**arrays_of("X", given.X))
    with plugin_errors("predict_proba()", "It takes samples in the form of training"):
        trained.model.predict_proba(given.X)
    if fingerprint(**arrays_of("X", given.X)) != before:
        raise CheckFailedError("predict_proba() changed X, which belongs to its caller. Work on a copy of it.")


def check_takes_unseen_words(subject: ModelSubject) -> None:
    """A text with an id beyond ``data.vocabulary_size``, which training never saw, has probabilities too."""
    problem = subject.problem()
    if problem.spec.vocabulary_size is None:
        raise SkippedCheck("The model does not read texts in its first view.")
    found = subject.predict(subject.reference(), Ragged.from_rows([[1, problem.spec.vocabulary_size + 7]]))
    if found.shape != (1, problem.spec.n_classes) or not np.isfinite(_floats(found)).all():
        raise CheckFailedError(
            f"A text with an unseen word has probabilities of shape {found.shape}. Read ids from "
            "data.vocabulary_size on as 2, unknown."
        )


def check_saves_and_loads_in_a_fresh_process(subject: ModelSubject) -> None:
    """A folder that ``save`` wrote, moved elsewhere, is loaded by another process, which predicts the same."""
    trained, X, expected = subject.reference(), subject.problem().valid.X, subject.predictions()
    plugin, owner = importable_value(subject.cls), importable_value(type(trained.model))
    if not isinstance(inspect.getattr_static(type(trained.model), "load"), classmethod):
        raise CheckFailedError(
            f"{type(trained.model).__name__}.load() is no classmethod, and there is no model before it is loaded. "
            "Decorate load with @classmethod."
        )
    with tempfile.TemporaryDirectory(prefix="nncompare-check-") as name:
        folder = Path(name)
        with (
            plugin_errors("save()", "It writes the model into the folder that it is given"),
            elsewhere(folder / "elsewhere"),
        ):
            save_files(trained.model, folder / "saved")
        (folder / "saved").rename(folder / "model")
        seal(folder / "model", owner, plugin)
        write_samples(folder, "X", X)
        np.savez(folder / "predictions.npz", probabilities=expected)
        answer = answer_of(subject.run_fresh, reload_spec(folder, plugin))
    if answer.status != "complete":
        said = answer.failure.message if answer.failure else "no reason was given"
        raise CheckFailedError(
            f"A fresh process could not load and use the saved model, whose folder was moved: {said.rstrip('.')}."
        )
    found = answer.max_difference if isinstance(answer, MeasureAnswer) else None
    if found is None or not found <= SAME:
        raise CheckFailedError(
            f"The model that a fresh process loaded differs by {math.nan if found is None else found:.2g} in a "
            "probability. Save all that predict_proba() uses: weights, scaling, moving averages."
        )
    found = difference(expected, subject.predict(trained, X))
    if not found <= SAME:
        raise CheckFailedError(
            f"After save() the model differs by {found:.2g} in a probability. Leave the model itself as it is."
        )


def _steady(subject: ModelSubject) -> Array:
    """Return a prediction of the validation part, if a second one is the same."""
    first, again = (subject.predict(subject.reference(), subject.problem().valid.X) for _ in range(2))
    if not difference(first, again) <= SAME:
        raise BuildsOn("check_predictions_repeat")
    return first


def _floats(probabilities: Array) -> Array:
    """Return probabilities that can be looked at, or skip: others have their own check."""
    if probabilities.dtype.kind != "f" or probabilities.ndim != 2 or not probabilities.size:
        raise BuildsOn("check_probabilities_have_shape_and_dtype")
    return probabilities
