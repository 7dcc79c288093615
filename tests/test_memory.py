"""The memory promises: what the coordinator holds of large data, and that trials leave nothing behind."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from .children import FAULTS, fault
from .run_processes import NNCOMPARE

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


GLANCE = f"{FAULTS.with_name('large.py')}:Glance"  # looks at 48 numbers of a sample
N_SEEN = 48
MB = 10**6
QUICK = ("--preset", "quick", "--trials", "1", "--epochs", "1", "--no-estimate", "--jobs", "1", "--quiet")


@pytest.fixture
def roomy(tmp_path, monkeypatch):
    """Return a function that gives a folder of so many free bytes; what lies in it goes when the test ends."""

    def folder(n_bytes):
        free = shutil.disk_usage(tmp_path).free
        if free < n_bytes:
            pytest.skip(f"{free / 1e9:.1f} GB are free for temporary files, and {n_bytes / 1e9:g} GB are needed")
        monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
        return tmp_path

    yield folder
    for path in tmp_path.iterdir():  # pytest itself keeps the folders of three sessions
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def write_pair(folder, n_rows, shape, dtype, part=""):
    """Write samples that differ in their first numbers alone, so that the disk holds little of them."""
    y = np.arange(n_rows) % 2
    X = np.lib.format.open_memmap(folder / f"X{part}.npy", "w+", dtype, (n_rows, *shape))
    first = (X[:, 0] if len(shape) == 3 else X).reshape(n_rows, -1)
    rng = np.random.default_rng(n_rows)
    for rows in np.array_split(np.arange(n_rows), max(1, n_rows // 10_000)):
        noise = rng.integers(0, 200, (len(rows), N_SEEN))
        first[rows[0] : rows[-1] + 1, :N_SEEN] = noise + 50 * y[rows, np.newaxis]
    np.save(folder / f"y{part}.npy", y)
    return X.nbytes


def peak_mb(folder):
    """Compare on the arrays of a folder; return the coordinator's peak in MB, with its pages of mapped files."""
    command = [*NNCOMPARE, "run", "-m", GLANCE, "-d", str(folder / "X.npy"), "--out", str(folder / "out"), *QUICK]
    with (folder / "output").open("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None:
            peak = max(peak, highest_kib(process.pid))
            time.sleep(0.05)
        output.seek(0)
        assert process.returncode == 0, output.read()
    (results,) = (folder / "out").glob("*/results.json")
    (study,) = json.loads(results.read_text())["studies"]
    assert study["test"]["accuracy"]["mean"] > 0.9
    return peak * 1024 / MB


def highest_kib(pid):
    """Return the largest resident memory that a process had so far, 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_4_gb_of_images_run_with_a_coordinator_under_1_gb(roomy):
    """350,000 images in colour: with the store, what refits read and the references 12 GB of disk."""
    folder = roomy(14 * 10**9)
    assert write_pair(folder, 350_000, (64, 64, 3), np.uint8) > 4 * 10**9
    write_pair(folder, 4_000, (64, 64, 3), np.uint8, "_test")
    assert peak_mb(folder) < 1_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_coordinator_needs_no_more_for_1_gb_of_rows_than_for_a_quarter(roomy):
    folder, peaks = roomy(4 * 10**9), []
    for n_rows in (15_000, 60_000):
        (folder / str(n_rows)).mkdir()
        write_pair(folder / str(n_rows), n_rows, (4_000,), np.float32)
        peaks.append(peak_mb(folder / str(n_rows)))
    assert peaks[1] - peaks[0] < 100, peaks


MAPPED = """
import sys
from pathlib import Path
import numpy as np
from nncompare.data.own import own_arrays
from nncompare.data.store import store_dataset
from nncompare.execution.process import peak_resident_mb

X = np.load(sys.argv[1], mmap_mode="r")
store_dataset(*own_arrays("own", X, np.arange(len(X)) % 2), Path(sys.argv[2]))
print(peak_resident_mb())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_memory_map_that_a_caller_hands_over_is_never_held_whole(roomy):
    """640 MB of float64 against 160: a copy of the training rows would be 384 MB more."""
    folder, peaks = roomy(2 * 10**9), []
    for n_rows in (5_000, 20_000):
        (folder / str(n_rows)).mkdir()
        write_pair(folder / str(n_rows), n_rows, (4_000,), np.float64)
        command = [sys.executable, "-c", MAPPED, str(folder / str(n_rows) / "X.npy"), str(folder / "cache")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        peaks.append(float(done.stdout))
    assert peaks[1] - peaks[0] < 100, peaks
