"""What it costs that a search does not depend on ``--jobs``: idle time and search quality of both schemes.

Each search is rehearsed with a clock of its own, so that neither load nor the number of processors matters: the
trainings are real (a small network on digits, in NumPy), sampler and pruner are the product's, and how long an
epoch takes follows from its number of operations. Networks differ in width by 32 and in batch size by 8, so trials
differ much in length. Quality is the lowest validation log loss; test data are not touched.

    python benchmarks/lagged_search.py --seeds 40 --trials 20
"""

from __future__ import annotations

import argparse
import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import optuna
from sklearn.datasets import load_digits

from nncompare.data.seeds import derive_seed
from nncompare.lagged import LAG, lagged_study
from nncompare.plan import PlannedStudy
from nncompare.samplers import make_pruner, make_sampler, quiet_optuna

N_TRAIN, N_VALID, MAX_EPOCHS = 600, 400, 16
JOBS = (2, 4)
DEFAULTS = {"width": 32, "learning_rate": 1e-3, "batch_size": 32, "dropout": 0.0, "l2": 1e-5}
STEP_S, UNIT_S = 1.0, 0.05  # of a step, and of one hidden unit in it; only their ratio matters

X, y = load_digits(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(X))
X, y = (X[ORDER] / 16).astype(np.float32), y[ORDER]
X_VALID, Y_VALID = X[N_TRAIN : N_TRAIN + N_VALID], y[N_TRAIN : N_TRAIN + N_VALID]
X, y = X[:N_TRAIN], y[:N_TRAIN]


@dataclass
class Trial:
    """A trial under way: its Optuna trial, its losses to come, its lowest so far, its start."""

    trial: optuna.Trial
    losses: tuple[float, ...]
    epoch_s: float
    started: float
    epoch: int = 0
    best: float = math.inf


@dataclass
class Outcome:
    """One search: wall time, time of all trials, lowest validation log loss."""

    wall_s: float = 0.0
    work_s: float = 0.0
    best: float = math.inf
    ended: set[int] = field(default_factory=set)

    def idle(self, jobs: int) -> float:
        """Return the share of the slots' time in which they had nothing to do."""
        return 1 - self.work_s / (jobs * self.wall_s)


@cache
def train(
    width: int, learning_rate: float, batch_size: int, dropout: float, l2: float, seed: int
) -> tuple[float, ...]:
    """Train one hidden layer with Adam, stop early as the product does, return the validation loss by epoch."""
    random = np.random.default_rng(seed)
    weights = [
        random.normal(0, 1 / 8, (64, width)),
        np.zeros(width),
        random.normal(0, width**-0.5, (width, 10)),
        np.zeros(10),
    ]
    weights = [w.astype(np.float32) for w in weights]
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    losses: list[float] = []
    step = 0
    for _ in range(MAX_EPOCHS):
        order = random.permutation(N_TRAIN)
        for start in range(0, N_TRAIN, batch_size):
            rows = order[start : start + batch_size]
            step += 1
            for w, (m, v), g in zip(
                weights, moments, gradients(weights, X[rows], y[rows], dropout, random), strict=True
            ):
                g = g + l2 * w
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                w -= learning_rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-7)
        proba = predict(weights, X_VALID)[1]
        losses.append(float(-np.log(np.clip(proba[np.arange(N_VALID), Y_VALID], 1e-7, 1)).mean()))
        if len(losses) - 1 - int(np.argmin(losses)) >= max(2, MAX_EPOCHS // 4):
            break
    return tuple(losses)


def predict(weights: list[np.ndarray], batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hidden = np.maximum(batch @ weights[0] + weights[1], 0)
    logits = hidden @ weights[2] + weights[3]
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    return hidden, proba / proba.sum(axis=1, keepdims=True)


def gradients(
    weights: list[np.ndarray], batch: np.ndarray, labels: np.ndarray, dropout: float, random: np.random.Generator
) -> list[np.ndarray]:
    """Return the gradients of the mean log loss."""
    mask = (random.random((len(batch), len(weights[1]))) >= dropout).astype(np.float32) / (1 - dropout)
    hidden = np.maximum(batch @ weights[0] + weights[1], 0) * mask
    logits = hidden @ weights[2] + weights[3]
    error = np.exp(logits - logits.max(axis=1, keepdims=True))
    error /= error.sum(axis=1, keepdims=True)
    error[np.arange(len(labels)), labels] -= 1
    error /= len(labels)
    back = (error @ weights[2].T) * (hidden > 0) * mask
    return [batch.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0)]


def begin(study: optuna.Study, planned: PlannedStudy, seed: int, number: int, lagged: bool, now: float) -> Trial:
    """Ask for one trial as the product does, and train it."""
    if lagged:
        study = lagged_study(study._storage, study.study_name, planned, seed, number)
    else:
        study.sampler = make_sampler(planned, seed)
    trial = study.ask()
    params = {
        "width": trial.suggest_int("width", 8, 256, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "batch_size": trial.suggest_int("batch_size", 16, 128, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "l2": trial.suggest_float("l2", 1e-6, 1e-2, log=True),
    }
    losses = train(**params, seed=derive_seed(seed, "m", "d", "trial", number))
    epoch_s = math.ceil(N_TRAIN / params["batch_size"]) * (STEP_S + UNIT_S * params["width"])
    return Trial(trial, losses, epoch_s, now)


def search(n_trials: int, jobs: int, seed: int, *, lagged: bool) -> Outcome:
    """Rehearse one search, epoch by epoch."""
    planned = PlannedStudy(model="m", dataset="d", n_trials=n_trials, max_epochs=MAX_EPOCHS, n_refits=1)
    study = optuna.create_study(pruner=make_pruner(planned))
    study.enqueue_trial(DEFAULTS)
    found, running, now, number = Outcome(), [], 0.0, 0
    while True:
        while number < n_trials and len(running) < jobs and (not lagged or knows_enough(number, found.ended)):
            trial = begin(study, planned, seed, number, lagged, now)
            heapq.heappush(running, (now + trial.epoch_s, number, trial))
            number += 1
        if not running:
            found.wall_s = now
            return found
        now, this, trial = heapq.heappop(running)
        if go_on(study, trial):
            heapq.heappush(running, (now + trial.epoch_s, this, trial))
            continue
        found.ended.add(this)
        found.work_s += now - trial.started
        if study.trials[this].state == optuna.trial.TrialState.COMPLETE:
            found.best = min(found.best, trial.best)


def knows_enough(number: int, ended: set[int]) -> bool:
    return all(earlier in ended for earlier in range(number - LAG + 1))


def go_on(study: optuna.Study, trial: Trial) -> bool:
    """Take the end of an epoch; tell Optuna at the end of the trial."""
    trial.best = min(trial.best, trial.losses[trial.epoch])
    trial.epoch += 1
    trial.trial.report(trial.best, trial.epoch)
    if trial.trial.should_prune():
        study.tell(trial.trial.number, state=optuna.trial.TrialState.PRUNED)
        return False
    if trial.epoch == len(trial.losses):
        study.tell(trial.trial.number, trial.best)
        return False
    return True


def compare(n_trials: int, n_seeds: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| jobs | idle now | lagged | wall time for the same work | lowest loss now | lagged | ratio, 95 % |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    lagged_best = {}
    for jobs in JOBS:
        now = [search(n_trials, jobs, seed, lagged=False) for seed in range(n_seeds)]
        lagged = [search(n_trials, jobs, seed, lagged=True) for seed in range(n_seeds)]
        assert lagged_best.setdefault("best", [o.best for o in lagged]) == [o.best for o in lagged]
        yield row(jobs, now, lagged)
    one = [search(n_trials, 1, seed, lagged=False) for seed in range(n_seeds)]
    yield row(1, one, [search(n_trials, 1, seed, lagged=True) for seed in range(n_seeds)])


def row(jobs: int, now: list[Outcome], lagged: list[Outcome]) -> str:
    """Return one line: means over the seeds, ratios paired by seed."""
    idle = [np.mean([outcome.idle(jobs) for outcome in side]) for side in (now, lagged)]
    wall = [sum(o.wall_s for o in side) * jobs / sum(o.work_s for o in side) for side in (now, lagged)]
    best = [np.array([outcome.best for outcome in side]) for side in (now, lagged)]
    ratios = np.log(best[1] / best[0])
    half = 1.96 * ratios.std(ddof=1) / math.sqrt(len(ratios))
    low, middle, high = (100 * math.expm1(ratios.mean() + d) for d in (-half, 0, half))
    return (
        f"| {jobs} | {100 * idle[0]:.1f} % | {100 * idle[1]:.1f} % | {100 * (wall[1] / wall[0] - 1):+.1f} % "
        f"| {best[0].mean():.4f} | {best[1].mean():.4f} | {middle:+.1f} % ({low:+.1f} to {high:+.1f}) |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--trials", type=int, default=20)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with quiet_optuna():
        print(f"{arguments.trials} trials, {arguments.seeds} seeds, LAG = {LAG}", flush=True)
        for line in compare(arguments.trials, arguments.seeds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
