"""Weight and time of reports: the default run, and 20 models x 200 trials x 100 classes.

Run it with ``python benchmarks/report.py [results.json ...]``; files that are named are rendered, too.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from nncompare.report import render_html, results_in
from nncompare.results import Results

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import report_fixtures as fixtures
from tests.report_default_run import default_run


def large(n_models: int = 20, n_trials: int = 200, n_classes: int = 100) -> Results:
    """Return one data set with many models, trials and classes."""
    names = [f"class {k}" for k in range(n_classes)]
    rng = random.Random(0)
    studies = [
        fixtures.study(f"model{k}", "large", names, level=rng.uniform(0.5, 0.99), n_trials=n_trials, seeds=3)
        for k in range(n_models)
    ]
    return fixtures.results([fixtures.dataset("large", names, fixtures.single_verdict())], studies)


def measure(name: str, results: Results) -> None:
    """Print how long a report takes, what it weighs, and how much of that are the results inside it."""
    render_html(fixtures.one_model())  # the templates are compiled once
    start, cpu = time.perf_counter(), time.process_time()
    html = render_html(results)
    took, used = time.perf_counter() - start, time.process_time() - cpu
    inside = len(html.partition('<template id="results">')[2].partition("</template>")[0])
    same = render_html(results_in(html)) == html
    weight = f"{len(html.encode()) / 1e3:.1f} kB, {inside / 1e3:.1f} kB of it results"
    print(f"{name}: {took:.2f} s ({used:.2f} CPU s), {weight}; repeats: {same}")


if __name__ == "__main__":
    measure("default run", default_run())
    measure("20 models x 200 trials x 100 classes", large())
    for path in sys.argv[1:]:
        measure(path, Results.from_json(Path(path).read_text("utf-8"), path))
