"""A configuration that takes down which of its values are read."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from nncompare.plugin import Params

__all__ = ["ReadParams"]


class ReadParams(dict[str, Any]):
    """A dict that takes down which names are read; going through it, or copying it, reads all of them.

    Parameters
    ----------
    params : dict
    read : set of str
        Receives the names.
    """

    def __init__(self, params: Params, read: set[str]) -> None:
        super().__init__(params)
        self._read = read

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value, or the default."""
        self._read.add(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        """Remove a value and return it."""
        self._read.add(name)
        return super().pop(name, *default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a value, set before where there is none."""
        self._read.add(name)
        return super().setdefault(name, default)

    def __contains__(self, name: object) -> bool:
        self._read.add(str(name))
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:  # what is here keeps ``{**params}`` from passing by all the others
        self._read.update(self.keys())
        return super().__iter__()

    def keys(self) -> Any:
        """Return the names."""
        found = super().keys()
        self._read.update(found)
        return found

    def items(self) -> Any:
        """Return names and values."""
        self.keys()
        return super().items()

    def values(self) -> Any:
        """Return the values."""
        self.keys()
        return super().values()

    def popitem(self) -> tuple[str, Any]:
        """Remove the last name and its value, and return both."""
        self.keys()
        return super().popitem()

    def copy(self) -> Params:
        """Return a plain dict."""
        return dict(self.items())

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.copy()

    def __eq__(self, other: object) -> bool:
        return self.copy() == other

    __hash__ = None

    def __copy__(self) -> Params:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Params:
        return copy.deepcopy(self.copy(), memo)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[Params]]:
        return dict, (self.copy(),)

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return self.__reduce__()
