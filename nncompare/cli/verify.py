"""``nncompare verify``: says whether what a run recorded comes out again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nncompare.cli.completion import complete_datasets, complete_models, complete_runs
from nncompare.cli.group import common_options, only_plugins_option
from nncompare.cli.options import out_option
from nncompare.cli.streams import say
from nncompare.columns import one_line
from nncompare.points import counted
from nncompare.runs import find_run

if TYPE_CHECKING:
    from nncompare.replay import Replayed
    from nncompare.verifying import Verification, VerifiedStudy

_DIFFERS = 3
_MOST_LETTERS = 120

_HELP = """Train a trial and a refit of RUN again, and say whether they give what the run recorded.

RUN is an id from "nncompare runs" or its beginning, a run directory, or "latest". Of each study the chosen trial
is trained again, in a fresh process, from the values that the search suggested then, and the first refit with its
seed. Parameters, epochs, losses and scores have to be equal to the last digit, of a run with --deterministic the
saved files too. The run directory is only read.

The exit code is 0 if all agree and 3 if one differs or fails now. A run whose data, plugins or plugin versions are
others now is refused in a sentence; other versions of libraries are warned of.

\b
Examples:
  nncompare verify latest
  nncompare verify latest -m mlp -d digits --trial 3
"""


@click.command("verify", short_help="Train a trial and a refit of a run again: equal?", help=_HELP)
@click.argument("run", shell_complete=complete_runs)
@click.option("-m", "--model", metavar="NAME", shell_complete=complete_models, help="Studies of this model only.")
@click.option(
    "-d", "--dataset", metavar="NAME", shell_complete=complete_datasets, help="Studies on this data set only."
)
@click.option(
    "--trial", type=click.IntRange(min=0), metavar="N", help="Which trial; by default the one that was chosen."
)
@out_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; words go to standard error.")
@only_plugins_option()
@common_options
@click.pass_context
def verify_run(
    ctx: click.Context,
    /,
    run: str,
    model: str | None,
    dataset: str | None,
    trial: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Find, replay, print."""
    folder = find_run(run, out)
    from nncompare.execution.runner import LocalRunner
    from nncompare.interrupts import terminable
    from nncompare.progress.lines import choose_progress
    from nncompare.verifying import verify

    def tell(study: VerifiedStudy) -> None:
        for line in study_lines(study):
            (_say_beside if as_json else say)(line)

    with choose_progress(quiet=True) as progress, terminable(), LocalRunner() as runner:
        found = verify(folder, runner, model=model, dataset=dataset, trial=trial, listener=progress, tell=tell)
    code = 0 if found.agrees else _DIFFERS
    for warning in found.warnings:
        _say_beside(f"warning: {one_line(warning)}")
    if as_json:
        import json

        say(json.dumps(_as_json(found, code), indent=1, allow_nan=False))
    (_say_beside if as_json else say)(summary(found))
    ctx.exit(code)


def study_lines(study: VerifiedStudy) -> list[str]:
    """Return what came out of one study's replays, in words."""
    lines = [one_line(f"{study.model} on {study.dataset}")]
    for replayed in study.replays:
        lines.append(f"  {one_line(f'{replayed.kind} {replayed.number}: {_outcome(replayed)}')}")
        for difference in replayed.differences:
            before, now = (_shown(value) for value in (difference.recorded, difference.now))
            lines.append(f"    {one_line(f'{difference.what}: {before} in the run, {now} now')}")
    return lines


def summary(found: Verification) -> str:
    """Return the last line: how many replays agree, and what in the record cannot be."""
    n, differ = len(found.replays), sum(not replayed.agrees for replayed in found.replays)
    text = f"{differ} of {n} replays do not give" if differ else f"All {n} replays give"
    forged = [f"results.json contradicts itself: {sentence}" for sentence in found.contradictions]
    return " ".join([f"{text} what the run recorded.", *forged])


def _outcome(replayed: Replayed) -> str:
    if replayed.failure is not None:
        return f"fails now: {replayed.failure}"
    if replayed.differences:
        return "differs"
    score = "test accuracy" if replayed.kind == "refit" else "validation log loss"
    facts = [counted(replayed.epochs, "epoch")]
    facts += [] if replayed.score is None else [f"{score} {replayed.score:.4f}"]
    facts += ["saved files equal"] if replayed.weights == "equal" else []
    return f"agrees ({', '.join(facts)})"


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}…"


def _as_json(found: Verification, code: int) -> dict[str, Any]:
    from dataclasses import asdict

    told = asdict(found)
    for study, known in zip(told["studies"], found.studies, strict=True):
        for replayed, record in zip(study["replays"], known.replays, strict=True):
            replayed["agrees"] = record.agrees
    return {**told, "agrees": found.agrees, "exit_code": code}


def _say_beside(line: str) -> None:
    click.echo(line, err=True)
