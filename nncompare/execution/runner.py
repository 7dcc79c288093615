"""The local runner: one blocking call per request, safe to use from several threads at once."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from pydantic import ValidationError

from nncompare.data.cache import using
from nncompare.data.files import cache_root
from nncompare.execution.launch import (
    CAN_FORK,
    Child,
    ForkServer,
    Launcher,
    ServerLostError,
    Spawner,
    StartError,
)
from nncompare.execution.specs import ANSWERS, Answer, CallSpec, Request, Spec
from nncompare.execution.supervisor import CappedLog, Handler, RefusedError, Supervisor
from nncompare.results import Failure

AnswerT = TypeVar("AnswerT", bound=Answer)
MAX_RESTARTS = 20


class Runner(Protocol):
    """Runs one request wherever it likes; a cluster could stand behind the same call."""

    def run(self, spec: Spec, handler: Handler) -> Answer:
        """Run ``spec`` to its end and return its answer; where its result file exists, return that."""
        ...


def refuse(kind: str, message: dict[str, Any]) -> Any:
    """Handle the messages of a child that should send none."""
    raise RefusedError(f"'{kind}' is not answered here: {message}")


class LocalRunner:
    """Runs requests in children of this machine.

    Use it as a context manager: leaving it ends all servers and children, and until then no other process empties
    the cache that they read and write. :meth:`stop` lets running children end within 10 s, :meth:`kill` ends them
    at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._launchers: dict[str, Launcher] = {}
        self._restarts = 0
        self._stop, self._kill = threading.Event(), threading.Event()
        self._cache = contextlib.ExitStack()
        self.fallbacks: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._cache.enter_context(using(cache_root()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill.set()
        with self._cache:
            for launcher in self._launchers.values():
                launcher.close()

    @property
    def stopping(self) -> bool:
        """Whether the run is being stopped."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Tell running children to end at their next report; kill them after 10 s."""
        self._stop.set()

    def kill(self) -> None:
        """End running children at once."""
        self._stop.set()
        self._kill.set()

    def warm(self, frameworks: Iterable[str | None]) -> None:
        """Start the fork servers of ``frameworks`` without waiting for their imports."""
        for framework in frameworks:
            with contextlib.suppress(StartError):  # then the first request tries again, and reports it
                self._launcher(framework or "none", wait=False)

    def run(self, spec: Spec, handler: Handler = refuse) -> Answer:
        """Run one request in a child and return its answer; never raises for what the child does."""
        kept = read_answer(spec)
        if kept is not None:
            return kept
        if self.stopping:
            failure = Failure(category="interrupted", message="The run was interrupted.")
            return ANSWERS[spec_task(spec)](status="failed", failure=failure)
        spec.result.parent.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        with ours:
            log = CappedLog(spec.log)
            try:
                with theirs:
                    child = self._launch(spec, theirs, log.write_fd)
                log.close_write()
                request = Request(spec=spec).model_dump_json().encode() + b"\n"
                supervisor = Supervisor(child, spec, ours, request, log, handler, self._stop, self._kill)
                code = supervisor.watch()
            except StartError as error:
                failure = Failure(category="internal", message=str(error))
                return ANSWERS[spec_task(spec)](status="failed", failure=failure)
            finally:
                log.close()
        return self._conclude(spec, code, supervisor.failure)

    def _conclude(self, spec: Spec, code: int, failure: Failure | None) -> Answer:
        """Return what the child committed, or why there is nothing."""
        answer = read_answer(spec)
        if answer is None or (failure is not None and answer.status != "complete"):
            spec.result.unlink(missing_ok=True)  # what was stopped is not committed
            return ANSWERS[spec_task(spec)](status="failed", failure=failure or explain_exit(code, spec.log))
        return answer

    def _launch(self, spec: Spec, channel: socket.socket, log_fd: int) -> Child:
        """Start a child; replace a fork server that was lost."""
        if isinstance(spec, CallSpec) and spec.hash_seed is not None:
            return Spawner(spec.hash_seed).launch(channel, log_fd)
        framework = spec.framework or "none"
        while True:
            launcher = self._launcher(framework, wait=True)
            try:
                return launcher.launch(channel, log_fd)
            except ServerLostError as error:
                self._replace(framework, launcher, str(error))

    def _replace(self, framework: str, lost: Launcher, reason: str) -> None:
        """Forget a lost server, unless another thread has done so already."""
        with self._lock:
            if self._launchers.get(framework) is not lost:
                return
            self._restarts += 1
            if self._restarts > MAX_RESTARTS:
                self._fall_back(framework, reason)
            else:
                self._launchers.pop(framework).close()

    def _launcher(self, framework: str, *, wait: bool) -> Launcher:
        with self._lock:
            if framework not in self._launchers:
                self._launchers[framework] = ForkServer(framework) if CAN_FORK else Spawner()
            launcher = self._launchers[framework]
        if wait and isinstance(launcher, ForkServer) and (reason := launcher.wait_ready()) is not None:
            with self._lock:
                if self._launchers.get(framework) is launcher:
                    self._fall_back(framework, reason)
                return self._launchers[framework]
        return launcher

    def _fall_back(self, framework: str, reason: str) -> None:
        """Use fresh interpreters for ``framework`` from now on; say why in ``fallbacks``."""
        self.fallbacks[framework] = reason
        self._launchers[framework].close()
        self._launchers[framework] = Spawner()


def spec_task(spec: Spec) -> str:
    """Return the discriminator of ``spec``."""
    return str(spec.model_dump(include={"task"})["task"])


def read_answer(spec: Spec) -> Answer | None:
    """Return the committed answer of ``spec``, if there is a whole one."""
    try:
        return ANSWERS[spec_task(spec)].model_validate_json(Path(spec.result).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def explain_exit(code: int, log: Path) -> Failure:
    """Say in one line what ended a child that left no answer."""
    if code == -signal.SIGKILL:
        message = "The process was killed (SIGKILL), perhaps by the system for want of memory."
        return Failure(category="killed", message=message)
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return Failure(category="plugin", message=f"The process crashed with {name}.{last_line(log)}")
    text = f"The process ended with exit code {code} and left no result.{last_line(log)}"
    return Failure(category="plugin", message=text)


def last_line(log: Path) -> str:
    """Return the last line of a log as a sentence to append, empty where there is none."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return f" Last line of its log: {lines[-1][:300]}" if lines else ""
