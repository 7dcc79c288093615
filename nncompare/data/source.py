"""Where the user's own data came from, so that every fault names the file and the place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nncompare.exceptions import DataError

__all__ = ["Source", "enumerated", "listed"]

SHOWN = 10
SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file, or what a caller handed over.

    Parameters
    ----------
    name : str
        For messages: ``'wine.csv'`` with its quotes, or ``X``.
    lines : sequence of int or None
        In which line of the file each row begins, from 1; None for arrays.
    rows : ndarray of int64 or None
        Where only some rows are looked at: which of the whole they are.
    """

    name: str
    lines: Sequence[int] | None = None
    rows: npt.NDArray[np.int64] | None = None

    def place(self, row: int) -> str:
        """Return where a row is: ``line 7`` of a file, ``row 5`` of an array."""
        row = row if self.rows is None else int(self.rows[row])
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"

    def line_names(self) -> list[str]:
        """Return what the rows of a file are called: ``line 7``; none for what has no lines."""
        return [] if self.lines is None else [f"line {line:,}" for line in self.lines]

    def fault(self, what: str, remedy: str) -> DataError:
        """Return the error that says what is wrong and what to do."""
        return DataError(f"{self.name} cannot be used: {what}. {remedy}.")


def enumerated(names: Sequence[str]) -> str:
    """Return names as a sentence has them: ``.csv, .tsv and .npz``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def listed(names: Sequence[object], quoted: bool = False) -> str:
    """Return names in one line, the first ten of many, long ones cut."""
    shown = [str(name) for name in names[:SHOWN]]
    shown = [name if len(name) <= SHOWN_CHARACTERS else f"{name[: SHOWN_CHARACTERS - 1]}…" for name in shown]
    text = ", ".join(f"'{name}'" if quoted else name for name in shown)
    return text if len(names) <= SHOWN else f"{text} and {len(names) - SHOWN:,} more"
