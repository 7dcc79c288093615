"""Asks a plugin what it is, in a fresh interpreter with a time limit, and remembers the answer.

The answer is kept in the user's cache by distribution, version, entry point and the digest of the plugin's
file, so that a plugin is asked again when it was changed or upgraded.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nncompare.data.files import cache_root, write_atomic
from nncompare.exceptions import StorageError
from nncompare.execution.launch import MODULE, child_environment
from nncompare.registry import PluginRef

TIMEOUT_S = 20.0


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


def probe_plugin(ref: PluginRef, timeout_s: float = TIMEOUT_S, *, fresh: bool = False) -> ProbeResult:
    """Return what ``ref`` declares, from the cache where its file has not changed.

    Parameters
    ----------
    ref : PluginRef
    timeout_s : float
        The interpreter is killed after this many seconds.
    fresh : bool
        Ask again whatever the cache says.

    Returns
    -------
    ProbeResult
        Never raises for what the plugin does: ``ok`` is False and ``reason`` says why.
    """
    kept = None if fresh else last_probe(ref)
    if kept is not None and kept.ok:
        return kept
    result = _ask(ref, timeout_s)
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
        if result.file and file_digest(result.file) != result.digest:
            return None
    except (OSError, ValueError, TypeError):
        return None
    else:
        return result


def file_digest(file: str) -> str:
    """Return the sha256 of a file's bytes."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _cache_file(ref: PluginRef) -> Path:
    from importlib.metadata import version

    identity = [ref.group, ref.name, ref.value, ref.distribution, ref.version, version("nncompare"), sys.prefix]
    key = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:24]
    return cache_root() / "probes" / f"{key}.json"


def _ask(ref: PluginRef, timeout_s: float) -> ProbeResult:
    """Run the probe's interpreter; kill its whole session when it is over."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nncompare-probe-") as folder:
        answer = Path(folder, "answer.json")
        process = subprocess.Popen(
            [*MODULE, "nncompare.execution.probe_child", ref.group, ref.value, str(answer), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=child_environment(),
            start_new_session=True,
        )
        reason = _wait(process, timeout_s)
        seconds = time.monotonic() - start
        if answer.exists():
            return ProbeResult(**json.loads(answer.read_text(encoding="utf-8")), seconds=seconds)
    return ProbeResult(ok=False, reason=reason, seconds=seconds)


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> str:
    """Wait for the interpreter, then kill what is left of its session; say how it ended."""
    try:
        _, errors = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        reason = f"its import did not end within {timeout_s:g} s"
        errors = b""
    else:
        code = process.returncode
        ended = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        reason = f"its import ended the interpreter with {ended}"
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
    last = errors.decode(errors="replace").strip().splitlines()[-1:]
    return f"{reason}{': ' + last[0][:200] if last else ''}"
