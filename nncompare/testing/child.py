"""What a child does for ``nncompare check-plugin``: check after check, each result told at once."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nncompare.execution.channel import Channel
from nncompare.execution.specs import ANSWERS, Answer, Request, Spec
from nncompare.registry import load_class
from nncompare.testing.calling import predict
from nncompare.testing.catalog import checks_of, select
from nncompare.testing.dataset_subject import DatasetSubject
from nncompare.testing.outcomes import BuildsOn, SkippedCheck
from nncompare.testing.running import run_check, subject_of
from nncompare.testing.subject import ModelSubject

__all__ = ["FUNCTION", "load", "run_checks", "train_other"]

FUNCTION = "nncompare.testing.child:run_checks"


def run_checks(plugin: str, arguments: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Run checks of one plugin, telling the coordinator of each start and each result.

    Parameters
    ----------
    plugin : str
        ``PluginRef.value``.
    arguments : dict
        ``checks``: names, all where there are none. ``temporary``, of each function here: the folder for
        temporary files, which are left behind where the process is killed.
    channel : Channel
        Takes "kind" and "plan" once, then "start" and "result" in turn; answers "fresh".
    """
    tempfile.tempdir = arguments["temporary"]
    cls = load_class(plugin)
    subject = subject_of(cls)
    channel.ask("kind", plugin_kind="model" if isinstance(subject, ModelSubject) else "data set")
    checks = select(arguments["checks"], checks_of(cls))
    subject.run_fresh = _Asking(channel)
    channel.ask("plan", checks=[check.__name__ for check in checks])
    for check in checks:
        channel.ask("start", name=check.__name__, pid=os.getpid())
        channel.ask("result", **asdict(run_check(check, subject)))
    return {}


def train_other(plugin: str, arguments: dict[str, Any], _channel: Channel) -> dict[str, Any]:
    """Train a model on other data than most checks do, and return its probabilities.

    Parameters
    ----------
    plugin : str
        ``PluginRef.value``.
    arguments : dict
        ``after_another``: whether to train one on the plain problem before.
    """
    tempfile.tempdir = arguments["temporary"]
    subject = ModelSubject(load_class(plugin))
    with _telling_the_cause():
        if arguments["after_another"]:
            subject.train_reference()
        trained, problem = subject.on_other_data()
    return {"probabilities": predict(trained, problem.valid.X).tolist()}


def load(plugin: str, arguments: dict[str, Any], _channel: Channel) -> dict[str, Any]:
    """Load a data set, and return the fingerprints of what it is, or why it is ``unavailable``.

    Parameters
    ----------
    plugin : str
        ``PluginRef.value``.
    arguments : dict
        ``folder``: that of its downloads.
    """
    tempfile.tempdir = arguments["temporary"]
    try:
        with _telling_the_cause():
            stored = DatasetSubject(load_class(plugin), Path(arguments["folder"])).stored_first()
    except SkippedCheck as skip:
        return {"unavailable": str(skip)}
    return {"fingerprint": stored.fingerprint, "test_fingerprint": stored.test_fingerprint}


@contextlib.contextmanager
def _telling_the_cause() -> Iterator[None]:
    """Let pass what a check builds on: here no other one tells of it."""
    try:
        yield
    except BuildsOn as skip:
        raise skip.__cause__ or skip from None


class _Asking:
    """Asks the coordinator to run a request: its fork server has a fresh process at hand."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def __call__(self, spec: Spec) -> Answer:
        request = Request.model_validate({"spec": spec.model_dump()})
        answer = self._channel.ask("fresh", **request.model_dump(mode="json"))
        return ANSWERS[request.spec.task].model_validate(answer)
