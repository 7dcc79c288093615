"""Files with a public home: where each one comes from, what it has to hold, and who listens to its download.

The environment variable ``NNCOMPARE_DATA_MIRROR`` (``https://host/path``) stands for all of an address before the
file name, for networks that reach no other server; digests are checked all the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from nncompare.exceptions import DataError

__all__ = ["RemoteFile", "Transfer", "TransferState", "listening", "tell"]

TransferState: TypeAlias = Literal["waiting", "receiving", "done", "failed"]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file with a public home.

    Parameters
    ----------
    name : str
        What it is called on disk.
    url : str
        ``https://...``
    n_bytes : int
        Its size; a longer body is not read to its end.
    digest : str
        ``sha256:...`` or ``md5:...``, in lower case.
    """

    name: str
    url: str
    n_bytes: int
    digest: str

    def address(self) -> str:
        """Return the URL to ask, which is the mirror's where there is one.

        Raises
        ------
        DataError
            ``NNCOMPARE_DATA_MIRROR`` is no address; its text is not repeated, it may hold a password.
        """
        mirror = os.environ.get("NNCOMPARE_DATA_MIRROR")
        if not mirror:
            return self.url
        if not mirror.startswith(("https://", "http://")):
            raise DataError(
                "NNCOMPARE_DATA_MIRROR does not begin with https:// or http://. Correct it, or unset it."
            )
        return f"{mirror.rstrip('/')}/{self.url.rpartition('/')[2]}"

    def source(self) -> str:
        """Return the host of the address, and its port where it names one, without user and password."""
        return urlsplit(self.address()).netloc.rpartition("@")[2]

    def new_digest(self) -> hashlib._Hash:
        """Return a digest of nothing so far."""
        return hashlib.new(self.digest.partition(":")[0], usedforsecurity=False)  # md5 is what some homes publish

    def is_at(self, path: Path) -> bool:
        """Tell whether a file is there, can be read, and has the right digest."""
        try:
            with path.open("rb") as stream:
                return self.agrees(hashlib.file_digest(stream, self.new_digest))
        except OSError:
            return False

    def agrees(self, digest: hashlib._Hash) -> bool:
        """Tell whether a digest is the one that is expected."""
        return digest.hexdigest() == self.digest.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Transfer:
    """How far a download is.

    Parameters
    ----------
    file : str
        Its name.
    source : str
        See :meth:`RemoteFile.source`.
    received_bytes, total_bytes : int
    state : {"waiting", "receiving", "done", "failed"}
        Waiting is for another process, which fetches the same file. Receiving begins with 0 bytes, once, also
        where a second try follows.
    """

    file: str
    source: str
    received_bytes: int
    total_bytes: int
    state: TransferState


Listener: TypeAlias = Callable[[Transfer], object]
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(on_progress: Listener) -> Iterator[None]:
    """Tell ``on_progress`` of the downloads of the block, of each at most five times a second."""
    token = _LISTENER.set(on_progress)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell(file: RemoteFile, received_bytes: int, state: TransferState) -> None:
    """Tell whoever listens, if anybody does."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(Transfer(file.name, file.source(), received_bytes, file.n_bytes, state))
