"""A data set plugin under test: what it loads, loaded twice and shared by the checks that look at it."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import numpy as np

from nncompare.data.files import cache_root
from nncompare.data.records import Array, Dataset, DatasetInfo
from nncompare.data.store import StoredDataset, store_dataset
from nncompare.exceptions import DataError, DataUnavailableError
from nncompare.execution.process import seed_globals
from nncompare.plugin import DatasetPlugin
from nncompare.testing.calling import plugin_errors
from nncompare.testing.fresh import RunFresh, call_fresh, is_importable, run_here
from nncompare.testing.outcomes import BuildsOn, CheckFailedError, SkippedCheck, Status, sentence
from nncompare.testing.watching import changes, preserved, state_of_process

__all__ = ["DatasetSubject"]

LOAD = "nncompare.testing.child:load"
SEED, OTHER_SEED = 1, 2
_ELSEWHERE = ("NNCOMPARE_DATA_DIR", "NNCOMPARE_DATA_MIRROR")


class DatasetSubject:
    """What the checks of a data set plugin receive.

    Parameters
    ----------
    cls : type of DatasetPlugin
    cache : Path, optional
        Where downloads are kept: that of all runs where none is given, so that nothing is fetched twice.
    run_fresh : callable, optional
        Runs a request in a fresh process; see :mod:`nncompare.testing.fresh`.
    """

    def __init__(
        self, cls: type[DatasetPlugin], cache: Path | None = None, run_fresh: RunFresh = run_here
    ) -> None:
        self.cls = cls
        self.run_fresh = run_fresh
        self._cache = cache
        self.statuses: dict[str, Status] = {}
        self.blamed: dict[str, str] = {}
        self._kept: dict[str, Any] = {}

    def __repr__(self) -> str:
        return self.cls.__name__

    @property
    def info(self) -> DatasetInfo:
        """The plugin's info."""
        if not isinstance(getattr(self.cls, "info", None), DatasetInfo):
            raise BuildsOn("check_info")
        return self.cls.info

    def plugin(self) -> DatasetPlugin:
        """Return a new object of the plugin's class; where there is none, a check of its own says so."""
        try:
            return self.construct()
        except CheckFailedError as error:
            raise BuildsOn("check_constructs_without_arguments") from error

    def construct(self) -> DatasetPlugin:
        """Return a new object of the plugin's class."""
        with plugin_errors(f"{self.cls.__name__}()", "A plugin is constructed without arguments"):
            return self.cls()

    def loaded(self) -> Dataset:
        """Return what ``load`` returned at its first call; where that is no Dataset, check_loads says so."""
        try:
            self._load_first()
        except (DataError, CheckFailedError) as error:
            raise BuildsOn("check_loads") from error
        found = self._kept["first"]
        if not isinstance(found, Dataset):
            raise BuildsOn("check_loads")
        return found

    def returned_dataset(self) -> bool:
        """Tell whether ``load`` returned a Dataset.

        Raises
        ------
        CheckFailedError
            ``load`` raised.
        """
        self._load_first()
        return isinstance(self._kept["first"], Dataset)

    def labels(self) -> dict[str, Array]:
        """Return the labels of each part that there is."""
        dataset = self.loaded()
        parts = {"y_train": dataset.y_train, "y_test": dataset.y_test}
        return {role: np.asarray(y) for role, y in parts.items() if y is not None}

    def changed(self) -> list[str]:
        """Return what the second call of ``load`` changed: imports may change the environment at the first."""
        self.stored_again()
        found: list[str] = self._kept["changed"]
        return found

    def stored_first(self) -> StoredDataset:
        """Store what was loaded first, and return it.

        Raises
        ------
        DataError
            The data cannot be used.
        CheckFailedError
            ``load`` raised.
        """
        self._load_first()
        return self._store("first")

    def stored(self) -> StoredDataset:
        """Return what was loaded first as it is stored; where that fails, check_loads says so."""
        self.loaded()
        try:
            return self._store("first")
        except DataError as error:
            raise BuildsOn("check_loads") from error

    def stored_again(self) -> StoredDataset:
        """Return what was loaded by a second object, from another random state, as it is stored."""
        self.stored()
        if "again" not in self._kept:
            with preserved():
                seed_globals(OTHER_SEED)
                before = state_of_process()
                self._kept["again"] = self._load(self._folder())
                self._kept["changed"] = changes(before, state_of_process())
        return self._store("again")

    def fingerprints_elsewhere(self, hash_seed: int | None = None) -> tuple[str, str] | None:
        """Return those of what a fresh process loads; None where that cannot find the class.

        Parameters
        ----------
        hash_seed : int, optional
            That of the order of its sets; by default that of all runs.

        Raises
        ------
        SkippedCheck
            The data cannot be had there.
        """
        self.stored()
        if not is_importable(self.cls):
            return None
        arguments = {"folder": str(self._folder())}
        found = call_fresh(self.run_fresh, LOAD, self.cls, arguments, hash_seed=hash_seed)
        if "unavailable" in found:
            raise SkippedCheck(f"In a fresh process: {found['unavailable']}")
        return found["fingerprint"], found["test_fingerprint"]

    def load_offline(self) -> Dataset:
        """Load into an empty folder while nothing but this machine can be reached."""
        with tempfile.TemporaryDirectory(prefix="nncompare-check-") as folder, preserved(), _offline():
            for name in _ELSEWHERE:
                os.environ.pop(name, None)
            return self.plugin().load(Path(folder))

    def _load_first(self) -> None:
        if "first" not in self._kept:
            with preserved():
                seed_globals(SEED)
                self._kept["first"] = self._load(self._folder())

    def _load(self, folder: Path) -> Dataset:
        plugin = self.plugin()
        try:
            with plugin_errors("load()", "It returns a nncompare.plugin.Dataset"):
                return plugin.load(folder)
        except CheckFailedError as error:
            if isinstance(error.__cause__, DataUnavailableError):
                raise SkippedCheck(sentence(f"The data cannot be had now: {error.__cause__}")) from error
            raise

    def _store(self, name: str) -> StoredDataset:
        key = f"stored {name}"
        if key not in self._kept:
            with tempfile.TemporaryDirectory(prefix="nncompare-check-") as folder:
                self._kept[key] = store_dataset(self.info, self._kept[name], Path(folder))
        found: StoredDataset = self._kept[key]
        return found

    def _folder(self) -> Path:
        folder = self._cache or cache_root() / "downloads" / self.info.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """Refuse every connection and every look-up of a name."""

    def refuse(*_arguments: Any, **_options: Any) -> NoReturn:
        raise OSError(101, "Network is unreachable")

    with (
        mock.patch.object(socket.socket, "connect", refuse),
        mock.patch.object(socket, "getaddrinfo", refuse),
        mock.patch.object(socket, "create_connection", refuse),
    ):
        yield
