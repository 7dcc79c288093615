"""What became of a check: the record of it, and the exceptions by which a check ends early."""

from __future__ import annotations

import unittest
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nncompare.exceptions import PluginError
from nncompare.results import FailureCategory

__all__ = [
    "BuildsOn",
    "CheckFailedError",
    "CheckResult",
    "ProcessLostError",
    "SkippedCheck",
    "Status",
    "sentence",
]

Status: TypeAlias = Literal["passed", "failed", "expected_failure", "skipped", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What became of one check of one plugin.

    Parameters
    ----------
    name : str
        ``check_<property>``.
    status : {"passed", "failed", "expected_failure", "skipped", "error"}
        "failed" is also a check that was expected to fail and passed; "error" one that could not be carried out,
        because its process crashed, hung or was killed.
    message : str
        What, where, expected against found, and what to do; why it is expected to fail, or was skipped; empty
        where it passed.
    seconds : float
        Wall time.
    category : str or None
        Of an "error": "timeout", "killed", "plugin" (a crash), "oom" or "internal".
    builds_on : str or None
        Of one that was "skipped" because another check failed or could not be carried out: that one's name.
    """

    name: str
    status: Status
    message: str = ""
    seconds: float = 0.0
    category: FailureCategory | None = None
    builds_on: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is to be done."""
        return self.status not in ("failed", "error")


class CheckFailedError(PluginError):
    """A plugin lacks a property that every plugin has to have."""


class ProcessLostError(PluginError):
    """A check could not be carried out: a process that it needs crashed, hung or was killed.

    Parameters
    ----------
    message : str
        What ended the process.
    category : str
        As in :class:`CheckResult`.
    """

    def __init__(self, message: str, category: FailureCategory) -> None:
        super().__init__(message)
        self.category = category


class SkippedCheck(unittest.SkipTest):
    """A check says nothing about this plugin."""


class BuildsOn(SkippedCheck):
    """A check cannot tell anything, because another one failed.

    Parameters
    ----------
    check : str
        That one's name.
    """

    def __init__(self, check: str) -> None:
        super().__init__(f"It builds on {check}, which failed.")
        self.check = check


def sentence(text: str) -> str:
    """Return a text with one full stop at its end, or the mark that it ends with."""
    return text if text.endswith((".", "?", "!")) else f"{text}."
