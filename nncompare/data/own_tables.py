"""The user's own tables: a file with a column of classes becomes a data set of columns, or of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nncompare.data.column_kinds import refused_kind
from nncompare.data.csvfile import NO_CLASS
from nncompare.data.encoding import encode
from nncompare.data.labels import coded_labels, describe_classes, label_names
from nncompare.data.own_texts import checked_texts
from nncompare.data.records import Array, Dataset, DatasetInfo, Labels, SplitBy, View
from nncompare.data.source import listed
from nncompare.data.split_columns import SplitColumn
from nncompare.data.splits import split_off_test
from nncompare.data.table_files import TableFile, name_first, read_table_file
from nncompare.data.tables import NUMBERS_ROWS, check_names, find_column, find_target, recognise
from nncompare.data.texts import encode_texts
from nncompare.exceptions import UsageError

__all__ = ["class_labels", "read_table"]


class _Classes(NamedTuple):
    """The column of classes: its name, the classes, and the class of each row; and by what rows are split."""

    target: str
    names: tuple[str, ...]
    y: Labels
    by: SplitBy | None = None

    @property
    def not_features(self) -> set[str]:
        """The columns that no model sees."""
        return {self.target} | ({self.by.column} if self.by is not None else set())

    def describe(self) -> str:
        return f"target '{self.target}' with {describe_classes(self.names)}"

    def describe_split(self) -> str:
        return f"; split by {self.by.kind}, by column '{self.by.column}'" if self.by is not None else ""


def read_table(
    path: Path,
    target: str | None,
    text: str | None,
    encoding: str | None,
    name: str,
    split: SplitColumn | None = None,
) -> tuple[DatasetInfo, Dataset]:
    """Read a table.

    Parameters
    ----------
    path : Path
    target : str or None
        The column of classes.
    text : str or None
        A column of texts, which alone is read then.
    encoding : str or None
    name : str
        Of the data set.
    split : SplitColumn, optional
        The column by which rows are split; no model sees it.

    Raises
    ------
    DataError
        It cannot be used.
    UsageError
        There is no column of these names, or two of them are one.
    """
    table = read_table_file(path, encoding)
    names = name_first(table.names)
    check_names(names, table.source)
    classes = _classes(table, names, find_target(names, target, table.source))
    if split is not None:
        if split.name == text:
            raise UsageError(f"--{split.kind} and --text both name the column '{text}'. Name two columns.")
        key = split.position(names, classes.target, table.source)
        classes = classes._replace(by=split.split_by(table.column(key), classes.y, classes.names, table.source))
    if text is not None:
        return _texts(table, names, find_column(names, text, table.source), classes, name)
    return _columns(table, names, classes, name)


def class_labels(table: TableFile, names: Sequence[str], target: str) -> Array:
    """Return the class of each row as the text that names it.

    Raises
    ------
    DataError
        One is missing, or the column names no classes.
    """
    what, source = f"column '{target}'", table.source
    column = table.values(names.index(target))
    if kind := refused_kind(column):
        raise source.fault(f"{what} holds {kind}, which name no classes", "Choose a column of classes")
    return label_names(column.to_numpy(dtype=object), what, source, NO_CLASS)


def _classes(table: TableFile, names: Sequence[str], target: str) -> _Classes:
    what, source = f"column '{target}'", table.source
    texts = class_labels(table, names, target)
    return _Classes(target, *coded_labels(texts, what, source))


def _columns(table: TableFile, names: list[str], classes: _Classes, name: str) -> tuple[DatasetInfo, Dataset]:
    source = table.source
    kept = [
        i
        for i, other in enumerate(names)
        if other not in classes.not_features and not (i == 0 and table.has_index())
    ]
    features, others = table.frame().iloc[:, kept], [names[i] for i in kept]
    parts = split_off_test(classes.y, classes.by)
    found = recognise(features, others, source, parts[0])
    if names[0] not in classes.not_features and table.has_index():
        found.left_out.insert(0, (names[0], NUMBERS_ROWS))
    X = encode(features, others, found.columns, source)
    commas = {names[i] for i in table.decimal_commas()} & {column.name for column in found.columns}
    with_commas = ", with decimal commas" if commas else ""
    text = f"{len(X):,} rows: {found.describe()}{with_commas}; {classes.describe()}{found.describe_left_out()}"
    info = _info(name, "tabular", classes, text)
    dataset = Dataset(
        X,
        classes.y,
        columns=found.columns,
        target=classes.target,
        left_out=found.left_out,
        split_by=classes.by,
        rows=parts,
        row_names=source.line_names(),
    )
    return info, dataset


def _texts(
    table: TableFile, names: list[str], column: str, classes: _Classes, name: str
) -> tuple[DatasetInfo, Dataset]:
    source = table.source
    if column == classes.target:
        raise UsageError(
            f"--text and --target both name the column '{column}' of {source.name}. Name the column of texts by "
            "one and that of their classes by the other."
        )
    parts = split_off_test(classes.y, classes.by)
    texts = checked_texts(column, table.values(names.index(column)), parts[0], source)
    found = encode_texts(column, texts, parts[0], source)
    others = [other for other in names if other != column and other not in classes.not_features]
    left_out = f"; left out beside --text: {listed(others, quoted=True)}" if others else ""
    text = f"{len(texts):,} rows: {found.describe()}; {classes.describe()}{left_out}"
    info = _info(name, "tokens", classes, text)
    dataset = Dataset(
        found.X,
        classes.y,
        words=found.words,
        target=classes.target,
        text=found.column,
        split_by=classes.by,
        rows=parts,
        row_names=source.line_names(),
    )
    return info, dataset


def _info(name: str, view: View, classes: _Classes, description: str) -> DatasetInfo:
    n_train = len(classes.y)
    return DatasetInfo(
        name=name,
        view=view,
        n_train=n_train,
        n_test=0,
        class_names=classes.names,
        description=f"{description}{classes.describe_split()}",
    )
