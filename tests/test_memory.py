"""The memory promises: what the coordinator holds of the real IMDB, and that trials leave nothing behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .children import FAULTS, fault

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


GROWTH = Path(__file__).with_name("growth.py")
MOST_MB = 20.0


@pytest.mark.slow
def test_memory_of_coordinator_and_servers_is_after_100_trials_what_it_was_after_5(tmp_path):
    """An Optuna loop in one process over a tiny Keras model grew by 128 MB in 30 trials."""
    lines = [f"{i % 7},{i % 5}.5,{'ab'[i % 2]}" for i in range(60)]
    (tmp_path / "table.csv").write_text("\n".join(["x,y,kind", *lines]) + "\n")
    arguments = [fault("NeverReports"), str(tmp_path / "table.csv"), "100", "kind"]
    done = subprocess.run(
        [sys.executable, str(GROWTH), *arguments], capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr
    growth = json.loads(done.stdout)
    assert set(growth) == {"coordinator", "server 0", "server 1"}
    assert max(growth.values()) <= MOST_MB, growth
