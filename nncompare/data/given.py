"""Arrays, lists and DataFrames that a caller or an archive hands over, as one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nncompare.data.array_like import as_rows, plain_labels
from nncompare.data.encoding import encode
from nncompare.data.labels import check_class_counts, classes_of, codes_of, describe_classes, label_names
from nncompare.data.own_forms import (
    as_view,
    count_gaps,
    describe_form,
    empty_columns,
    guess_view,
    needs_float64,
    scale_of,
)
from nncompare.data.own_texts import as_texts, name_of
from nncompare.data.records import Array, Column, Dataset, DatasetInfo, Labels, Samples, SplitBy, TextColumn, View
from nncompare.data.source import Source
from nncompare.data.split_columns import SplitColumn
from nncompare.data.splits import Rows, split_off_test
from nncompare.data.tables import check_names, column_names, is_frame, recognise
from nncompare.data.texts import encode_texts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Given"]


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
        By what the rows are split: a column of DataFrames, or the arrays of the roles keys and keys_test.
    """

    name: str
    view: View | None
    sources: Mapping[str, Source]
    class_names: Sequence[str] | None = None
    split: SplitColumn | None = None

    def dataset(self, given: Mapping[str, Any]) -> tuple[DatasetInfo, Dataset]:
        """Return the data set that the values are, of the roles X, y and perhaps X_test, y_test, keys, keys_test.

        Raises
        ------
        DataError
            They cannot be used, or do not agree.
        """
        given = self._complete(given)
        labels: dict[str, Array] = {
            role: plain_labels(given[role], self.sources[role]) for role in ("y", "y_test") if role in given
        }
        read = as_texts if self.view == "tokens" else as_rows
        rows: dict[str, Any] = {
            role: read(given[role], self.sources[role]) for role in ("X", "X_test") if role in given
        }
        self._check_lengths(rows, labels)
        classes, codes = self._classes(labels)
        check_class_counts(codes["y"], classes, "y", self.sources["y"], has_test="y_test" in codes)
        by: SplitBy | None = None
        if self.split is not None and "keys" in given:
            keys = [(given[role.replace("X", "keys")], len(part)) for role, part in rows.items()]
            by = self.split.of_arrays(keys, codes["y"], classes, self.sources["keys"])
        elif self.split is not None:
            rows, by = self.split.take_from(rows, codes["y"], classes, self.sources)
        drawn: tuple[Rows, ...] = () if "y_test" in codes else split_off_test(codes["y"], by)
        train = drawn[0] if drawn else np.arange(len(codes["y"]))
        found = self._found(rows, train, name_of(given["X"]))
        X_train, X_test = [*found.parts, None][:2]
        return self._info(found, classes, codes), Dataset(
            X_train,
            codes["y"],
            X_test,
            codes.get("y_test"),
            columns=found.columns,
            target=_target(given["y"], found),
            words=found.words,
            text=found.text,
            left_out=found.left_out,
            split_by=by,
            rows=drawn,
        )

    def _complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is given, if samples come with labels and labels with samples."""
        there = {role: value for role, value in given.items() if value is not None}
        for role, missing in (("X", "y"), ("X_test", "y_test"), ("y_test", "X_test")):
            if role in there and missing not in there:
                raise self.sources[role].fault(f"it comes without {missing}", "Give both")
        return there

    def _check_lengths(self, rows: Mapping[str, Any], labels: Mapping[str, Array]) -> None:
        """Check that there are rows, and one label for each."""
        for role, value in [*rows.items(), *labels.items()]:
            if not len(value):
                raise self.sources[role].fault(f"it is empty, of shape {np.shape(value)}", "Give one row or more")
        for x, y in zip(rows, labels, strict=True):
            if len(rows[x]) != len(labels[y]):
                what = f"it has {len(rows[x]):,} rows and {y} has {len(labels[y]):,}"
                raise self.sources[x].fault(what, "Give one class per row")

    def _info(self, found: _Samples, classes: tuple[str, ...], codes: Mapping[str, Labels]) -> DatasetInfo:
        """Return what is known of the data set, with a line that says what was recognised."""
        n_train, n_test = len(codes["y"]), len(codes.get("y_test", ()))
        sizes = f"{n_train:,} rows and {n_test:,} test rows" if n_test else f"{n_train:,} rows"
        return DatasetInfo(
            name=self.name,
            view=found.view,
            n_train=n_train,
            n_test=n_test,
            class_names=classes,
            scale=found.scale,
            description=f"{sizes}: {found.form}; {describe_classes(classes)}{found.told_left_out}",
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

    def _found(self, rows: Mapping[str, Any], train: Rows, column: str) -> _Samples:
        """Return the samples in the form that the data set has; of texts, what their column is called."""
        if self.view == "tokens":
            return self._texts(rows, train, column)
        return self._table(rows, train) if any(map(is_frame, rows.values())) else self._arrays(rows, train)

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
        if not n_gaps and not (view == "tabular" and any(map(needs_float64, parts))):
            return found
        empty = empty_columns(parts[0]) if parts[0].dtype.kind == "f" else []
        if empty:
            source = self.sources["X"]
            raise source.fault(f"column {empty[0]} has no values at all", "Leave it out, or fill it in")
        columns = [Column(name=f"x{k}") for k in range(parts[0].shape[1])]
        return found._replace(
            columns=columns, form=f"{found.form}, {n_gaps:,} missing values" if n_gaps else found.form
        )

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


def _target(y: Any, found: _Samples) -> str | None:
    """Return the column of classes, where labels have a name that is none of the features'."""
    name = getattr(y, "name", None)
    has_columns = bool(found.columns or found.text)
    is_apart = isinstance(name, str) and name not in {column.name for column in found.columns}
    return name if has_columns and is_apart else None


def _named(X: Any, like: Any, source: Source) -> pd.DataFrame:
    """Return the columns of ``like`` in its order."""
    if not (is_frame(X) and is_frame(like)):
        raise source.fault("one part is a table and the other an array", "Give both as DataFrames")
    missing = [str(name) for name in like.columns if name not in X.columns]
    if missing:
        raise source.fault(f"it lacks the column '{missing[0]}' of X", "Give both parts the same columns")
    frame: pd.DataFrame = X[list(like.columns)]
    return frame
