"""CSV files of the user: checked as they lie on disk, so that a fault names its line, then read by pandas."""

from __future__ import annotations

import codecs
import csv
from array import array
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from nncompare.data.codec import known_codec
from nncompare.data.decimal_commas import has_decimal_commas
from nncompare.data.source import Source, listed
from nncompare.exceptions import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MISSING", "NO_CLASS", "CsvTable", "read_csv"]

DELIMITERS = ",;\t|"
LONGEST_LINE = 1_000_000
LONGEST_FIELD = 10_000_000
SNIFFED_LINES = 50
CHUNK_BYTES = 1 << 20
MISSING = frozenset(
    ("", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN")
) | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
"""Cells that hold no value: empty ones, ``?``, and what ``pandas.read_csv`` takes for such."""
_BESIDE_COMMAS = ";\t"
NO_CLASS = frozenset(("", "?"))
"""Cells of the column of classes that hold none: ``NA`` and ``None`` may be the names of classes."""
_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A file as text, without any opinion on what its columns mean.

    Parameters
    ----------
    names : list of str
        The header, stripped; may hold empty and equal names.
    texts : DataFrame
        Columns 0, 1, ... of str, as they stand in the file.
    source : Source
    delimiter : str
        What stands between the columns.
    """

    names: list[str]
    texts: pd.DataFrame
    source: Source
    delimiter: str = ","

    def frame(self) -> pd.DataFrame:
        """Return the table with missing values in place of the texts that stand for such, and decimal points."""
        frame = self.texts.mask(self.texts.isin(MISSING))
        for k in self.decimal_commas():
            frame[k] = frame[k].str.replace(",", ".", regex=False)
        return frame

    def decimal_commas(self) -> list[int]:
        """Return the columns that hold nothing but numbers once a decimal comma is read.

        Only where semicolons or tabs separate the columns, as Excel writes them in much of Europe.
        """
        if self.delimiter not in _BESIDE_COMMAS:
            return []
        return [k for k in range(self.texts.shape[1]) if has_decimal_commas(self.texts[k], MISSING)]

    def column(self, k: int, missing: Collection[str] = MISSING) -> pd.Series[Any]:
        """Return one column, with missing values in place of these texts."""
        texts = self.texts.iloc[:, k]
        return texts.mask(texts.isin(missing))

    def values(self, k: int) -> pd.Series[Any]:
        """Return one column as it stands."""
        return self.texts.iloc[:, k]

    def strings(self, k: int) -> list[str]:
        """Return one column as texts to copy."""
        return list(self.texts.iloc[:, k].astype(str))

    def has_index(self) -> bool:
        """Tell whether the first column holds the row labels that ``DataFrame.to_csv()`` writes.

        It has no name, and whole numbers, of which none occurs twice.
        """
        if self.names[0]:
            return False
        texts = self.texts.iloc[:, 0]
        return bool(texts.str.fullmatch(r"-?\d+").all() and texts.is_unique)


def read_csv(path: Path, encoding: str | None = None, *, is_new: bool = False, is_named: bool = True) -> CsvTable:
    """Check a file and read it as text.

    Parameters
    ----------
    path : Path
        The delimiter is found out: comma, semicolon, tab or bar.
    encoding : str, optional
        UTF-8 where it is not given, with or without a byte order mark.
    is_new : bool, default False
        It holds new samples for a trained model, so that one column may be enough.
    is_named : bool, default True
        New samples are looked up by the names of their columns, which may be numbers; otherwise a header of
        numbers is one that is missing, unless they count the columns.

    Raises
    ------
    DataError
        The file is empty, is not in this encoding, holds NUL characters, very long lines, quotation marks that do
        not close, rows of different widths, no header, or nothing but a header.
    UsageError
        No encoding of files has this name.
    """
    source = Source(f"'{path.name}'")
    encoding = known_codec(encoding or "utf-8-sig")
    try:
        _check_bytes(path, encoding, source)
        delimiter = _sniff(path, encoding, source)
        first, names, lines = _check_rows(path, encoding, delimiter, source)
        _check_header(names, first, source, is_new, is_named)
        if not lines:
            raise source.fault("it holds a header and no rows", "Add rows below the header")
        texts = _read(path, encoding, delimiter, len(names), source)
        if len(texts) != len(lines):
            raise source.fault(f"{len(lines):,} rows are read as {len(texts):,}", "Check its quotation marks")
        return CsvTable(names, texts, Source(source.name, lines), delimiter)
    except UnicodeError as error:  # of codecs that do not say where
        what, remedy = f"it is not {encoding} ({error})", "Name the encoding in which it was saved"
        raise source.fault(what, f"{remedy}, such as --encoding utf-8") from error
    except OSError as error:
        raise source.fault(f"{type(error).__name__}: {error.strerror}", "Check that you may read it") from error


def _check_bytes(path: Path, encoding: str, source: Source) -> None:
    """Decode the whole file in pieces; say at which byte that fails."""
    with path.open("rb") as stream:
        head = stream.read(len(codecs.BOM_UTF8))
        if not head:
            raise source.fault("the file is empty", "Give a header line with names, and rows")
        guess = _BOMS.get(head[:2], "latin-1")
        offset = len(head) if encoding == "utf-8-sig" and head == codecs.BOM_UTF8 else 0
        decoder = codecs.getincrementaldecoder("utf-8" if encoding == "utf-8-sig" else encoding)()
        stream.seek(offset)
        before = 1
        while True:
            chunk = stream.read(CHUNK_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                where = offset - pending + error.start
                byte = error.object[error.start]
                raise source.fault(
                    f"byte {byte:#04x} at offset {where:,} is not {encoding.removesuffix('-sig')}",
                    f"Name the encoding in which it was saved, such as --encoding {guess}",
                ) from error
            if "\0" in text:
                line = before + text[: text.index("\0")].count("\n")
                raise source.fault(f"line {line} holds a NUL character", "Save it as text: a CSV file has none")
            if not chunk:
                return
            offset += len(chunk)
            before += text.count("\n")


@contextmanager
def _rows(path: Path, encoding: str, delimiter: str, source: Source) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """Open the file as an iterator over the rows that are not blank, with the lines in which they begin."""
    with path.open(encoding=encoding, newline="") as stream, ExitStack() as stack:
        stack.callback(csv.field_size_limit, csv.field_size_limit(LONGEST_FIELD))  # of the process: given back
        reader = csv.reader(_lines(stream, source), delimiter=delimiter, skipinitialspace=True, strict=True)

        def rows() -> Iterator[tuple[int, list[str]]]:
            while True:
                line = reader.line_num + 1
                try:
                    fields = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    raise source.fault(
                        f"the row that begins in line {line} cannot be read ({error})",
                        'Check its quotation marks: "..." around a field, "" for one inside',
                    ) from error
                if fields:
                    yield line, fields

        yield rows()


def _lines(stream: TextIO, source: Source) -> Iterator[str]:
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise source.fault(
                f"line {number} is longer than {LONGEST_LINE:,} characters",
                "Check that each row has a line of its own",
            )
        yield line


def _sniff(path: Path, encoding: str, source: Source) -> str:
    """Return the delimiter that gives most rows the width of the header, of several the one with most columns."""
    best, score = "", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            with _rows(path, encoding, delimiter, source) as rows:
                widths = [len(fields) for _, fields in islice(rows, SNIFFED_LINES)]
        except DataError:
            continue  # this delimiter splits a quoted field; where all do, the row is named below
        if widths and widths[0] > 1:
            found = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
            best, score = (delimiter, found) if found > score else (best, score)
    return best or DELIMITERS[0]


def _check_rows(path: Path, encoding: str, delimiter: str, source: Source) -> tuple[int, list[str], array[int]]:
    """Return the header with its line, and the line of each row, if all are as wide as the header."""
    lines = array("q")
    with _rows(path, encoding, delimiter, source) as rows:
        first, names = next(rows, (1, []))
        names = [name.strip() for name in names]
        if not names:
            raise source.fault("it holds blank lines only", "Give a header line with names, and rows")
        for line, fields in rows:
            if len(fields) != len(names):
                raise source.fault(
                    f"line {line} has {len(fields)} fields and the header has {len(names)}",
                    'Give each row as many, and put "..." around a field that holds the separator',
                )
            lines.append(line)
    return first, names, lines


def _check_header(names: list[str], line: int, source: Source, is_new: bool, is_named: bool) -> None:
    numbers = [name for name in names if _is_number(name)]
    fractions = [name for name in numbers if not name.lstrip("+-").isdigit()]
    are_counted = is_new and names == [str(k) for k in range(len(names))]
    if not ((is_new and is_named) or are_counted) and (
        len(numbers) == len(names) or 2 * len(fractions) > len(names)
    ):
        raise source.fault(
            f"line {line} holds numbers ({listed(names[:3])}) where the names of the columns are expected",
            "Add a first line with names",
        )
    if len(names) == 1 and not is_new:
        what = f"line {line} names one column only, '{names[0][:60]}'"
        raise source.fault(
            what, "Separate columns by comma, semicolon, tab or |: a target and a feature are needed"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read(path: Path, encoding: str, delimiter: str, n_columns: int, source: Source) -> pd.DataFrame:
    import pandas as pd  # trial children import this package and must start at once

    try:
        return pd.read_csv(
            path,
            sep=delimiter,
            encoding=encoding,
            header=0,
            names=list(range(n_columns)),
            index_col=False,
            dtype=str,
            na_filter=False,
            skipinitialspace=True,
            engine="c",
        )
    except ValueError as error:  # as pandas.errors.ParserError is
        raise source.fault(f"pandas cannot read it ({error})", "Check its quotation marks") from error
