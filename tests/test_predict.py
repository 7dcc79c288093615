"""Predictions of runs: which model, from which files, and that they are those of the run."""

import csv
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from nncompare.comparison import Comparison, load_results
from nncompare.data.files import cache_root
from nncompare.exceptions import DataError, PluginError, ResultsError, UsageError
from nncompare.inventory import stored_datasets
from nncompare.prediction import predict
from nncompare.results import Failure
from nncompare.runfile import hold

from .children import dataset, fault
from .whole_runs import compare_with

WAVES = dataset("Waves")


def predictions_of(folder, refit):
    with np.load(folder / refit.predictions, allow_pickle=False) as stored:
        return stored["probabilities"]


def stored_of(results, name):
    data = next(data for data in results.datasets if data.name == name)
    meant = (data.fingerprint, data.test_fingerprint)  # other tests store other labels beside equal samples
    return next(s for s in stored_datasets(cache_root()) if (s.fingerprint, s.test_fingerprint) == meant)


# --- one small run, whose records are changed -------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(runner, tmp_path_factory):
    """A run of two models on one data set, two refits each: its results and folder."""
    return compare_with(
        runner, tmp_path_factory.mktemp("run"), models=("Nearest", "NeverReports"), datasets=(WAVES,), n_trials=1
    )


@pytest.fixture
def own_run(run, tmp_path):
    """A copy of the run's folder, to be damaged, and its results."""
    results, folder = run
    shutil.copytree(folder, tmp_path / "run")
    return results, tmp_path / "run"


@pytest.mark.parametrize("model", ["Nearest", "NeverReports"])
@pytest.mark.parametrize("number", [1, 2])
def test_predict_of_the_test_part_is_what_the_run_stored(run, runner, model, number):
    results, folder = run
    found = predict(folder, results, model, refit=number, runner=runner)
    study = next(study for study in results.studies if study.model == model)
    refit = study.refits[number - 1]
    assert (found.model, found.dataset, found.refit, found.seed, found.reason) == (
        model,
        "Waves",
        number,
        refit.seed,
        "",
    )
    assert found.accuracy == refit.test_accuracy
    assert found.class_names == ("slow", "fast")
    np.testing.assert_allclose(found.probabilities, predictions_of(folder, refit), atol=1e-6)


def test_predict_by_default_takes_the_verdicts_winner(run, runner):
    results, folder = run
    for winner in ("Nearest", "NeverReports"):
        data = results.datasets[0]
        verdict = data.verdict.model_copy(update={"state": "better", "winner": winner})
        changed = results.model_copy(update={"datasets": [data.model_copy(update={"verdict": verdict})]})
        found = predict(folder, changed, runner=runner)
        assert (found.model, found.reason) == (winner, "it won the comparison on Waves")


def test_predict_without_a_winner_takes_the_lowest_validation_loss_whatever_the_test_says(run, runner):
    results, folder = run
    data = results.datasets[0]
    verdict = data.verdict.model_copy(update={"state": "undecided", "winner": None})
    first, second = results.studies
    mean = first.test.accuracy.model_copy(update={"mean": 2.0})
    first = first.model_copy(update={"test": first.test.model_copy(update={"accuracy": mean})})
    for losses, expected in (((0.5, 0.25), second), ((0.25, 0.5), first), ((None, 0.5), second)):
        studies = [
            study.model_copy(update={"valid_log_loss": loss})
            for study, loss in zip((first, second), losses, strict=True)
        ]
        changed = results.model_copy(
            update={"datasets": [data.model_copy(update={"verdict": verdict})], "studies": studies}
        )
        found = predict(folder, changed, runner=runner)
        assert found.model == expected.model
        lowest = min(loss for loss in losses if loss is not None)
        assert found.reason == (
            f"no model won the comparison on Waves, and it has the lowest validation log loss ({lowest:.4f})"
        )


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"model": "Nearst"}, r"has no model on Waves 'Nearst'\. Did you mean 'Nearest'\? It has: Nearest, Never"),
        ({"dataset": "digits"}, r"has no data set 'digits'\. It has: Waves\."),
        ({"model": "Nearest", "refit": 3}, r"no refit 3 of Nearest on Waves: choose one from 1 to 2"),
        ({"model": "Nearest", "refit": 0}, "no refit 0"),
    ],
)
def test_predict_names_what_the_run_has_instead(run, wanted, words):
    results, folder = run
    with pytest.raises(UsageError, match=words):
        predict(folder, results, **wanted)


def test_predict_asks_which_data_set_where_there_are_several(run):
    results, folder = run
    other = results.datasets[0].model_copy(update={"name": "other"})
    changed = results.model_copy(update={"datasets": [*results.datasets, other]})
    with pytest.raises(
        UsageError,
        match=r"2 data sets \(Waves, other\): say whose model is to predict \(-d, in Python: dataset=\)",
    ):
        predict(folder, changed)


def with_studies(results, **updates):
    return results.model_copy(update={"studies": [study.model_copy(update=updates) for study in results.studies]})


def with_refit(results, **updates):
    (first, *others) = results.studies[0].refits
    return with_studies(results, refits=[first.model_copy(update=updates), *others])


def test_predict_of_a_run_that_was_stopped_before_its_refits_says_how_to_go_on(run, tmp_path):
    results, _ = run
    stopped = with_studies(results, refits=[], test=None, status="interrupted")
    apart = tmp_path / "my runs"
    for model in ("Nearest", None):
        with pytest.raises(ResultsError, match=rf"did not go on to its refits\. .*nncompare resume '{apart}'$"):
            predict(apart, replace_verdict(stopped), model)


def test_predict_of_a_run_that_still_goes_on_says_to_wait(own_run):
    results, folder = own_run
    stopped = with_studies(results, refits=[], test=None, status="interrupted")
    with hold(folder), pytest.raises(ResultsError, match=r"a process works on it now\. Wait until it ends\.$"):
        predict(folder, stopped, "Nearest")


def test_predict_of_a_failed_study_in_a_run_that_was_stopped_does_not_advise_to_resume(run):
    results, folder = run
    failure = Failure(category="plugin", message="ValueError: no.")
    failed = with_studies(results, refits=[], test=None, status="failed", failure=failure)
    with pytest.raises(ResultsError, match=r"has no trained model on Waves: ValueError: no\.$"):
        predict(folder, failed.model_copy(update={"state": "interrupted"}), "Nearest")


def replace_verdict(results):
    data = results.datasets[0]
    verdict = data.verdict.model_copy(update={"winner": None})
    return results.model_copy(update={"datasets": [data.model_copy(update={"verdict": verdict})]})


def test_predict_of_a_study_that_failed_says_why(run):
    results, folder = run
    failure = Failure(category="plugin", message="ValueError: no.")
    failed = with_studies(results, refits=[], test=None, status="failed", failure=failure)
    with pytest.raises(ResultsError, match=r"has no trained model on Waves: ValueError: no\."):
        predict(folder, failed, "Nearest")


def test_predict_with_a_refit_that_failed_names_the_others(run):
    results, folder = run
    failed = with_refit(results, failure=Failure(category="oom", message="Too much."))
    with pytest.raises(
        ResultsError,
        match=r"Refit 1 of Nearest on Waves failed: Too much\. Choose another \(--refit, in Python: refit=\): 2",
    ):
        predict(folder, failed, "Nearest")


@pytest.mark.parametrize("field", ["model", "manifest_sha256"])
def test_predict_of_a_run_of_an_older_version_says_so(run, field):
    results, folder = run
    with pytest.raises(ResultsError, match="made by a version of nncompare that saved no preprocessing"):
        predict(folder, with_refit(results, **{field: None}), "Nearest")


def test_predict_with_a_model_outside_of_the_run_is_refused(run):
    results, folder = run
    with pytest.raises(ResultsError, match="names a model outside of it"):
        predict(folder, with_refit(results, model="../../elsewhere"), "Nearest")


def test_predict_without_the_data_in_the_cache_says_how_to_get_them(run):
    results, folder = run
    data = results.datasets[0].model_copy(update={"test_fingerprint": "0" * 64})
    with pytest.raises(DataError, match=r"The test part of 'Waves' is not in the cache .* any more"):
        predict(folder, results.model_copy(update={"datasets": [data]}), "Nearest")


def test_predict_of_arrays_that_are_gone_from_the_cache_asks_for_compare(own_run):
    results, folder = own_run
    data = results.datasets[0].model_copy(update={"test_fingerprint": "0" * 64})
    stored = f"/cache/data/{data.fingerprint[:16]}-{'0' * 16}-{'0' * 8}"
    run_file = json.loads((folder / "run.json").read_text())
    run_file["config"]["datasets"] = [stored]
    (folder / "run.json").write_text(json.dumps(run_file))
    with pytest.raises(DataError, match=r"any more .*If it was made of arrays, call compare\(\) again"):
        predict(folder, results.model_copy(update={"datasets": [data]}), "Nearest")


def test_predict_moved_run_still_predicts(own_run, runner):
    results, folder = own_run
    found = predict(folder, results, "Nearest", runner=runner)
    assert found.accuracy == results.studies[0].refits[0].test_accuracy


@pytest.mark.parametrize("file", ["nncompare.json", "means.npy", "preprocessing/state.npz", "extra.txt"])
def test_predict_with_a_changed_model_starts_no_child(own_run, file):
    results, folder = own_run
    path = folder / results.studies[0].refits[0].model / file
    with path.open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(ResultsError, match=f"{path.name}' was (changed|added) after"):
        predict(folder, results, "Nearest", runner=Forbidden())


class Forbidden:
    """A runner that must not be asked."""

    def run(self, spec, handler):
        pytest.fail("a child was started")


class Tampers:
    """Changes a file between the coordinator's check and the child's."""

    def __init__(self, runner, name):
        self.runner, self.name = runner, name

    def run(self, spec, handler):
        path = spec.model / self.name
        path.write_bytes(path.read_bytes().replace(b"slow", b"SLOW") + b" ")
        return self.runner.run(spec, handler)


@pytest.mark.parametrize("name", ["means.npy", "nncompare.json"])
def test_predict_child_checks_the_files_again(own_run, runner, name):
    results, folder = own_run
    with pytest.raises(PluginError, match=rf"ResultsError: .*{name}' was changed after it was saved"):
        predict(folder, results, "Nearest", runner=Tampers(runner, name))


def test_predict_with_a_plugin_that_is_gone_says_which(runner, tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom nearest import Nearest as Mine\n")
    shutil.copy(fault("x").partition(":")[0], tmp_path / "nearest.py")
    results, folder = compare_with(
        runner, tmp_path / "out", models=(f"{plugin}:Mine",), datasets=(WAVES,), n_trials=1
    )
    plugin.unlink()
    with pytest.raises(PluginError, match=r"The model 'Mine' is defined in '.*mine\.py', which is gone"):
        predict(folder, results, runner=Forbidden())


def test_predict_with_a_plugin_that_was_changed_starts_no_child(runner, tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text('from nearest import Nearest\n\n\nclass Mine(Nearest):\n    """Nearest."""\n')
    shutil.copy(fault("x").partition(":")[0], tmp_path / "nearest.py")
    results, folder = compare_with(
        runner, tmp_path / "out", models=(f"{plugin}:Mine",), datasets=(WAVES,), n_trials=1, n_refits=1
    )
    assert predict(folder, results, runner=runner).accuracy == results.studies[0].refits[0].test_accuracy
    for file in ("nearest.py", "mine.py"):
        text = (tmp_path / file).read_text()
        (tmp_path / file).write_text(f"{text}# changed\n")
        with pytest.raises(ResultsError, match=rf"{file}' was changed after the model was saved.* Give the old"):
            predict(folder, results, runner=Forbidden())
        with pytest.raises(PluginError, match=rf"{file}' was changed after the model was saved"):
            predict(folder, results, runner=Changes(runner, tmp_path / file, text))
        (tmp_path / file).write_text(text)


class Changes:
    """Gives the coordinator a plugin as it was, and the child a changed one."""

    def __init__(self, runner, file, text):
        self.runner, self.file, self.changed = runner, file, file.read_text()
        file.write_text(text)

    def run(self, spec, handler):
        self.file.write_text(self.changed)
        return self.runner.run(spec, handler)


def test_predict_warns_of_another_version_of_the_plugin(own_run, runner, monkeypatch):
    results, folder = own_run
    import nncompare.prediction as module

    monkeypatch.setattr(
        module, "version_note", lambda code: "The model was saved with x 1, and 2 is installed now."
    )
    assert "x 1, and 2 is installed" in predict(folder, results, "Nearest", runner=runner).note
    with pytest.warns(UserWarning, match="x 1, and 2 is installed now"):
        Comparison(results, folder).predict(model="Nearest")


@pytest.mark.slow
def test_predict_finds_a_module_in_the_folder_as_the_run_did(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(fault("x").partition(":")[0], tmp_path / "mymod.py")
    small = ("--trials", "1", "--seeds", "1", "--epochs", "1", "--no-estimate")
    done = command("run", "-m", "mymod:Nearest", "-d", dataset("Waves"), *small)
    assert done.returncode == 0, done.stderr
    done = command("predict", "latest", "--test", "--output", "-")
    assert done.returncode == 0, done.stderr
    (tmp_path / "mymod.py").rename(tmp_path / "other.py")
    done = command("predict", "latest", "--test", "--output", "-")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "mymod.py', which is gone. Bring it back." in done.stderr


def test_predict_with_a_package_that_is_not_installed_any_more_says_whose(own_run, monkeypatch):
    results, folder = own_run
    import nncompare.prediction as module

    real = module.check_saved
    gone = {"plugin": "absent_package.models:Mine"}
    monkeypatch.setattr(module, "check_saved", lambda *args: real(*args).model_copy(update=gone))
    with pytest.raises(PluginError, match=r"'absent_package\.models', which is neither installed nor in "):
        predict(folder, results, "Nearest", runner=Forbidden())
    owner = results.studies[0].plugin.model_copy(update={"distribution": "absent", "version": "1.0"})
    with pytest.raises(PluginError, match=r"'Nearest' comes from absent 1\.0, which is not installed any more"):
        predict(folder, with_studies(results, plugin=owner), "Nearest", runner=Forbidden())


# --- files of samples -------------------------------------------------------------------------------------------


def write_table(path, stored, rows, with_target=True):
    """Write rows of a table as a user has them: text for categories, nothing for gaps, in another order."""
    X, y = stored.X_test()[rows], stored.y_test()[rows]
    order = list(reversed(range(len(stored.columns))))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([stored.columns[k].name for k in order] + ["note"] + [stored.target] * with_target)
        for sample, code in zip(X, y, strict=True):
            cells = [cell(sample[k], stored.columns[k]) for k in order]
            writer.writerow(cells + ["x"] + [stored.class_names[code]] * with_target)
    return path


def cell(value, column):
    if np.isnan(value):
        return ""
    return repr(float(value)) if column.categories is None else column.categories[int(value)]


def write_archive(path, stored):
    """Write raw samples and the names of their classes."""
    y = np.array(stored.class_names)[np.array(stored.y_test())]
    np.savez(path, X=np.array(stored.X_test()), y=y)
    return path


@pytest.fixture(scope="module")
def wine_run(runner, tmp_path_factory):
    """A run on a table with named columns: its results and folder, and the stored data set."""
    out = tmp_path_factory.mktemp("wine")
    results, folder = compare_with(runner, out, datasets=(dataset("Wine"),), n_trials=1, n_refits=1)
    return results, folder, stored_of(results, "Wine")


def test_predict_a_table_equals_the_run_however_it_is_cut(wine_run, runner, tmp_path):
    results, folder, stored = wine_run
    refit = results.studies[0].refits[0]
    found = []
    for part, rows in enumerate(np.array_split(np.arange(stored.n_test), [1, 17])):
        path = write_table(tmp_path / f"{part}.csv", stored, rows)
        found.append(predict(folder, results, input=path, runner=runner))
    probabilities = np.concatenate([prediction.probabilities for prediction in found])
    np.testing.assert_allclose(probabilities, predictions_of(folder, refit), atol=1e-6)
    n_right = sum(prediction.accuracy * len(prediction) for prediction in found)
    assert n_right / stored.n_test == pytest.approx(refit.test_accuracy)
    np.testing.assert_array_equal(np.concatenate([prediction.labels for prediction in found]), stored.y_test())


def test_predict_copies_the_columns_of_the_table_that_are_to_be_kept(wine_run, runner, tmp_path):
    results, folder, stored = wine_run
    path = write_table(tmp_path / "in.csv", stored, np.arange(5))
    table = pd.read_csv(path, dtype=str)
    name, target = table.columns[0], table.columns[-1]
    found = predict(folder, results, input=path, output=tmp_path / "out.csv", keep=[target, name], runner=runner)
    written = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert list(written.columns[:4]) == ["row", target, name, "prediction"]
    pd.testing.assert_frame_equal(written[[target, name]], table[[target, name]])
    everything = predict(folder, results, input=path, keep=["all"], runner=runner)
    assert list(everything.kept) == list(table.columns)
    assert found.names == everything.names
    with pytest.raises(UsageError, match=r"'in\.csv' has no column 'nothing' to keep\. .*Its columns are"):
        predict(folder, results, input=path, keep=["nothing"], runner=runner)


def test_predict_a_table_without_its_classes_gives_no_accuracy(wine_run, runner, tmp_path):
    results, folder, stored = wine_run
    path = write_table(tmp_path / "new.csv", stored, np.arange(3), with_target=False)
    found = predict(folder, results, input=path, output=tmp_path / "out.csv", runner=runner)
    assert (found.labels, found.accuracy, len(found)) == (None, None, 3)
    header, *lines = csv.reader((tmp_path / "out.csv").read_text().splitlines())
    assert header == ["row", "prediction", "p_barolo", "p_=gri", "p_barbera"]
    assert {line[1] for line in lines} <= {"barolo", "'=gri", "barbera"}


def test_predict_a_table_that_misses_some_classes_scores_the_others(wine_run, runner, tmp_path):
    results, folder, stored = wine_run
    header, *lines = write_table(tmp_path / "new.csv", stored, np.arange(10)).read_text().splitlines()
    lines[3:5] = [line.rpartition(",")[0] + "," for line in lines[3:5]]
    (tmp_path / "some.csv").write_text("\n".join([header, *lines]) + "\n")
    found = predict(folder, results, input=tmp_path / "some.csv", runner=runner)
    known = np.delete(np.arange(10), [3, 4])
    assert (found.n_known, len(found)) == (8, 10)
    assert found.accuracy == np.mean(found.codes[known] == stored.y_test()[known])


def test_predict_a_table_with_other_columns_names_those_that_it_lacks(wine_run, tmp_path):
    results, folder, _ = wine_run
    (tmp_path / "new.csv").write_text("alcohol,b\n1,2\n3,4\n")
    with pytest.raises(DataError, match=r"'new\.csv'.* lacks the columns .*malic_acid"):
        predict(folder, results, input=tmp_path / "new.csv", runner=Forbidden())


def test_predict_samples_in_memory_equals_the_run(run, runner):
    results, folder = run
    stored = stored_of(results, "Waves")
    for samples in (np.array(stored.X_test()), stored.X_test().tolist()):
        found = predict(folder, results, "Nearest", input=samples, runner=runner)
        expected = predictions_of(folder, results.studies[0].refits[0])
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    with pytest.raises(DataError, match="X cannot be used: it is no array"):
        predict(folder, results, "Nearest", input=[[1.0], [1.0, 2.0]], runner=Forbidden())


def test_predict_a_frame_equals_the_run(wine_run, runner, tmp_path):
    results, folder, stored = wine_run
    path = write_table(tmp_path / "new.csv", stored, np.arange(stored.n_test))
    found = predict(folder, results, input=pd.read_csv(path), runner=runner)
    refit = results.studies[0].refits[0]
    assert found.accuracy == refit.test_accuracy
    np.testing.assert_allclose(found.probabilities, predictions_of(folder, refit), atol=1e-6)


def test_predict_an_archive_of_raw_samples_equals_the_run(run, runner, tmp_path):
    results, folder = run
    path = write_archive(tmp_path / "new.npz", stored_of(results, "Waves"))
    found = predict(folder, results, "Nearest", input=path, runner=runner)
    refit = results.studies[0].refits[0]
    assert found.accuracy == refit.test_accuracy
    np.testing.assert_allclose(found.probabilities, predictions_of(folder, refit), atol=1e-6)


def test_predict_in_blocks_gives_the_same(run, runner, tmp_path, monkeypatch):
    from nncompare.execution import predicting
    from nncompare.execution.specs import PredictSpec

    specs = []
    monkeypatch.setattr(predicting, "BLOCK_ROWS", 7)

    class Here:
        """Runs the request in this process, where the size of the blocks is another."""

        def run(self, spec, handler):
            specs.append(spec)
            return predicting.predict(spec)

    results, folder = run
    found = predict(folder, results, "Nearest", runner=Here())
    assert isinstance(specs[0], PredictSpec)
    np.testing.assert_allclose(
        found.probabilities, predictions_of(folder, results.studies[0].refits[0]), atol=1e-6
    )


# --- real models, in fresh processes ----------------------------------------------------------------------------

REAL = {
    "digits": (("mlp",), ("digits",)),
    "mnist1d": (("cnn", "lstm"), ("mnist1d",)),
    "Texts": (("mlp", "lstm"), (dataset("Texts"),)),
    "Wine": (("mlp", "cnn"), (dataset("Wine"),)),
}


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-P", "-c", "from nncompare.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module", params=list(REAL))
def real_run(request, runner, tmp_path_factory):
    """A run of built-in models in this process: name of the data set, results, folder."""
    models, datasets = REAL[request.param]
    out = tmp_path_factory.mktemp(request.param)
    _, folder = compare_with(runner, out, models=models, datasets=datasets, n_trials=1, max_epochs=1, n_refits=2)
    return request.param, load_results(folder), folder


def check_equal(done, output, results, folder, study, number):
    """Compare what a fresh process predicted with what the run stored and reported."""
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    refit = study.refits[number - 1]
    said = json.loads(done.stdout)
    assert said["accuracy"] == refit.test_accuracy
    assert f"Accuracy {refit.test_accuracy:.4f} on the " in done.stderr
    with np.load(output, allow_pickle=False) as stored:
        np.testing.assert_allclose(stored["probabilities"], predictions_of(folder, refit), atol=1e-6)
        assert stored["class_names"].tolist() == results.datasets[0].class_names


@pytest.mark.slow
def test_predict_in_a_fresh_process_equals_the_run(real_run, tmp_path):
    """One refit predicts the test part, the other new samples, where a file can hold them."""
    name, results, folder = real_run
    for study in results.studies:
        for number in range(1, len(study.refits) + 1):
            output = tmp_path / f"{study.model}-{number}.npz"
            if name == "Texts" or number > 1:
                given = ("--refit", number, "--test")
            else:
                given = ("--input", raw_samples(name, results, tmp_path))
            options = ("-m", study.model, *given, "--output", output, "--json")
            check_equal(command("predict", folder, *options), output, results, folder, study, number)


def raw_samples(name, results, tmp_path):
    """Write the test part as a user's file."""
    stored = stored_of(results, name)
    if name == "Wine":
        return write_table(tmp_path / "raw.csv", stored, np.arange(stored.n_test))
    return write_archive(tmp_path / "raw.npz", stored)
