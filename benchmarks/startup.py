"""How long the shell waits for ``nncompare --help`` and ``nncompare list``, as multiples of ``import click``.

Run ``python benchmarks/startup.py [rounds]`` outside the checkout or anywhere the package is installed. The
commands alternate, so that whatever else the machine does falls on all of them alike; medians are compared.
"""

import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

BASE = "import click"
TARGETS = {"--help": 1.5, "list": 3.0}


def seconds(command: list[str]) -> float:
    """Return the wall time of one command."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(rounds: int) -> int:
    script = str(Path(sysconfig.get_path("scripts"), "nncompare"))
    commands = {
        BASE: [sys.executable, "-c", BASE],
        "--version": [script, "--version"],
        **{name: [script, name] for name in TARGETS},
    }
    for command in commands.values():
        seconds(command)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        ratio = median / medians[BASE]
        target = f"  (target: at most {TARGETS[name]:g}x)" if name in TARGETS else ""
        print(f"{name:14} {1000 * median:6.1f} ms  {ratio:4.2f}x{target}")
    return int(any(medians[name] > target * medians[BASE] for name, target in TARGETS.items()))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 21))
