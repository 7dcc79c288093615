"""A saved model in a fresh process: what is saved where, and the request that loads it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from nncompare.execution.specs import MeasureSpec
from nncompare.testing.watching import preserved

__all__ = ["elsewhere", "reload_spec"]

RELOAD_TIMEOUT_S = 60.0


@contextlib.contextmanager
def elsewhere(folder: Path) -> Iterator[None]:
    """Make a new folder the current one and that for temporary files, and remove it with all that lies there."""
    folder.mkdir()
    try:
        with preserved(), mock.patch.object(tempfile, "tempdir", str(folder)):
            os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)))
            os.chdir(folder)
            yield
    finally:
        shutil.rmtree(folder)


def reload_spec(folder: Path, plugin: str) -> MeasureSpec:
    """Return the request to load ``folder / "model"`` and to predict what lies beside it."""
    return MeasureSpec(
        plugin=plugin,
        timeout_s=RELOAD_TIMEOUT_S,
        result=folder / "result.json",
        log=folder / "reload.log",
        model=folder / "model",
        X_test=next(folder.glob("X.*")),
        predictions=folder / "predictions.npz",
        timed=False,
    )
