"""A run that ends at any of its steps, as a kill would end it, goes on to what it would have been without."""

import os
import shutil

import pytest

from nncompare import faultpoints
from nncompare.comparison import load_results, run
from nncompare.exceptions import ResultsError
from nncompare.execution.saved import check_saved
from nncompare.report import render_html
from nncompare.resuming import plan_rest

from .children import dataset, fault
from .run_processes import WarmStarter, states
from .whole_runs import compare_with, differing

BUDGET = {"n_trials": 5, "max_epochs": 2, "n_refits": 2, "jobs": 1}
OPTIONS = ("--trials", "5", "--epochs", "2", "--seeds", "2", "--jobs", "1", "--no-estimate")
STEPS = (
    "ask#3",
    "asked#3",
    "suggested#3",  # of two, in a trial that is drawn at random
    "suggested#5",  # of two, in one that follows from earlier trials
    "answered#3",
    "rename 0002.record.json",
    "renamed 0002.record.json",
    "tell#3",
    "told#3",
    "refit#2",
    "refitted#2",
    "rename results.json#2",
    "renamed results.json#2",
    "rename report.html#2",
    "rename report.html#3",
)


@pytest.fixture(scope="module")
def starter(own_cache):
    with WarmStarter() as starter:
        yield starter


@pytest.fixture(scope="module")
def whole(runner, tmp_path_factory):
    """Return the results of a run that nothing ends."""
    return compare_with(runner, tmp_path_factory.mktemp("whole"), **BUDGET)[0]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_run_ended_at_a_step_goes_on_to_what_it_would_have_been(starter, runner, whole, tmp_path, step):
    arguments = ["run", "-m", fault("Nearest"), "-d", "digits", *OPTIONS, "--out", str(tmp_path)]
    assert starter.run(*arguments, NNCOMPARE_EXIT_AT=step) == faultpoints.EXIT_CODE
    (folder,) = tmp_path.iterdir()
    plan = plan_rest(folder, runner)
    assert (plan is None) is (step == "rename report.html#3")
    if plan is not None:
        run(plan, runner)
    results = load_results(folder)
    assert results.state == "complete"
    assert differing(results, whole) == []
    assert [state for _, _, state in states(folder)] == [
        trial.state.upper() for trial in results.studies[0].trials
    ]
    check_files(folder, results)


FINAL_STEPS = ("told#5", "final#1", "final#2", "finalled#2", "finalled#3", "refit#1", "refitted#2")


@pytest.fixture(scope="module")
def whole_with_finals(runner, tmp_path_factory):
    """Return the results of a run on a sample that nothing ends; its finals turn the order of the search round."""
    out = tmp_path_factory.mktemp("finals")
    results, _ = compare_with(runner, out, ("TurnsLate",), (dataset("Many"),), **BUDGET)
    (study,) = results.studies
    assert study.best_trial == study.finals[2].trial
    return results


@pytest.mark.slow
@pytest.mark.parametrize("step", FINAL_STEPS)
def test_run_ended_in_its_finals_goes_on_to_the_same_choice(starter, runner, whole_with_finals, tmp_path, step):
    arguments = ["run", "-m", fault("TurnsLate"), "-d", dataset("Many"), *OPTIONS, "--out", str(tmp_path)]
    assert starter.run(*arguments, NNCOMPARE_EXIT_AT=step) == faultpoints.EXIT_CODE
    (folder,) = tmp_path.iterdir()
    ended = {path: path.stat().st_mtime_ns for path in folder.glob("trials/*/final-of-*.json")}
    assert len(ended) == {"told#5": 0, "final#1": 0, "final#2": 1, "finalled#2": 2}.get(step, 3)
    run(plan_rest(folder, runner), runner)
    results = load_results(folder)
    assert differing(results, whole_with_finals) == []
    assert {path: path.stat().st_mtime_ns for path in ended} == ended  # nothing is repeated
    assert len(list(folder.glob("trials/*/final-of-*.json"))) == 3


def check_files(folder, results):
    """The report is that of the results, and the models are those that they name."""
    assert (folder / "report.html").read_text() == render_html(results)
    refits = results.studies[0].refits
    for refit in refits:
        check_saved(folder / refit.model, refit.manifest_sha256)
    names = {f"models/{path.name}" for path in folder.glob("models/Nearest--*")}
    assert names == {refit.model for refit in refits}
    names = {f"predictions/{path.name}" for path in folder.glob("predictions/Nearest--*")}
    assert names == {refit.predictions for refit in refits}


@pytest.mark.slow
def test_run_ended_before_run_json_is_there_is_no_run(starter, tmp_path):
    arguments = ["run", "-m", fault("Nearest"), "-d", "digits", *OPTIONS, "--out", str(tmp_path)]
    assert starter.run(*arguments, NNCOMPARE_EXIT_AT="rename run.json") == faultpoints.EXIT_CODE
    (folder,) = tmp_path.iterdir()
    with pytest.raises(ResultsError, match=r"cannot be resumed: it has no run\.json"):
        plan_rest(folder, None)
    assert starter.run("resume", "latest", "--out", str(tmp_path)) == 2


@pytest.fixture(scope="module")
def short_and_long(runner, tmp_path_factory):
    """Return the folder of a run of one trial, and the results of the same run after its search went on."""
    first, folder = compare_with(runner, tmp_path_factory.mktemp("short"), **(BUDGET | {"n_trials": 1}))
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    results = run(plan_rest(copy, runner, n_trials=12), runner)
    assert (first.repeatable, results.repeatable) == (True, False)  # fewer were drawn at random than of 12
    assert results.studies[0].best_trial != first.studies[0].best_trial  # else there is nothing to replace
    return folder, results


@pytest.mark.slow
@pytest.mark.parametrize("step", ["refitted#2", "renamed results.json#3", "remove#2", "removed#1"])
def test_extension_ended_while_it_replaces_models_names_models_that_are_there(
    starter, runner, short_and_long, tmp_path, step
):
    short, long = short_and_long
    folder = tmp_path / short.name
    shutil.copytree(short, folder)
    arguments = ["resume", str(folder), "--trials", "12"]
    assert starter.run(*arguments, NNCOMPARE_EXIT_AT=step) == faultpoints.EXIT_CODE
    for refit in load_results(folder).studies[0].refits:  # whichever results stand, what they name is whole
        check_saved(folder / refit.model, refit.manifest_sha256)
        assert (folder / refit.predictions).is_file()
    plan = plan_rest(folder, runner)
    if plan is not None:
        run(plan, runner)
    results = load_results(folder)
    assert differing(results, long) == []
    check_files(folder, results)


def test_step_that_no_test_asked_for_ends_nothing():
    assert faultpoints.VARIABLE not in os.environ
    faultpoints.reached("told")
