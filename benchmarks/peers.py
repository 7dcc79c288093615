"""Compare four tools on the same space, data and wall clock: nncompare, Optuna with Keras, and KerasTuner's two.

Run ``python benchmarks/peers.py [--budget mlp=40,cnn=300,lstm=600] [--only cnn] [--tools optuna] [--half]``. Each
tool is a fresh process whose clock runs from its start, imports included, to the model that it delivers:

- nncompare: a run of one study, ``--jobs`` trials at a time with one thread each and the epochs of the preset
  "standard", whose search ends early enough for one refit and the report. How early tells the pace of an epoch
  or two, measured within the budget and multiplied by ``--reserve``. What counts is the refit, whose run has to
  end within the budget.
- optuna: the careful script in one process. Multivariate TPE that begins with the default configuration, the
  median pruner, Keras's ``fit`` with early stopping on all of the training part but nncompare's validation part,
  the session cleared between trials; texts are padded to the most that is read; for digits scikit-learn's
  MLPClassifier, one ``partial_fit`` per epoch and one thread, which is its fastest.
- hyperband, random: KerasTuner with the same early stopping. Its tuner for scikit-learn knows no time, so digits
  has the same network as a Keras model.

The space is the plugin's own: its ``suggest_params`` draws from each tool. Where the plugin averages weights, the
peers do too (Keras's ``use_ema`` and ``SwapEMAWeights``, whose momentum is constant). The models are those of its
``build``, with Keras's own recurrent layers for the peers: nncompare's are part of what is claimed. Peers use all
processors. At the end of the budget a peer's ``fit`` is cut between two batches, and it delivers its best epoch so
far by validation log loss, of whatever trial; predicting the test part is outside every clock but nncompare's.

The verdict is nncompare's own: the paired interval on the same test items, Bonferroni over the peers. One seed on
a side has no seed term. Rows of several calls, with other seeds perhaps, are joined by ``--join FILE``: then each
tool's seeds count together. "log loss" and "valid." are those of the validation part, of nncompare's refit where
that kept one, else of its trial. "memory" is by how much all processes of the tool together grow in the search.

Needs the data sets ``mnist`` and ``imdb``: they are downloaded, or found in ``NNCOMPARE_DATA_DIR``. KerasTuner
(Apache 2.0) is needed by this script only: ``pip install keras-tuner``.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import json
import sys
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from sides.fresh import answer, in_fresh_process, plain_environment
from sides.homes import HOMES, read_job
from sides.problem import plan_problem

TOOLS = ("nncompare", "optuna", "hyperband", "random")
BUDGETS = {"mlp": 40.0, "cnn": 300.0, "lstm": 600.0}
Row = dict[str, Any]


def main() -> int:
    """Print a table for each family; exit 1 where nncompare took longer than its budget."""
    arguments = _arguments()
    if arguments.side:
        answer(job := read_job(arguments), _side(arguments.side)(job))
        return 0
    rows = [row for file in arguments.join or () for row in json.loads(file.read_text())]
    if not arguments.join:
        _check_tools(arguments.tools or TOOLS)
        for family in arguments.only or HOMES:
            rows += _measure(family, arguments, rows)
    for family, budget_s in dict.fromkeys((row["family"], row["budget_s"]) for row in rows):
        _print_family([row for row in rows if (row["family"], row["budget_s"]) == (family, budget_s)])
    over = [row for row in rows if row["tool"] == "nncompare" and row["wall_s"] > row["given_s"]]
    for row in over:
        print(f"nncompare took {row['wall_s']:.1f} s of {row['given_s']:.0f} on {row['family']}: raise --reserve.")
    return int(bool(over))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=_budgets, default=BUDGETS, help="seconds, as mlp=40,cnn=300,lstm=600")
    parser.add_argument("--only", choices=list(HOMES), action="append", help="one of the families; repeatable")
    parser.add_argument("--tools", choices=TOOLS, action="append", help="one of the tools; repeatable")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--epochs", type=int, help="most epochs of a training; of the preset by default")
    parser.add_argument("--half", action="store_true", help="give nncompare half of the time")
    parser.add_argument("--jobs", type=int, default=2, help="trials at a time of nncompare")
    parser.add_argument("--reserve", type=float, default=1.5, help="factor on the time that is left for the refit")
    parser.add_argument("--json", type=Path, help="write the rows into this file")
    parser.add_argument("--join", type=Path, action="append", help="print the rows of such a file; repeatable")
    parser.add_argument("--side", choices=["nncompare", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _budgets(text: str) -> dict[str, float]:
    """Return the seconds of each family, the default for those that are not named."""
    pairs = [part.partition("=") for part in text.split(",")]
    if any(name not in HOMES or not _is_seconds(seconds) for name, _, seconds in pairs):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form mlp=40,cnn=300,lstm=600")
    return BUDGETS | {name: float(seconds) for name, _, seconds in pairs}


def _is_seconds(text: str) -> bool:
    return text.replace(".", "", 1).isdigit() and float(text) > 0


def _check_tools(tools: Any) -> None:
    if {"hyperband", "random"} & set(tools) and importlib.util.find_spec("keras_tuner") is None:
        sys.exit("KerasTuner is not installed: pip install keras-tuner, or name other tools with --tools.")


def _side(name: str) -> Any:
    """Return what a child does; imported there, so that no tool pays for another's imports."""
    if name == "nncompare":
        from sides import nncompare_run

        return nncompare_run.search
    from sides import peer

    return peer.search


def _measure(family: str, arguments: argparse.Namespace, before: list[Row]) -> list[Row]:
    """Run the tools on one family, one after the other, and keep the rows so far."""
    problem = plan_problem(family, arguments.seed, arguments.epochs)
    rows: list[Row] = []
    for tool in arguments.tools or TOOLS:
        own = tool == "nncompare"
        budget_s = arguments.budget[family]
        given_s = budget_s / 2 if own and arguments.half else budget_s
        job = {**problem, "tool": tool, "budget_s": given_s, "jobs": arguments.jobs, "reserve": arguments.reserve}
        threads = 1 if (tool, family) == ("optuna", "mlp") else None  # two wait for each other: see README.md
        found = in_fresh_process(__file__, "nncompare" if own else "peer", job, plain_environment(threads))
        correct = found.pop("correct", None)
        row = {"tool": tool, "family": family, "seed": arguments.seed, "budget_s": budget_s, "given_s": given_s}
        rows.append({**row, **found, "correct": None if correct is None else _packed(correct)})
        print(
            f"{family} {tool}: {found['wall_s']:.1f} s, {found['n_finished']} trials", file=sys.stderr, flush=True
        )
        if arguments.json is not None:
            arguments.json.write_text(json.dumps([*before, *rows], indent=1) + "\n")
    return rows


def _packed(correct: list[bool]) -> dict[str, Any]:
    return {"n": len(correct), "bits": base64.b64encode(np.packbits(correct).tobytes()).decode()}


def _unpacked(packed: dict[str, Any]) -> Any:
    bits = np.frombuffer(base64.b64decode(packed["bits"]), np.uint8)
    return np.unpackbits(bits, count=packed["n"]).astype(bool)


def _print_family(rows: list[Row]) -> None:
    """Print one line for each tool, with the verdict against nncompare."""
    first, by_tool = rows[0], {}
    for row in rows:
        by_tool.setdefault((row["tool"], row["given_s"]), []).append(row)
    peers = [key for key in by_tool if key[0] != "nncompare"]
    n_pairs = max(1, len(peers))
    print(f"\n{first['family']} on {HOMES[first['family']]}, {first['budget_s']:.0f} s")
    print("tool       seeds  given   wall    CPU trials log loss  valid.    test  memory")
    for (tool, given_s), found in by_tool.items():
        wall, cpu, trials, memory = (
            mean(row[key] for row in found) for key in ("wall_s", "process_cpu_s", "n_finished", "memory_mb")
        )
        line = f"{tool:10}{len(found):6}{given_s:7.0f}{wall:7.1f}{cpu:7.0f}{trials:7.1f}"
        scored = [row for row in found if row["correct"] is not None]
        if scored:
            loss, valid = (mean(row[key] for row in scored) for key in ("valid_log_loss", "valid_accuracy"))
            line += f"{loss:9.4f}{valid:8.4f}{_correct(scored).mean():8.4f}"
        else:
            line += f"{'delivers nothing':>25}"
        print(f"{line}{memory:5.0f} MB")
    for (tool, given_s), ours in by_tool.items():
        if tool == "nncompare":
            for peer in peers:
                print(_verdict(ours, given_s, by_tool[peer], n_pairs))


def _verdict(ours: list[Row], given_s: float, theirs: list[Row], n_pairs: int) -> str:
    """Return nncompare's own verdict of a pair in words."""
    from nncompare.statistics import paired_difference

    ours, theirs = ([row for row in side if row["correct"] is not None] for side in (ours, theirs))
    if not (ours and theirs):
        return "no verdict: a side delivered nothing"
    pair = paired_difference(_correct(ours), _correct(theirs), n_pairs=n_pairs)
    state = pair.state
    if state == "better":
        state = "better" if pair.difference > 0 else "worse"
    points = f"{100 * pair.difference:+.2f} points ({100 * pair.low:+.2f} to {100 * pair.high:+.2f})"
    return f"nncompare in {given_s:.0f} s against {theirs[0]['tool']}: {state}, {points}; {pair.method}"


def _correct(rows: list[Row]) -> Any:
    return np.stack([_unpacked(row["correct"]) for row in rows])


if __name__ == "__main__":
    sys.exit(main())
