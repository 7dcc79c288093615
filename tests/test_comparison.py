"""Whole runs with real children: records, exit codes, the sealed test, equal runs."""

import json
import threading

import optuna
import pytest

from nncompare import compare
from nncompare.comparison import exit_code, load_results
from nncompare.exceptions import ResultsError, UsageError
from nncompare.report import render_html
from nncompare.results import Results

from .children import Coordinator, dataset, fault, n_descriptors
from .whole_runs import compare_with, files_of, repeated, selection


@pytest.fixture(scope="module")
def first(runner, tmp_path_factory):
    """Return a small run of the good plugin and its folder."""
    return compare_with(runner, tmp_path_factory.mktemp("first"), n_trials=6)


def test_comparison_is_complete(first):
    results, folder = first
    (study,) = results.studies
    assert (results.state, study.status, study.failure, exit_code(results)) == ("complete", "complete", None, 0)
    assert len(study.trials) == study.budget.n_trials == 6
    assert [refit.failure for refit in study.refits] == [None, None]
    assert study.best_params == study.trials[study.best_trial].params
    assert sum(map(sum, study.test.confusion_matrix)) == pytest.approx(360)
    assert study.test.accuracy.low < study.test.accuracy.mean < study.test.accuracy.high
    assert study.latency_ms > 0
    assert [reference.name for reference in results.datasets[0].references] == ["majority", "logistic_regression"]
    assert results.notes == []
    names = {"report.html", "report.md", "results.json", "study.db"}
    assert names <= {path.name for path in folder.iterdir()}


def test_comparison_results_survive_the_file(first):
    results, folder = first
    assert load_results(folder) == load_results(folder / "results.json") == results
    assert Results.from_json((folder / "results.json").read_text()).to_json() == results.to_json()


def test_comparison_report_is_made_of_results_alone(first):
    results, folder = first
    assert render_html(Results.from_json(results.to_json())).encode() == (folder / "report.html").read_bytes()


def test_comparison_refits_train_for_the_chosen_epochs_on_all_rows(first):
    study = first[0].studies[0]
    assert {refit.epochs for refit in study.refits} == {study.best_epoch}
    assert study.budget.refit_data == "train+validation"
    assert study.budget.refit_samples == 1437
    assert len({refit.seed for refit in study.refits}) == 2
    assert not {refit.seed for refit in study.refits} & {trial.seed for trial in study.trials}


def test_comparison_database_agrees_with_results(first):
    results, folder = first
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'study.db'}")
    told = optuna.load_study(study_name="Nearest--digits", storage=storage).trials
    storage.engine.dispose()
    names = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    trials = results.studies[0].trials
    assert [names[trial.state.name] for trial in told] == [trial.state for trial in trials]
    assert [trial.params for trial in told] == [trial.suggested for trial in trials]


def test_comparison_children_never_read_of_the_test_labels(first):
    _, folder = first
    for path in files_of(folder / "trials"):
        assert b"y_test" not in path.read_bytes(), path
    assert len(files_of(folder / "trials")) > 10


def test_comparison_path_of_test_samples_is_told_only_after_the_fit(runner, tmp_path, monkeypatch):
    """Every word between coordinator and children, in order."""
    heard = []
    run = type(runner).run

    def overhear(self, spec, handler=Coordinator()):  # noqa: B008 - not called
        task = spec.model_dump()["task"]
        heard.append((task, "request", spec.model_dump_json()))

        def handle(kind, message):
            answer = handler(kind, message)
            heard.append((task, kind, json.dumps([message, answer], default=str)))
            return answer

        return run(self, spec, handle)

    results, _ = compare_with(runner, tmp_path)
    stored = results.datasets[0]
    monkeypatch.setattr(type(runner), "run", overhear)
    compare_with(runner, tmp_path / "again")
    fits = [(kind, text) for task, kind, text in heard if task == "fit"]
    assert {kind for kind, _ in fits} == {"request", "suggest", "report", "fitted"}
    told = [json.loads(text)[1]["X_test"] for kind, text in fits if kind == "fitted"]
    assert len(told) == 4
    for kind, text in fits:
        assert "y_test" not in text
        assert kind == "fitted" or not any(path in text or "X_test" in text for path in told)
    assert stored.test_fingerprint not in "".join(text for _, _, text in heard)


def test_comparison_test_labels_change_no_selection(runner, tmp_path, monkeypatch):
    """The data set is the same but for its test labels; it is loaded in a child that inherits the variable."""
    from nncompare.execution.runner import LocalRunner

    plain, _ = compare_with(runner, tmp_path / "plain", datasets=(dataset("Sealed"),))
    monkeypatch.setenv("NNCOMPARE_TEST_PERMUTE", "1")
    with LocalRunner() as other:
        permuted, _ = compare_with(other, tmp_path / "permuted", datasets=(dataset("Sealed"),))
    assert plain.datasets[0].fingerprint == permuted.datasets[0].fingerprint
    assert plain.datasets[0].test_fingerprint != permuted.datasets[0].test_fingerprint
    assert selection(plain.studies[0]) == selection(permuted.studies[0])
    assert plain.studies[0].test.accuracy.mean > 0.8
    assert permuted.studies[0].test.accuracy.mean < 0.3


@pytest.mark.slow
def test_comparison_test_labels_of_texts_change_no_selection(runner, tmp_path, monkeypatch):
    """Here all test labels are turned round; the model learns from a table that is fitted on the texts."""
    from nncompare.execution.runner import LocalRunner

    texts = {"models": ("nncompare_plugins.mlp:MLP",), "datasets": (dataset("SealedTexts"),), "max_epochs": 10}
    plain, _ = compare_with(runner, tmp_path / "plain", **texts)
    monkeypatch.setenv("NNCOMPARE_TEST_PERMUTE", "1")
    with LocalRunner() as other:
        permuted, _ = compare_with(other, tmp_path / "permuted", **texts)
    assert plain.datasets[0].kind == "tokens"
    assert plain.datasets[0].fingerprint == permuted.datasets[0].fingerprint
    assert plain.datasets[0].test_fingerprint != permuted.datasets[0].test_fingerprint
    assert selection(plain.studies[0]) == selection(permuted.studies[0])
    right = plain.studies[0].test.accuracy.mean
    assert right > 0.5
    assert permuted.studies[0].test.accuracy.mean == pytest.approx(1 - right)


def test_comparison_one_job_repeats_exactly(runner, first, tmp_path):
    again, _ = compare_with(runner, tmp_path, n_trials=6)
    assert repeated(again) == repeated(first[0])
    assert again.repeatable


def test_comparison_another_seed_tries_something_else(runner, first, tmp_path):
    other, _ = compare_with(runner, tmp_path, n_trials=6, seed=43)
    assert selection(other.studies[0]) != selection(first[0].studies[0])
    assert other.datasets[0].test_fingerprint == first[0].datasets[0].test_fingerprint
    assert other.studies[0].trials[0].params == first[0].studies[0].trials[0].params


def test_comparison_prunes(runner, tmp_path):
    results, _ = compare_with(runner, tmp_path, models=("Worsens",), n_trials=6, n_refits=1)
    study = results.studies[0]
    assert study.best_trial == 0
    assert study.budget.trials_pruned >= 1
    assert study.budget.trials_complete + study.budget.trials_pruned == 6


def test_comparison_where_nothing_finished(runner, tmp_path):
    results, folder = compare_with(runner, tmp_path, models=("Raises", "ReturnsNothing"))
    assert exit_code(results) == 4
    assert [study.status for study in results.studies] == ["failed", "failed"]
    message = results.studies[0].failure.message
    assert message.startswith("3 of 3 trials failed and none was completed. ValueError: a b")
    assert load_results(folder) == results


def test_comparison_refits_that_fail_are_the_studys_failure(runner, tmp_path):
    results, _ = compare_with(runner, tmp_path, models=("PredictsNothing", "WrongShape", "Nearest"))
    mute, shape, fine = results.studies
    assert (mute.status, mute.failure.category) == ("failed", "plugin")
    assert mute.failure.message.startswith("2 of 2 refits failed. ")
    assert (shape.status, shape.failure.category) == ("failed", "plugin")
    assert "(360, 9)" in shape.failure.message
    assert fine.status == "complete"
    assert exit_code(results) == 3


def test_comparison_absent_data_fail_only_when_strict(runner, tmp_path):
    results, _ = compare_with(runner, tmp_path, datasets=("digits", dataset("Absent")))
    assert [study.status for study in results.studies] == ["complete", "not_run"]
    assert (exit_code(results), exit_code(results, strict=True)) == (0, 3)


def test_comparison_references_that_break_cost_no_model(runner, tmp_path, monkeypatch):
    def broken(*_arguments, **_keywords):
        raise ValueError("singular")

    monkeypatch.setattr("nncompare.engine.run_references", broken)
    results, _ = compare_with(runner, tmp_path)
    assert results.studies[0].status == "complete"
    assert results.datasets[0].references == []
    assert any("ValueError: singular" in note for note in results.notes)


def test_comparison_internal_error_costs_one_study(runner, tmp_path, monkeypatch):
    from nncompare.engine import Engine

    search = Engine._search

    def broken(self, index, *arguments):
        if index == 0:
            raise ValueError("a bug of ours")
        return search(self, index, *arguments)

    monkeypatch.setattr(Engine, "_search", broken)
    results, folder = compare_with(runner, tmp_path, models=("Slow", "Nearest"), max_epochs=1)
    assert [study.status for study in results.studies] == ["failed", "complete"]
    assert results.studies[0].failure.category == "internal"
    assert results.studies[0].failure.message == "ValueError: a bug of ours"
    assert "Traceback" in (folder / "trials" / "Slow--digits.error.log").read_text()


def test_compare_refuses_a_name_and_leaves_nothing(tmp_path):
    before = n_descriptors()
    with pytest.raises(UsageError, match="lsmt"):
        compare(["lsmt"], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert n_descriptors() == before


def test_load_results_of_a_damaged_file(tmp_path):
    (tmp_path / "results.json").write_text('{"schema_version": 9}')
    with pytest.raises(ResultsError, match="schema version 9"):
        load_results(tmp_path)
    with pytest.raises(ResultsError, match="there is no such file"):
        load_results(tmp_path / "nowhere")


FAULTS = {
    "Segfaults": "plugin",
    "KilledFromOutside": "killed",
    "ExitsQuietly": "plugin",
    "EatsMemory": "oom",
    "LoopsForEver": "timeout",
    "SleepsForEver": "timeout",
    "PrintsForEver": "timeout",
    "Diverges": "diverged",
    "Raises": "plugin",
    "ReturnsNothing": "plugin",
    "WrongShape": "plugin",
    "Unserialisable": "plugin",
    "AsksTheImpossible": "plugin",
    "ClosesItsOutput": "plugin",
}


@pytest.mark.slow
def test_compare_with_all_faults(tmp_path):
    models = [fault(name) for name in (*FAULTS, "LeavesGrandchildren", "Nearest")]
    done = compare(
        models,
        ["digits"],
        n_trials=2,
        n_refits=1,
        max_epochs=3,
        jobs=2,
        trial_timeout_s=8.0,
        trial_memory_mb=150.0,
        estimate=False,
        out=tmp_path,
    )
    studies = {study.model: study for study in done.results.studies}
    assert len(studies) == len(done.results.studies) == len(models)
    categories = {name: studies[name].failure.category for name in FAULTS}
    assert categories == FAULTS, {name: studies[name].failure.message for name in FAULTS}
    assert {studies[name].status for name in FAULTS} == {"failed"}
    assert {studies[name].status for name in ("LeavesGrandchildren", "Nearest")} == {"complete"}
    assert all("\n" not in study.failure.message for study in done.results.studies if study.failure)
    assert exit_code(done.results) == 3
    assert load_results(done.folder) == done.results
    assert render_html(load_results(done.folder)).encode() == (done.folder / "report.html").read_bytes()
    assert max(path.stat().st_size for path in files_of(done.folder) if path.suffix == ".log") < 1_000_100


@pytest.mark.slow
def test_compare_again_and_again_leaks_nothing(tmp_path):
    used, quick = [], {"estimate": False}
    for number in range(3):
        compare(
            [fault("Nearest")], ["digits"], n_trials=1, n_refits=1, jobs=1, out=tmp_path / str(number), **quick
        )
        used.append((n_descriptors(), threading.active_count()))
    assert used[0] == used[1] == used[2]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "data"), [("mlp", "digits"), ("cnn", "mnist1d"), ("lstm", "mnist1d")])
def test_comparison_built_in_models_repeat_exactly(runner, tmp_path, model, data):
    runs = [
        compare_with(runner, tmp_path / name, models=(model,), datasets=(data,), n_trials=2, n_refits=1)[0]
        for name in "ab"
    ]
    assert runs[0].studies[0].status == "complete"
    assert repeated(runs[0]) == repeated(runs[1])


@pytest.mark.slow
def test_comparison_test_labels_change_no_selection_of_mlp(runner, tmp_path, monkeypatch):
    from nncompare.execution.runner import LocalRunner

    budget = {"models": ("mlp",), "datasets": (dataset("Sealed"),), "n_trials": 6, "max_epochs": 10}
    plain, _ = compare_with(runner, tmp_path / "plain", **budget)
    monkeypatch.setenv("NNCOMPARE_TEST_PERMUTE", "1")
    with LocalRunner() as other:
        permuted, _ = compare_with(other, tmp_path / "permuted", **budget)
    assert selection(plain.studies[0]) == selection(permuted.studies[0])
    assert plain.studies[0].test.accuracy.mean > permuted.studies[0].test.accuracy.mean + 0.5
