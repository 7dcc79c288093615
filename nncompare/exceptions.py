"""The exceptions that nncompare raises, and the exit code that each one means.

::

    NNCompareError            exit 1   anything that a user can act on
    ├── UsageError            exit 2   an option, a name or a value that cannot be right
    ├── DataError             exit 1   a data set that cannot be used as it is
    ├── DataUnavailableError  exit 0   a data set that could not be fetched: the study is "not run"
    ├── PluginError           exit 3   a plugin that is missing, broken or not what it says
    ├── ResultsError          exit 1   a run directory or results file that cannot be read
    │   └── VersionError      exit 1   one that another version of nncompare wrote
    ├── ExportError           exit 1   a trained model that cannot be written in another form
    ├── StorageError          exit 74  the run directory or the study storage cannot be written
    ├── BusyError             exit 75  another process holds the run directory
    └── DivergedError         --       the loss of a trial is not finite
    TrialPruned               --       not an error: the coordinator stopped the trial
"""

from __future__ import annotations

from typing import ClassVar


class NNCompareError(Exception):
    """Base of every error that nncompare raises on purpose; its text is one sentence for the user."""

    exit_code: ClassVar[int] = 1


class UsageError(NNCompareError):
    """An option, a name or a value is not one that nncompare knows."""

    exit_code = 2


class DataError(NNCompareError):
    """A data set cannot be used as it is."""


class DataUnavailableError(DataError):
    """A data set could not be fetched; studies on it are reported as not run."""

    exit_code = 0


class PluginError(NNCompareError):
    """A plugin is missing, broken or not what it declares to be."""

    exit_code = 3


class ResultsError(NNCompareError):
    """A run directory or results file is missing, damaged or from another version."""


class VersionError(ResultsError):
    """A record of a run was written by another version of nncompare, which this one cannot read."""


class ExportError(NNCompareError):
    """A trained model cannot be written in a form, or what was written predicts otherwise."""


class StorageError(NNCompareError):
    """The run directory or the study storage cannot be written."""

    exit_code = 74


class BusyError(NNCompareError):
    """Another process holds the run directory."""

    exit_code = 75


class DivergedError(NNCompareError):
    """The loss of a trial is not a finite number."""


class TrialPruned(Exception):  # noqa: N818 - named after optuna.TrialPruned, which it stands for
    """Raised by ``FitContext.report`` when the coordinator stops the trial; plugins let it pass."""
