"""A session of requests whose limit for a connection holds over all addresses of a host, not for each of them."""

from __future__ import annotations

import socket
from time import monotonic
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError
from urllib3.util.connection import allowed_gai_family, create_connection

__all__ = ["open_session"]

ADDRESS_S = 2.0
"""How long to wait for one address while others are left: a network may drop IPv6, and only that."""


def open_session() -> Session:
    """Return a session that gives all addresses of a host together the time-out of a connection.

    Looking the addresses up is the system's business and has the limits of its resolver. A proxy is asked as
    requests asks it, each of its addresses with the full time-out.
    """
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    return session


class _Bounded(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        """Return a connection to the first address that answers in time."""
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


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _BoundedTLS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}
