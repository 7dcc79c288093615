"""Asks a plugin what it is, in a fresh interpreter with a time limit, and remembers the answer.

The answer is kept in the user's cache by distribution, version, entry point and the digest of the plugin's
file, so that a plugin is asked again when it was changed or upgraded.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from nncompare.data.files import cache_root, file_digest, write_atomic
from nncompare.exceptions import StorageError
from nncompare.registry import PluginRef
from nncompare.selection import OWN
from nncompare.settings import default_jobs

TIMEOUT_S = 60.0
"""A machine that is busy takes its time to import a framework; ``list --check`` asks for 20 s."""
POLL_S = 0.1
TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a plugin says of itself, or why it cannot be used.

    ``tags`` holds the fields of ``ModelTags`` or ``DatasetInfo``; ``seconds`` is what the probe took.
    """

    ok: bool
    reason: str = ""
    tags: dict[str, Any] = field(default_factory=dict)
    file: str = ""
    digest: str = ""
    seconds: float = 0.0


def probe_plugins(
    refs: Iterable[PluginRef], timeout_s: float = TIMEOUT_S, *, fresh: bool = False
) -> list[ProbeResult]:
    """Return what :func:`probe_plugin` says of each, several asked at a time, in the order of ``refs``.

    An exception in the caller's thread, as Ctrl-C raises it, ends all interpreters at once.
    """
    stop = threading.Event()
    refs = list(refs)
    # Those of others first: one that hangs takes all of its time, and meanwhile the rest is asked beside it.
    in_turn = sorted(dict.fromkeys(refs), key=lambda ref: ref.distribution == OWN)
    probe = functools.partial(probe_plugin, timeout_s=timeout_s, fresh=fresh, stop=stop)
    with ThreadPoolExecutor(max_workers=default_jobs()) as pool:
        try:
            found = dict(zip(in_turn, pool.map(probe, in_turn), strict=True))
        except BaseException:
            stop.set()
            raise
    return [found[ref] for ref in refs]


def probe_plugin(
    ref: PluginRef, timeout_s: float = TIMEOUT_S, *, fresh: bool = False, stop: threading.Event | None = None
) -> ProbeResult:
    """Return what ``ref`` declares, from the cache where its file has not changed.

    Parameters
    ----------
    ref : PluginRef
    timeout_s : float
        The interpreter is killed after this many seconds.
    fresh : bool
        Ask again whatever the cache says.
    stop : threading.Event or None
        The interpreter is killed when it is set; nothing is remembered then.

    Returns
    -------
    ProbeResult
        Never raises for what the plugin does: ``ok`` is False and ``reason`` says why.
    """
    kept = None if fresh else last_probe(ref)
    if kept is not None and kept.ok:
        return kept
    stop = stop or threading.Event()
    result = _ask(ref, timeout_s, stop)
    if stop.is_set():
        return result
    try:
        _cache_file(ref).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(_cache_file(ref), json.dumps(asdict(result)))
    except (OSError, StorageError):
        return result  # a cache that cannot be written costs time, not truth
    return result


def last_probe(ref: PluginRef) -> ProbeResult | None:
    """Return the last answer of ``ref`` if its file is still the same; imports nothing of the plugin."""
    try:
        result = ProbeResult(**json.loads(_cache_file(ref).read_text(encoding="utf-8")))
        if result.file and file_digest(Path(result.file)) != result.digest:
            return None
    except (OSError, ValueError, TypeError):
        return None
    else:
        return result


def _cache_file(ref: PluginRef) -> Path:
    from importlib.metadata import version

    identity = [ref.group, ref.name, ref.value, ref.distribution, ref.version, version("nncompare"), sys.prefix]
    key = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:24]
    return cache_root() / "probes" / f"{key}.json"


def _ask(ref: PluginRef, timeout_s: float, stop: threading.Event) -> ProbeResult:
    """Run the probe's interpreter; kill it with all its descendants when it is over."""
    from nncompare.execution.launch import MODULE, child_environment  # here: a list reads only what was kept

    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nncompare-probe-") as folder:
        answer = Path(folder, "answer.json")
        command = [*MODULE, "nncompare.execution.probe_child", ref.group, ref.value, str(answer), str(os.getpid())]
        with _Tail() as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors.write_fd,
                env=child_environment(),
                start_new_session=True,
            )
            reason = _wait(process, errors, timeout_s, stop)
        seconds = time.monotonic() - start
        if answer.exists():
            return ProbeResult(**json.loads(answer.read_text(encoding="utf-8")), seconds=seconds)
    return ProbeResult(ok=False, reason=reason, seconds=seconds)


def _wait(process: subprocess.Popen[bytes], errors: _Tail, timeout_s: float, stop: threading.Event) -> str:
    """Wait for the interpreter, end what is left of it; say how it ended."""
    from nncompare.execution.process import kill_tree  # see _ask

    errors.close_write()
    deadline = time.monotonic() + timeout_s
    try:
        while (code := process.poll()) is None and time.monotonic() < deadline and not stop.is_set():
            if not errors.take(POLL_S):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_S)
    finally:
        if process.poll() is None:
            kill_tree(process.pid)
            process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if code is None:
        return "it was interrupted" if stop.is_set() else f"its import did not end within {timeout_s:g} s"
    errors.take(0)
    last = errors.last_line()
    return f"its import ended the interpreter with {_name_end(code)}{': ' + last if last else ''}"


class _Tail:
    """The end of what an interpreter prints, whatever it prints; waits for no other writer."""

    def __init__(self) -> None:
        read_fd, self.write_fd = os.pipe()
        self._pipe = open(read_fd, "rb", buffering=0)  # noqa: PTH123, SIM115 - a descriptor; closed on exit
        self._bytes = b""
        self._write_open = self._read_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_write()
        self._pipe.close()

    def close_write(self) -> None:
        """Close this process's writing end, once the interpreter has its own."""
        if self._write_open:
            self._write_open = False
            os.close(self.write_fd)

    def take(self, seconds: float) -> bool:
        """Read what comes within ``seconds``, at most one pipe's content; False when every writer is gone."""
        if not self._read_open:
            return False
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            if selector.select(seconds):
                data = self._pipe.read(1 << 20)
                self._read_open = bool(data)
                self._bytes = (self._bytes + data)[-TAIL_BYTES:]
        return self._read_open

    def last_line(self) -> str:
        """Return the last line in at most 200 characters."""
        return "".join(self._bytes.decode(errors="replace").strip().splitlines()[-1:])[:200]


def _name_end(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name if -code in set(signal.Signals) else -code}"
