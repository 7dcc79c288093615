"""Plain text tables, which read the same on a terminal, in a log and in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_GAP = "  "
_LAST = 20


def columns(rows: Iterable[Sequence[str]], header: Sequence[str], right: Iterable[int] = ()) -> list[str]:
    """Align cells under a header.

    Parameters
    ----------
    rows : iterable of sequence of str
        As many cells as ``header``; the last column may be of any length and is never padded.
    header : sequence of str
    right : iterable of int
        Positions of the columns that are aligned to the right.

    Returns
    -------
    list of str
        The header and one line per row, without trailing spaces.
    """
    table = [list(header), *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    to_right = set(right)
    return [
        _GAP.join(
            cell.rjust(width) if position in to_right else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def fitting(
    rows: Sequence[Sequence[str]],
    header: Sequence[str],
    right: Iterable[int] = (),
    *,
    width: int | None,
    drop: Sequence[int],
) -> list[str]:
    """Align cells under a header, without as many columns as it takes to fit into a terminal.

    Parameters
    ----------
    rows, header, right
        As for :func:`columns`.
    width : int or None
        Columns of the terminal; None where there is none, and then nothing is left out.
    drop : sequence of int
        Positions that may be left out, the first one first. What is still too long, the terminal wraps, as it
        does a sentence in the last column: for that alone nothing is left out.
    """
    kept = _kept(rows, header, width, drop)
    to_right = [n for n, place in enumerate(kept) if place in set(right)]
    return columns([[row[n] for n in kept] for row in rows], [header[n] for n in kept], to_right)


def left_out(
    rows: Sequence[Sequence[str]], header: Sequence[str], *, width: int | None, drop: Sequence[int]
) -> list[str]:
    """Return the titles of the columns that :func:`fitting` leaves out."""
    kept = _kept(rows, header, width, drop)
    return [title for position, title in enumerate(header) if position not in kept]


def _kept(
    rows: Sequence[Sequence[str]], header: Sequence[str], width: int | None, drop: Sequence[int]
) -> list[int]:
    """Return the positions of the columns that fit."""
    kept = list(range(len(header)))
    for position in (None, *drop):
        if position is not None:
            kept.remove(position)
        cells, titles = [[row[n] for n in kept] for row in rows], [header[n] for n in kept]
        cut = columns([[*row[:-1], row[-1][:_LAST]] for row in cells], titles)
        if width is None or max(map(len, cut)) <= width:
            break
    return kept


def one_line(text: str) -> str:
    """Return ``text`` without line breaks and with visible control characters."""
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Return ``text`` with an escape for each control character, which could rewrite a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
