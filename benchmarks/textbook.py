"""Compare the three textbook trainings with nncompare's refits, and their sum with whole searches.

Run ``python benchmarks/textbook.py [--run DIR] [--seeds N] [--threads N] [--only mlp]``. The textbook's side:

- mlp: ``MLPClassifier(hidden_layer_sizes=(64, 32), activation="relu", max_iter=300)`` on scikit-learn's digits,
  ``train_test_split(test_size=0.2, random_state=42)``, ``StandardScaler``.
- cnn: Keras on MNIST, divided by 255: 32 convolutions of 3 x 3, pooling of 2 x 2, 128 dense units, softmax; Adam,
  ``fit`` for 5 epochs in batches of 32.
- lstm: Keras on IMDB, 10,000 words, the last 500 tokens of a review, padded in front: embedding 128, LSTM 128, one
  sigmoid; Adam, ``fit`` for 3 epochs in batches of 64.

The other side is a refit as nncompare does it: of the configuration that ``--run DIR`` chose on validation, or
else of the plugin's default. mnist and imdb keep their validation part and stop early on it; digits is trained for
the best trial's number of epochs. Each training is a fresh process with the same number of threads on either side,
and the sides take turns. Seconds are those of fit, building and tracing included; imports, the loading of data and
(nncompare's side) the predictions of the test part after each epoch are left out. Both sides have oneDNN,
which TensorFlow leaves off on processors without AVX-512: the textbook's CNN gains by them.

"to accuracy" is the time to accuracy: the seconds at the end of the first epoch after which the mean over seeds of
nncompare's test accuracy (of the weights that would be delivered then) is at least the textbook's mean. Who trains
does not know that epoch; what a user pays is "whole".

With ``--run DIR`` the run's wall time stands against the sum of the three textbook trainings, and with
``--fresh-run`` that of a run of just the three home studies, from the start of its process to its end. With
``--json FILE`` what was measured is kept, and what FILE holds already is taken up, so that the rows can come from
several calls.

Needs the data sets ``mnist`` and ``imdb``: they are downloaded, or found in ``NNCOMPARE_DATA_DIR``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import mean
from typing import Any

from sides.fresh import answer, in_fresh_process, plain_environment
from sides.homes import HOMES, Home, home_wall_s, plan_homes, read_job, run_homes, with_seed

TARGETS = {"mlp": 1.0, "cnn": 0.35, "lstm": 0.06}
SEARCH_TARGET, RUN_TARGET = 1.0, 1.5
Records = dict[str, dict[str, Any]]


def main() -> int:
    """Print the tables; exit 1 where a target is missed."""
    arguments = _arguments()
    if arguments.side:
        answer(job := read_job(arguments), _side(arguments.side)(job))
        return 0
    records = _kept(arguments.json)
    names = arguments.only or list(HOMES)
    n_textbook = arguments.textbook_seeds or arguments.seeds
    for home in plan_homes(names, arguments.run, max(arguments.seeds, 1), arguments.threads):
        records[home.name] = _measure(home, n_textbook, arguments.seeds, arguments.threads)
        _keep(arguments.json, records)
    if arguments.fresh_run:
        records["fresh run"] = _fresh_run(arguments)
        _keep(arguments.json, records)
    met = _print_trainings({name: records[name] for name in HOMES if name in records})
    met &= _print_whole(records, arguments.run)
    return int(not met)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a run directory whose chosen configurations are refitted")
    parser.add_argument("--seeds", type=int, default=3, help="refits of each configuration")
    parser.add_argument(
        "--textbook-seeds", type=int, help="trainings of each textbook model; as --seeds by default"
    )
    parser.add_argument("--threads", type=int, default=2, help="of each training, on both sides")
    parser.add_argument("--only", choices=list(HOMES), action="append", help="one of the trainings; repeatable")
    parser.add_argument("--fresh-run", action="store_true", help="measure a run of the three home studies too")
    parser.add_argument("--preset", default="standard", help="of --fresh-run")
    parser.add_argument("--jobs", type=int, default=2, help="of --fresh-run")
    parser.add_argument("--out", default="reports", help="the folder of the run of --fresh-run")
    parser.add_argument("--json", type=Path, help="keep what was measured in this file")
    parser.add_argument("--side", choices=["textbook", "ours", "homes"], help=argparse.SUPPRESS)
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _side(name: str) -> Any:
    """Return what a child does; imported there, so that neither side pays for the other's."""
    if name == "homes":
        return run_homes
    if name == "ours":
        from sides import refit

        return refit.train
    from sides import textbook_fit

    return textbook_fit.train


def _measure(home: Home, n_textbook: int, n_ours: int, threads: int) -> dict[str, Any]:
    """Train both sides in turn, each in a fresh process."""
    epochs = home.max_epochs
    if home.pilot is not None:
        epochs = _ours(home.pilot)["best_epoch"]
    textbook, ours = [], []
    for number in range(max(n_textbook, n_ours)):
        if number < n_textbook:
            job = {"training": home.name, "seed": 42 + number, "threads": threads, "data": str(home.data)}
            textbook.append(in_fresh_process(__file__, "textbook", job, plain_environment(threads)))
            _say(home.name, "textbook", textbook[-1])
        if number < n_ours:
            ours.append(_ours(with_seed(home.refit, home.seeds[number], epochs)))
            _say(home.name, "nncompare", ours[-1])
    return {"textbook": textbook, "ours": ours, "params": home.params, "source": home.source, "threads": threads}


def _ours(job: dict[str, Any]) -> dict[str, Any]:
    from nncompare.execution.launch import child_environment

    return in_fresh_process(__file__, "ours", job, child_environment())


def _say(training: str, side: str, found: dict[str, Any]) -> None:
    line = (
        f"{training} {side}: {found['wall_s']:.1f} s, {found['epochs']} epochs, accuracy {found['accuracy']:.4f}"
    )
    print(line, file=sys.stderr, flush=True)


def _fresh_run(arguments: argparse.Namespace) -> dict[str, Any]:
    job = {"preset": arguments.preset, "jobs": arguments.jobs, "out": arguments.out}
    return {**job, **in_fresh_process(__file__, "homes", job, plain_environment())}


def _print_trainings(records: Records) -> bool:
    """Print a line for each training and side, then one for each ratio."""
    print("training side      threads seeds  accuracy   fit, s   CPU, s  epochs")
    for name, record in records.items():
        for side in ("textbook", "ours"):
            found = record[side]
            fit, cpu, epochs = (mean(one[key] for one in found) for key in ("wall_s", "cpu_s", "epochs"))
            shown = "textbook" if side == "textbook" else "nncompare"
            print(
                f"{name:9}{shown:10}{record['threads']:7}{len(found):6}{_accuracy(found):10.4f}"
                f"{fit:9.2f}{cpu:9.2f}{epochs:8.1f}"
            )
    print(f"\n{'training':9} to accuracy, s   CPU, s epoch   ratio  target   whole  configuration")
    met = [_print_ratio(name, record) for name, record in records.items()]
    return all(met)


def _print_ratio(name: str, record: dict[str, Any]) -> bool:
    textbook = mean(one["wall_s"] for one in record["textbook"])
    whole = mean(one["wall_s"] for one in record["ours"]) / textbook
    reached = _reached(record)
    ratio = None if reached is None else reached["wall_s"] / textbook
    shown = (
        f"{'not reached':>15}{'':9}{'':6}{'':8}"
        if reached is None
        else f"{reached['wall_s']:15.2f}{reached['cpu_s']:9.2f}{reached['epoch']:6}{ratio:8.3f}"
    )
    met = ratio is not None and ratio <= TARGETS[name]
    source = f"{record['source']}, target {'met' if met else 'missed'}"
    print(f"{name:9}{shown}{TARGETS[name]:8.2f}{whole:8.3f}  {source}")
    return met


def _reached(record: dict[str, Any]) -> dict[str, Any] | None:
    """Return the first epoch after which the mean accuracy is the textbook's; who stopped early keeps its own."""
    wanted, curves = _accuracy(record["textbook"]), [one["by_epoch"] for one in record["ours"]]
    for epoch in range(1, max(map(len, curves)) + 1):
        now = [curve[min(epoch, len(curve)) - 1] for curve in curves]
        # Means of the same counts of right items differ in their last digits.
        if mean(one["accuracy"] for one in now) >= wanted - 1e-9:
            return {"epoch": epoch, **{key: mean(one[key] for one in now) for key in ("wall_s", "cpu_s")}}
    return None


def _print_whole(records: Records, run: Path | None) -> bool:
    """Print the sum of the textbook trainings, and runs against it."""
    if not all(name in records for name in HOMES):
        return True
    total = sum(mean(one["wall_s"] for one in records[name]["textbook"]) for name in HOMES)
    cpu = sum(mean(one["cpu_s"] for one in records[name]["textbook"]) for name in HOMES)
    print(f"\nthe three textbook trainings: {total:.0f} s ({cpu:.0f} CPU s)")
    ratios = []
    if "fresh run" in records:
        found = records["fresh run"]
        ratios.append((found["wall_s"], SEARCH_TARGET, f"a run of the three home studies, {found['preset']}"))
    if run is not None:
        ratios += _of_run(run)
    for seconds, target, what in ratios:
        met = "met" if seconds / total <= target else "missed"
        print(f"{what}: {seconds:.0f} s, ratio {seconds / total:.2f}, target {target}: {met}")
    return all(seconds / total <= target for seconds, target, _ in ratios)


def _of_run(run: Path) -> list[tuple[float, float, str]]:
    from nncompare.results import Results

    results = Results.read(run / "results.json")
    found = []
    if (home := home_wall_s(run)) is not None:
        found.append((home, SEARCH_TARGET, f"run {results.run_id}, time in which a home study was under way"))
    if results.duration_s is not None:
        text = f"run {results.run_id}, {len(results.studies)} studies, first trial to report"
        found.append((results.duration_s, RUN_TARGET, text))
    return found


def _accuracy(found: list[dict[str, Any]]) -> float:
    return mean(one["accuracy"] for one in found)


def _kept(file: Path | None) -> Records:
    return json.loads(file.read_text()) if file is not None and file.exists() else {}


def _keep(file: Path | None, records: Records) -> None:
    if file is not None:
        file.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
