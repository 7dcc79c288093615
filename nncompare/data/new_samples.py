"""New samples for a trained model, from a file or in memory: brought into the form of the data of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nncompare.data.csvfile import MISSING, NO_CLASS
from nncompare.data.encoding import encode
from nncompare.data.given import as_rows, plain_labels
from nncompare.data.kept import kept_columns
from nncompare.data.labels import codes_of, is_whole, label_names, label_texts
from nncompare.data.native import Native
from nncompare.data.npzfile import read_npz
from nncompare.data.own_forms import as_view
from nncompare.data.own_texts import as_texts
from nncompare.data.records import Array, Column, Labels, Samples
from nncompare.data.source import Source, enumerated, listed
from nncompare.data.table_files import TABLES, TableFile, name_first, read_table_file
from nncompare.data.tables import check_names, column_names, is_frame
from nncompare.data.texts import text_ids
from nncompare.exceptions import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNKNOWN_CLASS", "NewSamples", "Taken"]

UNKNOWN_CLASS = -1
MOSTLY_UNKNOWN = 0.5
_PAIRS = (("X", "y"), ("x", "y"), ("X_test", "y_test"), ("x_test", "y_test"), ("X_train", "y_train"))


class Taken(NamedTuple):
    """New samples as a model takes them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, *sample_shape)
        Categories that the model never saw are NaN, as missing values are.
    labels : ndarray of shape (n_samples,), int64, or None
        Codes, -1 for rows of a table whose class is missing; None where there are none.
    note : str
        Which columns hold categories that the model never saw; empty where none does.
    kept : mapping of str to list of str
        Columns of the table that were asked for, as they stand in it.
    """

    X: Samples
    labels: Labels | None
    note: str = ""
    kept: Mapping[str, list[str]] = {}


@dataclass(frozen=True, slots=True)
class NewSamples:
    """What new samples must be like.

    Parameters
    ----------
    native : Native
        The form of the data that the model was trained on.
    class_names : sequence of str
    """

    native: Native
    class_names: Sequence[str]

    def read(self, path: Path, encoding: str | None = None, keep: Sequence[str] = ()) -> Taken:
        """Read a file of new samples.

        Parameters
        ----------
        path : Path
            ``.csv``, ``.tsv`` or ``.parquet`` where the model was trained on a table, or on its texts: the columns
            by name, in any order, others are ignored; by position where the table had no names. Or ``.npz`` with
            ``X``, and perhaps ``y``.
        encoding : str, optional
            Of a table; UTF-8 by default.
        keep : sequence of str, optional
            Columns of the table that are wanted as they stand; ``all`` for every one.

        Raises
        ------
        DataError
            The file cannot be used, or its samples are of another form; the message says where.
        UsageError
            There is no such file, or none of its kind can hold such samples, or a column that is wanted.
        """
        if not path.is_file():
            raise UsageError(f"There is no file '{path}'.")
        suffix, view = path.suffix.lower(), self.native.view
        kinds = _kinds(self.native)
        if suffix not in (TABLES if view == "tokens" else (*TABLES, ".npz")) or not kinds:
            what = f"{enumerated(kinds)} files are" if kinds else "texts of a data set plugin come from that alone"
            raise UsageError(f"'{path.name}' is not read: {what}.")
        if suffix == ".npz" and keep:
            raise UsageError(f"'{path.name}' has no columns to keep (--keep): a table has.")
        if suffix == ".npz":
            return self._from_archive(path)
        if view in ("image", "sequence"):
            raise UsageError(f"'{path.name}' is a table, and the model was trained on {view}s. Give an .npz file.")
        is_named = bool(self.native.columns or self.native.text)
        table = read_table_file(path, encoding, is_new=True, is_named=is_named)
        kept = kept_columns(table, keep)
        return self._from_table(table)._replace(kept=kept)

    def take(self, X: Any) -> Taken:
        """Take samples that a caller holds in memory; they are encoded as those of the training were.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, ...)
            A DataFrame may have the column of classes too.

        Raises
        ------
        DataError
            The samples are of another form; the message says where.
        """
        source = Source("X")
        if self.native.view == "tokens" and self.native.text is None:
            raise UsageError("X is not taken: the model was trained on texts, which only its own data set brings.")
        if self.native.view == "tokens" and not is_frame(X):
            return self._from_texts(as_texts(X, source), None, source)
        rows = as_rows(X, source)
        if not is_frame(rows):
            return Taken(self._from_array(rows, source, "Give a DataFrame with the columns of training"), None)
        if self.native.view in ("image", "sequence"):
            raise source.fault("it is a table", f"The model was trained on {self.native.view}s: give an array")
        if not len(rows):
            raise source.fault("it has no rows", "Give one row or more")
        names, labels = column_names(rows), None
        if self.native.target in names:
            k = names.index(self.native.target)
            labels = self._table_labels(rows.iloc[:, k], rows.iloc[:, k].isna().to_numpy(), source)
        if self.native.text is not None:
            _check_columns(names, [Column(name=self.native.text)], source)
            texts = as_texts(rows.iloc[:, names.index(self.native.text)], source)
            return self._from_texts(texts, labels, source)
        X, note = self._encode(rows, names, source)
        return Taken(X, labels, note)

    def _from_table(self, table: TableFile) -> Taken:
        names, target = name_first(table.names), self.native.target
        labels = None
        if target in names:
            series = table.values(names.index(target))
            missing = (series.isin(NO_CLASS) | series.isna()).to_numpy()
            labels = self._table_labels(series, missing, table.source)
        if self.native.text is not None:
            _check_columns(names, [Column(name=self.native.text)], table.source)
            return self._from_texts(table.strings(names.index(self.native.text)), labels, table.source)
        frame = table.frame()
        for column in self.native.columns:
            kept = MISSING & {*(column.categories or ())}  # a DataFrame may have had such texts as categories
            if column.categories is not None and column.name in names:  # as it stands: 1,5 may be a category
                k = names.index(column.name)
                frame[frame.columns[k]] = table.column(k, MISSING - kept)
        if table.has_index() and not self.native.columns:
            frame, names = frame.iloc[:, 1:], names[1:]
        X, note = self._encode(frame, names, table.source)
        return Taken(X, labels, note)

    def _from_texts(self, texts: Sequence[str], labels: Labels | None, source: Source) -> Taken:
        if not texts:
            raise source.fault("it has no rows", "Give one row or more")
        X, unknown = text_ids(texts, self.native.words)
        note = f"{unknown:.0%} of the words in '{self.native.text}' are none that the model could learn."
        return Taken(X, labels, note if unknown > MOSTLY_UNKNOWN else "")

    def _encode(self, frame: pd.DataFrame, names: list[str], source: Source) -> tuple[Array, str]:
        """Return a table as numbers, by name where the training had names, and in words what is unknown."""
        columns = self.native.columns
        if not columns:
            return _by_position(frame, names, self.native, source), ""
        _check_columns(names, columns, source)
        X = encode(frame, names, columns, source)
        present = frame.iloc[:, [names.index(column.name) for column in columns]].notna().to_numpy()
        unknown = (present & np.isnan(X)).sum(axis=0)
        told = [f"{n:,} of '{column.name}'" for n, column in zip(unknown.tolist(), columns, strict=True) if n]
        note = f"Values that the model never saw count as missing: {listed(told)}." if told else ""
        return X, note

    def _from_archive(self, path: Path) -> Taken:
        arrays = read_npz(path, [name for pair in _PAIRS for name in pair])
        x, y = next((pair for pair in _PAIRS if pair[0] in arrays), ("", ""))
        if not x:
            raise Source(f"'{path.name}'").fault(
                f"it holds {listed(sorted(arrays))} and no 'X'", "Add the samples as X"
            )
        source = Source(f"'{path.name}', array '{x}',")
        X = self._from_array(arrays[x], source, "Give a .csv file")
        if y not in arrays:
            return Taken(X, None)
        of_labels = Source(f"'{path.name}', array '{y}',")
        given = plain_labels(arrays[y], of_labels)
        if len(given) != len(X):
            raise source.fault(f"it has {len(X):,} rows and '{y}' has {len(given):,}", "Give one class per row")
        return Taken(X, self._codes(given, f"'{y}'", of_labels, may_be_codes=True))

    def _from_array(self, array: Array, source: Source, instead: str) -> Array:
        native = self.native
        X = as_view(array, native.view, source)
        if X.shape[1:] != native.sample_shape:
            what = f"a sample has the shape {X.shape[1:]}, and the model was trained on {native.sample_shape}"
            raise source.fault(what, "Give samples of that shape")
        _check_kind(X, native, source, instead)
        return _cast(X, native, source)

    def _table_labels(self, series: pd.Series[Any], missing: Array, source: Source) -> Labels | None:
        if missing.all():
            return None
        values = series.to_numpy(dtype=object)
        values[missing] = values[~missing][0]
        codes = self._codes(values, f"column '{self.native.target}'", source, may_be_codes=False)
        return np.where(missing, UNKNOWN_CLASS, codes)

    def _codes(self, values: Array, what: str, source: Source, *, may_be_codes: bool) -> Labels:
        """Return labels as codes; they are names, or codes where no name could be taken for one."""
        texts = label_texts(values)
        if set(texts) <= set(self.class_names):
            return codes_of(texts, self.class_names, what, source)
        names = label_names(values, what, source)
        codes = list(map(str, range(len(self.class_names))))
        by_code = may_be_codes and set(names) <= set(codes) and not any(map(is_whole, self.class_names))
        return codes_of(names, codes if by_code else self.class_names, what, source)


def _kinds(native: Native) -> tuple[str, ...]:
    """Return the suffixes of the files that can hold such samples."""
    if native.view == "tokens":
        return () if native.text is None else TABLES
    return (*TABLES, ".npz") if native.view == "tabular" else (".npz",)


def _check_columns(names: list[str], columns: Sequence[Column], source: Source) -> None:
    missing = [column.name for column in columns if column.name not in names]
    if missing:
        lacks = "the column" if len(missing) == 1 else "the columns"
        raise source.fault(
            f"it lacks {lacks} {listed(missing, quoted=True)}, from which the model was trained",
            f"Add them; its columns are {listed(names)}",
        )
    needed = {column.name for column in columns}
    check_names([name if name in needed else f"\0{k}" for k, name in enumerate(names)], source)


def _by_position(frame: pd.DataFrame, names: list[str], native: Native, source: Source) -> Array:
    kept = [k for k, name in enumerate(names) if native.target is None or name != native.target]
    n_features = (native.sample_shape or (0,))[0]
    if len(kept) != n_features:
        what = f"it has {len(kept)} columns, and the model was trained on {n_features} features"
        raise source.fault(what, "Give these, in their order")
    shown = [names[k] or f"{k + 1}" for k in kept]
    unique = [Column(name=name if shown.count(name) == 1 else f"{name}*{k}") for k, name in enumerate(shown)]
    X = encode(frame.iloc[:, kept], [column.name for column in unique], unique, source)
    gaps = np.isnan(X)
    if gaps.any():
        row, k = np.argwhere(gaps)[0]
        what = f"column '{unique[k].name}', {source.place(int(row))} has no value"
        raise source.fault(what, "Fill it in: the model was trained on data without gaps")
    return _cast(X, native, source)


def _check_kind(X: Array, native: Native, source: Source, instead: str) -> None:
    """Check that the numbers mean what they meant in training."""
    if native.view == "image" and (X.dtype == np.uint8) != (native.dtype == "uint8"):
        raise source.fault(
            f"images are {X.dtype}, and the model was trained on {native.dtype}", f"Convert them to {native.dtype}"
        )
    named = next((column.name for column in native.columns if column.categories is not None), None)
    if named is not None:
        raise source.fault(f"an array has no categories, as column '{named}' has", instead)
    if not native.columns and X.dtype.kind == "f" and np.isnan(X).any():
        row = int(np.argwhere(np.isnan(X))[0][0])
        raise source.fault(
            f"a value in row {row} is NaN", "Fill it in: the model was trained on data without gaps"
        )


def _cast(X: Array, native: Native, source: Source) -> Array:
    """Return numbers in the dtype of training; only images are whole numbers there, all else is made of floats."""
    dtype = np.dtype(native.dtype)
    if dtype.kind != "f" and X.dtype != dtype:
        dtype = np.dtype(np.float32)
    with np.errstate(over="ignore"):  # reported just below, with its row
        cast = np.ascontiguousarray(X, dtype=dtype)
    lost = np.isinf(cast) if dtype.kind == "f" else np.zeros(1, dtype=bool)
    if lost.any():
        row = int(np.argwhere(lost)[0][0])
        raise source.fault(f"a value in {source.place(row)} is too large for {dtype}", "Scale that feature down")
    return cast
