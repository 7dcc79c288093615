"""What a run directory keeps so that the run can go on: ``run.json``, and a lock that one process holds."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import filelock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nncompare.data.bundled import is_bundled
from nncompare.data.files import write_atomic
from nncompare.data.own import is_own_file
from nncompare.exceptions import BusyError, ResultsError, StorageError
from nncompare.layout import RESULTS, RUN_FILE
from nncompare.modulefile import file_of_module
from nncompare.plan import Plan
from nncompare.results import other_version
from nncompare.settings import RunConfig

__all__ = [
    "FOLDERS",
    "HOLDER",
    "LOCK",
    "RecordedData",
    "RunFile",
    "check_unchanged",
    "hold",
    "holder",
    "is_held",
    "make_folder",
    "new_prefix",
    "read_run_file",
    "state_digest",
]

LOCK = "run.lock"
HOLDER = "run.holder"
FOLDERS = ("trials", "models", "predictions")
BUSY_WAIT_S = 0.3


class RecordedData(BaseModel):
    """By what a data set of a run is known again."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    test_fingerprint: str
    split_fingerprint: str


class RunFile(BaseModel):
    """The content of ``run.json``.

    ``config`` holds the fields of :class:`~nncompare.settings.RunConfig`, paths absolute, and never a storage with
    a password: ``has_password`` tells that one has to be given again. ``study_prefix`` is what the names of the
    Optuna studies begin with. ``started_in`` is the folder where packages that are not installed were looked for.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    run_id: str
    created_at: str
    study_prefix: str = ""
    started_in: str = ""
    has_password: bool = False
    config: dict[str, Any]
    datasets: dict[str, RecordedData] = Field(default_factory=dict)
    plugins: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, *, storage: str | None, has_password: bool) -> RunFile:
        """Return what is kept of a plan; ``storage`` is the address without its password."""
        config = asdict(plan.config) | {"out": str(plan.config.out.absolute()), "storage": storage}
        config["models"] = [_absolute(name) for name in plan.config.models]
        installed = {data.name for data in plan.datasets if not data.own}
        config["datasets"] = [name if name in installed else _absolute(name) for name in plan.config.datasets]
        return cls(
            run_id=plan.run_id,
            created_at=plan.created_at.isoformat(),
            study_prefix=plan.study_prefix,
            started_in=str(Path.cwd()),
            has_password=has_password,
            config=config,
            datasets={
                data.name: RecordedData(
                    fingerprint=data.stored.fingerprint,
                    test_fingerprint=data.stored.test_fingerprint,
                    split_fingerprint=data.split.fingerprint,
                )
                for data in plan.datasets
                if data.stored is not None and data.split is not None
            },
            plugins={study.model: study.ref.owner for study in plan.studies if study.ref is not None},
        )

    def run_config(self) -> RunConfig:
        """Return the settings of the run."""
        names = ("models", "datasets", "command")
        return RunConfig(**self.config | {name: tuple(self.config[name]) for name in names})


def read_run_file(folder: Path) -> RunFile:
    """Read ``run.json``.

    Raises
    ------
    ResultsError
        There is none, because an older version made the run, or it is damaged.
    """
    path = folder / RUN_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ResultsError(
            f"The run in '{folder}' cannot be resumed: it has no {RUN_FILE}, which older versions did not write."
        ) from error
    except OSError as error:
        raise ResultsError(f"'{path}' cannot be read: {type(error).__name__}: {error.strerror}.") from error
    try:
        run_file = RunFile.model_validate_json(content)
        run_file.run_config()
    except (KeyError, TypeError) as error:
        text = f"'{path}' is damaged, or of another version: config: {type(error).__name__}: {error}."
        raise ResultsError(f"{text} Without it the run cannot be resumed.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        if where == "schema_version":
            raise other_version(f"'{path}'", content.decode(errors="replace")) from error
        text = f"'{path}' is damaged: {where}: {first['msg']}. Without it the run cannot be resumed."
        raise ResultsError(text) from error
    return run_file


def write_run_file(run_file: RunFile, folder: Path) -> None:
    """Write ``run.json``, which a reader sees whole or not at all."""
    write_atomic(folder / RUN_FILE, run_file.model_dump_json(indent=1) + "\n")


def state_digest(folder: Path) -> str:
    """Return a digest of how far a run is, by what its files say."""
    digest = hashlib.sha256()
    for name in (RUN_FILE, RESULTS):
        with suppress(FileNotFoundError):
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def check_unchanged(plan: Plan) -> None:
    """Refuse to carry out the plan of a run that went on elsewhere since; the run directory has to be held.

    Raises
    ------
    BusyError
        Another process wrote to the run directory between plan and run.
    """
    if plan.earlier is not None and state_digest(plan.folder) != plan.earlier_digest:
        raise BusyError(
            f"Another process went on with the run in '{plan.folder}' while this one was being planned. Start the "
            "command again."
        )


def new_prefix(run_id: str) -> str:
    """Return what the study names of a run in a shared database begin with; no other run has it."""
    return f"{run_id}-{secrets.token_hex(4)}/"


def make_folder(folder: Path, shown: Path) -> None:
    """Make a run directory, which nobody else may have.

    Raises
    ------
    BusyError
        It is there already.
    StorageError
        It cannot be made.
    """
    try:
        folder.mkdir(parents=True)
        for name in FOLDERS:
            (folder / name).mkdir()
    except FileExistsError as error:
        raise BusyError(f"Another run has just made '{shown}'. Start this one again.") from error
    except OSError as error:
        cause = f"{type(error).__name__}: {error.strerror}"
        raise StorageError(
            f"Cannot make the run directory '{shown}'. {cause}. Choose another with --out."
        ) from error


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a run directory for a block, by a lock of the operating system: it is free when its holder ends.

    Raises
    ------
    BusyError
        Another process holds it; the message names that one.
    StorageError
        The lock cannot be made, on a folder that may not be written, for example.
    """
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=BUSY_WAIT_S)
    except filelock.Timeout as error:
        raise BusyError(f"The run in '{folder}' is held by {holder(folder)}. Wait for its end.") from error
    except OSError as error:
        raise StorageError(
            f"'{folder / LOCK}' cannot be locked: {type(error).__name__}: {error.strerror}. Make it a file "
            "that you may write, or remove it."
        ) from error
    try:
        with suppress(OSError):  # on a full disk: who holds it is then not known, but held it is
            (folder / HOLDER).write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER).unlink()
        lock.release()


def is_held(folder: Path) -> bool:
    """Tell whether a process holds a run directory now."""
    if not (folder / LOCK).is_file():
        return False
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    except OSError:
        return False  # of somebody else: it cannot be known
    lock.release()
    return False


def holder(folder: Path) -> str:
    """Say which process holds a run directory, as far as it told."""
    with suppress(OSError, UnicodeDecodeError):
        return (folder / HOLDER).read_text(encoding="utf-8")[:100] or "another process"
    return "another process"


def _absolute(name: str) -> str:
    """Return the name of a plugin or data set so that it is found from any folder; a package's stays as it was."""
    if is_bundled(name):
        return name
    where, colon, cls = name.rpartition(":")
    path = Path(where if colon else name).expanduser()
    if colon and where.endswith(".py"):
        return f"{path.absolute()}:{cls}"
    if colon:
        return f"{file_of_module(where.strip()) or where}:{cls}"
    is_own = not colon and (is_own_file(name) or path.is_dir())
    return str(path.absolute()) if is_own else name
