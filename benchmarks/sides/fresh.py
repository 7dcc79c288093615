"""A measurement in a fresh process: the script calls itself with a job and reads the answer."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def in_fresh_process(script: str, side: str, job: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """Return what ``script --side SIDE --job FILE`` answered, with ``process_s`` and ``process_cpu_s``."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        asked, answer, log = Path(folder, "job.json"), Path(folder, "answer.json"), Path(folder, "log.txt")
        started, cpu = time.monotonic(), _children_cpu_s()
        asked.write_text(json.dumps({**job, "answer": str(answer), "started": started}))
        command = [sys.executable, script, "--side", side, "--job", str(asked)]
        with log.open("wb") as output:
            done = subprocess.run(command, env=environment, stdout=output, stderr=output, check=False)
        times = {"process_s": time.monotonic() - started, "process_cpu_s": _children_cpu_s() - cpu}
        if done.returncode or not answer.exists():
            sys.exit(f"The side '{side}' failed with exit code {done.returncode}:\n{log.read_text()[-4000:]}")
        return {**json.loads(answer.read_text()), **times}


def answer(job: dict[str, Any], found: dict[str, Any]) -> None:
    """Write what a side found."""
    Path(job["answer"]).write_text(json.dumps(found))


def plain_environment(threads: int | None = None) -> dict[str, str]:
    """Return the environment of a user's own script: no accelerator, and oneDNN's kernels as nncompare has them.

    TensorFlow leaves them off on processors without AVX-512; the others are not to lose by that.
    """
    fixed = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    fixed["TF_ENABLE_ONEDNN_OPTS"] = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return {**os.environ, **fixed, **(dict.fromkeys(names, str(threads)) if threads else {})}


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
