"""Writes by how many MB a coordinator and its fork servers grew, from the fifth trial of one search to the last.

python tests/growth.py MODEL DATA N_TRIALS [TARGET]
"""

import json
import sys
import tempfile
from pathlib import Path

import psutil

from nncompare import compare
from nncompare.events import TrialFinished

FIRST = 5


def own_mb(process):
    """Return the memory of a process that it shares with no other, in MB."""
    return process.memory_full_info().uss / 1e6


class Watch:
    """Looks at the memory of this process and of its servers after the fifth trial and after the last."""

    def __init__(self, n_trials):
        self._n_trials, self._seen = n_trials, {}

    def __call__(self, event):
        if isinstance(event, TrialFinished) and event.n_finished in (FIRST, self._n_trials):
            me = psutil.Process()
            found = {f"server {n}": own_mb(server) for n, server in enumerate(me.children())}
            self._seen[event.n_finished] = {"coordinator": own_mb(me)} | found

    def growth(self):
        first, last = self._seen[FIRST], self._seen[self._n_trials]
        return {name: round(last[name] - first[name], 1) for name in first}


def main(model, data, n_trials, target=None):
    watch = Watch(int(n_trials))
    settings = {"n_trials": int(n_trials), "max_epochs": 1, "n_refits": 1, "jobs": 1, "estimate": False}
    with tempfile.TemporaryDirectory() as out:
        compare([model], [data], out=Path(out), listener=watch, progress=False, target=target, **settings)
    sys.stdout.write(json.dumps(watch.growth()) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
