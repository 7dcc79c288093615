"""A fitted conversion in a folder: a small JSON file and plain arrays, so that it travels with a model."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from nncompare.data.column_table import ColumnTable
from nncompare.data.conversion import Conversion, TfIdfConversion
from nncompare.data.dense import DenseConversion
from nncompare.data.files import write_atomic
from nncompare.data.native import Native
from nncompare.data.records import View
from nncompare.data.vocabulary import TokenConversion, Vocabulary
from nncompare.exceptions import DataError

__all__ = ["CONVERSION_FILES", "load_conversion", "save_conversion"]

_DESCRIPTION, _STATE = "conversion.json", "state.npz"
CONVERSION_FILES = (_DESCRIPTION, _STATE)
"""Names of the files that :func:`save_conversion` writes."""

_KINDS: Mapping[str, Any] = {
    cls.kind: cls for cls in (DenseConversion, ColumnTable, TokenConversion, TfIdfConversion, Vocabulary)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Description:
    kind: str
    native: Native
    view: View


_JSON: TypeAdapter[_Description] = TypeAdapter(_Description)


def save_conversion(conversion: Conversion, folder: Path) -> None:
    """Write a fitted conversion into an existing folder, and sync it.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    state = io.BytesIO()
    np.savez(state, allow_pickle=False, **conversion.state())
    write_atomic(folder / _STATE, state.getvalue())
    description = _Description(kind=conversion.kind, native=conversion.native, view=conversion.view)
    write_atomic(folder / _DESCRIPTION, _JSON.dump_json(description, indent=1))


def load_conversion(folder: Path) -> Conversion:
    """Return what :func:`save_conversion` wrote: it converts equally, byte for byte; nothing is unpickled.

    Raises
    ------
    DataError
        A file is missing or damaged.
    """
    try:
        description = _JSON.validate_json((folder / _DESCRIPTION).read_bytes())
        with (folder / _STATE).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            state = {name: stored[name] for name in stored.files}
        loaded: Conversion = _KINDS[description.kind].from_state(description.native, description.view, state)
    except (OSError, ValidationError, ValueError, KeyError, zipfile.BadZipFile) as error:
        cause = str(error).splitlines()[0] if str(error) else "no message"
        raise DataError(
            f"The fitted conversion in '{folder}' cannot be read. {type(error).__name__}: {cause}. "
            "Delete that folder and run again."
        ) from error
    return loaded
