"""The column, or the array, by which rows are split, ``--group`` or ``--time``: read as keys, never a feature."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from nncompare.data.encoding import numbers_in, texts, without_fraction
from nncompare.data.keyed_splits import find_split_fault
from nncompare.data.records import Array, Labels, SplitBy
from nncompare.data.source import Source, listed
from nncompare.exceptions import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SplitColumn"]

_AS_DATES = "Write dates as 2024-01-31, with a time of day behind or without, or use numbers"


class SplitColumn(NamedTuple):
    """What ``--group`` or ``--time`` names."""

    kind: Literal["group", "time"]
    name: str

    @classmethod
    def asked(cls, group: str | None, time: str | None) -> SplitColumn | None:
        """Return what is asked for; None where it is neither.

        Raises
        ------
        UsageError
            Both are, which in a table file tell series.
        """
        if group is not None and time is not None:
            raise UsageError(
                "DataFrames and arrays are split by group or by time, not by both. Leave one of them out; series "
                "come as an array of shape (series, steps, features), or as a table in a file."
            )
        if group is not None:
            return cls("group", group)
        return cls("time", time) if time is not None else None

    def position(self, names: Sequence[str], target: str | None, source: Source) -> int:
        """Return which of the columns it is.

        Raises
        ------
        UsageError
            There is none of that name, or it is the target.
        """
        if self.name == target:
            raise UsageError(f"--{self.kind} and --target both name the column '{self.name}'. Name two columns.")
        if self.name not in names:
            near = difflib.get_close_matches(self.name, names, n=1)
            hint = f"Did you mean '{near[0]}'? " if near else ""
            known = f"Its columns are {listed(names)}"
            raise UsageError(f"{source.name} has no column '{self.name}' (--{self.kind}). {hint}{known}.")
        return names.index(self.name)

    def keys(self, values: pd.Series[Any], source: Source) -> Array:
        """Return the key of each row: equal for equal groups or times, rising with time.

        Raises
        ------
        DataError
            A row has none, or one that is neither a number nor a date.
        """
        missing = values.isna().to_numpy()
        if missing.any():
            what = f"column '{self.name}', {source.place(int(missing.argmax()))}: the {self.kind} is missing"
            raise source.fault(what, "Fill it in, or leave such rows out")
        found = _groups(values) if self.kind == "group" else self._times(values, source)
        return np.unique(found, return_inverse=True)[1].astype(np.int64)

    def split_by(self, values: pd.Series[Any], y: Labels, classes: Sequence[str], source: Source) -> SplitBy:
        """Return the keys of all rows, if these can be split by them; rows beyond those of ``y`` are for the test.

        Raises
        ------
        DataError
            They cannot, or a key is missing.
        """
        keys, has_test = self.keys(values, source), len(values) > len(y)
        by = SplitBy(self.kind, self.name, keys[: len(y)], keys[len(y) :] if has_test else None)
        fault = find_split_fault(by, y, classes, has_test=has_test)
        if fault is not None:
            raise source.fault(*fault)
        return by

    def take_from(
        self, rows: Mapping[str, Any], y: Labels, classes: Sequence[str], sources: Mapping[str, Source]
    ) -> tuple[dict[str, Any], SplitBy]:
        """Return DataFrames by role without the column, and the keys that it held.

        Raises
        ------
        DataError
            The rows cannot be split by them, or a key is missing.
        UsageError
            A part is no DataFrame, or has no such column.
        """
        import pandas as pd  # trial children import this package and must start at once

        columns, others = [], {}
        for role, frame in rows.items():
            if not isinstance(frame, pd.DataFrame):
                raise UsageError(f"{self.kind}= names a column, and {role} is no DataFrame. Leave it out.")
            names = [str(name) for name in frame.columns]
            k = self.position(names, None, sources[role])
            columns.append(frame.iloc[:, k])
            others[role] = frame.iloc[:, [i for i in range(len(names)) if i != k]]
        return others, self.split_by(pd.concat(columns, ignore_index=True), y, classes, sources["X"])

    def of_arrays(
        self, parts: Sequence[tuple[Array, int]], y: Labels, classes: Sequence[str], source: Source
    ) -> SplitBy:
        """Return the keys in arrays that lie beside the samples.

        Parameters
        ----------
        parts : sequence of (ndarray, int)
            Of the training part, and of a test part where there is one; each with its number of samples.
        y, classes, source
            As for :meth:`split_by`.

        Raises
        ------
        DataError
            The rows cannot be split by them, one is missing, or there is not one for each sample.
        """
        import pandas as pd  # trial children import this package and must start at once

        for keys, n_samples in parts:
            if keys.shape != (n_samples,):
                what = f"it has the shape {keys.shape}, and there are {n_samples:,} rows"
                raise source.fault(what, "Give one value for each row")
        series = pd.concat([pd.Series(keys) for keys, _ in parts], ignore_index=True)
        return self.split_by(series, y, classes, source)

    def _times(self, values: pd.Series[Any], source: Source) -> Array:
        """Return numbers as they are, and dates in UTC as datetime64 of whatever unit holds them all."""
        no_number = np.ones(len(values), dtype=bool)
        if values.dtype.kind != "M":
            numbers = numbers_in(values)
            no_number = ~np.isfinite(numbers)
            if not no_number.any():
                return numbers
        dates = _dates(values)
        no_date = np.isnat(dates)
        if no_date.any():
            row = int(min(no_date, no_number, key=np.sum).argmax())
            what = f"column '{self.name}', {source.place(row)}: {str(values.iloc[row])[:60]!r} is no time"
            raise source.fault(what, _AS_DATES)
        return dates


def _groups(values: pd.Series[Any]) -> Array:
    """Return what tells each group as text: ``1`` and ``1.0`` are one, as they are one category."""
    return np.array([without_fraction(str(text)) for text in texts(values)])


def _dates(values: pd.Series[Any]) -> Array:
    """Return datetime64 in UTC, NaT for what is no date; numbers are none, nor are words such as ``today``."""
    import pandas as pd  # trial children import this package and must start at once

    if values.dtype.kind in "iufb":
        return np.full(len(values), "NaT", dtype="datetime64[s]")
    dates = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
    if values.dtype.kind != "M":
        dates = dates.mask(~values.astype(str).str.contains(r"\d"))
    return np.asarray(dates.to_numpy())
