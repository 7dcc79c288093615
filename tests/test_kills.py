"""A run that is killed at any moment goes on: each trial is finished once, and none is lost."""

import os
import random
import time

import pytest

from nncompare.comparison import load_results
from nncompare.report import render_html
from nncompare.trials import kept_numbers

from .children import fault, wait_until
from .run_processes import WarmStarter, command, committed, finished_trials, is_alive, kill_with_children, states

N_KILLS = int(os.environ.get("NNCOMPARE_KILLS", "20"))
N_TRIALS = min(400, 10 * N_KILLS)
LAST_KILL = N_TRIALS - 20
"""Trials after which nothing is killed any more, so that the last part is one that ends by itself."""
SECONDS = 40 * N_KILLS


@pytest.fixture
def table(tmp_path):
    """Write a table that is loaded at once, and return its path."""
    lines = [f"{i % 7},{i % 5}.5,{'ab'[i % 2]}" for i in range(60)]
    (tmp_path / "table.csv").write_text("\n".join(["x,y,kind", *lines]) + "\n")
    return tmp_path / "table.csv"


@pytest.fixture
def starter():
    with WarmStarter() as starter:
        yield starter


@pytest.mark.slow
@pytest.mark.timeout(max(300, SECONDS))
def test_run_killed_at_random_moments_finishes_each_trial_once(starter, table, tmp_path):
    chance = random.Random(11)
    points = sorted(chance.sample(range(1, LAST_KILL), N_KILLS))
    out = tmp_path / "reports"
    budget = ["--trials", str(N_TRIALS), "--epochs", "1", "--seeds", "1", "--jobs", "2", "--no-estimate"]
    model, data = ["-m", fault("NeverReports")], ["-d", str(table), "--target", "kind"]
    arguments = ["run", *model, *data, *budget, "--out", str(out)]
    kept, told = {}, {}
    for n, point in enumerate(points):
        process = starter.start(*arguments)
        wait_for_trials(process, out, point, chance)
        assert is_alive(process), f"it ended by itself before the kill at trial {point}"
        family = kill_with_children(process, children=n % 2 == 0)  # else they have to notice by themselves
        assert wait_until(lambda: not any(map(is_alive, family))), "an orphan"  # noqa: B023 - at once
        folder = next(out.iterdir())
        assert "<html" in render_html(load_results(folder))
        now, heard = committed(folder), finished_trials(folder)
        assert {key: now.get(key) for key in kept} == kept  # none that was finished is lost or was run again
        assert {number: heard.get(number) for number in told} == told  # none was told twice
        assert len(heard) <= len(now)  # the file is the commit record: Optuna hears of nothing that has none
        kept, told, arguments = now, heard, ["resume", str(folder)]
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    check_whole(folder, kept, told)


def wait_for_trials(process, out, point, chance):
    """Wait until so many trials are committed, then for a moment: of the start, if they were there before it."""
    is_there = n_committed(out) >= point
    while is_alive(process) and n_committed(out) < point:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 2.0 if is_there else 0.2))


def n_committed(out):
    return sum(len(kept_numbers(study)) for study in out.glob("*/trials/NeverReports--*"))


def check_whole(folder, kept, told):
    results = load_results(folder)
    (study,) = results.studies
    assert (results.state, study.status) == ("complete", "complete")
    assert [trial.number for trial in study.trials] == list(range(N_TRIALS))
    assert {trial.state for trial in study.trials} == {"complete"}
    assert states(folder) == [(1, number, "COMPLETE") for number in range(N_TRIALS)]
    now, heard = committed(folder), finished_trials(folder)
    assert {key: now.get(key) for key in kept} == kept
    assert {number: heard.get(number) for number in told} == told
    values = {trial.number: trial.valid_log_loss for trial in study.trials}
    assert {number: [value for _, value in found] for number, (_, _, found) in heard.items()} == {
        number: [value] for number, value in values.items()
    }
