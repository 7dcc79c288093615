"""Runs that are asked for more: what was complete stays, what is impossible is refused and changes nothing."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.comparison import load_results, run
from nncompare.data.files import cache_root
from nncompare.data.own import own_arrays
from nncompare.data.store import store_dataset
from nncompare.events import Notice, RefitFinished, TrialFinished
from nncompare.exceptions import BusyError, PluginError, ResultsError, UsageError
from nncompare.execution.saved import check_saved
from nncompare.parts import BEFORE
from nncompare.results import Results, StudyRecord
from nncompare.resuming import plan_rest
from nncompare.runfile import RunFile

from .children import FAULTS
from .test_resume import SMALL, StopAfter, resumed, stopped
from .whole_runs import compare_with, differing

pytestmark = pytest.mark.slow


def same(results, earlier):
    """Tell whether results hold what earlier ones did, but for the estimate, which is no result."""
    return [
        (study.model_copy(update={"estimate_s": None}), dataset)
        for study, dataset in zip(results.studies, results.datasets, strict=True)
    ] == [
        (study.model_copy(update={"estimate_s": None}), dataset)
        for study, dataset in zip(earlier.studies, earlier.datasets, strict=True)
    ]


def models_of(results, folder):
    """Return the saved models that results.json names, each checked against its digest."""
    refits = [refit for study in results.studies for refit in study.refits]
    for refit in refits:
        check_saved(folder / refit.model, refit.manifest_sha256)
        assert (folder / refit.predictions).is_file()
    return {Path(refit.model).name for refit in refits}


def test_extension_that_is_stopped_keeps_results_and_models_of_before(runner_class, tmp_path):
    with runner_class() as runner:
        first, folder = compare_with(runner, tmp_path, ("Slow",), **(SMALL | {"n_trials": 2}))
        models = models_of(first, folder)
        plan, on_disk = plan_rest(folder, runner, n_trials=8), []

        def look(event):
            if isinstance(event, TrialFinished):
                on_disk.append(load_results(folder))
            stop(event)

        stop = StopAfter(3)
        with pytest.raises(KeyboardInterrupt):
            run(plan, runner, look)
    assert len(on_disk) >= 3
    after = load_results(folder)
    assert all(same(results, first) for results in (*on_disk, after))
    assert {results.state for results in on_disk} == {"running"}
    assert after.state == "interrupted"
    assert models_of(after, folder) == models
    assert [note for note in after.notes if note.startswith(BEFORE)]
    with runner_class() as runner:
        whole = resumed(runner, folder)  # what was asked for last
    assert (whole.state, len(whole.studies[0].trials), whole.notes) == ("complete", 8, [])


def test_extension_replaces_models_only_when_the_new_ones_are_named(runner_class, tmp_path):
    with runner_class() as runner:
        first, folder = compare_with(runner, tmp_path, **(SMALL | {"n_trials": 1}))
        models, seen = models_of(first, folder), []

        def look(event):
            if isinstance(event, RefitFinished):
                seen.append(models_of(load_results(folder), folder))

        results = run(plan_rest(folder, runner, n_trials=12), runner, look)
    assert results.studies[0].best_trial != 0  # else there is nothing to replace
    assert seen == [models, models]
    named = models_of(results, folder)
    assert named.isdisjoint(models)
    assert {path.name for path in folder.glob("models/Nearest--*")} == named
    assert {path.stem for path in folder.glob("predictions/Nearest--*")} == named


@pytest.fixture
def runner_class():
    from nncompare.execution.runner import LocalRunner

    return LocalRunner


def test_run_of_a_module_of_one_folder_goes_on_from_another(runner_class, tmp_path, monkeypatch):
    here, elsewhere, out = tmp_path / "a", tmp_path / "b", tmp_path / "reports"
    for folder in (here, elsewhere):
        folder.mkdir()
    module = here / "only_in_a.py"
    shutil.copy(FAULTS, module)
    monkeypatch.chdir(here)
    with runner_class() as runner:
        models = ("only_in_a:Nearest", "NeverReports")  # the second still works
        _, folder = compare_with(runner, out, models, n_trials=1, n_refits=1)
    monkeypatch.chdir(elsewhere)
    with runner_class() as runner:
        first = resumed(runner, folder, n_trials=2)
        assert first.studies[0].status == "complete"
        before = (folder / "results.json").read_bytes()
        module.write_text("this is no Python")
        with pytest.raises(
            PluginError, match=r"has results of Nearest on digits, which cannot run now\. .*Syntax"
        ):
            plan_rest(folder, runner, n_trials=3)
        module.unlink()
        with pytest.raises(UsageError, match=r"There is no file '.*only_in_a.py'"):
            plan_rest(folder, runner, n_trials=3)
    assert (folder / "results.json").read_bytes() == before


def test_run_of_a_package_of_one_folder_is_refused_elsewhere(runner_class, tmp_path, monkeypatch):
    package = tmp_path / "a" / "package_in_a"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(FAULTS, package / "net.py")
    monkeypatch.chdir(package.parent)
    with runner_class() as runner:
        _, folder = compare_with(runner, tmp_path / "out", ("package_in_a.net:Nearest",), n_trials=1, n_refits=1)
    before = (folder / "results.json").read_bytes()
    monkeypatch.chdir(tmp_path)
    with runner_class() as runner, pytest.raises(PluginError, match=r"was started in '.*/a': resume it there"):
        plan_rest(folder, runner, n_trials=2)
    assert (folder / "results.json").read_bytes() == before
    monkeypatch.chdir(package.parent)
    with runner_class() as runner:
        assert resumed(runner, folder, n_trials=2).state == "complete"


def test_run_with_a_relative_sqlite_file_goes_on_in_that_file(runner_class, tmp_path, monkeypatch):
    here, elsewhere = tmp_path / "a", tmp_path / "b"
    for path in (here, elsewhere):
        path.mkdir()
    monkeypatch.chdir(here)
    settings = SMALL | {"n_trials": 2, "n_refits": 1, "storage": "sqlite:///mine.db"}
    with runner_class() as runner:
        first, folder = compare_with(runner, tmp_path / "out", **settings)
    monkeypatch.chdir(elsewhere)
    with runner_class() as runner:
        with pytest.raises(UsageError, match=r"names another database, sqlite:///mine.db\. Give the address of"):
            plan_rest(folder, runner, n_trials=4, storage="sqlite:///mine.db")
        results = resumed(runner, folder, n_trials=4)
    assert list(elsewhere.iterdir()) == []
    assert results.studies[0].trials[:2] == first.studies[0].trials
    assert results.notes == []


def test_run_whose_study_db_was_lost_ends_as_one_that_was_not(runner_class, tmp_path):
    with runner_class() as runner:
        whole, _ = compare_with(runner, tmp_path / "whole", ("Slow",), **SMALL)
    folder = stopped(runner_class, tmp_path / "parts")
    kept = {file: file.read_bytes() for file in folder.glob("trials/Slow--digits/*.record.json")}
    for file in folder.glob("study.db*"):
        file.unlink()
    with runner_class() as runner:
        results = resumed(runner, folder)
    assert {file: file.read_bytes() for file in kept} == kept
    assert differing(results, whole) == []


def test_run_that_its_limit_of_time_ended_goes_on_with_a_longer_one(runner_class, tmp_path):
    with runner_class() as runner:
        first, folder = compare_with(runner, tmp_path, ("Slow",), **(SMALL | {"n_trials": 50, "timeout_s": 1.5}))
        n_first = len(first.studies[0].trials)
        assert 1 <= n_first < 50
        assert plan_rest(folder, runner) is None
        assert plan_rest(folder, runner, timeout_s=1.0) is None
        for n_trials in (50, 70):
            with pytest.raises(UsageError, match=r"1.5 s for all searches, is used up, so no further trial"):
                plan_rest(folder, runner, n_trials=n_trials)
        assert plan_rest(folder, runner, timeout_s=600.0).config.n_trials == 50
        assert plan_rest(folder, runner, n_trials=50, timeout_s=600.0) is not None
        results = resumed(runner, folder, n_trials=n_first + 2, timeout_s=600.0)
    assert len(results.studies[0].trials) == n_first + 2
    assert (results.state, results.settings.timeout_s, results.estimate_s) == ("complete", 600.0, None)


def test_resume_says_which_searches_the_kept_limit_of_time_leaves_where_they_are(runner_class, tmp_path):
    folder = stopped(runner_class, tmp_path, timeout_s=600.0)
    notices = []
    with runner_class() as runner:
        assert plan_rest(folder, runner, notices.append, timeout_s=0.01) is not None
    texts = [event.text for event in notices if isinstance(event, Notice) and "used up" in event.text]
    assert texts == [
        "The time limit of the run, 0.01 s for all searches, is used up for Slow on digits: there, no further "
        "trial starts. Give a longer one with --timeout (in Python: timeout_s=)."
    ]


def test_storage_of_the_environment_is_for_other_runs(runner_class, tmp_path, monkeypatch):
    folder = stopped(runner_class, tmp_path)
    monkeypatch.setenv("NNCOMPARE_STORAGE", "postgresql+psycopg://ann:pw@127.0.0.1:1/db")
    with runner_class() as runner:
        assert plan_rest(folder, runner).config.storage is None
        with pytest.raises(UsageError, match=r"in its study.db, so --storage \(in Python: storage=\) cannot be"):
            plan_rest(folder, runner, storage="sqlite:///x.db")
    done = CliRunner().invoke(main, ["resume", str(folder), "--quiet"])
    assert done.exit_code == 0, done.output
    assert load_results(folder).state == "complete"


def test_plan_is_not_carried_out_when_another_process_went_on_with_the_run(runner_class, tmp_path):
    folder = stopped(runner_class, tmp_path)
    with runner_class() as runner:
        stale = plan_rest(folder, runner)
        assert resumed(runner, folder).state == "complete"
        before = (folder / "results.json").read_bytes()
        with pytest.raises(BusyError, match="Another process went on with the run"):
            run(stale, runner)
    assert (folder / "results.json").read_bytes() == before


def test_resume_without_the_stored_arrays_names_their_folder(runner_class, tmp_path, monkeypatch):
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    rows = [[float(i % 7), float(i % 5)] for i in range(60)]
    stored = store_dataset(*own_arrays("mine", rows, [i % 2 for i in range(60)]), cache_root())
    folder = stopped(runner_class, tmp_path / "out", 2, datasets=(str(stored.folder),))
    shutil.rmtree(stored.folder)
    with runner_class() as runner, pytest.raises(ResultsError, match=rf"were stored in '{stored.folder}'"):
        plan_rest(folder, runner)


@pytest.mark.parametrize(
    ("options", "code"), [([], 3), (["--no-strict"], 0), (["--strict"], 3)], ids=["recorded", "no", "yes"]
)
def test_resume_is_as_strict_as_the_run_was(tmp_path, options, code):
    folder = tmp_path / "a-run"
    folder.mkdir()
    when = "2026-01-02T03:04:05+00:00"
    studies = [
        StudyRecord(model="mlp", dataset="digits", status="complete"),
        StudyRecord(model="mlp", dataset="mnist", status="not_run"),
    ]
    found = Results(run_id="a-run", state="complete", created_at=when, seed=42, preset="quick", studies=studies)
    (folder / "results.json").write_text(found.to_json())
    config = {"models": ["mlp"], "datasets": ["digits", "mnist"], "command": [], "strict": True}
    (folder / "run.json").write_text(RunFile(run_id="a-run", created_at=when, config=config).model_dump_json())
    assert CliRunner().invoke(main, ["resume", str(folder), *options]).exit_code == code
