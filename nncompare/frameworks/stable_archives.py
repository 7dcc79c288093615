"""Saved models whose bytes depend on what is in them, and not on when or by which process they were written.

Equal weights then have equal digests: two runs can be compared by their manifests.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

__all__ = ["settled_keras", "settled_skops"]

_DATE = "1980-01-01@00:00:00"  # the first that a zip file can hold; Keras writes its dates so
_KERAS_CONFIG, _KERAS_METADATA, _SKOPS_SCHEMA = "config.json", "metadata.json", "schema.json"


def settled_keras(content: bytes) -> bytes:
    """Return a ``.keras`` file without the date of its writing, and with its shared objects numbered in order.

    Nobody reads the date. Keras takes the addresses in memory for the numbers of objects that are used twice.
    """

    def change(name: str, data: bytes) -> tuple[str, bytes]:
        if name == _KERAS_METADATA:
            data = json.dumps(json.loads(data) | {"date_saved": _DATE}).encode()
        elif name == _KERAS_CONFIG:
            data = json.dumps(_shared(json.loads(data), {})).encode()
        return name, data

    return _rewritten(content, change)


def _shared(value: Any, numbers: dict[Any, int]) -> Any:
    """Return a configuration with the numbers of its shared objects counted from 1."""
    if isinstance(value, list):
        return [_shared(item, numbers) for item in value]
    if not isinstance(value, dict):
        return value
    is_object = "class_name" in value
    return {
        name: numbers.setdefault(item, len(numbers) + 1)
        if is_object and name == "shared_object_id"
        else _shared(item, numbers)
        for name, item in value.items()
    }


def settled_skops(content: bytes) -> bytes:
    """Return a skops file whose objects are numbered in their order; skops takes their addresses in memory."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read(_SKOPS_SCHEMA))
    numbers: dict[str, str] = {}
    settled = _numbered(schema, numbers)

    def change(name: str, data: bytes) -> tuple[str, bytes]:
        if name == _SKOPS_SCHEMA:
            return name, json.dumps(settled, indent=2).encode()
        return _renamed(name, numbers), data

    return _rewritten(content, change)


def _numbered(value: Any, numbers: dict[str, str]) -> Any:
    """Return a schema with the objects' addresses, and the files that are called by them, numbered from 0."""
    if isinstance(value, list):
        return [_numbered(item, numbers) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    if "__id__" in value:
        numbers.setdefault(str(value["__id__"]), str(len(numbers)))
    if isinstance(value.get("file"), str) and "__loader__" in value:
        numbers.setdefault(value["file"].partition(".")[0], str(len(numbers)))
    for name, item in value.items():
        if name == "__id__":
            found[name] = int(numbers[str(item)])
        elif name == "file" and "__loader__" in value and isinstance(item, str):
            found[name] = _renamed(item, numbers)
        else:
            found[name] = _numbered(item, numbers)
    return found


def _renamed(name: str, numbers: dict[str, str]) -> str:
    stem, dot, rest = name.partition(".")
    return f"{numbers.get(stem, stem)}{dot}{rest}"


def _rewritten(content: bytes, change: Callable[[str, bytes], tuple[str, bytes]]) -> bytes:
    """Return a zip file with its members changed, in the order of their names, all of one date."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        methods = {info.filename: info.compress_type for info in archive.infolist() if not info.is_dir()}
        members = [(*change(name, archive.read(name)), method) for name, method in methods.items()]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data, method in sorted(members):
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()
