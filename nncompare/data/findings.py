"""What is found in a data set before anything trains: coded findings, the most serious first.

What cannot be used is refused in checks.py; these are what a reader has to know of data that can. The codes are
stable; the texts are for people. What a column is like is told by the training part alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from nncompare.clusters import effective_number
from nncompare.data.arrays import chunks
from nncompare.data.group_columns import find_group_columns
from nncompare.data.leaks import MOST_COLUMNS, MOST_ROWS, Leak, find_leaks
from nncompare.data.looked import Looked
from nncompare.data.records import Array, Finding, FindingLevel
from nncompare.data.repeats import Repeats
from nncompare.data.source import listed

__all__ = ["RULES", "find_in_data"]

RULES = 2
"""Raise it when a rule or a text changes: what was found by other rules is looked for again."""
_LEVELS: tuple[FindingLevel, ...] = ("problem", "warning", "info", "ok")
FEW_TEST_ROWS = 100
"""Below, one row is more than a point of accuracy."""
RARE_IN_TRAIN, RARE_IN_TEST = 10, 5
UNEVEN, IMBALANCED = 2, 10
"""Times that the largest class is as large as the smallest: to be told, and to be warned of."""
LARGE_TEST = 0.4
"""Share of the rows from which on a test part by time is far from the fifth that was wanted."""
MANY_SHARED, MANY_REPEATED, MANY_CONFLICTING = 0.01, 0.05, 0.01
"""Shares of rows from which on equal ones are warned of."""
TO_BE_EXPECTED = 0.5
"""Share of the equal rows from which on those that the values of cells lead to expect explain them."""
FIRST_ROWS, ROWS_OF_A_GROUP = 2_000, 3
"""Where it is looked how many rows share a value, and how many do where values may tell groups."""
FEW_TEST_GROUPS = 10
"""Of equal size, or unequal ones that count as so many."""


def find_in_data(looked: Looked) -> list[Finding]:
    """Return what is found: problems, then warnings, then facts, then what is in order."""
    found = [*_sizes(looked), *_split(looked), *_classes(looked), *_repeats(looked)]
    if looked.view == "tabular":
        found += [*_constant(looked), *_telling(looked)]
    return sorted(found, key=lambda finding: _LEVELS.index(finding.level))


def _sizes(looked: Looked) -> Iterator[Finding]:
    n_train, n_test = len(looked.y_train), len(looked.y_test)
    text = f"{n_train:,} training rows, of which a part validates, and {n_test:,} test rows"
    if n_test < FEW_TEST_ROWS:
        text = f"{text}: one test row is {100 / n_test:.1f} points, so that only large differences can be shown"
    level: FindingLevel = "warning" if n_test < FEW_TEST_ROWS else "info"
    yield Finding(code="sizes", level=level, text=f"{text}.")


def _split(looked: Looked) -> Iterator[Finding]:
    """Say how the parts were made, and whether groups or times straddle them."""
    by, train, test = looked.split_by, looked.keys_train, looked.keys_test
    if by is None or train is None:
        how = "is a fifth of the rows, drawn with the classes in their proportions" if looked.rows else "was given"
        yield Finding(code="split", level="info", text=f"The test part {how}; neither groups nor times split it.")
        return
    if test is None:
        text = f"Validation is split off by {by.kind} ('{by.column}'); nothing is known of the test rows."
        yield Finding(code="split", level="warning", text=text)
    elif by.kind == "time":
        early = int((test <= train.max()).sum())
        text = f"By time ('{by.column}'): the last rows are the test part, the last of the others validate."
        if early:
            text = (
                f"{early:,} of {len(test):,} test rows are no later by '{by.column}' than the last training row."
            )
        yield Finding(code="split", level="problem" if early else "ok", text=text)
        share = len(test) / (len(test) + len(train))
        if looked.rows and share > LARGE_TEST:
            text = (
                f"The last times of '{by.column}' hold {100 * share:.0f} % of the rows, all of which are the test "
                "part: rows of equal times stay together."
            )
            yield Finding(code="split", level="warning", text=text)
    else:
        yield from _groups(by.column, train, test)


def _groups(column: str, train: Array, test: Array) -> Iterator[Finding]:
    n_train, n_test = len(np.unique(train)), len(np.unique(test))
    straddling = int(np.isin(np.unique(test), train).sum())
    if straddling:
        have = "group of '{}' has" if straddling == 1 else "groups of '{}' have"
        text = f"{straddling:,} {have.format(column)} rows in train and in test, so scores may be too high."
        yield Finding(code="split", level="problem", text=text)
    else:
        sizes = f"{n_train:,} groups for training and validation, {n_test:,} others for the test"
        text = f"By group ('{column}'): {sizes}. Intervals count groups, not rows."
        yield Finding(code="split", level="ok", text=text)
    yield from _few_groups(column, test)


def _few_groups(column: str, test: Array) -> Iterator[Finding]:
    """Warn of test groups that are few, or count as few because some hold most rows."""
    sizes = np.unique(test, return_counts=True)[1]
    n_groups, effective = len(sizes), effective_number(test)
    if effective >= FEW_TEST_GROUPS:
        return
    held = f"The test part holds {n_groups:,} group{'s' * (n_groups != 1)} of '{column}'"
    if n_groups == 1:
        text = f"{held}: what it says of other groups is not known, so no model can be shown to be better."
        yield Finding(code="few_groups", level="problem", text=text)
        return
    if effective < n_groups - 0.5:
        largest = 100 * sizes.max() / len(test)
        held = f"{held}, the largest with {largest:.0f} % of its rows: they count as {effective:.1f}"
    text = f"{held}, and intervals count groups: only large differences can be shown."
    yield Finding(code="few_groups", level="warning", text=text)


def _classes(looked: Looked) -> Iterator[Finding]:
    """Compare the sizes of the classes, and name those of which little can be said."""
    train, test = (np.bincount(y, minlength=len(looked.class_names)) for y in (looked.y_train, looked.y_test))
    largest, smallest = int(train.argmax()), int(train.argmin())
    names = [f"'{name}'" for name in looked.class_names]
    if train[largest] < UNEVEN * train[smallest]:
        yield Finding(code="imbalance", level="ok", text="No class is twice as frequent as another.")
    else:
        level: FindingLevel = "warning" if train[largest] >= IMBALANCED * max(1, train[smallest]) else "info"
        counts = f"{train[largest]:,} and {train[smallest]:,} training rows"
        always = 100 * test[largest] / len(looked.y_test)
        text = (
            f"{names[largest]} is the most frequent class and {names[smallest]} the rarest ({counts}): always "
            f"naming {names[largest]} is right in {always:.1f} % of the test rows, so look at balanced accuracy "
            "and macro F1 too."
        )
        yield Finding(code="imbalance", level=level, text=text)
    rare = [k for k in range(len(names)) if train[k] < RARE_IN_TRAIN or 0 < test[k] < RARE_IN_TEST]
    if rare:
        shown = listed([f"{names[k]} ({train[k]:,} training, {test[k]:,} test rows)" for k in rare])
        text = f"Of classes with so few rows little can be learned or said: {shown}."
        yield Finding(code="rare_classes", level="warning", text=text)


def _repeats(looked: Looked) -> Iterator[Finding]:
    found, n_train, n_test = looked.repeats, len(looked.y_train), len(looked.y_test)
    if found.shared is None:
        yield Finding(code="duplicates", level="ok", text="Train and test have no row in common.")
    else:
        level, share = _level(found, found.n_shared / n_test, MANY_SHARED)
        pair = looked.pair(("test", found.shared[0]), "is equal to", ("train", found.shared[1]))
        why = share or "scores may be too high. If they are the same cases, remove them from the data"
        text = f"{found.n_shared:,} of {n_test:,} test rows stand in the training part too, such as {pair}: {why}."
        yield Finding(code="duplicates", level=level, text=text)
    if found.repeated is not None:
        level, share = _level(found, found.n_repeated / n_train, MANY_REPEATED)
        pair = looked.pair(("train", found.repeated[0]), "is equal to", ("train", found.repeated[1]))
        why = share or "validation may hold copies of what was trained on, and look better than it is"
        text = f"{found.n_repeated:,} of {n_train:,} training rows repeat another one, such as {pair}: {why}."
        yield Finding(code="repeated_rows", level=level, text=text)
    if found.conflicting is not None:
        one, other = found.conflicting
        classes = [f"'{looked.class_names[looked.y_train[row]]}'" for row in (one, other)]
        pair = looked.pair(("train", one), f"({classes[0]}) and", ("train", other), f" ({classes[1]})")
        best = 100 * (1 - found.n_conflicting / n_train)
        level = "warning" if found.n_conflicting >= MANY_CONFLICTING * n_train else "info"
        text = (
            f"Equal training rows have different classes, such as {pair}: no model can be right in "
            f"more than {best:.1f} % of the training rows."
        )
        yield Finding(code="conflicting_labels", level=level, text=text)


def _level(found: Repeats, share: float, many: float) -> tuple[FindingLevel, str]:
    """Return how serious a share of equal rows is, and in words that it was to be expected, if it was."""
    if found.by_chance >= TO_BE_EXPECTED * share:
        return "info", "that was to be expected, because few different rows are possible, and need be no copy"
    return "warning" if share >= many else "info", ""


def _constant(looked: Looked) -> Iterator[Finding]:
    """Name columns that teach nothing: those that were left out, and those that are the same everywhere."""
    if looked.left_out:
        shown = listed([f"'{name}' ({reason})" for name, reason in looked.left_out])
        yield Finding(code="left_out_columns", level="info", text=f"Left out: {shown}.")
    X = looked.X_train
    same, empty = (np.ones(X.shape[1], dtype=bool) for _ in range(2))
    for _, chunk in chunks(X):
        same &= (chunk == X[0]).all(axis=0)
        empty &= np.isnan(chunk).all(axis=0)
    constant = np.flatnonzero(same | empty)
    if len(constant):
        be = "is" if len(constant) == 1 else "are"
        shown = listed([looked.column(int(k)) for k in constant])
        text = f"{len(constant):,} of {X.shape[1]:,} columns {be} the same in all training rows: {shown}."
        yield Finding(code="constant_columns", level="info", text=text)


def _telling(looked: Looked) -> Iterator[Finding]:
    """Name the columns that give the class away, and those that look like groups of rows that belong together."""
    X, y = looked.X_train, looked.y_train
    n_categories = [len(column.categories or ()) for column in looked.columns] or [0] * X.shape[1]
    leaks = find_leaks(X, y, n_categories)
    copies = {leak.column for leak in leaks if leak.is_copy}
    groups = [] if looked.split_by is not None else find_group_columns(X, y, _names_but(looked, copies))
    for group in groups:
        name = looked.columns[group.column].name
        alike = f", and {100 * group.main_class:.0f} % of the rows are of the main class of theirs"
        text = (
            f"Column '{name}' looks as if it told which rows belong together ({group.n_groups:,} values"
            f"{alike if group.tells else ''}). If so, keep such rows in one part: --group {name} "
            f"(in Python: group='{name}')."
        )
        yield Finding(code="looks_like_groups", level="warning" if group.tells else "info", text=text)
    known = {group.column for group in groups if group.tells}
    yield from _leaks(looked, [leak for leak in leaks if leak.column not in known])
    if not leaks:
        text = f"No single column gives the class away{_limits(looked)}."
        yield Finding(code="leaking_column", level="ok", text=text)


def _names_but(looked: Looked, left_out: Collection[int]) -> dict[int, str]:
    """Return the names of the columns by position, but for some."""
    return {k: column.name for k, column in enumerate(looked.columns) if k not in left_out}


def _may_be_groups(looked: Looked, k: int) -> bool:
    """Tell whether several rows share each value of a column, in data that may still be split by it."""
    if looked.split_by is not None or not looked.columns:
        return False
    values = np.asarray(looked.X_train[:FIRST_ROWS])[:, k]
    return len(looked.class_names) < len(np.unique(values)) <= len(values) / ROWS_OF_A_GROUP


def _leaks(looked: Looked, leaks: Sequence[Leak]) -> Iterator[Finding]:
    """Name the columns that give the class away."""
    for leak in leaks:
        name = looked.column(leak.column)
        if leak.is_copy and not leak.by_chance:
            text = f"Column {name} is the target under another name: each of its values goes with one class."
        elif leak.stands_out and not leak.by_chance:
            told, next_best = f"{100 * leak.recall:.1f} %", f"{100 * leak.runner_up:.1f} %"
            text = (
                f"Column {name} alone tells the class of {told} of the training rows, the next best {next_best}."
            )
        else:
            continue
        text = f"{text} If it was made of the class, or is known only after it, delete it: all scores hang on it."
        if not leak.is_copy and _may_be_groups(looked, leak.column):
            column = looked.columns[leak.column].name
            text = f"{text} If its values tell which rows belong together, give --group {column}."
        yield Finding(code="leaking_column", level="problem" if leak.is_copy else "warning", text=text)
    chance = [looked.column(leak.column) for leak in leaks if leak.by_chance]
    if chance:
        text = (
            f"The class can be told by {listed(chance)}: with so few training rows ({len(looked.y_train):,}), one "
            f"of {looked.X_train.shape[1]:,} columns may do so by chance."
        )
        yield Finding(code="leaking_column", level="info", text=text)
    several = [looked.column(leak.column) for leak in leaks if not (leak.stands_out or leak.by_chance)]
    if several:
        which, was = f"Each of the columns {listed(several)}", "they were"
        if len(several) == 1:
            which, was = f"Column {several[0]}", "it was"
        text = f"{which} tells the class by itself: either that is easy, or {was} made of the class."
        yield Finding(code="leaking_column", level="info", text=text)


def _limits(looked: Looked) -> str:
    """Say in brackets how much of a large table was looked at for columns that tell the class."""
    n_rows, n_columns = looked.X_train.shape
    if n_rows <= MOST_ROWS and n_columns <= MOST_COLUMNS:
        return ""
    return f" (looked at: {min(n_rows, MOST_ROWS):,} rows, the {min(n_columns, MOST_COLUMNS)} likeliest columns)"
