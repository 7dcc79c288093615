"""Simulate the verdict's interval on items that come in groups: with every item counted, and with groups counted.

Run ``python benchmarks/grouped_simulation.py [--runs 500]``. Items are drawn as in ``verdict_simulation.py``, but
a share of what items have in common, and of what one model finds in one item, belongs to the item's group. Two
models of equal accuracy 0.9, three seeds each: "better" is then false. Groups are of one size, of log-normal
sizes, or one of them holds half or four fifths of all items.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from verdict_simulation import COMMON, NOISE, OWN

from nncompare.statistics import paired_difference

GROUPS = ((1, 40), (2, 40), (3, 40), (5, 40), (10, 40), (20, 20), (50, 20))
LARGEST = {"half": 1, "most": 4}
"""Times that the largest group is as large as all others together."""
KINDS = ("equal", "log-normal", *LARGEST)
SHARES = (0.0, 0.5, 0.9)
ACCURACY, SEED_SD, N_SEEDS = 0.9, 0.003, 3


class Rates(NamedTuple):
    """Shares of false "better" and of intervals that hold the true difference 0, and the mean width."""

    better: float
    coverage: float
    mean_width: float


def simulate(
    n_groups: int, size: int, share: float, kind: str, *, n_seeds: int = N_SEEDS, n_runs: int = 500
) -> tuple[Rates, Rates]:
    """Return what comes of counting items, and of counting groups."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(n_runs):
        groups = np.repeat(np.arange(n_groups), draw_sizes(rng, n_groups, size, kind))
        correct = draw_correct(rng, groups, share, n_seeds)
        pairs = [paired_difference(*correct, n_pairs=1, groups=by) for by in (None, groups)]
        found.append([(p.state == "better", p.low <= 0 <= p.high, p.high - p.low) for p in pairs])
    items, grouped = np.mean(found, axis=0)
    return Rates(*items.tolist()), Rates(*grouped.tolist())


def draw_sizes(rng: np.random.Generator, n_groups: int, size: int, kind: str) -> NDArray[np.int64]:
    """Return the sizes of the groups."""
    sizes = np.full(n_groups, size)
    if kind == "log-normal":
        return np.maximum(1, rng.lognormal(np.log(size), 0.8, n_groups).astype(int))
    if kind in LARGEST:
        sizes[0] = LARGEST[kind] * size * (n_groups - 1)
    return sizes


def draw_correct(
    rng: np.random.Generator, groups: NDArray[np.int64], share: float, n_seeds: int = N_SEEDS
) -> NDArray[np.bool_]:
    """Draw what each model and seed gets right, shape (2, n_seeds, n_items)."""
    n_items, n_groups = len(groups), int(groups.max()) + 1
    true = ACCURACY + SEED_SD * rng.standard_normal((2, n_seeds))
    margin = rng.standard_normal((2, n_seeds, n_items)) * NOISE**0.5
    for shape, variance in (((2, 1), OWN), ((1, 1), COMMON)):
        margin += rng.standard_normal((*shape, n_items)) * (variance * (1 - share)) ** 0.5
        margin += (rng.standard_normal((*shape, n_groups)) * (variance * share) ** 0.5)[:, :, groups]
    return margin + stats.norm.ppf(true)[:, :, None] > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    n_runs = parser.parse_args().runs
    print(
        "groups  items each  share  sizes        false better: items  groups"
        "   coverage: items  groups   width, groups"
    )
    for n_groups, size in GROUPS:
        for share in SHARES:
            for kind in KINDS if n_groups > 2 else KINDS[:2]:
                items, grouped = simulate(n_groups, size, share, kind, n_runs=n_runs)
                print(
                    f"{n_groups:6}{size:12}{share:7.1f}  {kind:11}{items.better:22.3f}{grouped.better:8.3f}"
                    f"{items.coverage:18.3f}{grouped.coverage:8.3f}{100 * grouped.mean_width:16.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
