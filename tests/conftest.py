"""Fixtures for all tests: a cache of their own, and one warm runner for those that start children."""

import pytest

from nncompare.execution.runner import LocalRunner


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep every test away from the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def runner(own_cache):
    """Return a runner whose fork servers stay warm between tests; stop and kill another one."""
    with LocalRunner() as runner:
        yield runner
