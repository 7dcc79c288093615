"""Digests of what is declared of a data set beside its arrays, which keep equal arrays apart in the cache."""

from __future__ import annotations

import hashlib

from pydantic import TypeAdapter

from nncompare.data.fingerprint import fingerprint
from nncompare.data.records import Column, DatasetInfo, SeriesColumns, SplitBy

__all__ = ["info_digest", "split_digest"]

FORMAT = 4
"""Part of every folder's name: raise it when the files, their order or the manifest's fields change."""

_COLUMNS: TypeAdapter[tuple[Column, ...]] = TypeAdapter(tuple[Column, ...])
_SERIES: TypeAdapter[SeriesColumns] = TypeAdapter(SeriesColumns)
_INFO: TypeAdapter[DatasetInfo] = TypeAdapter(DatasetInfo)


def info_digest(
    info: DatasetInfo, words: bytes, columns: tuple[Column, ...], split: str, series: SeriesColumns | None
) -> str:
    """Keep equal arrays under another name, with other class names, texts, words or columns apart, and formats."""
    of_series = b"" if series is None else _SERIES.dump_json(series)
    named = (FORMAT, _INFO.dump_json(info), words, _COLUMNS.dump_json(columns), split.encode(), of_series)
    return hashlib.sha256(b"%d|%b|%b|%b%b%b" % named).hexdigest()


def split_digest(by: SplitBy | None) -> str:
    """Return what keeps equal parts with other keys apart; empty where there are none."""
    if by is None:
        return ""
    keys = {"keys": by.keys} | ({"keys_test": by.keys_test} if by.keys_test is not None else {})
    return f"{by.kind}|{by.column}|{fingerprint(**keys)}"
