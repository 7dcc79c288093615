"""Runs checks in this process, one after the other, and says what became of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from nncompare.execution.failures import describe_error
from nncompare.plugin import DatasetPlugin, ModelPlugin
from nncompare.testing.catalog import Check, Subject, checks_of, expected_failures, select
from nncompare.testing.dataset_subject import DatasetSubject
from nncompare.testing.outcomes import (
    BuildsOn,
    CheckFailedError,
    CheckResult,
    ProcessLostError,
    SkippedCheck,
    sentence,
)
from nncompare.testing.subject import ModelSubject

__all__ = ["check_dataset", "check_plugin", "foundations", "judge", "run_check", "subject_of"]

OnFail: TypeAlias = Literal["raise", "return"]
Plugin: TypeAlias = ModelPlugin | DatasetPlugin | type[ModelPlugin] | type[DatasetPlugin]


def check_plugin(
    plugin: Plugin,
    *,
    checks: Sequence[str] = (),
    on_fail: OnFail = "raise",
    on_result: Callable[[CheckResult], None] | None = None,
) -> list[CheckResult]:
    """Check that a plugin keeps the contract; the plugin's code runs in this process.

    Saved models and data sets are loaded in a fresh process, and a training is compared with one there. A hang
    or a crash of the plugin is one of this process, too: the command ``nncompare check-plugin`` gives each plugin
    processes of its own.

    Parameters
    ----------
    plugin : ModelPlugin or DatasetPlugin, or a class of either
        Of an object, the class is checked: plugins are constructed without arguments.
    checks : sequence of str, default all
        Names, as in ``check_trains``.
    on_fail : {"raise", "return"}, default "raise"
        Whether the end of all checks is an exception if one of them failed.
    on_result : callable, optional
        Receives each result as soon as it is there.

    Returns
    -------
    list of CheckResult
        In the order of the documentation.

    Raises
    ------
    CheckFailedError
        A check failed and ``on_fail`` is "raise"; the message has a line for each.
    UsageError
        ``plugin`` is no plugin, or there is no check of a name.

    Examples
    --------
    >>> from nncompare_plugins.mlp import MLP
    >>> [result.status for result in check_plugin(MLP, checks=["check_tags", "check_trains"])]
    ['passed', 'passed']
    """
    return _run_all(subject_of(_class_of(plugin)), checks, on_fail, on_result)


def check_dataset(
    dataset: DatasetPlugin | type[DatasetPlugin],
    *,
    cache: Path | None = None,
    checks: Sequence[str] = (),
    on_fail: OnFail = "raise",
    on_result: Callable[[CheckResult], None] | None = None,
) -> list[CheckResult]:
    """Check that a data set plugin keeps the contract; its code runs in this process, see :func:`check_plugin`.

    To compare what is loaded with what others load, the data set is loaded in a process or two that this one
    starts, too.

    Parameters
    ----------
    dataset : DatasetPlugin, or a class of it
    cache : Path, optional
        The folder for downloads; by default that of all runs, so that nothing is fetched twice.
    checks, on_fail, on_result
        As for :func:`check_plugin`.
    """
    return _run_all(DatasetSubject(_class_of(dataset), cache), checks, on_fail, on_result)


def subject_of(cls: type[Any]) -> Subject:
    """Return what the checks of this class receive.

    Raises
    ------
    UsageError
        It is neither a model nor a data set plugin.
    """
    checks_of(cls)
    return ModelSubject(cls) if issubclass(cls, ModelPlugin) else DatasetSubject(cls)


def run_check(check: Check, subject: Subject) -> CheckResult:
    """Run one check and return what became of it; never raises for what the plugin does."""
    result = CheckResult(name=check.__name__, status="passed")
    start = time.perf_counter()
    try:
        check(subject)
    except SkippedCheck as skip:
        result = replace(result, status="skipped", message=str(skip))
        if isinstance(skip, BuildsOn):
            result = replace(result, builds_on=skip.check)
            subject.blamed.setdefault(skip.check, result.name)
    except CheckFailedError as error:
        result = replace(result, status="failed", message=str(error))
    except ProcessLostError as error:
        result = replace(result, status="error", message=str(error), category=error.category)
    except Exception as error:  # noqa: BLE001 - what a plugin raises where nobody expected it costs this check
        message = sentence(f"The check could not be carried out: {describe_error(error)}")
        result = replace(result, status="error", message=message, category="plugin")
    result = _consistent(replace(result, seconds=time.perf_counter() - start), subject)
    subject.statuses[result.name] = result.status
    return judge(result, expected_failures(subject.cls))


def _consistent(result: CheckResult, subject: Subject) -> CheckResult:
    """Return the result, or the error that a check was skipped for another one which passes: that hides faults."""
    skipped, passed = result.name, result.builds_on
    if result.status == "passed" and result.name in subject.blamed:
        skipped, passed = subject.blamed[result.name], result.name
    elif passed is None or subject.statuses.get(passed) != "passed":
        return result
    message = (
        f"{skipped} was skipped because {passed} failed, and that passes, so neither says anything. Report it to "
        "nncompare, together with the plugin."
    )
    return replace(result, status="error", message=message, category="internal", builds_on=None)


def judge(result: CheckResult, expected: Mapping[str, str]) -> CheckResult:
    """Return the result in the light of what was expected to fail; what passes in spite of that, fails."""
    if result.name not in expected:
        return result
    reason = str(expected[result.name])
    if result.status == "failed":
        return replace(result, status="expected_failure", message=reason)
    if result.status == "passed":
        message = (
            f"It passes, and expected_failures says that it cannot: {sentence(reason)} Take it out of "
            "expected_failures."
        )
        return replace(result, status="failed", message=message)
    return result


def foundations(results: Iterable[CheckResult]) -> list[str]:
    """Return the checks which others were skipped for that are not among these: what failed has to be shown."""
    found = {result.name: result.builds_on for result in results}
    return [name for name in dict.fromkeys(found.values()) if name is not None and name not in found]


def _class_of(plugin: object) -> type[Any]:
    return plugin if isinstance(plugin, type) else type(plugin)


def _run_all(
    subject: Subject,
    names: Iterable[str],
    on_fail: OnFail,
    on_result: Callable[[CheckResult], None] | None,
) -> list[CheckResult]:
    results: list[CheckResult] = []
    wanted = [check.__name__ for check in select(names, checks_of(subject.cls))]
    while wanted:
        for check in select(wanted, checks_of(subject.cls)):
            results.append(run_check(check, subject))
            if on_result is not None:
                on_result(results[-1])
        wanted = foundations(results)
    failed = [result for result in results if not result.ok]
    if failed and on_fail == "raise":
        lines = "\n".join(f"{result.name}: {result.message}" for result in failed)
        raise CheckFailedError(f"'{subject}' fails {len(failed)} of {len(results)} checks.\n{lines}")
    return results
