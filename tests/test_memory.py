"""The memory promise on the real IMDB: what the coordinator holds while data are loaded and put into views."""

import subprocess
import sys

import pytest

from .children import FAULTS

READER = f"{FAULTS.with_name('readers.py')}:Timid"  # takes tokens, and is asked without TensorFlow
PLAN = f"""
from pathlib import Path
from nncompare.execution.process import peak_resident_mb
from nncompare.execution.runner import LocalRunner
from nncompare.planning import make_plan
from nncompare.settings import RunConfig

if __name__ == "__main__":
    with LocalRunner() as runner:
        plan = make_plan(RunConfig(models=("mlp", {READER!r}), datasets=("imdb",), out=Path("out")), runner)
    assert [(s.view, s.failure) for s in plan.studies] == [("tabular", None), ("tokens", None)]
    print(peak_resident_mb())
"""


@pytest.mark.slow
def test_memory_of_a_plan_on_imdb_stays_small(data_dir, tmp_path, monkeypatch):
    """25,000 reviews as a dense table of 10,000 words would be 1,000 MB, with their lists of numbers far more."""
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    done = subprocess.run(
        [sys.executable, "-c", PLAN], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=540
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 600
