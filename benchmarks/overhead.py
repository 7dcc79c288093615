"""What a run costs beside its trainings, and the coordinator's CPU against a bare Optuna loop.

    python benchmarks/overhead.py [--run DIRECTORY] [--trials 10 100 1000]

First the slots' time (wall time x jobs) of a standard run on digits and mnist1d, or of a finished run: what of it
went into training, tracing and evaluation, and what into the rest. Then searches of trials that cost nothing, each
in a process of its own beside a bare loop: the same draws, reports, sampler, pruner and kind of database.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

LIMIT = 0.05
LIMIT_RATIO = 1.3
JUDGED = 1000
HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent / "plugins"))
SEED = 42
N_CALLS = 220  # of each kind, warm-up included
ANSWERS = "answers to the reports of trials"
MODELS, DATASETS = ("mlp", "cnn", "lstm"), ("digits", "mnist1d")


def cpu_seconds() -> float:
    """Return the CPU seconds of this process alone: children are waited for by their server."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Watch:
    """Takes the times of a run's phases, and how long the reports of its trials waited for their answers."""

    def __init__(self) -> None:
        self.times, self._lock = {"call": time.monotonic()}, threading.Lock()
        self.waited_s, self.n_reports = 0.0, 0

    def __call__(self, event) -> None:
        """Take the time of an event."""
        self.times.setdefault(type(event).__name__, time.monotonic())
        self.times[f"last {type(event).__name__}"] = time.monotonic()

    def timed(self, answer):
        """Return ``answer``, whose times are added up."""

        def timed_answer(*arguments):
            start = time.perf_counter()
            try:
                return answer(*arguments)
            finally:
                with self._lock:
                    self.waited_s += time.perf_counter() - start
                    self.n_reports += 1

        return timed_answer

    def phase(self, first: str, last: str) -> float:
        """Return the seconds between two events."""
        return self.times[last] - self.times[first]


def live_run(out: Path, jobs: int) -> float:
    """Carry out a standard run and print its shares and the coordinator's CPU; return the share of all else."""
    from nncompare import compare
    from nncompare.search import Search

    watch = Watch()
    Search._report = watch.timed(Search._report)
    done = compare(MODELS, DATASETS, out=out, jobs=jobs, seed=SEED, listener=watch, progress="quiet")
    phases = {
        ANSWERS: watch.waited_s,
        "before the searches (imports, plan, estimate)": jobs * watch.phase("call", "StudyStarted"),
        "after the last refit (report, and while models are timed)": jobs
        * watch.phase("last RefitFinished", "RunFinished")
        - timing_s(done.results),
    }
    share = print_shares(done, jobs * watch.phase("call", "RunFinished"), phases)
    each = 1e3 * watch.waited_s / max(1, watch.n_reports)
    print(f"{watch.n_reports} reports of trials; answer to each: mean {each:.1f} ms")
    print(f"CPU of the coordinator, imports and reports included: {cpu_seconds():.1f} s")
    return share


def timing_s(results) -> float:
    """Return how long the saved models of a run were timed: so many calls of one sample and of 256."""
    timed = [study for study in results.studies if study.latency_ms is not None]
    return sum(N_CALLS * (study.latency_ms / 1e3 + 256 / study.throughput_per_s) for study in timed)


def references_s(folder: Path) -> float:
    """Return how long the references of a run were trained and evaluated, as far as its files are there."""
    answers = [json.loads(path.read_text()) for path in folder.glob("trials/reference--*/*.json")]
    return sum(answer["fit_time_s"] + answer["predict_time_s"] for answer in answers)


def print_shares(done, total_s: float, phases: dict[str, float]) -> float:
    """Print what the slots' time went into; return the share that was neither training nor evaluation."""
    studies = done.results.studies
    trials = [trial for study in studies for trial in study.trials if trial.fit_time_s is not None]
    refits = [refit for study in studies for refit in study.refits if refit.fit_time_s is not None]
    finals = [final for study in studies for final in study.finals if final.fit_time_s is not None]
    around_s = [trial.finished_s - trial.started_s - trial.fit_time_s for trial in trials]
    useful = {
        "training, tracing and validation": sum(one.fit_time_s for one in (*trials, *finals, *refits))
        - phases.get(ANSWERS, 0),
        "prediction of the test parts": sum(refit.predict_time_s or 0.0 for refit in refits),
        "latency and throughput": timing_s(done.results),
        "references, trained and evaluated": references_s(done.folder),
    }
    parts = {"start and end of trials": sum(around_s), **phases}
    rest = total_s - sum(useful.values())
    rows = {
        "slots' time (wall x jobs)": total_s,
        **useful,
        "all else": rest,
        **{f"  {name}": seconds for name, seconds in parts.items()},
        "  slots idle, start and end of finals and refits": rest - sum(parts.values()),
    }
    for name, seconds in rows.items():
        print(f"{name:<56}{seconds:9.1f} s{100 * seconds / total_s:7.1f} %")
    middle, most = 1e3 * statistics.median(around_s), 1e3 * max(around_s)
    print(f"{len(trials)} trials; start and end of each: median {middle:.0f} ms, at most {most:.0f} ms")
    return rest / total_s


def coordinate(n_trials: int) -> float:
    """Search with nncompare; return the CPU seconds of this process."""
    from sides.small_run import compare_on_a_small_table  # here: the loop is not to pay for its imports

    compare_on_a_small_table(
        f"{HERE.parent / 'plugins' / 'trivial.py'}:Trivial", n_trials, max_epochs=5, seed=SEED
    )
    return cpu_seconds()


def loop(n_trials: int) -> float:
    """Search with Optuna alone; return the CPU seconds of this process."""
    import optuna
    from trivial import Trivial, losses

    from nncompare.plan import PlannedStudy
    from nncompare.samplers import make_pruner, n_startup_trials
    from nncompare.storage import open_study_file

    plugin = Trivial()
    planned = PlannedStudy(model="trivial", dataset="table", n_trials=n_trials, max_epochs=5, n_refits=1)

    def objective(trial: optuna.Trial) -> float:
        best = float("inf")
        for epoch, loss in enumerate(losses(plugin.suggest_params(trial, None)), 1):
            best = min(best, loss)
            trial.report(best, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return best

    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(
            storage=open_study_file(Path(name) / "study.db"),
            study_name="study",
            sampler=optuna.samplers.TPESampler(
                n_startup_trials=n_startup_trials(planned),
                n_ei_candidates=24,
                multivariate=True,
                group=True,
                constant_liar=True,
                seed=SEED,
            ),
            pruner=make_pruner(planned),
        )
        study.enqueue_trial(plugin.default_params(None))
        study.optimize(objective, n_trials=n_trials)
    return cpu_seconds()


SIDES = {"bare": loop, "nncompare": coordinate}


def measure(side: str, n_trials: int) -> float:
    """Return the CPU seconds of one side in a process of its own, imports included."""
    command = [sys.executable, str(HERE), "--side", side, "--trials", str(n_trials)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def compare_sides(numbers: list[int]) -> bool:
    """Print the table of CPU seconds; tell whether the target was missed."""
    print("\nCPU seconds of one process  bare Optuna   nncompare   ratio  added, a trial")
    late, before = False, None
    for n_trials in numbers:
        bare, ours = (measure(side, n_trials) for side in SIDES)
        added = "" if before is None else f"{1e3 * (ours - bare - before[1]) / (n_trials - before[0]):13.1f} ms"
        told = ""
        if n_trials == JUDGED:
            late = ours > LIMIT_RATIO * bare
            told = f"  (target: at most {LIMIT_RATIO:g}, {'missed' if late else 'met'})"
        print(
            f"{n_trials:>7} trials{'':14}{bare:12.1f}{ours:12.1f}{ours / bare:8.2f}{added:>16}{told}", flush=True
        )
        before = n_trials, ours - bare
    return late


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="a finished run, instead of one that is started")
    parser.add_argument("--trials", type=int, nargs="*", default=[10, 100, JUDGED])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-run", action="store_true", help="the second part alone")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(SIDES[options.side](options.trials[0])))
        return 0
    late = False
    if options.run is not None:
        from nncompare import load

        done = load(options.run)
        share = print_shares(done, done.results.settings.jobs * (done.results.duration_s or 0.0), {})
    elif not options.no_run:
        with tempfile.TemporaryDirectory() as out:
            share = live_run(Path(out), options.jobs)
    if not options.no_run:
        late = share > LIMIT
        print(f"all else: {100 * share:.1f} %  (target: at most {100 * LIMIT:g} %, {'missed' if late else 'met'})")
    return int((bool(options.trials) and compare_sides(options.trials)) or late)


if __name__ == "__main__":
    sys.exit(main())
