"""The conformance kit: whether a plugin keeps the contract of :mod:`nncompare.plugin`.

Each property is a plain function ``check_<property>``. There are three doors to them: :func:`check_plugin` and
:func:`check_dataset` in a script, :func:`parametrize_with_checks` in a test, and ``nncompare check-plugin`` in a
shell, which runs them in processes of their own.
"""

from nncompare.testing.outcomes import CheckFailedError, CheckResult
from nncompare.testing.pytest_door import parametrize_with_checks
from nncompare.testing.running import check_dataset, check_plugin

__all__ = ["CheckFailedError", "CheckResult", "check_dataset", "check_plugin", "parametrize_with_checks"]
