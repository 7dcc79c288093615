"""Simulate the verdict's interval: false "better", coverage and power, printed as a table.

Run ``python benchmarks/verdict_simulation.py [--runs 1000] [--accuracy 0.9]``.

Test items differ in difficulty. Two models of K seeds each share most of it, so their errors are correlated
within a model and between models. An item's latent margin for model m and seed s is

    margin = threshold(m, s) + common(item) + own(item, m) + noise(item, m, s),

normal with variances 0.6, 0.25 and 0.15; the item is right where the margin is positive. The threshold is set so
that the true accuracy of seed s is exactly ``accuracy(m) + seed_sd * N(0, 1)``: a run draws new seeds and new
items, and the truth is the difference of the two models' accuracies.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nncompare.statistics import paired_difference

N_ITEMS = (360, 1_000, 10_000)
SEED_SDS = (0.0, 0.003, 0.006, 0.010)
COMMON, OWN, NOISE = 0.6, 0.25, 0.15


class Cell(NamedTuple):
    """The outcome of many runs: shares of "better" and of intervals that hold the true difference."""

    better: float
    coverage: float
    mean_width: float


def simulate(
    n_items: int,
    seed_sd: float,
    *,
    gap: float = 0.0,
    accuracy: float = 0.9,
    n_seeds: int = 3,
    n_runs: int = 1000,
    seed: int = 0,
) -> Cell:
    """Compare two models whose true accuracies differ by ``gap``, ``n_runs`` times."""
    rng = np.random.default_rng(seed)
    accuracies = np.array([accuracy, accuracy - gap])
    outcomes = []
    for _ in range(n_runs):
        pair = paired_difference(*draw_correct(rng, n_items, accuracies, seed_sd, n_seeds), n_pairs=1)
        outcomes.append((pair.state == "better", pair.low <= gap <= pair.high, pair.high - pair.low))
    return Cell(*np.mean(outcomes, axis=0).tolist())


def draw_correct(
    rng: np.random.Generator, n_items: int, accuracies: NDArray[np.float64], seed_sd: float, n_seeds: int
) -> NDArray[np.bool_]:
    """Draw what each model and seed gets right, shape (n_models, n_seeds, n_items)."""
    n_models = len(accuracies)
    true = accuracies[:, None] + seed_sd * rng.standard_normal((n_models, n_seeds))
    threshold = stats.norm.ppf(np.clip(true, 1e-6, 1 - 1e-6)).astype(np.float32)
    margin = rng.standard_normal((n_models, n_seeds, n_items), dtype=np.float32) * np.float32(NOISE**0.5)
    margin += rng.standard_normal((n_models, 1, n_items), dtype=np.float32) * np.float32(OWN**0.5)
    margin += rng.standard_normal(n_items, dtype=np.float32) * np.float32(COMMON**0.5)
    return margin + threshold[:, :, None] > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--accuracy", type=float, default=0.9)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    common = {"accuracy": options.accuracy, "n_seeds": options.seeds, "n_runs": options.runs}
    print(f"K = {options.seeds}, accuracy {options.accuracy}, {options.runs} runs a cell")
    print(
        "  items  seed SD (points)  false better  coverage (gap 0)  coverage (gap 2)  power (gap 2)     mean width"
    )
    for index, n_items in enumerate(N_ITEMS):
        for offset, seed_sd in enumerate(SEED_SDS):
            seed = 100 * index + offset
            null = simulate(n_items, seed_sd, seed=seed, **common)
            real = simulate(n_items, seed_sd, gap=0.02, seed=seed + 50, **common)
            print(
                f"{n_items:7,}{100 * seed_sd:18.1f}{null.better:14.3f}{null.coverage:18.3f}"
                f"{real.coverage:18.3f}{real.better:15.3f}{100 * null.mean_width:16.2f}"
            )


if __name__ == "__main__":
    main()
