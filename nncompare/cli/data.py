"""``nncompare data``: which data sets there are, what is known of each, and how to have them before a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import repeat
from typing import TYPE_CHECKING, Any

import click

from nncompare.cli.completion import complete_datasets
from nncompare.cli.fetch import fetch_data
from nncompare.cli.group import common_options, only_plugins_option
from nncompare.cli.streams import say, say_what_is_left_out, terminal_width
from nncompare.columns import fitting, left_out, one_line

if TYPE_CHECKING:
    from nncompare.data.records import DatasetInfo
    from nncompare.data.store import StoredDataset
    from nncompare.inventory import KnownDataset

_DROPPED = (6, 4, 1, 5, 3, 2)
_RIGHT = {"TRAIN", "TEST", "CLASSES", "SIZE"}
_HEADER = ("NAME", "VIEW", "TRAIN", "TEST", "CLASSES", "SIZE", "LICENCE", "STATE")
_LICENCE_LENGTH = 24
_NAME_LENGTH = 40
_TEXT_LENGTH = 400
_MOST_CLASSES = 20
_STATES = {"stored": "stored in the cache", "not fetched": "not fetched yet"}
_FIFTH = "20 %"

_HELP = """List data sets, look at one, fetch them before a run.

\b
Examples:
  nncompare data list              what there is, and what is here already
  nncompare data info mnist1d      shape, classes, licence, fingerprint
  nncompare data fetch --all       download now, run without a network later
"""

_LIST_HELP = """List data sets: their size, their licence, and whether they are here already.

\b
Example:
  nncompare data list
"""

_INFO_HELP = """Show all that is known of the data set NAME.

\b
Example:
  nncompare data info mnist1d
"""


@click.group("data", short_help="List, inspect and fetch data sets.", help=_HELP)
@common_options
def data_commands() -> None:
    """Hold the commands about data sets."""


data_commands.add_command(fetch_data)


@data_commands.command("list", short_help="List data sets and where they are.", help=_LIST_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@only_plugins_option()
@common_options
def list_data(as_json: bool) -> None:
    """Ask, scan, print."""
    from nncompare.inventory import list_datasets

    known = list_datasets()
    if as_json:
        _print_json({"datasets": [_fields(dataset) for dataset in known]})
        return
    say("\n".join(table_lines(known, terminal_width())))
    cells = [_cells(dataset) for dataset in known]
    say_what_is_left_out(left_out(cells, _HEADER, width=terminal_width(), drop=_DROPPED))


@data_commands.command("info", short_help="Show all that is known of one.", help=_INFO_HELP)
@click.argument("name", shell_complete=complete_datasets)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@only_plugins_option()
@common_options
def show_data(name: str, as_json: bool) -> None:
    """Find, describe, print."""
    from nncompare.inventory import describe_dataset

    known = describe_dataset(name)
    if as_json:
        _print_json(_fields(known))
        return
    lines = (f"{label}: {text}" for label, text in _facts(known) if text)
    say("\n".join(map(one_line, [f"{known.name}, from {_owner(known)}", *lines])))


def _fields(known: KnownDataset) -> dict[str, Any]:
    """Return what ``--json`` prints of one data set."""
    keys = ("name", "distribution", "version", "value", "file", "state", "reason")
    stored = known.stored and {**asdict(known.stored), "size_bytes": known.size_bytes}
    return {key: getattr(known, key) for key in keys} | {
        "info": known.info and asdict(known.info),
        "stored": stored,
    }


def _print_json(found: dict[str, Any]) -> None:
    import json

    say(json.dumps(found, indent=1, default=str, allow_nan=False))


def table_lines(known: Sequence[KnownDataset], width: int | None = None) -> list[str]:
    """Return a header and one line for each data set.

    Parameters
    ----------
    known : sequence of KnownDataset
    width : int, optional
        Columns of the terminal: what does not fit is left out, the licences first.
    """
    cells = [_cells(dataset) for dataset in known]
    right = [position for position, title in enumerate(_HEADER) if title in _RIGHT]
    return fitting(cells, _HEADER, right, width=width, drop=_DROPPED)


def _cells(known: KnownDataset) -> tuple[str, ...]:
    """Return the columns of one data set; those of one that cannot be used are empty up to the reason."""
    from nncompare.report.formats import shorten

    if known.info is None:
        return known.name, "", "", "", "", "", "", f"{known.state}: {known.reason}"
    return (
        known.name,
        known.info.view,
        f"{known.n_train:,}",
        _FIFTH if known.n_test is None else f"{known.n_test:,}",
        str(len(known.info.class_names)),
        _download(known.info),
        shorten(known.info.licence, _LICENCE_LENGTH),
        _STATES.get(known.state, known.state),
    )


def _download(info: DatasetInfo) -> str:
    from nncompare.report.formats import size

    return size(info.download_bytes) if info.download_bytes else "built in"


def _owner(known: KnownDataset) -> str:
    return f"{known.distribution} {known.version}".strip() + f" ({known.value})"


def _to_type(known: KnownDataset) -> str:
    """Return what names the data set on the command line; a class that is not installed has no name there."""
    from nncompare.registry import LOCAL

    return known.value if known.distribution == LOCAL else known.name


def _facts(known: KnownDataset) -> Iterator[tuple[str, str]]:
    """Yield what is known, as label and text; an empty text is not shown."""
    from nncompare.report.formats import shorten, size

    info = known.info
    if info is None:
        return
    yield "file", known.file
    yield "description", shorten(info.description, _TEXT_LENGTH)
    yield "view", info.view
    yield "classes", f"{len(info.class_names)} ({_some(info.class_names)})"
    yield "rows", _rows(known)
    yield "licence", shorten(info.licence, _TEXT_LENGTH)
    yield "citation", shorten(info.citation, _TEXT_LENGTH)
    yield "homepage", shorten(info.homepage, _TEXT_LENGTH)
    yield "download", size(info.download_bytes) if info.download_bytes else "none"
    yield "state", _STATES.get(known.state, known.state)
    if known.stored is not None:
        yield from _stored_facts(known.stored, known.size_bytes)
    else:
        yield "fingerprint", f"known once it is stored: nncompare data fetch {_to_type(known)}"


def _stored_facts(stored: StoredDataset, size_bytes: int | None) -> Iterator[tuple[str, str]]:
    from nncompare.report.formats import plural, size

    shape = stored.sample_shape
    yield "samples", f"{'of any length' if shape is None else ' x '.join(map(str, shape))}, {stored.dtype}"
    yield "last stored", f"{stored.folder} ({size(size_bytes)})"
    yield "fingerprint", stored.fingerprint
    yield "fingerprint of the test labels", stored.test_fingerprint
    yield "duplicates", f"{plural(stored.duplicates, 'row')} of the test part also in the training part"
    yield "test part by class", _some(stored.class_names, [f" {n:,}" for n in stored.test_support])


def _rows(known: KnownDataset) -> str:
    if known.n_test is None:
        return f"{known.n_train:,}, of which a stratified {_FIFTH} becomes the test part"
    return f"{known.n_train:,} for training and validation, {known.n_test:,} for the test"


def _some(names: Sequence[str], ends: Iterable[str] = repeat("")) -> str:
    """Join names, each with its end; only the first ones where there are many, and no long one whole."""
    from nncompare.report.formats import shorten

    more = len(names) - _MOST_CLASSES
    shown = [shorten(name, _NAME_LENGTH) + end for name, end in zip(names[:_MOST_CLASSES], ends, strict=False)]
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
