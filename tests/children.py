"""What tests of child processes share: small data, requests for faulty plugins, answers, and a look at /proc."""

import os
import time
from pathlib import Path

import numpy as np
import psutil

from nncompare.data.records import DataSpec
from nncompare.data.views import PreparedPart
from nncompare.execution.specs import FitSpec

FAULTS = Path(__file__).parent / "plugins" / "faults.py"
DATASETS = Path(__file__).parent / "plugins" / "datasets.py"
N_CLASSES = 3


def fault(name):
    return f"{FAULTS}:{name}"


def dataset(name):
    return f"{DATASETS}:{name}"


def write_part(folder, n_rows, seed):
    """Write three blobs of four features and return where they lie."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    y = np.arange(n_rows, dtype=np.int64) % N_CLASSES
    np.save(folder / "X.npy", (rng.normal(size=(n_rows, 4)) + y[:, None]).astype(np.float32))
    np.save(folder / "y.npy", y)
    return PreparedPart(X=folder / "X.npy", y=folder / "y.npy")


def fit_spec(folder, plugin="Nearest", **updates):
    """Return a trial's request, one file name per plugin."""
    spec = DataSpec(
        name="blobs",
        view="tabular",
        n_classes=N_CLASSES,
        class_names=("a", "b", "c"),
        sample_shape=(4,),
        n_train=90,
    )
    fields = {
        "plugin": fault(plugin),
        "timeout_s": 60.0,
        "result": folder / "trials" / f"{plugin}.json",
        "log": folder / "trials" / f"{plugin}.log",
        "data": spec,
        "train": write_part(folder / "train", 90, 0),
        "valid": write_part(folder / "valid", 30, 1),
        "seed": 7,
        "max_epochs": 3,
    }
    return FitSpec(**(fields | updates))


class Coordinator:
    """Answers a child as the search would, and remembers what was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.messages = []

    def __call__(self, kind, message):
        self.messages.append((kind, dict(message)))
        if kind in self.answers:
            answer = self.answers[kind]
            return answer(message) if callable(answer) else answer
        if kind == "report":
            return True
        arguments = message["arguments"]
        return arguments["choices"][0] if message["distribution"] == "categorical" else arguments["low"]

    def kinds(self):
        return [kind for kind, _ in self.messages]


def processes_with(marker):
    """Return the processes whose environment or command line holds ``marker``, zombies left out."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
            if any(marker in word for word in words) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.pid != os.getpid()]


def wait_until(condition, seconds=20.0):
    """Return what ``condition`` returns, as soon as it is true or the time is over."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


def n_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))
