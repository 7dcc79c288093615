"""The door for pytest: one test for each check of each plugin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nncompare.testing.catalog import checks_of, expected_failures
from nncompare.testing.outcomes import CheckFailedError
from nncompare.testing.running import Plugin, subject_of

if TYPE_CHECKING:
    import pytest

__all__ = ["parametrize_with_checks"]


def parametrize_with_checks(plugins: Iterable[Plugin]) -> pytest.MarkDecorator:
    """Return the decorator of a test that runs once for each check of each plugin.

    The checks of one plugin share its trainings; each test can also run alone. What ``expected_failures`` names is
    a strict ``xfail`` with its reason. A crash in a fresh process is none, and never excused.

    Parameters
    ----------
    plugins : iterable of ModelPlugin or DatasetPlugin, or of classes of them

    Returns
    -------
    pytest.MarkDecorator
        For a function with the arguments ``plugin`` and ``check``.

    Examples
    --------
    >>> from nncompare_plugins.mlp import MLP
    >>> @parametrize_with_checks([MLP])
    ... def test_mlp(plugin, check):
    ...     check(plugin)
    """
    import pytest

    cases = []
    for plugin in plugins:
        cls = plugin if isinstance(plugin, type) else type(plugin)
        subject, expected = subject_of(cls), expected_failures(cls)
        for check in checks_of(cls):
            reason = expected.get(check.__name__)
            marks = [pytest.mark.xfail(reason=reason, raises=CheckFailedError, strict=True)] if reason else []
            cases.append(pytest.param(subject, check, id=f"{cls.__name__}-{check.__name__}", marks=marks))
    return pytest.mark.parametrize(("plugin", "check"), cases)
