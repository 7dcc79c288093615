"""Checks of what ``fit`` learns: any number of classes, rare ones too, and each under its own code."""

from __future__ import annotations

import numpy as np

from nncompare.data.records import Data
from nncompare.testing.calling import Trained
from nncompare.testing.comparisons import matched_accuracy
from nncompare.testing.outcomes import BuildsOn, CheckFailedError
from nncompare.testing.problems import take_rows
from nncompare.testing.subject import ENOUGH, ModelSubject

LEARNED = 0.8
RARE = (0.8, 0.2)
DEFAULT_BATCH = 32


def check_two_classes(subject: ModelSubject) -> None:
    """Two classes train, and have two columns of probabilities."""
    trained, problem = subject.with_classes("two", RARE, max_epochs=ENOUGH)
    _check_width(subject, trained, problem.valid, "with 2 classes")


def check_ten_classes(subject: ModelSubject) -> None:
    """Ten classes train, and have ten columns of probabilities."""
    trained, problem = subject.with_classes("ten", (0.1,) * 10)
    _check_width(subject, trained, problem.valid, "with 10 classes")


def check_class_missing_in_a_batch(subject: ModelSubject) -> None:
    """Rows that are sorted by class, one class of which has a single row, train."""
    subject.reference()
    problem = subject.problem()
    rows = np.argsort(problem.train.y, kind="stable")
    last = int((problem.train.y == problem.spec.n_classes - 1).sum())
    train = take_rows(problem.train, rows[1 : len(rows) - last + 1])
    _check_width(
        subject, subject.fit(train, problem.valid, max_epochs=1), problem.valid, "with one row of the last class"
    )


def check_class_missing_in_training(subject: ModelSubject) -> None:
    """A class that the sample of a search has missed keeps its column, which other parts need."""
    subject.reference()
    problem = subject.problem()
    train = take_rows(problem.train, np.flatnonzero(problem.train.y != 1))
    _check_width(
        subject, subject.fit(train, problem.valid, max_epochs=1), problem.valid, "without rows of class 1"
    )


def check_one_sample_in_the_last_batch(subject: ModelSubject) -> None:
    """A number of rows that leaves one sample for the last batch trains."""
    subject.reference()
    size = subject.test_params(subject.problem().spec).get("batch_size", DEFAULT_BATCH)
    batch = size if isinstance(size, int) and size > 1 else DEFAULT_BATCH
    problem = subject.problem(n_train=batch * max(1, DEFAULT_BATCH // batch) + 1)
    _check_width(
        subject, subject.fit(problem.train, problem.valid, max_epochs=1), problem.valid, "with one row left over"
    )


def check_learns_a_trivial_problem(subject: ModelSubject) -> None:
    """Thirty epochs on three well separated classes tell 80 % of the validation rows apart."""
    valid = subject.problem().valid
    matched = matched_accuracy(subject.predict(subject.learned(), valid.X), valid.y)
    if matched < LEARNED:
        raise CheckFailedError(
            f"After {ENOUGH} epochs on three well separated classes {matched:.0%} of the validation rows are told "
            f"apart where {LEARNED:.0%} are expected. Look at loss, learning rate, scaling and test_params()."
        )


def check_beats_the_majority_class(subject: ModelSubject) -> None:
    """Of two easy classes, the one with a fifth of the rows is found too."""
    try:
        trained, problem = subject.with_classes("two", RARE, max_epochs=ENOUGH)
        _check_width(subject, trained, problem.valid, "with 2 classes")
    except CheckFailedError as error:
        raise BuildsOn("check_two_classes") from error
    found = matched_accuracy(subject.predict(trained, problem.valid.X), problem.valid.y)
    majority = float(np.bincount(problem.valid.y).max() / len(problem.valid))
    if not found > majority:
        raise CheckFailedError(
            f"On two easy classes {found:.0%} of the validation rows are told apart, and whoever always says the "
            f"more frequent class is right in {majority:.0%}. Look at how the labels enter the loss."
        )


def check_columns_follow_class_codes(subject: ModelSubject) -> None:
    """Column k of the probabilities belongs to class code k."""
    valid = subject.problem().valid
    probabilities = subject.predict(subject.learned(), valid.X)
    matched = matched_accuracy(probabilities, valid.y)
    if matched < LEARNED:
        raise BuildsOn("check_learns_a_trivial_problem")
    straight = float((probabilities.argmax(axis=1) == valid.y).mean())
    if straight < LEARNED:
        raise CheckFailedError(
            f"The classes are told apart in {matched:.0%} of the rows, but under their own code in "
            f"{straight:.0%} only. "
            "Put the column of class code k at position k."
        )


def _check_width(subject: ModelSubject, trained: Trained, valid: Data, when: str) -> None:
    found = subject.predict(trained, valid.X)
    if found.shape != (len(valid), valid.spec.n_classes):
        raise CheckFailedError(
            f"predict_proba() returned shape {found.shape} {when}; {(len(valid), valid.spec.n_classes)} is "
            "expected. "
            "Take the number of columns from data.n_classes, not from the labels."
        )
