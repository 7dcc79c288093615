"""Commands that are imported when they are called: the help and most calls need one of them, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import NamedTuple

import click

__all__ = ["Commands", "Later"]


class Later(NamedTuple):
    """Where a command is, as ``module:name`` below this package, and what the help says of it in one line."""

    home: str
    short_help: str

    def load(self) -> click.Command:
        """Import the command."""
        module, _, name = self.home.partition(":")
        command = getattr(import_module(f"nncompare.cli.{module}"), name)
        assert isinstance(command, click.Command)  # noqa: S101 - a test loads all of them
        return command


class Commands(MutableMapping[str, click.Command]):
    """The commands of a group by name; each is imported when it is looked up.

    Parameters
    ----------
    later : mapping of name to Later
    """

    def __init__(self, later: Mapping[str, Later]) -> None:
        self._later = dict(later)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            self._loaded[name] = self._later[name].load()
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        self._later.pop(name, None)
        self._loaded.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._later or name in self._loaded

    def __iter__(self) -> Iterator[str]:
        return iter(self._later | self._loaded)

    def __len__(self) -> int:
        return len(self._later | self._loaded)

    def short_helps(self) -> dict[str, str]:
        """Return what the help says of each command, sorted by name, and import none for it."""
        later, loaded = self._later, self._loaded
        return {
            name: later[name].short_help if name in later else loaded[name].get_short_help_str()
            for name in sorted(self)
        }
