"""How many more trials two at a time give than one at a time, and what a second thread gives, for each family.

    python benchmarks/scaling.py [--only cnn/mnist1d ...] [--rounds 1]

All sides train the same list: the default configuration with the seeds of trials 0 to n - 1, nothing pruned. Only
the trials count, from the first one's start to the last one's end. The column "bare" shows what the machine
allows: the mean time of ``fit`` in two trainings one after the other, against that of the same two side by side.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import optuna

from nncompare import studies
from nncompare.execution.runner import LocalRunner
from nncompare.execution.specs import FitAnswer
from nncompare.planning import make_plan
from nncompare.samplers import quiet_optuna
from nncompare.search import Search
from nncompare.session import quiet_session
from nncompare.settings import RunConfig
from nncompare.slots import Slots
from nncompare.storage import open_study_file

LIMIT = 1.7
COMBINATIONS = {  # trials and epochs: some ten seconds each, one at a time
    "mlp/digits": (16, 80),
    "mlp/mnist1d": (8, 40),
    "cnn/mnist1d": (6, 10),
    "cnn/mnist": (4, 1),
    "lstm/mnist1d": (6, 5),
    "lstm/imdb": (2, 1),
}
SIDES = {"1 job": (1, 1), "2 jobs": (2, 1), "2 threads": (1, 2)}


class Family:
    """One model on one data set, planned once."""

    def __init__(self, name: str, runner: LocalRunner) -> None:
        model, dataset = name.split("/")
        n_trials, epochs = COMBINATIONS[name]
        self.config = RunConfig(models=(model,), datasets=(dataset,), n_trials=n_trials, max_epochs=epochs)
        self.runner = runner
        plan = make_plan(self.config, runner)
        self.dataset = plan.datasets[0]
        self.study = replace(plan.studies[0], pins=plan.studies[0].defaults)
        if self.study.failure is not None:
            raise SystemExit(f"{name}: {self.study.failure.message}")

    def minutes(self, jobs: int, threads: int, folder: Path) -> float:
        """Return the minutes that a search takes."""
        session = quiet_session(replace(self.config, jobs=jobs, threads=threads), self.runner, folder, jobs)
        data = session.search_data(self.study, self.dataset)
        search = Search(self.study, data, open_study_file(folder / "study.db"), session)
        trials = search.run(Slots(jobs), 0).trials
        if any(trial.state != "complete" for trial in trials):
            raise SystemExit(f"not all trials were completed: {[trial.failure for trial in trials]}")
        return (max(t.finished_s for t in trials) - min(t.started_s for t in trials)) / 60

    def bare(self, jobs: int, folder: Path) -> float:
        """Return the mean minutes of ``fit`` of two trainings, whose children are answered at once."""
        session = quiet_session(self.config, self.runner, folder, jobs)
        data = session.search_data(self.study, self.dataset)

        def train(number: int) -> float:
            params, epochs = dict(self.study.defaults), self.study.max_epochs
            spec = session.fit_spec(
                self.study, data, f"{number}", seed=number, max_epochs=epochs, number=number, params=params
            )
            answer = self.runner.run(spec, lambda _kind, _message: True)
            assert isinstance(answer, FitAnswer), answer
            return answer.fit_time_s / 60

        with ThreadPoolExecutor(jobs) as pool:
            return statistics.fmean(pool.map(train, range(2)))


def measure(name: str, rounds: int) -> float:
    """Print the line of one family; return the ratio of two jobs to one."""
    minutes: dict[str, list[float]] = {side: [] for side in SIDES}
    ceiling = []
    with LocalRunner() as runner, tempfile.TemporaryDirectory() as folder, quiet_optuna():
        family = Family(name, runner)
        for number in range(rounds):
            for side, (jobs, threads) in SIDES.items():
                here = Path(folder, f"{side} {number}")
                here.mkdir()
                minutes[side].append(family.minutes(jobs, threads, here))
            alone, beside = (family.bare(jobs, Path(folder, f"bare {jobs} {number}")) for jobs in (1, 2))
            ceiling.append(2 * alone / beside)
    n_trials = family.study.n_trials
    rates = {side: n_trials / statistics.median(found) for side, found in minutes.items()}
    ratio = rates["2 jobs"] / rates["1 job"]
    met = "met" if ratio >= LIMIT else "missed"
    figures = "".join(f"{rate:11.1f}" for rate in rates.values())
    threads = rates["2 threads"] / rates["1 job"]
    print(f"{name:<14}{figures}{ratio:8.2f} {met:<7}{statistics.median(ceiling):8.2f}{threads:11.2f}", flush=True)
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=COMBINATIONS, default=list(COMBINATIONS))
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    studies.make_pruner = lambda _study: optuna.pruners.NopPruner()
    print("trials a minute    1 job     2 jobs  2 threads   ratio            bare    threads")
    ratios = [measure(name, options.rounds) for name in options.only]
    print(f"ratio: trials a minute with 2 jobs against 1  (target: at least {LIMIT:g} for each)")
    return int(min(ratios) < LIMIT)


if __name__ == "__main__":
    sys.exit(main())
