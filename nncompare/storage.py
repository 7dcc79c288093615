"""Where the studies of a run are kept: SQLite in the run directory, or any database that Optuna knows."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
from sqlalchemy import URL, make_url
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, SAWarning, SQLAlchemyError

from nncompare.exceptions import StorageError

__all__ = [
    "STORAGE_ERRORS",
    "absolute_address",
    "has_password",
    "open_storage",
    "open_study_file",
    "same_database",
    "without_password",
]

BUSY_TIMEOUT_S = 60
STORAGE_ERRORS = (SQLAlchemyError, optuna.exceptions.StorageInternalError)
_MOST_LETTERS = 300
_WITH_PASSWORD = re.compile(r"[\w+]+://[^:/]*:(?P<password>[^@]*)@(?P<rest>[^?]*)")  # as SQLAlchemy reads it
_OPTION = re.compile(r"\?\w+=")
_NOT_ACCEPTED = "Query string argument"


def open_study_file(path: Path) -> optuna.storages.RDBStorage:
    """Open the studies of a run: SQLite in WAL mode, so that readers and a crash do no harm.

    Raises
    ------
    StorageError
        The file cannot be made or read, or is no such database, or a damaged one.
    """
    optuna.logging.set_verbosity(logging.ERROR)
    arguments = {"connect_args": {"timeout": BUSY_TIMEOUT_S}}
    url = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"uri": "true"})  # "?" may be in a name
    try:
        storage = optuna.storages.RDBStorage(url.render_as_string(), engine_kwargs=arguments)
    except STORAGE_ERRORS as error:
        cause = str(getattr(error, "orig", None) or error).partition("\n")[0].rstrip(".")[:_MOST_LETTERS]
        text = f"'{path}' cannot be opened as a database of trials: {cause}."
        is_damaged = isinstance(error, DatabaseError) and not isinstance(error, OperationalError)
        if is_damaged:
            text += " Move it away, with its -wal and -shm, and resume: finished trials are put back from the run"
            text += " directory."
        raise StorageError(text) from error

    @sqlalchemy_event.listens_for(storage.engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    storage.engine.dispose()  # connections that were made before the listener
    return storage


def open_storage(url: str) -> optuna.storages.RDBStorage:
    """Open a database of the user's own.

    Parameters
    ----------
    url : str
        As SQLAlchemy writes it: ``postgresql+psycopg://user:password@host/database``.

    Raises
    ------
    StorageError
        It is no such address, its driver is not installed, the password is not escaped, or the database does not
        answer; the message never holds the password.
    """
    optuna.logging.set_verbosity(logging.ERROR)
    if _is_mistaken(url):
        raise StorageError(
            f"The storage '{without_password(url)}' cannot be opened: its password has characters that mean "
            "something in an address, so that a part would be taken for the host. Write them as their codes: "
            "%40 for @, %2F for /, %3A for :, %3F for ?, %23 for #."
        )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", _NOT_ACCEPTED, SAWarning)
            return optuna.storages.RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    except SAWarning:
        options = ", ".join(f"'{name}'" for name in make_url(url).query)
        text = f"The storage '{without_password(url)}' cannot be opened: its driver would ignore {options}."
        raise StorageError(f"{text} Leave it out; SQLite takes options only with 'uri=true' among them.") from None
    except Exception as error:  # noqa: BLE001 - whatever a driver raises: a wrong address, a missing module, a closed port
        cause = " ".join(f"{type(error).__name__}: {error}".split())[:_MOST_LETTERS]
        text = f"The storage '{without_password(url)}' cannot be opened. {_hide(cause, url)}"
    raise StorageError(f"{text.rstrip('.')}. Check --storage, and that the database runs.")


def without_password(url: str) -> str:
    """Return an address that may be shown: its password as ``***``, and nothing of one that cannot be read."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "(not an address)"
    if _is_mistaken(url):
        return f"{parsed.drivername}://***"
    shown = parsed.set(query=dict.fromkeys(parsed.query, "***")) if parsed.query else parsed
    return shown.render_as_string(hide_password=True)


def _is_mistaken(url: str) -> bool:
    """Tell whether parts of a password stand where SQLAlchemy takes them for something else."""
    found = _WITH_PASSWORD.match(url)
    return found is not None and ("@" in found["rest"] or _OPTION.search(found["password"]) is not None)


def has_password(url: str) -> bool:
    """Tell whether an address holds what nobody may see: a password, or options, which may hold one."""
    parsed = make_url(url)
    return parsed.password is not None or bool(parsed.query)


def absolute_address(url: str) -> str:
    """Return an address that means the same from any folder: the path of an SQLite file may be relative."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return url
    file = parsed.database
    if _is_mistaken(url):
        return url  # to be refused as it was written
    if parsed.get_backend_name() != "sqlite" or not file or file == ":memory:" or file.startswith("file:"):
        return url
    return parsed.set(database=str(Path(file).absolute())).render_as_string(hide_password=False)


def same_database(url: str, recorded: str) -> bool:
    """Tell whether an address names the database of another, whatever their passwords, options and drivers are."""
    try:
        one, other = (make_url(absolute_address(address)) for address in (url, recorded))
    except (ArgumentError, ValueError):
        return False
    return _place(one) == _place(other)


def _place(url: URL) -> tuple[str | int | None, ...]:
    return url.get_backend_name(), url.username, url.host, url.port, url.database


def _hide(text: str, url: str) -> str:
    """Take an address and the password in it out of a message."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return text.replace(url, "***")
    secrets = [url, parsed.password, quote(parsed.password or "", safe=""), *_values(parsed)]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


def _values(url: URL) -> list[str]:
    return [part for value in url.query.values() for part in ([value] if isinstance(value, str) else value)]
