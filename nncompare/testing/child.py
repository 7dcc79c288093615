"""What a child does for ``nncompare check-plugin``: check after check, each result told at once."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from nncompare.execution.channel import Channel
from nncompare.execution.specs import Answer, MeasureAnswer, MeasureSpec
from nncompare.registry import load_class
from nncompare.testing.catalog import checks_of, select
from nncompare.testing.running import run_check, subject_of
from nncompare.testing.subject import ModelSubject

__all__ = ["FUNCTION", "run_checks"]

FUNCTION = "nncompare.testing.child:run_checks"


def run_checks(plugin: str, arguments: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Run checks of one plugin, telling the coordinator of each start and each result.

    Parameters
    ----------
    plugin : str
        ``PluginRef.value``.
    arguments : dict
        ``checks``: names, all where there are none.
    channel : Channel
        Takes "kind" and "plan" once, then "start" and "result" in turn; answers "reload".
    """
    cls = load_class(plugin)
    subject = subject_of(cls)
    channel.ask("kind", plugin_kind="model" if isinstance(subject, ModelSubject) else "data set")
    checks = select(arguments["checks"], checks_of(cls))
    if isinstance(subject, ModelSubject):
        subject.reload = _Reloading(channel)
    channel.ask("plan", checks=[check.__name__ for check in checks])
    for check in checks:
        channel.ask("start", name=check.__name__, pid=os.getpid())
        channel.ask("result", **asdict(run_check(check, subject)))
    return {}


class _Reloading:
    """Asks the coordinator to load a saved model: its fork server has a fresh process at hand."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def __call__(self, spec: MeasureSpec) -> Answer:
        return MeasureAnswer.model_validate(self._channel.ask("reload", spec=spec.model_dump(mode="json")))
