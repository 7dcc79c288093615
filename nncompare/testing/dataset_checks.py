"""Checks of a data set plugin: what it declares, what it loads, and what happens without a network."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from nncompare.data.samples import count_samples
from nncompare.exceptions import DataError, DataUnavailableError, PluginError
from nncompare.execution.failures import describe_error
from nncompare.execution.probe_child import dataset_info
from nncompare.testing.dataset_subject import DatasetSubject
from nncompare.testing.outcomes import BuildsOn, CheckFailedError, SkippedCheck, sentence

SHOWN = 5
FAR_FROM_ONE = 50
OTHER_HASH_SEED = 1
"""That of all runs is 0."""


def check_constructs_without_arguments(subject: DatasetSubject) -> None:
    """The class is constructed without arguments, and twice."""
    subject.construct()
    subject.construct()


def check_info(subject: DatasetSubject) -> None:
    """``info`` is a ``DatasetInfo`` with a known view, and two or more different names of classes."""
    try:
        dataset_info(subject.cls, subject.cls.__name__)
    except PluginError as error:
        raise CheckFailedError(sentence(str(error))) from error
    names = subject.info.class_names
    if (
        len(set(names)) < 2
        or len(set(names)) < len(names)
        or not all(isinstance(n, str) and n.strip() for n in names)
    ):
        raise CheckFailedError(
            f"info.class_names is {names!r:.200}; two or more different, non-empty names are expected."
        )


def check_loads(subject: DatasetSubject) -> None:
    """``load`` returns a ``Dataset`` that a run can use, with finite samples in the form of its view."""
    _builds_on(check_info, subject)
    if subject.returned_dataset():
        _builds_on(check_labels_in_range, subject)
    try:
        subject.stored_first()
    except DataError as error:
        raise CheckFailedError(str(error)) from error


def check_pictures_are_scaled(subject: DatasetSubject) -> None:
    """Pictures times ``info.scale`` are of the order of 1, in the training part and in the test part.

    A largest value from 0.02 to 50 passes, so that dark pictures do, and standardised ones.
    """
    if subject.info.view != "image":
        raise SkippedCheck("It is a check of pictures.")
    subject.stored()  # which says that they are pictures
    dataset, scale = subject.loaded(), subject.info.scale
    parts = {"X_train": dataset.X_train, "X_test": dataset.X_test}
    for role, X in ((role, np.asarray(part)) for role, part in parts.items() if part is not None):
        largest = max(float(X.max()), -float(X.min()))
        if not 1 / FAR_FROM_ONE <= largest * scale <= FAR_FROM_ONE:
            raise CheckFailedError(
                f"Values of {role} go up to {largest:.4g}, which info.scale={scale:.4g} makes "
                f"{largest * scale:.4g}; the order of 1 is expected. "
                "Correct info.scale, or scale all parts alike; where the pictures are "
                "so, say it in expected_failures."
            )


def check_target_is_no_column(subject: DatasetSubject) -> None:
    """The column that held the classes is none of those that models read."""
    stored = subject.stored()
    if stored.target is not None and stored.target in [column.name for column in stored.columns]:
        raise CheckFailedError(
            f"target is {stored.target!r}, which is one of columns too, so that models would read the classes. "
            "Take the column out of columns, X_train and X_test, or name the column that held the classes."
        )


def check_sizes_match(subject: DatasetSubject) -> None:
    """``info.n_train`` and ``info.n_test`` are the numbers of rows that are loaded."""
    dataset = subject.loaded()
    found = count_samples(dataset.X_train), 0 if dataset.X_test is None else count_samples(dataset.X_test)
    declared = subject.info.n_train, subject.info.n_test
    if found != declared:
        raise CheckFailedError(
            f"load() returned {found[0]:,} training and {found[1]:,} test rows, and info declares "
            f"{declared[0]:,} and "
            f"{declared[1]:,}. Correct n_train and n_test: the plan and its estimate are made from them."
        )


def check_labels_in_range(subject: DatasetSubject) -> None:
    """Labels are whole numbers from 0 to the number of classes minus 1."""
    n_classes = len(subject.info.class_names)
    for role, labels in subject.labels().items():
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise CheckFailedError(
                f"{role} is {labels.dtype} with {labels.ndim} dimensions; integer codes in one dimension are "
                "expected."
            )
        if labels.size and not 0 <= labels.min() <= labels.max() < n_classes:
            raise CheckFailedError(
                f"{role} has codes from {labels.min()} to {labels.max()}; 0 to {n_classes - 1} are expected, "
                "one for each "
                "of info.class_names. Number the classes from 0."
            )


def check_class_names_match(subject: DatasetSubject) -> None:
    """Every name of a class has rows in the training part, and in the test part where there is one."""
    _builds_on(check_labels_in_range, subject)
    names = subject.info.class_names
    for role, labels in subject.labels().items():
        found = set(np.unique(labels).tolist())
        missing = [name for code, name in enumerate(names) if code not in found]
        if missing:
            raise CheckFailedError(
                f"{role} has no rows of {', '.join(map(repr, missing[:SHOWN]))}. Name only classes that "
                "occur, in the "
                "order of their codes."
            )


def check_parts_are_disjoint(subject: DatasetSubject) -> None:
    """No test row occurs in the training part too."""
    duplicates = subject.stored().duplicates
    if duplicates:
        raise CheckFailedError(
            f"{duplicates:,} test rows are in the training part too, byte for byte, so a model could know "
            "them by heart. "
            "Leave them out of one part, or give the reason in expected_failures where the data are published so."
        )


def check_fingerprint_is_stable(subject: DatasetSubject) -> None:
    """A second load, here or in a fresh process, gives the same samples, labels and order.

    That is so whatever the global random state and the order of sets. Of a class that no other process can import,
    such as one that was made in a function, only a second load here is looked at.
    """
    first, again = subject.stored(), subject.stored_again()
    expected = first.fingerprint, first.test_fingerprint
    changed = _changed(expected, (again.fingerprint, again.test_fingerprint))
    if changed:
        raise CheckFailedError(
            f"A second load() gave another fingerprint for {changed}. Draw and shuffle with a generator of a "
            "fixed seed: scores compare on equal data only."
        )
    elsewhere = subject.fingerprints_elsewhere(OTHER_HASH_SEED)
    has_order_of_runs = os.environ.get("PYTHONHASHSEED") == "0"  # else sets may be in that other order by chance
    if elsewhere is None or (has_order_of_runs and not _changed(expected, elsewhere)):
        return
    in_a_run = subject.fingerprints_elsewhere()  # what this process alone does otherwise is no fault
    changed = _changed(in_a_run, elsewhere) if in_a_run else ""
    if changed:
        raise CheckFailedError(
            f"In another process load() gave another fingerprint for {changed}. Let the data depend on nothing "
            "that differs between processes, such as a seed that is drawn at import, or the order of a set."
        )


def _changed(expected: tuple[str | None, ...], found: tuple[str | None, ...]) -> str:
    """Return in words which of the two fingerprints differ; empty where both are the same."""
    parts = "the training part or the test samples", "the test labels"
    return " and ".join(part for part, one, two in zip(parts, expected, found, strict=True) if one != two)


def check_load_leaves_global_state_alone(subject: DatasetSubject) -> None:
    """``load`` changes neither the global random state nor the environment nor the current folder."""
    changed = subject.changed()
    if changed:
        raise CheckFailedError(
            f"load() changed {' and '.join(changed)}. Use a generator of its own, and put the rest back."
        )


def check_works_without_a_network(subject: DatasetSubject) -> None:
    """Without a network and a cache, ``load`` returns the data or raises ``DataUnavailableError``."""
    try:
        subject.load_offline()
    except DataUnavailableError:
        return
    except SkippedCheck:
        raise
    except Exception as error:
        raise CheckFailedError(
            f"Without a network load() raised {describe_error(error).rstrip('.')}. Raise DataUnavailableError, as "
            "nncompare.data.download.fetch does: then studies on it are shown as not run."
        ) from error


def _builds_on(check: Callable[[DatasetSubject], None], subject: DatasetSubject) -> None:
    """Skip where another check fails, which says more."""
    try:
        check(subject)
    except CheckFailedError as error:
        raise BuildsOn(check.__name__) from error
