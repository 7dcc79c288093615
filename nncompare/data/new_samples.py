"""New samples for a trained model, from a file or in memory: brought into the form of the data of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nncompare.data.array_like import as_rows, plain_labels
from nncompare.data.csvfile import MISSING, NO_CLASS
from nncompare.data.encoding import encode
from nncompare.data.imagefolder import is_image
from nncompare.data.kept import kept_columns
from nncompare.data.labels import codes_of, is_whole, label_names, label_texts
from nncompare.data.native import Native
from nncompare.data.new_arrays import cast, check_kind
from nncompare.data.new_series import take_series
from nncompare.data.new_tables import by_position, check_columns
from nncompare.data.npyfile import NPY, labels_beside, open_npy
from nncompare.data.npzfile import read_npz
from nncompare.data.own_forms import as_view
from nncompare.data.own_texts import as_texts
from nncompare.data.records import Array, Column, Labels, Samples, SeriesColumns
from nncompare.data.source import Source, enumerated, listed
from nncompare.data.table_files import TABLES, TableFile, name_first, read_table_file
from nncompare.data.tables import column_names, is_frame
from nncompare.data.texts import text_ids
from nncompare.exceptions import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNKNOWN_CLASS", "NewSamples", "Taken"]

UNKNOWN_CLASS = -1
MOSTLY_UNKNOWN = 0.5
_ARRAYS = (".npz", NPY)
_PAIRS = (("X", "y"), ("x", "y"), ("X_test", "y_test"), ("x_test", "y_test"), ("X_train", "y_train"))


class Taken(NamedTuple):
    """New samples as a model takes them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, *sample_shape)
        A category that the model never saw has the code behind the last one of its column.
    labels : ndarray of shape (n_samples,), int64, or None
        Codes, -1 for rows of a table whose class is missing and images in no folder of a class; None where there
        are none.
    note : str
        What of them the model cannot know, as categories that it never saw; empty where there is nothing.
    kept : mapping of str to list of str
        Columns of the table that were asked for, as they stand in it; of images the ``file`` of each, and of
        series what tells them.
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
            ``X``, and perhaps ``y``; or ``.npy``, its labels beside it, see
            :func:`~nncompare.data.npyfile.labels_beside`; or a folder of images, or one image.
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
        if path.is_dir() or (path.is_file() and is_image(path)):
            return self._from_images(path, keep)
        if not path.is_file():
            raise UsageError(f"There is no file '{path}'.")
        suffix, view = path.suffix.lower(), self.native.view
        kinds = _kinds(self.native)
        if suffix not in (TABLES if view == "tokens" else (*TABLES, *_ARRAYS)) or not kinds:
            what = f"{enumerated(kinds)} files are" if kinds else "texts of a data set plugin come from that alone"
            raise UsageError(f"'{path.name}' is not read: {what}.")
        if keep and (suffix in _ARRAYS or self.native.series is not None):
            raise UsageError(_no_columns(path))
        if suffix in _ARRAYS:
            return self._from_npy(path) if suffix == NPY else self._from_archive(path)
        if view in ("image", "sequence") and self.native.series is None:
            raise UsageError(f"'{path.name}' is a table. The model takes {view}s: give {enumerated(kinds)} files.")
        is_named = bool(self.native.columns or self.native.text or self.native.series)
        table = read_table_file(path, encoding, is_new=True, is_named=is_named)
        taken = self._from_table(table)
        return taken._replace(kept={**kept_columns(table, keep), **taken.kept})

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
        if self.native.view in ("image", "sequence") and self.native.series is None:
            raise source.fault("it is a table", f"The model was trained on {self.native.view}s: give an array")
        if not len(rows):
            raise source.fault("it has no rows", "Give one row or more")
        names, labels = column_names(rows), None
        target = names.index(self.native.target) if self.native.target in names else None
        if self.native.series is not None:
            classes = None if target is None else rows.iloc[:, target]
            return self._from_series(rows, names, self.native.series, classes, source)
        if target is not None:
            k = target
            labels = self._table_labels(rows.iloc[:, k], rows.iloc[:, k].isna().to_numpy(), source)
        if self.native.text is not None:
            check_columns(names, [Column(name=self.native.text)], source)
            texts = as_texts(rows.iloc[:, names.index(self.native.text)], source)
            return self._from_texts(texts, labels, source)
        X, note = self._encode(rows, names, source)
        return Taken(X, labels, note)

    def _from_table(self, table: TableFile) -> Taken:
        names, target = name_first(table.names), self.native.target
        labels, series = None, table.values(names.index(target)) if target in names else None
        if self.native.series is not None:
            return self._from_series(table.frame(), names, self.native.series, series, table.source)
        if series is not None:
            missing = (series.isin(NO_CLASS) | series.isna()).to_numpy()
            labels = self._table_labels(series, missing, table.source)
        if self.native.text is not None:
            check_columns(names, [Column(name=self.native.text)], table.source)
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

    def _from_series(
        self,
        frame: pd.DataFrame,
        names: list[str],
        columns: SeriesColumns,
        classes: pd.Series[Any] | None,
        source: Source,
    ) -> Taken:
        """Return one sample for each series, with the class that stands in all of its rows."""
        X, series, note = take_series(frame, names, self.native, columns, source)
        labels = None
        if classes is not None:
            series.one_each(label_texts(classes.to_numpy(dtype=object)), str(self.native.target), source)
            of_series = classes.iloc[series.first_rows]
            missing = (of_series.isin(NO_CLASS) | of_series.isna()).to_numpy()
            labels = self._table_labels(of_series, missing, replace(source, rows=series.first_rows))
        return Taken(X, labels, note, {columns.group: series.ids})

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
            return by_position(frame, names, self.native, source), ""
        check_columns(names, columns, source)
        X = encode(frame, names, columns, source)
        none_of_them = [len(column.categories or ()) or np.inf for column in columns]
        unknown = np.equal(X, none_of_them).sum(axis=0)
        told = [f"{n:,} of '{column.name}'" for n, column in zip(unknown.tolist(), columns, strict=True) if n]
        note = f"Categories that the model never saw count as rare ones: {listed(told)}." if told else ""
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
        return Taken(X, self._array_labels(X, arrays.get(y), y, source, Source(f"'{path.name}', array '{y}',")))

    def _from_npy(self, path: Path) -> Taken:
        source, labels = Source(f"'{path.name}'"), labels_beside(path)
        X = self._from_array(open_npy(path, source), source, "Give a .csv file")
        if labels is None or not labels.is_file():
            return Taken(X, None)
        of_labels = Source(f"'{labels.name}'")
        return Taken(X, self._array_labels(X, open_npy(labels, of_labels), labels.name, source, of_labels))

    def _from_images(self, path: Path, keep: Sequence[str]) -> Taken:
        from nncompare.data.new_images import read_new_images  # Pillow is for those who have images

        if keep:
            raise UsageError(_no_columns(path))
        X, names, codes, note = read_new_images(path, self.native, self.class_names)
        labels = np.array(codes, dtype=np.int64)
        return Taken(X, labels if (labels != UNKNOWN_CLASS).any() else None, note, {"file": names})

    def _array_labels(
        self, X: Array, labels: Array | None, what: str, source: Source, of_labels: Source
    ) -> Labels | None:
        """Return the codes of an array of labels, one for each row of X; None where there is none."""
        if labels is None:
            return None
        given = plain_labels(labels, of_labels)
        if len(given) != len(X):
            raise source.fault(f"it has {len(X):,} rows and '{what}' has {len(given):,}", "Give one class per row")
        return self._codes(given, f"'{what}'", of_labels, may_be_codes=True)

    def _from_array(self, array: Array, source: Source, instead: str) -> Samples:
        native = self.native
        X = as_view(array, native.view, source)
        if X.shape[1:] != native.sample_shape:
            what = f"a sample has the shape {X.shape[1:]}, and the model was trained on {native.sample_shape}"
            raise source.fault(what, "Give samples of that shape")
        check_kind(X, native, source, instead)
        return cast(X, native, source)

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
    if native.series is not None:
        return TABLES + _ARRAYS
    return ({"tabular": TABLES, "image": ("image",)}.get(native.view, ())) + _ARRAYS


def _no_columns(path: Path) -> str:
    return f"'{path.name}' has no columns to keep (--keep): a table with a row for each prediction has."
