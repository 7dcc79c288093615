"""What :func:`nncompare.compare` was called with: keywords, names and arrays that cannot be meant are refused."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import fields

from nncompare.exceptions import UsageError
from nncompare.settings import RunConfig
from nncompare.tablecolumns import Columns

__all__ = ["NOTHING_TO_COMPARE", "check_arrays", "check_settings", "is_quiet", "without_all"]

_OWN = ("X", "y", "X_test", "y_test", "name")
_ALL = "all"
NOTHING_TO_COMPARE = (
    "Say what to compare: X= and y=, dataset=, or models=. Every model, which takes long: compare(models='all')."
)
_ELSEWHERE = {"models", "datasets", "command", "strict"}
_OTHER_NAMES = {"datasets": "dataset", "data": "dataset", "model": "models", "seeds": "n_refits", "set": "pins"}


def is_quiet(progress: object) -> bool:
    """Return whether progress is left out; refuse what is neither True, False nor "quiet"."""
    if progress is not True and progress is not False and progress != "quiet":
        raise UsageError(f"progress is {progress!r}; True, False or 'quiet' is expected.")
    return progress is not True


def check_settings(settings: Iterable[str]) -> None:
    """Refuse a keyword that is no setting, with the one that was meant."""
    known = {field.name for field in fields(RunConfig)} - _ELSEWHERE
    every = [*sorted(known), "models", "dataset", *_OWN, "progress", "listener", "estimate"]
    for name in settings:
        if name == "strict":
            raise UsageError(
                "compare() has no setting 'strict', which is for the exit code of a command. What was not run is "
                "in results: [study for study in comparison.results.studies if study.status == 'not_run']."
            )
        if name not in known:
            near = [_OTHER_NAMES[name]] if name in _OTHER_NAMES else difflib.get_close_matches(name, every, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(every)}."
            raise UsageError(f"compare() has no setting '{name}'. {hint}")


def without_all(models: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of models, none where all are meant, as ``--all`` has it."""
    if _ALL not in models:
        return models
    if len(models) > 1:
        raise UsageError("models holds 'all', which is every model, beside other names. Leave one of the two out.")
    return ()


def check_arrays(given: Collection[str], datasets: Collection[str], target: Columns, text: Columns = None) -> None:
    """Refuse arrays that are not whole, or that come along with a data set; ``given`` are the names of those."""
    if not given:
        return
    if datasets:
        raise UsageError(
            f"Both dataset and {' and '.join(given)} are given. Pass one of them: a run is one or the other."
        )
    if "X" not in given or "y" not in given:
        missing = "y, the class of each row" if "X" in given else "X, the samples"
        has_column = isinstance(target, str) and "X" in given
        hint = f": compare(X=table.drop(columns={target!r}), y=table[{target!r}])" if has_column else ""
        raise UsageError(f"{' and '.join(given)} came without {missing}. Pass X and y together{hint}.")
    if target is not None:
        raise UsageError("target names a column of a file; with X, pass the classes as y.")
    if text is not None:
        raise UsageError("text names a column of a file; with X, pass the texts as X, and view='tokens'.")
    if ("X_test" in given) != ("y_test" in given):
        raise UsageError("X_test and y_test belong together. Pass both or neither.")
