"""Finds a file of a data set where it lies already, else fetches it once from its public home.

The environment variable ``NNCOMPARE_DATA_DIR`` names a folder of files that were brought by hand.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nncompare.data.files import replacing, storage_errors
from nncompare.data.remote import RemoteFile, Transfer, listening, tell
from nncompare.exceptions import DataError, DataUnavailableError, NNCompareError

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from requests import Response, Session

__all__ = ["RemoteFile", "Transfer", "discard_partial", "fetch", "find_file", "given_file", "listening"]

TIMEOUTS_S = (5.0, 30.0)
"""How long to wait for a connection, over all addresses of a host, and for the next bytes."""

SLOWEST_BYTES_PER_S = 20_000.0
PATIENCE_S = 30.0
"""What comes more slowly than that on average is given up, from so many seconds after the first byte on."""

OVERHEAD_BYTES = 1 << 20
"""With twice the size of the file, what headers and the frames of chunks may take at most."""

N_TRIES = 2
PAUSE_S = 0.5
REPORT_EVERY_S = 0.2
RELEASE_S = 1.0
CHUNK_BYTES = 1 << 16
UNCHANGED = {"Accept-Encoding": "identity"}


def given_file(name: str) -> Path | None:
    """Return the file of that name in ``NNCOMPARE_DATA_DIR``, whatever it holds; None where there is none.

    Raises
    ------
    DataError
        The variable is set and names no folder.
    """
    chosen = os.environ.get("NNCOMPARE_DATA_DIR")
    if not chosen:
        return None
    folder = _expanded("NNCOMPARE_DATA_DIR", chosen).absolute()
    if not folder.is_dir():
        raise DataError(f"NNCOMPARE_DATA_DIR is '{chosen}', which is not a folder. Correct it, or unset it.")
    path = folder / name
    return path if path.is_file() else None


def _expanded(variable: str, chosen: str) -> Path:
    try:
        return Path(chosen).expanduser()
    except RuntimeError as error:
        cause = f"RuntimeError: {str(error).rstrip('.')}"
        raise DataError(f"{variable} ('{chosen}') names no folder. {cause}. Set it to a folder.") from error


def find_file(file: RemoteFile, folder: Path) -> Path | None:
    """Return where a file with the right digest lies already; None where that is nowhere.

    Parameters
    ----------
    file : RemoteFile
    folder : Path
        Of downloads. ``NNCOMPARE_DATA_DIR`` and Keras's own cache (``$KERAS_HOME/datasets``, else
        ``~/.keras/datasets``) are looked at before it.

    Raises
    ------
    DataError
        ``NNCOMPARE_DATA_DIR`` names no folder, or ``KERAS_HOME`` the home of nobody.
    """
    keras_home = _expanded("KERAS_HOME", os.environ.get("KERAS_HOME") or "~/.keras")
    places = [given_file(file.name), keras_home / "datasets" / file.name, folder / file.name]
    return next((path for path in places if path is not None and file.is_at(path)), None)


def fetch(file: RemoteFile, folder: Path) -> Path:
    """Return where a file lies, after downloading it into ``folder`` if it is nowhere yet.

    Processes that want the same file at once download it once: the others wait for the first. A file in
    ``folder`` with another digest is replaced. Nobody ever sees half a file under its name, and what a killed
    download left is removed by the next one.

    Parameters
    ----------
    file : RemoteFile
    folder : Path
        Is made where it is missing.

    Returns
    -------
    Path
        As :func:`find_file` finds it.

    Raises
    ------
    DataUnavailableError
        It cannot be had now: no network, a server that answers with an error, stops sending or sends less than
        20 kB/s, other content. It was tried twice, unless nobody answered or the network was too slow.
    DataError
        An environment variable cannot be right.
    StorageError
        ``folder`` cannot be written.
    """
    found = find_file(file, folder)
    if found is not None:
        return found
    file.address()  # says at once what is wrong with it
    path = folder / file.name
    try:
        with storage_errors(path, file.n_bytes):
            folder.mkdir(parents=True, exist_ok=True)
        with _alone(file, path):
            if not file.is_at(path):
                _download(file, path)
    except NNCompareError:
        tell(file, 0, "failed")
        raise
    tell(file, file.n_bytes, "done")
    return path


def discard_partial(folder: Path) -> None:
    """Remove what killed downloads left in ``folder``; what another process still receives stays.

    Parameters
    ----------
    folder : Path
        Of downloads; may be missing.
    """
    from filelock import FileLock, Timeout

    for partial in folder.glob(".*.part"):
        lock = FileLock(partial.with_suffix(".lock"))
        with suppress(Timeout, OSError), lock.acquire(timeout=RELEASE_S):  # a killed process holds it for a moment
            partial.unlink(missing_ok=True)


@contextmanager
def _alone(file: RemoteFile, path: Path) -> Iterator[None]:
    """Keep other processes out; the system frees the lock of one that is killed."""
    from filelock import FileLock

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    with storage_errors(path, file.n_bytes):
        _acquire(lock, file)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: BaseFileLock, file: RemoteFile) -> None:
    from filelock import Timeout

    try:
        lock.acquire(blocking=False)
    except Timeout:
        tell(file, 0, "waiting")
        lock.acquire()


class _LostError(Exception):
    """One try brought nothing; the text says why, as ``Type: message``."""


class _HopelessError(_LostError):
    """A second try would take long and bring nothing either."""


def _download(file: RemoteFile, path: Path) -> None:
    tell(file, 0, "receiving")
    for n_tries in range(1, N_TRIES + 1):
        try:
            _receive(file, path)
        except _LostError as error:
            if n_tries == N_TRIES or isinstance(error, _HopelessError):
                raise _unavailable(file, n_tries, error) from error
            time.sleep(PAUSE_S)
        else:
            return


def _receive(file: RemoteFile, path: Path) -> None:
    """Try once, into a temporary file of which there is one at a time: the caller holds the lock."""
    temporary = path.with_name(f".{path.name}.part")
    with closing(_chunks(file)) as chunks, storage_errors(path, file.n_bytes):
        temporary.unlink(missing_ok=True)  # it may be a link to another file, or a pipe
        with replacing(path, temporary) as stream:
            _copy(chunks, stream, file)


def _chunks(file: RemoteFile) -> Generator[bytes, None, None]:
    """Yield the body as it comes; whatever the network and its settings raise, also OSError, is a lost try."""
    from requests import ConnectTimeout
    from urllib3.exceptions import HTTPError

    from nncompare.data.connections import explain, open_session

    try:
        with open_session(_Pace(file.n_bytes)) as session, _ask(session, file) as response:
            response.raise_for_status()
            _check_encoding(response)
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
                yield chunk
    except ConnectTimeout as error:
        raise _HopelessError(explain(error)) from error
    except (OSError, HTTPError) as error:
        raise _LostError(explain(error)) from error


def _ask(session: Session, file: RemoteFile) -> Response:
    """Return the answer, its body unread; bare ValueErrors and TypeErrors are of a redirect's or a proxy's."""
    from urllib3.exceptions import HTTPError

    from nncompare.data.connections import UNUSABLE

    try:
        return session.get(file.address(), stream=True, timeout=TIMEOUTS_S, headers=UNCHANGED)
    except (OSError, HTTPError):  # some are ValueErrors too
        raise
    except (ValueError, TypeError) as error:
        raise _LostError(f"{type(error).__name__}: {UNUSABLE}") from error


def _check_encoding(response: Response) -> None:
    """Refuse what would have to be decoded: nobody asked for it, and it may hide how much comes."""
    from nncompare.data.connections import printable

    encoding = response.headers.get("Content-Encoding", "").strip()
    if encoding.lower() not in ("", "identity"):
        raise _LostError(f"WrongContent: the server sends it as '{printable(encoding)}'")


class _Pace:
    """Ends a try of which too little or far too much comes, be it body, header or frame."""

    def __init__(self, n_bytes: int) -> None:
        self._most = 2 * n_bytes + OVERHEAD_BYTES
        self._received = 0
        self._start: float | None = None

    def __call__(self, n_bytes: int) -> None:
        now = time.monotonic()
        if self._start is None:
            self._start = now
        self._received += n_bytes
        seconds = now - self._start
        came = f"{self._received:,} bytes came"
        if self._received > self._most:
            raise _LostError(f"WrongContent: {came}, which is far more than the file needs")
        if seconds > PATIENCE_S and self._received < seconds * SLOWEST_BYTES_PER_S:
            slowest = f"less than {SLOWEST_BYTES_PER_S:,.0f} bytes/s is given up"
            raise _HopelessError(f"TooSlow: {came} in {seconds:.0f} s, and {slowest}")


def _copy(chunks: Iterable[bytes], stream: BinaryIO, file: RemoteFile) -> None:
    """Write a body while it comes, and compare it with what is expected."""
    received, digest, next_report = 0, file.new_digest(), 0.0
    for chunk in chunks:
        received += len(chunk)
        if received > file.n_bytes:
            raise _LostError(f"WrongContent: the server sends more than the {file.n_bytes:,} bytes of the file")
        stream.write(chunk)
        digest.update(chunk)
        if time.monotonic() >= next_report:
            tell(file, received, "receiving")
            next_report = time.monotonic() + REPORT_EVERY_S
    if received < file.n_bytes:
        raise _LostError(f"WrongContent: the server sent {received:,} of {file.n_bytes:,} bytes")
    if not file.agrees(digest):
        raise _LostError(f"WrongContent: what came is {digest.name}:{digest.hexdigest()}, not {file.digest}")


def _unavailable(file: RemoteFile, n_tries: int, cause: Exception) -> DataUnavailableError:
    tries = "1 try" if n_tries == 1 else f"{n_tries} tries"
    return DataUnavailableError(
        f"'{file.name}' could not be fetched from {file.source()} in {tries}. {cause}. Run again with a "
        f"network, or download {file.url} yourself, put it into a folder as {file.name}, and set "
        "NNCOMPARE_DATA_DIR to that folder."
    )
