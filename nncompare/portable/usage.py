"""How an exported model is loaded and asked, in a few lines of Python, and what its user has to know."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from nncompare.data.conversion import Conversion
from nncompare.data.native import Native
from nncompare.data.records import SeriesColumns
from nncompare.portable.formats import COLUMNS, MISSING, MODEL_FILES, VOCABULARY
from nncompare.report import Use

__all__ = ["usage"]


def usage(
    form: str, conversion: Conversion, found: Mapping[str, Any], *, has_words: bool, own_samples: bool
) -> Use:
    """Return how a model is used.

    Parameters
    ----------
    form : {"keras", "onnx", "skops"}
    conversion : Conversion
        Which is in the file, except of texts.
    found : mapping
        What :func:`nncompare.portable.writing.write` returned.
    has_words : bool
        The vocabulary names the words.
    own_samples : bool
        The samples of the comparison are of the run's data.
    """
    native = conversion.native
    code = _CODE[form](native, MODEL_FILES[form], found)
    notes = _input_notes(form, native, has_words=has_words)
    modules = found.get("modules") or []
    note = ""
    if modules:
        note = (
            f"The file has layers of {', '.join(modules)}, which have to be importable where it is loaded, as "
            "with nncompare installed."
        )
    return Use(
        form=form,
        file=MODEL_FILES[form],
        code=code,
        notes=(*notes, *filter(None, [note])),
        note=note,
        max_difference=found["max_difference"],
        n_samples=found["n_samples"],
        own_samples=own_samples,
    )


def _onnx(native: Native, file: str, _found: Mapping[str, Any]) -> tuple[str, ...]:
    load = f'session = onnxruntime.InferenceSession("{file}")'
    if not native.columns:
        return ("import onnxruntime", load, 'probabilities = session.run(None, {"X": X})[0]')
    numbers = any(column.categories is None for column in native.columns)
    texts = any(column.categories is not None for column in native.columns)
    number, text = 'rows[[name]].to_numpy("float64")', f"rows[[name]].fillna({MISSING!r}).to_numpy(object)"
    value = f"{number} if known is None else {text}" if numbers and texts else number if numbers else text
    return (
        *_prepared("onnxruntime"),
        load,
        f"inputs = {{name: {value} for name, known in columns.items()}}",
        "probabilities = session.run(None, inputs)[0]",
    )


def _prepared(library: str) -> tuple[str, ...]:
    """Return the lines that bring a table into the form of the training, with those that import ``library``."""
    from nncompare.portable.card_code import as_trained  # here: it imports pandas

    return (
        *("import json", "import re", "", "import numpy as np"),
        *sorted(("import pandas as pd", f"import {library}"), key=lambda line: line.split()[1]),
        *("", "", *inspect.getsource(as_trained).splitlines(), "", ""),
        f'with open("{COLUMNS}", encoding="utf-8") as file:',
        "    columns = json.load(file)",
        "rows = as_trained(table, columns)",
    )


def _keras(native: Native, file: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    imports = tuple(f"import {name}" for name in found.get("modules") or [])
    given = "ids" if native.view == "tokens" else "X"
    return (
        *("import keras", *imports),
        f'model = keras.saving.load_model("{file}", compile=False)',
        f"probabilities = model.predict({given})",
    )


def _skops(native: Native, file: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    trusted = found.get("trusted") or []
    rows = "rows" if native.columns else "X" if len(native.sample_shape or ()) == 1 else "X.reshape(len(X), -1)"
    return (
        *(_prepared("skops.io") if native.columns else ["import skops.io"]),
        f'model = skops.io.load("{file}", trusted={trusted!r})',
        f"probabilities = model.predict_proba({rows})",
    )


_CODE = {"keras": _keras, "onnx": _onnx, "skops": _skops}


def _input_notes(form: str, native: Native, *, has_words: bool) -> tuple[str, ...]:
    """Return what the samples have to be like."""
    if native.view == "tokens":
        return _text_notes(native, has_words=has_words)
    if native.columns:
        names = ", ".join(
            f"{column.name} ({'number' if column.categories is None else 'category'})" for column in native.columns
        )
        return (
            f"table is a pandas DataFrame of rows as they were measured, with these columns: {names}.",
            f"as_trained reads its categories as nncompare predict does: without the spaces around them, 1.0 as 1 "
            f"where {COLUMNS} has that, and NaN as missing. The file itself knows categories only as they are "
            "written there, and counts any other text as a rare one.",
            "When a .csv file is read, pandas takes 01 for 1 and NA for a missing value. Where such are "
            "categories, read those columns with dtype=str and keep_default_na=False.",
            "For the comparison below, further rows were made of these samples: with gaps, rare and unknown "
            "categories, and categories that are written otherwise.",
        )
    shape = ", ".join(["n", *map(str, native.sample_shape or ())])
    series = () if native.series is None else (_series_note(native.series),)
    return (
        f"X has the shape ({shape}) and the dtype {native.dtype}: samples as they were measured, because the "
        "preprocessing is in the file.",
        *series,
    )


def _series_note(series: SeriesColumns) -> str:
    """Return what the features of an array of series are, and how series of other lengths are brought into it."""
    text = f"The features of a step are, in this order: {', '.join(series.features)}."
    if not series.is_padded:
        return text
    return (
        f"{text} Of longer series the last steps are taken; shorter ones repeat their last step. A further "
        "feature, behind the others, is 1 where a step was there and 0 where it is repeated."
    )


def _text_notes(native: Native, *, has_words: bool) -> tuple[str, ...]:
    words = (
        "the word at place k of the list has the id k plus that of the first word"
        if has_words
        else "the words themselves are not known any more, because the data set is not in the cache"
    )
    found = (
        "Words are found as Keras's TextVectorization finds them by default: letters from A to Z become small, "
        "ASCII punctuation is deleted, and what is left is split at spaces. Words that the list lacks have the "
        "unknown id."
    )
    return (
        f"ids has the shape (n, length) and the dtype int32. {VOCABULARY} holds the ids: {words}.",
        "A text begins with the start id; of longer ones the last max_length ids are read; shorter ones are "
        "filled with the padding id at their end.",
        *([found] if native.text is not None else []),
    )
