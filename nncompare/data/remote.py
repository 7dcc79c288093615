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
        if not _is_address(mirror):
            raise DataError(
                "NNCOMPARE_DATA_MIRROR is no address of the form https://host/path. Correct it, or unset it; in a "
                "user name or password, write : / ? # [ ] @ as %3A %2F %3F %23 %5B %5D %40."
            )
        return f"{mirror.rstrip('/')}/{self.url.rpartition('/')[2]}"

    def source(self) -> str:
        """Return the host of the address, and its port where it names one, without user and password."""
        parts = urlsplit(self.address())
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        return host if parts.port is None else f"{host}:{parts.port}"

    def new_digest(self) -> hashlib._Hash:
        """Return a digest of nothing so far."""
        return hashlib.new(self.digest.partition(":")[0], usedforsecurity=False)  # md5 is what some homes publish

    def is_at(self, path: Path) -> bool:
        """Tell whether a regular file is there, can be read, and has the right digest."""
        try:
            if not path.is_file():  # a pipe or a device may never end
                return False
            with path.open("rb") as stream:
                return self.agrees(hashlib.file_digest(stream, self.new_digest))
        except OSError:
            return False

    def agrees(self, digest: hashlib._Hash) -> bool:
        """Tell whether a digest is the one that is expected."""
        return digest.hexdigest() == self.digest.partition(":")[2]


def _is_address(text: str) -> bool:
    """Tell whether ``text`` can stand before a path; an ``@`` behind the host means a password that was cut."""
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port  # the port is read for its ValueError
    except ValueError:
        return False
    return (
        parts.scheme in ("https", "http")
        and bool(host)
        and not (parts.query or parts.fragment or "@" in parts.path)
    )


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
    """Tell ``on_progress`` of the downloads of the block, of each at most five times a second.

    Threads that a plugin starts do not inherit it: what they download goes on unheard, unless they run in a copy
    of the context (:func:`contextvars.copy_context`).
    """
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
