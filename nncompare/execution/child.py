"""The life of one child: read a spec, do it, commit the answer to its result file, end."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys
import traceback

from nncompare.data.files import write_atomic
from nncompare.exceptions import StorageError
from nncompare.execution import tasks
from nncompare.execution.channel import UNSAVED, Channel
from nncompare.execution.failures import category, describe_error
from nncompare.execution.process import (
    adopt_orphans,
    be_deterministic,
    die_with_parent,
    end_descendants,
    isolate,
    limit_threads,
    seed_globals,
)
from nncompare.execution.specs import ANSWERS, Answer, FitSpec, Request, Spec
from nncompare.results import Failure


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
            if spec.deterministic:
                be_deterministic(spec.framework, spec.seed)
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
    channel.leave_if_copied()
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
    except BaseException as error:  # noqa: BLE001 - the border to plugin code, which may raise KeyboardInterrupt
        print_traceback()
        failure = Failure(category=category(error), message=describe_error(error))
        return ANSWERS[spec.task](status="failed", failure=failure)  # type: ignore[attr-defined]


if __name__ == "__main__":  # one fresh interpreter per request, where no fork server can be had
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--log", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    main(arguments.channel, arguments.log, arguments.parent)
