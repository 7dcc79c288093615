"""Fixtures for all tests: no network, a cache of their own, and one warm runner for those that start children."""

import os
from pathlib import Path

import pytest

from nncompare.execution.runner import LocalRunner

GIVEN_DATA = os.environ.get("NNCOMPARE_DATA_DIR")


def pytest_collection_modifyitems(items):
    """Begin with the tests that may take longest, so that none of them is left to one process at the end."""
    items.sort(key=lambda item: -max((mark.args[0] for mark in item.iter_markers("timeout")), default=0))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep every test away from the user's caches, and from every network: downloads are refused at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        patch.setenv("NNCOMPARE_DATA_MIRROR", "http://127.0.0.1:9")
        patch.setenv("no_proxy", "127.0.0.1")
        patch.delenv("NNCOMPARE_DATA_DIR", raising=False)
        yield


@pytest.fixture
def data_dir(monkeypatch):
    """Put the real MNIST and IMDB where they are looked for, if the machine has them; return the folder."""
    if not GIVEN_DATA:
        pytest.skip("NNCOMPARE_DATA_DIR names no folder with the real data")
    monkeypatch.setenv("NNCOMPARE_DATA_DIR", str(Path(GIVEN_DATA).absolute()))
    return Path(GIVEN_DATA)


@pytest.fixture(scope="session")
def runner(own_cache):
    """Return a runner whose fork servers stay warm between tests; stop and kill another one.

    Those that import plugins of the tests are started at once, here: a test may have gone to another folder.
    """
    with LocalRunner() as runner:
        runner.warm((None, "sklearn"))
        yield runner
