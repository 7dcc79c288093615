"""What a child does to export a model: it loads it, writes it in another form, and compares both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nncompare.data.conversion import Conversion
from nncompare.data.encoding import encode
from nncompare.data.ragged import FIRST_WORD, PAD, START, UNKNOWN
from nncompare.data.records import Array
from nncompare.data.samples import count_samples, open_samples
from nncompare.data.saved_conversion import load_conversion
from nncompare.data.source import Source
from nncompare.data.vocabulary import Vocabulary
from nncompare.exceptions import PluginError
from nncompare.execution.channel import Channel
from nncompare.execution.saved import PREPROCESSING, load_model
from nncompare.frameworks.sklearn import SklearnModel
from nncompare.plugin import FittedModel
from nncompare.portable.formats import COLUMNS, MODEL_FILES, VOCABULARY
from nncompare.portable.raw import as_columns, user_rows

__all__ = ["FUNCTION", "write"]

FUNCTION = f"{__name__}:write"


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written: how it predicts when it is loaded, and what its user has to know."""

    predict: Callable[[Any], Array]
    facts: dict[str, Any] = field(default_factory=dict)


def write(_plugin: str, arguments: Mapping[str, Any], _channel: Channel) -> dict[str, Any]:
    """Write a saved model in another form and compare the two on some samples.

    Parameters
    ----------
    arguments : mapping
        ``model``, ``manifest_sha256``: the saved model; ``format``; ``class_names``; ``words`` of texts; ``X``:
        samples in their native form; ``work``, ``output``: empty folders, the second for the result.

    Returns
    -------
    dict
        ``max_difference`` of a probability, None where one is not finite; ``n_samples``; ``trusted``: types that
        skops does not trust by itself; ``modules`` that have to be imported before a Keras file is loaded. A table
        with named columns is compared as a user has it, with further rows made of these samples; see
        :func:`~nncompare.portable.raw.user_rows`.

    Raises
    ------
    PluginError
        The model is none of this framework, in spite of its plugin's tags.
    """
    folder, form = Path(arguments["model"]), str(arguments["format"])
    model = load_model(folder, arguments["manifest_sha256"])
    conversion = load_conversion(folder / PREPROCESSING)
    raw, work = open_samples(Path(arguments["X"])), Path(arguments["work"])
    n_samples, columns, given = count_samples(raw), conversion.native.columns, raw
    path = Path(arguments["output"]) / MODEL_FILES[form]
    if columns:
        given = user_rows(columns, np.asarray(raw))
        raw = encode(given, list(given.columns), columns, Source("the samples"))
        _write_json(path.with_name(COLUMNS), as_columns(columns))
    converted = open_samples(conversion.write(work, raw, np.arange(count_samples(raw), dtype=np.int64)))
    expected = model.predict_proba(converted)
    written = _WRITERS[form](model, conversion, path, arguments)
    if isinstance(conversion, Vocabulary):
        given = converted  # the ids of VOCABULARY, of the model's words
    difference = float(np.abs(written.predict(given) - expected).max())
    told = difference if np.isfinite(difference) else None
    return {"max_difference": told, "n_samples": n_samples, **written.facts}


def _write_onnx(model: FittedModel, conversion: Conversion, path: Path, arguments: Mapping[str, Any]) -> _Written:
    from nncompare.portable.onnx_files import keras_to_onnx, open_onnx, sklearn_to_onnx, write_onnx

    class_names = arguments["class_names"]
    if isinstance(model, SklearnModel):
        n_features = int(np.prod(conversion.sample_shape or ()))
        made = sklearn_to_onnx(model.estimator, n_features, len(class_names))
    else:
        from nncompare.portable.keras_files import plain_model

        plain = plain_model(_keras(model).model)
        plain(np.zeros((1, *(conversion.sample_shape or ())), dtype=conversion.dtype))
        made = keras_to_onnx(plain, Path(arguments["work"]))
    write_onnx(made, conversion, class_names, path)
    return _Written(open_onnx(path, conversion))


def _write_keras(model: FittedModel, conversion: Conversion, path: Path, arguments: Mapping[str, Any]) -> _Written:
    from nncompare.portable.keras_files import (
        foreign_modules,
        open_keras,
        plain_model,
        with_preprocessing,
        write_keras,
    )

    trained = _keras(model)
    whole = with_preprocessing(plain_model(trained.model), conversion)
    write_keras(whole, path)
    if conversion.view == "tokens":
        words = conversion.words if isinstance(conversion, Vocabulary) else arguments["words"]
        _write_vocabulary(path.with_name(VOCABULARY), words, trained.max_length)
    return _Written(open_keras(path, trained.max_length), {"modules": foreign_modules(whole)})


def _write_skops(
    model: FittedModel, conversion: Conversion, path: Path, _arguments: Mapping[str, Any]
) -> _Written:
    from nncompare.portable.skops_files import open_skops, untrusted_types, write_skops

    if not isinstance(model, SklearnModel):
        raise _stranger(model, "SklearnModel")
    write_skops(model.estimator, conversion, path)
    return _Written(open_skops(path, conversion), {"trusted": untrusted_types(path)})


_WRITERS = {"keras": _write_keras, "onnx": _write_onnx, "skops": _write_skops}


def _keras(model: FittedModel) -> Any:
    """Return a model of Keras, whose attributes are known."""
    from nncompare.frameworks.keras import KerasModel

    if not isinstance(model, KerasModel):
        raise _stranger(model, "KerasModel")
    return model


def _stranger(model: FittedModel, expected: str) -> PluginError:
    return PluginError(f"the saved model is of the class {type(model).__name__}, where a {expected} is expected")


def _write_vocabulary(path: Path, words: list[str], max_length: int | None) -> None:
    """Write which ids words have; without ``words`` only what all texts share."""
    ids = {"padding": PAD, "start": START, "unknown": UNKNOWN, "first_word": FIRST_WORD}
    _write_json(path, {"ids": ids, "max_length": max_length, "words": words})


def _write_json(path: Path, told: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
