"""Checks of what a model plugin declares: its construction and its tags."""

from __future__ import annotations

from nncompare.exceptions import PluginError
from nncompare.execution.probe_child import model_tags
from nncompare.registry import DATASETS, installed
from nncompare.selection import did_you_mean
from nncompare.testing.outcomes import CheckFailedError, sentence
from nncompare.testing.subject import ModelSubject


def check_constructs_without_arguments(subject: ModelSubject) -> None:
    """The class is constructed without arguments, and twice."""
    subject.construct()
    subject.construct()


def check_tags(subject: ModelSubject) -> None:
    """``tags`` is a ``ModelTags`` with known views, a known framework and this version of the contract."""
    try:
        model_tags(subject.cls, subject.cls.__name__)
    except PluginError as error:
        raise CheckFailedError(sentence(str(error))) from error


def check_default_dataset_is_installed(subject: ModelSubject) -> None:
    """The ``default_dataset`` of ``tags`` is one that is installed, the value of a local one, or None."""
    name = subject.tags.default_dataset
    if name is None:
        return
    known = sorted({point.name for point in installed().entry_points if point.group == DATASETS})
    if name not in known and ":" not in str(name):
        raise CheckFailedError(
            f"tags.default_dataset is {name!r}, and no data set of that name is installed."
            f"{did_you_mean(str(name), known)} Installed: {', '.join(known) or 'none'}. Where another package "
            "brings it, say so in expected_failures."
        )
