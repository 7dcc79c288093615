"""A session of requests whose limit for a connection holds over all addresses of a host, not for each of them.

It counts every byte that comes, also of headers, so that limits hold for what never becomes part of a body.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from requests import HTTPError, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, LocationValueError
from urllib3.util.connection import allowed_gai_family, create_connection

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["UNUSABLE", "OnBytes", "explain", "open_session", "printable"]

OnBytes: TypeAlias = Callable[[int], object]

ADDRESS_S = 2.0
"""How long to wait for one address while others are left: a network may drop IPv6, and only that."""

CAUSE_CHARACTERS = 300
UNUSABLE = "the address of the file, a redirect or a proxy cannot be used"


def open_session(on_bytes: OnBytes) -> Session:
    """Return a session that gives all addresses of a host together the time-out of a connection.

    Looking the addresses up is the system's business and has the limits of its resolver. A proxy is asked as
    requests asks it, each of its addresses with the full time-out; what a SOCKS proxy sends is not counted. The
    body of a redirect is not read.

    Parameters
    ----------
    on_bytes : callable
        Is told how many bytes each read brought. What it raises ends the request, unless it is an OSError or an
        HTTPException, which urllib3 would take for the network's.
    """
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(on_bytes))
    return session


class _Counted(RawIOBase):
    """What a socket reads, each time told to ``on_bytes``."""

    def __init__(self, on_bytes: OnBytes, raw: RawIOBase) -> None:
        self._on_bytes, self._raw = on_bytes, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        n_bytes = self._raw.readinto(buffer)
        if n_bytes:  # the end is no slow byte
            self._on_bytes(n_bytes)
        return n_bytes

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, on_bytes: OnBytes, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fp = BufferedReader(_Counted(on_bytes, self.fp.detach()))


class _Bounded(HTTPConnection):
    def __init__(self, on_bytes: OnBytes, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.response_class = partial(_Response, on_bytes)  # type: ignore[assignment]  # it is only called

    def _new_conn(self) -> socket.socket:
        """Return a connection to the first address that answers in time."""
        if self.proxy is not None:
            return super()._new_conn()
        limit = float(self.timeout or 0.0)
        deadline = monotonic() + limit
        fault: OSError = OSError("the host has no address")
        addresses = _addresses(self.host, self.port)
        for n_left, address in zip(reversed(range(len(addresses))), addresses, strict=True):
            left = deadline - monotonic()
            if left <= 0:
                break
            timeout = min(left, ADDRESS_S) if n_left else left
            try:
                found = create_connection((address, self.port), timeout, self.source_address, self.socket_options)
            except OSError as error:
                fault = error
            else:
                found.settimeout(limit)  # of the handshake that follows
                return found
        if isinstance(fault, TimeoutError):
            raise ConnectTimeoutError(self, f"no address of {self.host} answered within {limit:g} s") from fault
        raise fault


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host.strip("[]"), port, allowed_gai_family(), socket.SOCK_STREAM)
    return [str(address[0]) for *_kind, address in found]


class _BoundedTLS(_Bounded, HTTPSConnection):
    pass


BOUNDED: dict[object, type[_Bounded]] = {HTTPConnection: _Bounded, HTTPSConnection: _BoundedTLS}


class _Adapter(HTTPAdapter):
    def __init__(self, on_bytes: OnBytes) -> None:
        super().__init__()
        self._on_bytes = on_bytes

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """Return a pool of connections of ours, also to a proxy, but a SOCKS proxy's."""
        pool = super().get_connection_with_tls_context(*arguments, **options)
        bounded = BOUNDED.get(pool.ConnectionCls)
        if bounded is not None:
            pool.ConnectionCls = partial(bounded, self._on_bytes)  # type: ignore[assignment]
        return pool

    def send(self, *arguments: Any, **options: Any) -> Response:
        """Answer a redirect without its body, which requests would read however long it is."""
        response = super().send(*arguments, **options)
        if response.is_redirect:
            response._content = b""
            response.close()
        return response


def explain(error: Exception) -> str:
    """Return the innermost cause, as ``Type: message``: what is around it repeats addresses and object names."""
    if isinstance(error, HTTPError) and error.response is not None:
        return f"HTTPError: {error.response.status_code} {printable(str(error.response.reason))}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InvalidURL | InvalidSchema | MissingSchema | LocationValueError):
            return f"{type(cause).__name__}: {UNUSABLE}"  # their texts repeat it and its password
        cause, innermost = cause.__cause__ or cause.__context__, cause
    return f"{type(innermost).__name__}: {printable(str(innermost), CAUSE_CHARACTERS)}"


def printable(text: str, most: int = 100) -> str:
    """Return the beginning of what a server may have written, without what moves the cursor of a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text[:most])
