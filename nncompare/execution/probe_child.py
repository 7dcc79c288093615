"""The probe's interpreter: import one plugin class, check what it declares, write it down.

The plugin is imported in a fork, so that somebody is left to end what it started, however it ends.
"""

from __future__ import annotations

import inspect
import json
import os
import resource
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from nncompare.data.files import file_digest, write_atomic
from nncompare.data.records import VIEWS, DatasetInfo
from nncompare.exceptions import PluginError
from nncompare.execution.failures import describe_error, message_of
from nncompare.execution.process import adopt_orphans, die_with_parent, end_descendants
from nncompare.plugin import API_VERSION, DatasetPlugin, ModelPlugin, ModelTags
from nncompare.registry import load_class


def main(group: str, value: str, answer: str) -> None:
    """Probe ``value`` and write the fields of a ``ProbeResult`` as JSON to ``answer``."""
    try:
        cls = load_class(value)
        file = inspect.getsourcefile(cls) or ""
        tags = model_tags(cls, value) if group == "nncompare.models" else dataset_info(cls, value)
        cls()
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is the answer
        reason = message_of(error) if isinstance(error, PluginError) else describe_error(error)
        result: dict[str, Any] = {"ok": False, "reason": reason}
    else:
        digest = file_digest(Path(file)) if file else ""
        result = {"ok": True, "tags": tags, "file": file, "digest": digest}
    write_atomic(Path(answer), json.dumps(result))


def model_tags(cls: object, value: str) -> dict[str, Any]:
    """Return a model plugin's tags; raise PluginError for what is wrong with them."""
    if not (isinstance(cls, type) and issubclass(cls, ModelPlugin)):
        raise PluginError(f"'{value}' is not a subclass of nncompare.plugin.ModelPlugin")
    missing = sorted(cls.__abstractmethods__)
    if missing:
        raise PluginError(f"'{value}' does not implement {', '.join(missing)}")
    tags = getattr(cls, "tags", None)
    if not isinstance(tags, ModelTags):
        raise PluginError(f"'{value}' has no class attribute 'tags' of type ModelTags")
    if tags.api_version != API_VERSION:
        raise PluginError(
            f"'{value}' was written for version {tags.api_version} of the plugin contract, "
            f"this nncompare has version {API_VERSION}"
        )
    if not isinstance(tags.accepts, tuple | list):
        remedy = f'write accepts=("{tags.accepts}",)' if tags.accepts in VIEWS else "a tuple of views is expected"
        raise PluginError(f"tags.accepts of '{value}' is {tags.accepts!r}; {remedy}")
    unknown = [view for view in tags.accepts if view not in VIEWS]
    if unknown or not tags.accepts:
        raise PluginError(f"tags.accepts of '{value}' is {tags.accepts!r}; choose from {', '.join(VIEWS)}")
    if tags.framework not in (None, "keras", "sklearn"):
        raise PluginError(f"tags.framework of '{value}' is {tags.framework!r}; choose 'keras', 'sklearn' or None")
    return asdict(tags)


def dataset_info(cls: object, value: str) -> dict[str, Any]:
    """Return a data set plugin's info; raise PluginError for what is wrong with it."""
    if not (isinstance(cls, type) and issubclass(cls, DatasetPlugin)):
        raise PluginError(f"'{value}' is not a subclass of nncompare.plugin.DatasetPlugin")
    missing = sorted(cls.__abstractmethods__)
    if missing:
        raise PluginError(f"'{value}' does not implement {', '.join(missing)}")
    info = getattr(cls, "info", None)
    if not isinstance(info, DatasetInfo):
        raise PluginError(f"'{value}' has no class attribute 'info' of type DatasetInfo")
    if info.view not in VIEWS:
        raise PluginError(f"info.view of '{value}' is {info.view!r}; choose from {', '.join(VIEWS)}")
    return asdict(info)


def guard(pid: int) -> NoReturn:
    """Wait for the fork, end all that it left behind, and end as it did."""
    _, status = os.waitpid(pid, 0)
    end_descendants()
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code in (signal.SIGINT, signal.SIGPIPE):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[4]))
    adopt_orphans()
    guardian = os.getpid()
    if (fork := os.fork()) != 0:
        guard(fork)
    die_with_parent(guardian)
    main(*sys.argv[1:4])
