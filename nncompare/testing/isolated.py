"""Runs the checks of a plugin in child processes: a crash or a hang costs the check in which it happens."""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nncompare.exceptions import PluginError, UsageError
from nncompare.execution.probe import probe_plugin
from nncompare.execution.process import kill_tree
from nncompare.execution.runner import LocalRunner, refuse
from nncompare.execution.specs import Answer, CallSpec, MeasureSpec, Request, Spec
from nncompare.registry import DATASETS, LOCAL, MODELS, PluginRef, discover, find, installed
from nncompare.results import Failure
from nncompare.selection import did_you_mean
from nncompare.testing.catalog import DATASET_CHECKS, MODEL_CHECKS, Check, building_on, select
from nncompare.testing.child import FUNCTION
from nncompare.testing.fresh import memory_share_mb
from nncompare.testing.outcomes import CheckResult, sentence

__all__ = ["CHECK_TIMEOUT_S", "PluginReport", "check_isolated", "find_plugin"]

CHECK_TIMEOUT_S = 120.0
IMPORT_TIMEOUT_S = 120.0
"""From the start of the fork server to the plan of the checks: on a busy machine a framework takes its time."""
FRESH_SHARE = 0.9
"""Of the time that a check has left, for what it does in a fresh process: that is to end before the check does."""
SHORTEST_S = 0.1


@dataclass(frozen=True, slots=True)
class PluginReport:
    """What became of all checks of one plugin."""

    ref: PluginRef
    kind: str
    results: list[CheckResult]

    @property
    def passed(self) -> bool:
        """Whether nothing failed but what was expected to."""
        return all(result.ok for result in self.results)


def find_plugin(name: str) -> PluginRef:
    """Return the model or data set plugin that a user named.

    Raises
    ------
    UsageError
        No plugin has this name, it is refused or switched off, or a model and a data set have it.
    """
    if ":" in name:
        return find(name, MODELS)
    source = installed()
    catalogs = {group: discover(group, source) for group in (MODELS, DATASETS)}
    groups = [group for group, catalog in catalogs.items() if name in catalog.plugins]
    if len(groups) == 1:
        return catalogs[groups[0]].plugins[name]
    if groups:
        model, dataset = (catalogs[group].plugins[name].value for group in groups)
        raise UsageError(f"'{name}' is a model and a data set. Name the class: '{model}' or '{dataset}'.")
    for group, catalog in catalogs.items():
        refused = [problem.name for problem in catalog.problems]
        if name in (*refused, *(ref.name for ref, _reason in catalog.disabled)):
            return find(name, group, catalog)  # which says why it is refused or switched off
    known = [*catalogs[MODELS].plugins, *catalogs[DATASETS].plugins]
    raise UsageError(f"No plugin is called '{name}'.{did_you_mean(name, known)} Installed: {', '.join(known)}.")


def check_isolated(
    ref: PluginRef,
    *,
    checks: Sequence[str] = (),
    timeout_s: float = CHECK_TIMEOUT_S,
    on_result: Callable[[CheckResult], None] | None = None,
) -> PluginReport:
    """Run checks of a plugin in processes of their own.

    Parameters
    ----------
    ref : PluginRef
    checks : sequence of str, default all
    timeout_s : float
        For each check; its process is killed then, and another one goes on with the next check.
    on_result : callable, optional
        Receives each result as soon as it is there.

    Raises
    ------
    PluginError
        The plugin cannot be imported, or is none.
    UsageError
        There is no check of a name.
    """
    installed_for = {MODELS: MODEL_CHECKS, DATASETS: DATASET_CHECKS} if ref.distribution != LOCAL else {}
    select(checks, installed_for.get(ref.group, MODEL_CHECKS + DATASET_CHECKS))
    probe = probe_plugin(ref) if ref.group == MODELS else None
    framework = probe.tags.get("framework") if probe is not None and probe.ok else None
    with tempfile.TemporaryDirectory(prefix="nncompare-check-") as folder, LocalRunner() as runner:
        session = _Session(ref, framework, runner, timeout_s, on_result)
        wanted = list(checks)
        for attempt in itertools.count():
            spec = CallSpec(
                plugin=ref.value,
                framework=framework,
                timeout_s=1e9,  # the session's clock is the shorter one
                memory_mb=memory_share_mb(),
                result=Path(folder, f"{attempt}.json"),
                log=Path(folder, f"{attempt}.log"),
                function=FUNCTION,
                arguments={"checks": wanted, "temporary": folder},
            )
            wanted = session.run(spec)
            if not wanted:
                break
    return PluginReport(ref, session.kind, session.results)


@dataclass
class _Session:
    """Children that check one plugin, one after the other."""

    ref: PluginRef
    framework: str | None
    runner: LocalRunner
    timeout_s: float
    on_result: Callable[[CheckResult], None] | None
    kind: str = ""
    results: list[CheckResult] = field(default_factory=list)
    _left: list[str] = field(default_factory=list)
    _planned: bool = False
    _clock: _Clock = field(init=False)

    def run(self, spec: CallSpec) -> list[str]:
        """Run one child to its end; return the checks that are left after one that ended it."""
        with _Clock(IMPORT_TIMEOUT_S, self.runner.kill) as self._clock:
            answer = self.runner.run(spec, self._answer)
        if answer.status == "complete":
            return []
        message = answer.failure.message if answer.failure else "no reason was given"
        if not self._planned:
            if self.kind:
                select(spec.arguments["checks"], self._checks())  # which says what the child could not choose
            late = f"its import did not end within {IMPORT_TIMEOUT_S:g} s"
            raise PluginError(
                f"The plugin '{self.ref.name}' of {self.ref.owner} cannot be checked: "
                f"{late if self._clock.expired else message.rstrip('.')}."
            )
        category = answer.failure.category if answer.failure else "internal"
        if self._clock.expired:
            category, message = (
                "timeout",
                f"It did not end within {self.timeout_s:g} s, and its process was killed.",
            )
        if self._left:
            seconds = self._clock.seconds
            result = CheckResult(
                name=self._left[0],
                status="error",
                message=sentence(message),
                seconds=seconds,
                category=category,
            )
            self._take(result)
            self._skip_what_builds_on(result.name)
        return list(self._left)

    def _checks(self) -> tuple[Check, ...]:
        return MODEL_CHECKS if self.kind == "model" else DATASET_CHECKS

    def _skip_what_builds_on(self, name: str) -> None:
        """Spare the checks that would crash or hang as this one did, each for as long."""
        message = f"It builds on {name}, which could not be carried out."
        for left in [check for check in self._left if check in building_on(name, self._checks())]:
            self._take(CheckResult(name=left, status="skipped", message=message, builds_on=name))

    def _answer(self, kind: str, message: dict[str, Any]) -> Any:
        clock = self._clock
        if kind == "kind":
            self.kind = message["plugin_kind"]
        elif kind == "plan":
            self._planned = True
            self._left = list(message["checks"])
        elif kind == "start":
            pid = message["pid"]
            clock.restart(lambda: kill_tree(pid), self.timeout_s)
        elif kind == "result":
            clock.restart(self.runner.kill, self.timeout_s)
            self._take(CheckResult(**message))
        elif kind == "fresh":
            return self._run_fresh(Request.model_validate(message).spec).model_dump(mode="json")
        else:
            return refuse(kind, message)
        return None

    def _run_fresh(self, spec: Spec) -> Answer:
        """Run a request in what is left of its check's time."""
        left = FRESH_SHARE * (self.timeout_s - self._clock.seconds)
        timeout_s = min(spec.timeout_s, max(left, SHORTEST_S))
        limits = {"timeout_s": timeout_s, "memory_mb": memory_share_mb()}
        answer = self.runner.run(spec.model_copy(update={"framework": self.framework, **limits}))
        if answer.failure is not None and answer.failure.category == "timeout":
            measured = isinstance(spec, MeasureSpec)
            what = "load() or predict_proba() of the saved model" if measured else "Its part of the check"
            message = (
                f"{what} did not end within the {timeout_s:.3g} s that it had there, and its process was killed."
            )
            return answer.model_copy(update={"failure": Failure(category="timeout", message=message)})
        return answer

    def _take(self, result: CheckResult) -> None:
        self._left.remove(result.name)
        self.results.append(result)
        if self.on_result is not None:
            self.on_result(result)


class _Clock:
    """Ends what takes too long.

    Parameters
    ----------
    timeout_s : float
    end : callable
        Called when the time is over, until :meth:`restart` names another one.
    """

    def __init__(self, timeout_s: float, end: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self.expired = False
        self.restart(end, timeout_s)

    def __enter__(self) -> _Clock:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()

    @property
    def seconds(self) -> float:
        """Since the last start."""
        return time.monotonic() - self._start

    def restart(self, end: Callable[[], None], timeout_s: float) -> None:
        """Begin to count anew."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._start = time.monotonic()
            self._timer = threading.Timer(timeout_s, self._expire, (end,))
            self._timer.daemon = True
            self._timer.start()

    def _expire(self, end: Callable[[], None]) -> None:
        with self._lock:
            if threading.current_thread() is not self._timer:
                return  # it was restarted at this very moment
            self.expired = True
        end()
