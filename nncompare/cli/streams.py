"""The three standard streams, as they are when a shell closed one of them or a disk behind one is full."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from nncompare.exceptions import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_missing_streams() -> frozenset[str]:
    """Open ``/dev/null`` for each of the descriptors 0 to 2 that is closed, and the streams that Python left out.

    Otherwise the next file that is opened takes the place of standard output, and what is printed damages it.

    Returns
    -------
    frozenset of str
        The names of the streams that were closed.
    """
    closed = set()
    for descriptor, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(descriptor)
        except OSError:
            closed.add(name)
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    return frozenset(closed)


def terminal_width() -> int | None:
    """Return the columns of the terminal that standard output is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say(text: str) -> None:
    """Print to standard output.

    Raises
    ------
    StorageError
        It cannot be written, because the disk behind it is full, for example.
    """
    with stdout_errors():
        click.echo(text)


def say_what_is_left_out(titles: Sequence[str]) -> None:
    """Tell on standard error which columns of a table had no room, and how to see them."""
    if titles:
        what = "1 column does" if len(titles) == 1 else f"{len(titles)} columns do"
        click.echo(f"{what} not fit here: {', '.join(titles)}. --json or a wider terminal shows all.", err=True)


@contextmanager
def stdout_errors() -> Iterator[None]:
    """Turn an error of writing to standard output into a StorageError; a reader that left is not one."""
    try:
        yield
    except BrokenPipeError:  # the reader has seen enough: what the command did, its exit code says
        _discard_stdout()
    except OSError as error:
        _discard_stdout()
        raise StorageError(
            f"Standard output cannot be written: {type(error).__name__}: {error}. Send it elsewhere."
        ) from error


def _discard_stdout() -> None:
    """Send to nowhere what the stream still holds: the interpreter writes it at its end, and would fail again."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)
