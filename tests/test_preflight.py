"""What a run needs on its disk is known before it begins."""

import pytest

from nncompare import preflight
from nncompare.comparison import run
from nncompare.events import Notice
from nncompare.exceptions import StorageError
from nncompare.execution.specs import FitAnswer
from nncompare.planning import make_plan
from nncompare.preflight import check_room, needed_bytes
from nncompare.settings import RunConfig
from nncompare.trials import keep_trial, trial_record

from .children import fault
from .whole_runs import compare_with


@pytest.fixture
def plan(runner, tmp_path):
    budget = {"n_trials": 1000, "max_epochs": 100, "n_refits": 5, "jobs": 1}
    config = RunConfig(models=(fault("Nearest"),), datasets=("digits",), out=tmp_path / "out", **budget)
    return make_plan(config, runner)


@pytest.fixture
def with_free(monkeypatch):
    return lambda n_bytes: monkeypatch.setattr(preflight, "free_bytes", lambda _folder: int(n_bytes))


def test_run_without_room_is_refused_with_both_numbers_before_anything_is_made(plan, runner, with_free, tmp_path):
    with_free(20e6)
    with pytest.raises(StorageError) as caught:
        run(plan, runner)
    assert str(caught.value) == (
        f"There is no room for the run in '{tmp_path / 'out'}': it needs at least 30.5 MB, and 20.0 MB are free "
        "there. Free some space, or choose another folder with --out (in Python: out=)."
    )
    assert caught.value.exit_code == 74
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("free", "n_notices"), [(60e6, 1), (90e6, 0)])
def test_run_whose_models_may_find_no_room_is_warned(plan, with_free, tmp_path, free, n_notices):
    with_free(free)
    notices = []
    check_room(plan, notices.append)
    text = (
        f"The run may need 80.5 MB in '{tmp_path / 'out'}' with its models, and 60.0 MB are free there. If the "
        "disk is full, it stops, and can be resumed."
    )
    assert notices == [Notice(text, "warning")] * n_notices


def test_trials_that_are_kept_need_no_more_room(plan):
    before = needed_bytes(plan)
    folder = plan.folder / "trials" / "Nearest--digits"
    for number in range(10):
        keep_trial(folder, trial_record(number, {}, FitAnswer(status="complete"), 0), {})
    assert before - needed_bytes(plan) == 10 * (preflight.TRIAL_BYTES + 100 * preflight.EPOCH_BYTES)


@pytest.mark.slow
def test_needed_bytes_are_no_more_than_a_run_writes(runner, tmp_path):
    """What is refused for want of room could not have been written."""
    _, folder = compare_with(runner, tmp_path, n_trials=60, max_epochs=3)
    written = sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())
    budget = {"n_trials": 60, "max_epochs": 3, "n_refits": 2, "jobs": 1}
    config = RunConfig(models=(fault("Nearest"),), datasets=("digits",), out=tmp_path / "other", **budget)
    assert written / 3 < needed_bytes(make_plan(config, runner)) < 1.2 * written


def test_run_that_lacks_little_is_refused_with_numbers_that_say_so(plan, with_free):
    with_free(40_000)
    with pytest.raises(StorageError, match=r"at least 30\.5 MB, and 0\.0 MB are free"):
        check_room(plan)


def test_predictions_that_are_written_need_no_more_room(plan):
    before, study = needed_bytes(plan), plan.studies[0]
    folder = plan.folder / "predictions"
    folder.mkdir(parents=True)
    for seed in range(3):
        (folder / f"{study.model}--{study.dataset}--{seed}.npz").write_bytes(b"")
    n_test = plan.datasets[0].n_test
    assert before - needed_bytes(plan) == 3 * preflight.FLOAT_BYTES * n_test * 11
