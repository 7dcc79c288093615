"""How long ``nncompare check-plugin`` takes for built-in plugins and for those of the documentation.

Run ``python benchmarks/kit.py [plugin ...]`` in the checkout. The first call imports each plugin once more than
later ones, which find what it declares in the cache; it is made before the clock starts.
"""

import json
import resource
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"
SECONDS = {
    "mlp": 5,
    f"{EXAMPLES / 'tanh.py'}:Tanh": 5,
    "cnn": 60,
    "lstm": 60,
    f"{EXAMPLES / 'dense.py'}:Dense": 60,
    f"{EXAMPLES / 'bag.py'}:Bag": 60,
    "digits": 5,
    "mnist1d": 5,
}
SHOWN = 3


def cpu_seconds() -> float:
    """Return the CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(plugin: str, *options: str) -> tuple[float, float, list[dict]]:
    """Return wall seconds, CPU seconds and the results of one call of the command."""
    command = [str(Path(sysconfig.get_path("scripts"), "nncompare")), "check-plugin", plugin, "--json", *options]
    cpu, start = cpu_seconds(), time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - start, cpu_seconds() - cpu, json.loads(done.stdout)["results"]


def main(plugins: list[str]) -> int:
    late = 0
    for plugin in plugins:
        measure(plugin, "--check", "check_constructs_without_arguments")
        wall, cpu, results = measure(plugin)
        slowest = sorted(results, key=lambda result: -result["seconds"])[:SHOWN]
        details = ", ".join(f"{result['name']} {result['seconds']:.1f}" for result in slowest)
        target = SECONDS.get(plugin)
        print(f"{plugin.rpartition('/')[2]:16} {wall:6.1f} s, {cpu:5.1f} CPU s  (target: {target} s)  {details}")
        late += target is not None and wall > target
    return int(late > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(SECONDS)))
