"""Which forms a trained model can be written in, and what has to be installed for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from nncompare.data.conversion import Conversion
from nncompare.exceptions import ExportError, UsageError

__all__ = [
    "CARD",
    "COLUMNS",
    "FORMATS",
    "MISSING",
    "MODEL_FILES",
    "VOCABULARY",
    "check_format",
    "check_installed",
    "possible_formats",
]

FORMATS = ("keras", "onnx", "skops")
CARD = "MODEL_CARD.md"
COLUMNS = "columns.json"
VOCABULARY = "vocabulary.json"
MISSING = " "
"""What ONNX files get for a missing category: none is called so, because spaces around them are left out."""
MODEL_FILES = {form: f"model.{form}" for form in FORMATS}

_CONVERTERS: Mapping[str, tuple[str, ...]] = {
    "keras": ("onnx", "onnxruntime", "tf2onnx"),
    "sklearn": ("onnx", "onnxruntime", "skl2onnx"),
}
_POSSIBLE: Mapping[tuple[str | None, str], tuple[str, ...]] = {
    ("keras", "dense"): ("keras", "onnx"),
    ("keras", "columns"): ("onnx",),
    ("keras", "tokens"): ("keras",),
    ("keras", "vocabulary"): ("keras",),
    ("sklearn", "dense"): ("onnx", "skops"),
    ("sklearn", "columns"): ("onnx", "skops"),
}
"""By framework and kind of preprocessing; whatever is not here cannot be exported."""


def possible_formats(framework: str | None, conversion: Conversion) -> tuple[str, ...]:
    """Return the formats that a model can have.

    Parameters
    ----------
    framework : {"keras", "sklearn"} or None
        As the tags of its plugin say.
    conversion : Conversion
        From the data as they are to what the model takes.
    """
    return _POSSIBLE.get((framework, conversion.kind), ())


def check_format(form: str, framework: str | None, conversion: Conversion, model: str) -> None:
    """Refuse a format that a model cannot have.

    Parameters
    ----------
    form : str
    framework, conversion
        As in :func:`possible_formats`.
    model : str
        What messages call it.

    Raises
    ------
    UsageError
        It is another one; the message names those that are possible.
    """
    if form not in FORMATS:
        raise UsageError(f"There is no format '{form}'. Choose one of these: {', '.join(FORMATS)}.")
    possible = possible_formats(framework, conversion)
    if form in possible:
        return
    if possible:
        choices = " or ".join(f"--format {name}" for name in possible)
        raise UsageError(
            f"{model} cannot be written as {form}: {_why(form, framework, conversion)}. Use {choices}."
        )
    raise UsageError(
        f"{model} cannot be exported: {_why(form, framework, conversion)}. Predict with nncompare predict instead."
    )


def check_installed(form: str, framework: str | None) -> None:
    """Refuse ONNX where its converters are not installed; nothing is imported.

    Raises
    ------
    ExportError
        One is missing; the message says what to install.
    """
    wanted = _CONVERTERS.get(str(framework), ()) if form == "onnx" else ()
    missing = [name for name in wanted if find_spec(name) is None]
    if missing:
        what = "is" if len(missing) == 1 else "are"
        raise ExportError(
            f"ONNX needs {', '.join(missing)}, which {what} not installed: pip install 'nncompare[onnx]'"
        )


def _why(form: str, framework: str | None, conversion: Conversion) -> str:
    """Return why a format is not possible."""
    if framework is None:
        return "its plugin names neither Keras nor scikit-learn as its framework"
    if conversion.kind == "tfidf":
        return "it reads texts as weighted counts of words, which no format here can hold"
    if form in ("keras", "skops") and form != {"keras": "keras", "sklearn": "skops"}[framework]:
        return f"it is a model of {'scikit-learn' if framework == 'sklearn' else 'Keras'}"
    if conversion.kind in ("tokens", "vocabulary"):
        return "it reads texts, whose vocabulary an ONNX file does not hold"
    return "the columns of its table are prepared by steps that a Keras file does not hold"
