"""What a reader must know of the machine and the versions to repeat a run."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from nncompare.execution.launch import child_environment

PACKAGES = ("nncompare", "optuna", "scikit-learn", "tensorflow", "keras", "numpy", "scipy")


def describe_environment() -> dict[str, Any]:
    """Return versions, kernels, processor, processors in use, memory in MB and the load when the run began."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version for name in PACKAGES if (version := _version(name)) is not None},
        "TF_ENABLE_ONEDNN_OPTS": child_environment()["TF_ENABLE_ONEDNN_OPTS"],
        "processor": _processor(),
        "n_cpus": os.cpu_count(),
        "n_cpus_usable": len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else None,
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the processor's name as Linux gives it, else what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
