"""Arrays, lists and DataFrames that a caller or an archive hands over, as one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nncompare.data.encoding import encode
from nncompare.data.labels import check_class_counts, classes_of, codes_of, describe_classes, label_names
from nncompare.data.own_forms import as_view, count_gaps, describe_form, empty_columns, guess_view, scale_of
from nncompare.data.own_texts import as_texts, name_of
from nncompare.data.records import Array, Column, Dataset, DatasetInfo, Labels, Samples, SplitBy, TextColumn, View
from nncompare.data.source import Source
from nncompare.data.split_columns import SplitColumn
from nncompare.data.splits import Rows, split_off_test
from nncompare.data.tables import check_names, column_names, is_frame, recognise
from nncompare.data.texts import encode_texts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Given", "as_rows", "plain_array", "plain_labels"]

_REAL = "Give real numbers, such as the real and the imaginary part as two features"


class _Samples(NamedTuple):
    """The samples of one or two parts in the form that a data set has, and that form in words."""

    view: View
    parts: list[Samples]
    form: str
    left_out: Sequence[tuple[str, str]] = ()
    told_left_out: str = ""
    columns: Sequence[Column] = ()
    scale: float = 1.0
    words: Sequence[str] = ()
    text: TextColumn | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """How arrays are to be understood, and how messages call them.

    Parameters
    ----------
    name : str
        Of the data set.
    view : {"tabular", "image", "sequence", "tokens"} or None
        None to tell by rank and dtype.
    sources : mapping of {"X", "y", "X_test", "y_test"} to Source
    class_names : sequence of str or None
        By code, where labels are codes.
    split : SplitColumn or None
        The column of DataFrames by which the rows are split.
    """

    name: str
    view: View | None
    sources: Mapping[str, Source]
    class_names: Sequence[str] | None = None
    split: SplitColumn | None = None

    def dataset(self, given: Mapping[str, Any]) -> tuple[DatasetInfo, Dataset]:
        """Return the data set that the values are, of the roles X, y and perhaps X_test, y_test.

        Raises
        ------
        DataError
            They cannot be used, or do not agree.
        """
        given = {role: value for role, value in given.items() if value is not None}
        for there, missing in (("X", "y"), ("X_test", "y_test"), ("y_test", "X_test")):
            if there in given and missing not in given:
                raise self.sources[there].fault(f"it comes without {missing}", "Give both")
        labels: dict[str, Array] = {
            role: plain_labels(given[role], self.sources[role]) for role in ("y", "y_test") if role in given
        }
        read = as_texts if self.view == "tokens" else as_rows
        rows: dict[str, Any] = {
            role: read(given[role], self.sources[role]) for role in ("X", "X_test") if role in given
        }
        for role, value in [*rows.items(), *labels.items()]:
            if not len(value):
                raise self.sources[role].fault(f"it is empty, of shape {np.shape(value)}", "Give one row or more")
        for x, y in zip(rows, labels, strict=True):
            if len(rows[x]) != len(labels[y]):
                what = f"it has {len(rows[x]):,} rows and {y} has {len(labels[y]):,}"
                raise self.sources[x].fault(what, "Give one class per row")
        classes, codes = self._classes(labels)
        check_class_counts(codes["y"], classes, "y", self.sources["y"], has_test="y_test" in codes)
        by: SplitBy | None = None
        if self.split is not None:
            rows, by = self.split.take_from(rows, codes["y"], classes, self.sources)
        train = np.arange(len(codes["y"])) if "y_test" in codes else split_off_test(codes["y"], by)[0]
        is_table = any(map(is_frame, rows.values()))
        if self.view == "tokens":
            found = self._texts(rows, train, name_of(given["X"]))
        else:
            found = self._table(rows, train) if is_table else self._arrays(rows, train)
        sizes = f"{len(codes['y']):,} rows"
        if "y_test" in codes:
            sizes = f"{sizes} and {len(codes['y_test']):,} test rows"
        info = DatasetInfo(
            name=self.name,
            view=found.view,
            n_train=len(codes["y"]),
            n_test=len(codes.get("y_test", ())),
            class_names=classes,
            scale=found.scale,
            description=f"{sizes}: {found.form}; {describe_classes(classes)}{found.told_left_out}",
        )
        X_train, X_test = [*found.parts, None][:2]
        target = getattr(given["y"], "name", None)
        is_apart = isinstance(target, str) and target not in {column.name for column in found.columns}
        return info, Dataset(
            X_train,
            codes["y"],
            X_test,
            codes.get("y_test"),
            columns=found.columns,
            target=target if (found.columns or found.text) and is_apart else None,
            words=found.words,
            text=found.text,
            left_out=found.left_out,
            split_by=by,
        )

    def _classes(self, labels: Mapping[str, Array]) -> tuple[tuple[str, ...], dict[str, Labels]]:
        """Return the classes, those of y or those that are named, and the codes of all labels."""
        texts = {role: label_names(values, role, self.sources[role]) for role, values in labels.items()}
        source = self.sources["y"]
        if self.class_names is None:
            classes = classes_of(texts["y"], "y", source)
        else:
            classes = tuple(map(str, range(len(self.class_names))))
            if set(texts["y"]) <= set(self.class_names):
                classes = tuple(self.class_names)
        codes = {role: codes_of(values, classes, role, self.sources[role]) for role, values in texts.items()}
        return classes if self.class_names is None else tuple(self.class_names), codes

    def _texts(self, rows: Mapping[str, list[str]], train: Rows, column: str) -> _Samples:
        texts = [text for part in rows.values() for text in part]
        found = encode_texts(column, texts, train, self.sources["X"])
        ends = np.cumsum([len(part) for part in rows.values()])
        parts = [found.X[end - len(part) : end] for end, part in zip(ends, rows.values(), strict=True)]
        return _Samples("tokens", parts, found.describe(), words=found.words, text=found.column)

    def _arrays(self, rows: Mapping[str, Array], train: Rows) -> _Samples:
        view = self.view or guess_view(rows["X"], self.sources["X"])
        parts = [as_view(X, view, self.sources[role]) for role, X in rows.items()]
        forms = [(X.shape[1:], X.dtype == np.uint8) for X in parts]
        if view == "image" and len({form[1] for form in forms}) > 1:
            what = f"it is of {parts[0].dtype} and X_test of {parts[1].dtype}"
            raise self.sources["X"].fault(what, "Give both as uint8, or both as floats")
        if forms[0][0] != forms[-1][0]:
            what = f"a sample has the shape {forms[0][0]} and one of X_test {forms[-1][0]}"
            raise self.sources["X"].fault(what, "Make both agree")
        found = _Samples(view, parts, describe_form(parts[0], view), scale=scale_of(parts[0], view, train))
        n_gaps = sum(map(count_gaps, parts))
        if not n_gaps:
            return found
        empty = empty_columns(parts[0]) if parts[0].dtype.kind == "f" else []
        if empty:
            source = self.sources["X"]
            raise source.fault(f"column {empty[0]} has no values at all", "Leave it out, or fill it in")
        columns = [Column(name=f"x{k}") for k in range(parts[0].shape[1])]
        return found._replace(columns=columns, form=f"{found.form}, {n_gaps:,} missing values")

    def _table(self, rows: Mapping[str, Any], train: Rows) -> _Samples:
        """Return DataFrames as numbers; what a column is, is told by the training part."""
        import pandas as pd

        if self.view not in (None, "tabular"):
            raise self.sources["X"].fault(f"a table is not of the view '{self.view}'", "Leave view out")
        frames = [_named(rows[role], rows["X"], self.sources[role]) for role in rows]
        names = column_names(frames[0])
        check_names(names, self.sources["X"])
        both = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
        found = recognise(both, names, self.sources["X"], train)
        parts = [
            encode(frame, names, found.columns, self.sources[role])
            for frame, role in zip(frames, rows, strict=True)
        ]
        told = found.describe_left_out()
        return _Samples("tabular", parts, found.describe(), found.left_out, told, found.columns)


def plain_array(X: Any, source: Source) -> Array:
    """Return something array-like as an array.

    Raises
    ------
    DataError
        It is sparse or complex, masks what is no number, or its rows differ in length.
    """
    if hasattr(X, "toarray"):
        raise source.fault("it is sparse", "Make it dense with .toarray()")
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        X = _unmasked(X, source)
    try:
        array = np.asarray(X)
    except (ValueError, TypeError) as error:
        raise source.fault(f"it is no array ({str(error)[:100]})", "Give rows of equal shape") from error
    if array.dtype.kind == "c":
        raise source.fault("it holds complex numbers", _REAL)
    return array


def _unmasked(X: np.ma.MaskedArray[Any, Any], source: Source) -> Array:
    """Return masked numbers as missing values."""
    if X.dtype.kind not in "biuf":
        raise source.fault(f"it masks values of dtype {X.dtype}", "Fill them in, or give a table with empty cells")
    numbers = X.astype(np.promote_types(X.dtype, np.float32))
    return np.asarray(np.ma.filled(numbers, np.nan))


def plain_labels(y: Any, source: Source) -> Array:
    """Return labels as an array of one dimension.

    Raises
    ------
    DataError
        They are one-hot, of another shape, or dates.
    """
    labels = plain_array(y, source)
    if labels.dtype.kind in "mM":
        what = "it holds dates or durations, which name no classes"
        raise source.fault(what, "Cut them into classes, such as pandas' y.dt.year, or give them as text")
    if labels.dtype.kind in "US" and isinstance(y, list | tuple):
        labels = np.asarray(y, dtype=object)  # NumPy's own text would lose a NUL at its end, and merge two classes
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if _is_one_hot(labels):
        raise source.fault(f"it is one-hot, of shape {labels.shape}", "Give one class per row: y.argmax(axis=1)")
    if labels.ndim != 1:
        remedy = "Give one class per row, of shape (rows,)"
        remedy = f"{remedy}: y.ravel()" if labels.ndim == 2 and len(labels) == 1 else remedy
        raise source.fault(f"it has the shape {labels.shape}", remedy)
    return labels


def _is_one_hot(labels: Array) -> bool:
    """Tell whether each row holds a single 1 among zeros, or the probabilities of several classes."""
    if labels.ndim != 2 or labels.dtype.kind not in "biuf" or not labels.size or labels.shape[1] < 2:
        return False
    return bool((labels >= 0).all() and np.allclose(labels.astype(np.float64).sum(axis=1), 1))


def as_rows(X: Any, source: Source) -> Any:
    """Return samples as an array, or as a DataFrame where they are one or hold text.

    Raises
    ------
    DataError
        They are neither.
    """
    if hasattr(X, "to_pandas"):
        X = X.to_pandas()
    if is_frame(X):
        _check_real(X, source)
        return X
    array = plain_array(X, source)
    if array.ndim == 0:
        raise source.fault(f"it is an object of type {type(X).__name__}", "Give an array of rows")
    if array.ndim != 2 or array.dtype.kind not in "OUS":
        return array
    import pandas as pd

    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    names = [f"x{k}" for k in range(array.shape[1])]
    frame = pd.DataFrame(array.astype(object), columns=names)
    _check_real(frame, source)
    return frame


def _check_real(frame: pd.DataFrame, source: Source) -> None:
    """Refuse complex numbers, of which a model would see the real part alone."""
    for name, series in zip(column_names(frame), (frame.iloc[:, k] for k in range(frame.shape[1])), strict=True):
        if series.dtype.kind == "c" or (series.dtype == object and any(map(_is_complex, series))):
            raise source.fault(f"column '{name}' holds complex numbers", _REAL)


def _is_complex(value: object) -> bool:
    return isinstance(value, complex | np.complexfloating)


def _named(X: Any, like: Any, source: Source) -> pd.DataFrame:
    """Return the columns of ``like`` in its order."""
    if not (is_frame(X) and is_frame(like)):
        raise source.fault("one part is a table and the other an array", "Give both as DataFrames")
    missing = [str(name) for name in like.columns if name not in X.columns]
    if missing:
        raise source.fault(f"it lacks the column '{missing[0]}' of X", "Give both parts the same columns")
    frame: pd.DataFrame = X[list(like.columns)]
    return frame
