"""The life of one child: read a spec, do it, commit the answer to its result file, end."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import socket
import sys
import traceback
from pathlib import Path

from nncompare.data.files import write_atomic
from nncompare.exceptions import DataError, DivergedError, StorageError
from nncompare.execution import tasks
from nncompare.execution.channel import UNSAVED, Channel
from nncompare.execution.process import (
    adopt_orphans,
    die_with_parent,
    end_descendants,
    isolate,
    limit_threads,
    seed_globals,
)
from nncompare.execution.specs import ANSWERS, Answer, FitSpec, Request, Spec
from nncompare.results import Failure, FailureCategory


def main(channel_fd: int, log_fd: int, parent: int) -> None:
    """Run the request that waits on the channel, in a process that nothing else uses; never returns."""
    code = 1
    try:
        die_with_parent(parent)
        adopt_orphans()
        isolate(log_fd)
        channel = Channel(socket.socket(fileno=channel_fd))
        spec = Request.model_validate_json(channel.request()).spec
        limit_threads(spec.n_threads, spec.framework)
        if isinstance(spec, FitSpec):
            seed_globals(spec.seed)
        answer = attempt(spec, channel)
        commit(answer, spec, channel)
        code = 0
    except BaseException:  # noqa: BLE001 - the last border: whatever it is goes into the log
        print_traceback()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # a plugin may have closed or replaced it
                stream.flush()
        with contextlib.suppress(Exception):
            end_descendants()
        os._exit(code)  # no exit handlers of frameworks, no threads to wait for


def commit(answer: Answer, spec: Spec, channel: Channel) -> None:
    """Write the result file; where that fails, tell the coordinator, which has no file to learn it from."""
    try:
        write_atomic(spec.result, answer.model_dump_json())
    except StorageError as error:
        channel.ask(UNSAVED, reason=str(error))
        raise


def print_traceback() -> None:
    """Write the traceback into the log, unless the plugin has closed the standard error."""
    with contextlib.suppress(Exception):
        traceback.print_exc()


def attempt(spec: Spec, channel: Channel) -> Answer:
    """Perform ``spec``; whatever plugin code raises becomes a categorised answer."""
    try:
        return tasks.perform(spec, channel)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the border to plugin code
        print_traceback()
        failure = Failure(category=category(error), message=describe_error(error))
        return ANSWERS[spec.task](status="failed", failure=failure)  # type: ignore[attr-defined]


def category(error: BaseException) -> FailureCategory:
    """Name the kind of failure that ``error`` is."""
    if isinstance(error, DivergedError):
        return "diverged"
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "oom"
    if isinstance(error, DataError):
        return "data"
    no_room = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, StorageError) or no_room:
        return "disk"
    return "plugin"


def describe_error(error: BaseException) -> str:
    """Return ``Type: message (file:line)`` on one line, pointing at the deepest line of the plugin's own file."""
    text = " ".join(str(error).split()) or "no message"
    own = Path(__file__).parents[1]
    frames = traceback.extract_tb(error.__traceback__)
    outside = [frame for frame in frames if own not in Path(frame.filename).parents]
    plugin = [frame for frame in outside if frame.filename == outside[0].filename]
    where = f" ({Path(plugin[-1].filename).name}:{plugin[-1].lineno})" if plugin else ""
    return f"{type(error).__name__}: {text[:500]}{where}"


if __name__ == "__main__":  # one fresh interpreter per request, where no fork server can be had
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--log", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    main(arguments.channel, arguments.log, arguments.parent)
