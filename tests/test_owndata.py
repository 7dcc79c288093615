"""The user's own files in a run, from the file to the models' scores."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nncompare.comparison import run
from nncompare.data.own import own_arrays
from nncompare.data.split_columns import SplitColumn
from nncompare.data.store import store_dataset
from nncompare.events import Notice
from nncompare.exceptions import DataError, ResultsError, StorageError, UsageError
from nncompare.owndata import dataset_names
from nncompare.planning import make_plan
from nncompare.prediction import predict
from nncompare.registry import DATASETS, discover
from nncompare.resuming import plan_rest
from nncompare.runfile import read_run_file
from nncompare.settings import RunConfig

from .whole_runs import compare_with

CONFIG = RunConfig(models=("mlp",), n_trials=2, max_epochs=3, n_refits=1, jobs=2)


def wine():
    from sklearn.datasets import load_wine

    return load_wine(as_frame=True).frame.rename(columns={"target": "class"})


def people():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"age": rng.integers(17, 90, 300), "work": rng.choice(["Private", "Gov", "?"], 300)})
    table["income"] = np.where(table["age"] + rng.normal(0, 10, 300) > 50, ">50K", "<=50K")
    table["age"] = table["age"].where(rng.random(300) < 0.9)
    return table


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "target", "text", "better_than"),
    [
        (wine, "class", "178 rows: 13 numeric columns; target 'class' with 3 classes: 0, 1, 2", 0.5),
        (people, "income", "300 rows: 1 numeric and 1 categorical column, ", 0.6),
    ],
)
def test_own_table_goes_from_file_to_scores(runner, tmp_path, table, target, text, better_than):
    path, events = tmp_path / "own.csv", []
    table().to_csv(path, index=False)
    config = replace(CONFIG, datasets=(str(path),), target=target, out=tmp_path / "runs")
    results = run(make_plan(config, runner, events.append), runner)
    notice, *warnings = [event for event in events if isinstance(event, Notice)]
    assert notice.text.startswith(f"own: {text}")
    assert notice.level == "info"
    told = [check.text for check in results.datasets[0].data_checks if check.level in ("problem", "warning")]
    assert [warning.text for warning in warnings] == [f"own: {sentence}" for sentence in told]
    assert any(" test rows: one test row is " in sentence for sentence in told)
    (study,) = results.studies
    assert (study.dataset, study.status) == ("own", "complete")
    logistic = next(r for r in results.datasets[0].references if r.name == "logistic_regression")
    assert logistic.test_accuracy.mean > better_than


def test_plan_refuses_two_files_of_one_name(runner, tmp_path):
    names = [tmp_path / "a" / "own.csv", tmp_path / "b" / "own.tsv"]
    config = replace(CONFIG, datasets=tuple(map(str, names)), target="class")
    with pytest.raises(UsageError, match=r"Two of the data sets are called 'own'. Give one class or file another"):
        make_plan(config, runner)


def test_stored_arrays_that_are_gone_are_asked_of_compare_again(runner, tmp_path, monkeypatch):
    stored = store_dataset(*own_arrays("mine", np.random.default_rng(0).random((20, 2)), [0, 1] * 10), tmp_path)
    shutil.rmtree(stored.folder)
    config = replace(CONFIG, datasets=(str(stored.folder),), out=tmp_path / "runs")
    with pytest.raises(DataError, match=r"is gone\. If it was made of arrays, call compare\(\) again with the"):
        make_plan(config, runner)


def test_bad_file_leaves_no_run_directory(runner, tmp_path):
    (tmp_path / "own.csv").write_text("")
    config = replace(CONFIG, datasets=(str(tmp_path / "own.csv"),), target="class", out=tmp_path / "runs")
    with pytest.raises(Exception, match=r"'own.csv' cannot be used: the file is empty"):
        make_plan(config, runner)
    assert [path.name for path in tmp_path.iterdir()] == ["own.csv"]


def test_cache_that_cannot_be_written_is_an_error_of_storage_in_one_sentence(runner, tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file where a folder is needed")
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    wine().to_csv(tmp_path / "own.csv", index=False)
    config = replace(CONFIG, datasets=(str(tmp_path / "own.csv"),), target="class", out=tmp_path / "runs")
    there = re.escape(str(tmp_path / "cache"))
    with pytest.raises(StorageError, match=rf"^Cannot write '{there}/.*Check that its"):
        make_plan(config, runner)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "there.dat",
            "'there.dat' is not read: .csv, .tsv, .parquet, .npz and .npy files are. Save it as one of these.",
        ),
        (
            "x.xlsx",
            "'x.xlsx' is not read: .csv, .tsv, .parquet, .npz and .npy files are. Export the sheet as .csv.",
        ),
        ("x.csv.gz", "'x.csv.gz' is not read: .csv, .tsv, .parquet, .npz and .npy files are. Unpack it."),
        ("there.py", "'there.py' names no class, and none is defined in the file."),
        ("mine.py", "'mine.py' names no class. Add it: 'mine.py:Mine'."),
        ("cat.png", "'cat.png' is not read alone. Name a folder that holds a folder of images for each class."),
        ("photos/", "There is no folder 'photos/'."),
        ("wine", "No data set is called 'wine'. The file 'wine.csv' is here: -d wine.csv."),
    ],
)
def test_files_of_other_kinds_get_one_sentence(tmp_path, monkeypatch, name, sentence):
    monkeypatch.chdir(tmp_path)
    for there in ("there.dat", "there.py"):
        (tmp_path / there).touch()
    (tmp_path / "mine.py").write_text("class Mine: ...", encoding="utf-8")
    (tmp_path / "wine.csv").touch()
    with pytest.raises(UsageError) as caught:
        dataset_names([name], discover(DATASETS))
    assert str(caught.value) == sentence


@pytest.mark.parametrize("typed", ["wien.csv", "folder/wien.csv"])
def test_mistyped_file_is_told_the_nearest_of_its_folder(runner, tmp_path, monkeypatch, typed):
    monkeypatch.chdir(tmp_path)
    right = tmp_path / typed.replace("wien", "wine")
    right.parent.mkdir(exist_ok=True)
    right.touch()
    (right.parent / "wien.txt").touch()
    with pytest.raises(UsageError) as caught:
        make_plan(replace(CONFIG, datasets=(typed,), target="class"), runner)
    assert str(caught.value) == f"There is no file '{typed}'. Did you mean '{typed.replace('wien', 'wine')}'?"


def test_file_in_a_folder_that_is_not_there_is_one_sentence(runner, tmp_path):
    config = replace(CONFIG, datasets=(str(tmp_path / "no" / "wine.csv"),), target="class")
    with pytest.raises(UsageError, match=r"^There is no file '.*wine\.csv'\.$"):
        make_plan(config, runner)


@pytest.mark.parametrize("here", [True, False])
def test_name_of_no_data_set_is_refused_before_the_target_that_it_lacks(runner, tmp_path, monkeypatch, here):
    monkeypatch.chdir(tmp_path)
    if here:
        (tmp_path / "wine.csv").touch()
    with pytest.raises(UsageError, match=r"No data set .*called 'wine'"):
        make_plan(replace(CONFIG, datasets=("wine",), target="grower"), runner)


@pytest.mark.slow
def test_table_with_a_hostile_name_writes_nothing_outside_of_run_and_cache(runner, tmp_path, monkeypatch):
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    hostile = tmp_path / "=cmd|' .. <script>`id`$(id);&%2e%2e.csv"
    wine().to_csv(hostile, index=False)
    results, folder = compare_with(
        runner, tmp_path / "out", datasets=(str(hostile),), target="class", n_trials=1, n_refits=1
    )
    assert results.state == "complete"
    assert {path.name for path in tmp_path.iterdir()} == {hostile.name, "out", "cache"}
    assert list((tmp_path / "out").iterdir()) == [folder]
    (name,) = (dataset.name for dataset in results.datasets)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name)
    for path in (*folder.rglob("*"), *(tmp_path / "cache").rglob("*")):
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", path.name), path


def digits_folder(root):
    """Write the digits of scikit-learn as images, grey and of one size, in a folder for each class."""
    from sklearn.datasets import load_digits

    for i, (row, name) in enumerate(zip(*load_digits(return_X_y=True), strict=True)):
        path = root / str(name) / f"{i:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((row.reshape(8, 8) * 255 / 16).astype(np.uint8)).save(path)
    return root


@pytest.mark.slow
def test_own_images_go_from_folder_to_scores_and_to_predictions_by_file(runner, tmp_path):
    folder, events = digits_folder(tmp_path / "numbers"), []
    config = replace(CONFIG, datasets=(str(folder),), out=tmp_path / "runs", max_epochs=10)
    plan = make_plan(config, runner, events.append)
    results = run(plan, runner)
    assert events[-1].text == "numbers: 1,797 images of 8 × 8, grey; 10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    (study,) = results.studies
    assert (study.dataset, study.status) == ("numbers", "complete")
    assert study.test.accuracy.mean > 0.85
    test = predict(plan.folder, results, runner=runner)
    every = predict(plan.folder, results, input=folder, output=tmp_path / "out.csv", runner=runner)
    assert (len(every), every.n_known) == (1797, 1797)
    assert every.accuracy > 0.85
    table = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert table["file"].tolist() == sorted(f"{path.parent.name}/{path.name}" for path in folder.rglob("*.png"))
    assert (table["true"] == table["file"].str[0]).all()
    # The rows of the test part are among the files, pixel by pixel, and so are their predictions.
    known = {probabilities.round(5).tobytes() for probabilities in every.probabilities}
    assert np.mean([row.round(5).tobytes() in known for row in test.probabilities]) > 0.95


@pytest.mark.slow
def test_run_on_a_folder_is_resumed_from_elsewhere_and_not_without_the_folder(runner, tmp_path, monkeypatch):
    digits_folder(tmp_path / "numbers")
    monkeypatch.chdir(tmp_path)
    config = {"n_trials": 1, "n_refits": 1, "image_size": 4}
    _, folder = compare_with(runner, tmp_path / "runs", datasets=("numbers",), **config)
    kept = read_run_file(folder).run_config()
    assert (kept.datasets, kept.image_size) == ((str(tmp_path / "numbers"),), 4)
    monkeypatch.chdir("/")
    rest = plan_rest(folder, runner, n_trials=2)
    assert [data.stored.sample_shape for data in rest.datasets] == [(4, 4, 1)]
    shutil.rmtree(tmp_path / "numbers")
    with pytest.raises(
        ResultsError, match=r"The data of the run are gone: there is no folder '.*numbers'\. Bring"
    ):
        plan_rest(folder, runner, n_trials=3)


def visits():
    """Sixty patients of five visits: a disease shows in a number, and each patient in two others."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(60), 5)
    ill = np.repeat(rng.integers(0, 2, 60), 5)
    table = pd.DataFrame({"who": who, "sign": ill + rng.normal(0, 1, 300)})
    for name in ("height", "shoe"):
        table[name] = rng.normal(size=60)[who]
    return table.assign(state=np.where(ill, "ill", "well"))


@pytest.mark.slow
def test_table_split_by_group_is_searched_refitted_and_compared_by_groups(runner, tmp_path):
    visits().to_csv(tmp_path / "own.csv", index=False)
    config = replace(
        CONFIG, datasets=(str(tmp_path / "own.csv"),), target="state", group="who", out=tmp_path / "runs"
    )
    plan = make_plan(config, runner)
    (dataset,) = plan.datasets
    keys = dataset.stored.keys()
    parts = [set(keys.keys[dataset.split.train]), set(keys.keys[dataset.split.valid]), set(keys.keys_test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    results = run(plan, runner)
    record = results.datasets[0]
    assert (record.split_by, record.split_column) == ("group", "who")
    assert all(" in 12 groups" in pair.method for pair in record.verdict.pairs)
    page = (plan.folder / "report.html").read_text(encoding="utf-8")
    assert "By group (&#39;who&#39;): 48 groups for training and validation, 12 others for the test." in page
    assert "whole groups, by column &#39;who&#39;" in page


def test_leaks_are_told_before_anything_trains(runner, tmp_path):
    path, events = tmp_path / "own.csv", []
    wine().assign(code=lambda table: 2 - table["class"]).to_csv(path, index=False)
    make_plan(replace(CONFIG, datasets=(str(path),), target="class", out=tmp_path / "runs"), runner, events.append)
    texts = [event.text for event in events if isinstance(event, Notice) and event.level == "warning"]
    assert any(text.startswith("own: Column 'code' is the target under another name") for text in texts)


@pytest.mark.parametrize("option", ["group", "time"])
def test_column_to_split_by_needs_a_table(runner, tmp_path, option):
    config = replace(CONFIG, datasets=("digits",), out=tmp_path / "runs", **{option: "who"})
    with pytest.raises(
        UsageError, match=rf"^--{option} is for a table \(in Python: {option}=\), and none is among"
    ):
        make_plan(config, runner)


def test_dataframe_is_not_split_by_group_and_time():
    with pytest.raises(UsageError, match=r"^A DataFrame is split by group= or by time=, not by both"):
        SplitColumn.asked("a", "b")


@pytest.mark.slow
def test_table_of_series_goes_from_file_to_scores_and_to_predictions(runner, tmp_path):
    rng, rows = np.random.default_rng(0), []
    for number in range(90):
        wave = np.sin(np.arange(rng.integers(6, 12)) * (0.3 if number % 2 else 1.2)) * 50 + 900
        rows += [(f"s{number}", step, value, "slow" if number % 2 else "fast") for step, value in enumerate(wave)]
    table = pd.DataFrame(rows, columns=["who", "at", "value", "kind"]).sample(frac=1, random_state=0)
    is_new = table["who"].isin([f"s{number}" for number in range(10)])
    table[~is_new].to_csv(tmp_path / "own.csv", index=False)
    table[is_new].to_csv(tmp_path / "new.csv", index=False)
    config = replace(CONFIG, datasets=(str(tmp_path / "own.csv"),), target="kind", group="who", time="at")
    plan = make_plan(replace(config, out=tmp_path / "runs", n_trials=1, max_epochs=20), runner)
    results = run(plan, runner)
    assert results.datasets[0].description.startswith(
        "80 series (by column 'who') of 6 to 11 steps (by 'at'), 1 f"
    )
    assert results.studies[0].test.accuracy.mean > 0.8
    output = tmp_path / "predictions.csv"
    found = predict(plan.folder, results, input=tmp_path / "new.csv", output=output, runner=runner)
    assert found.accuracy > 0.7
    written = pd.read_csv(output)
    assert written["who"].tolist() == list(dict.fromkeys(table[is_new]["who"]))
    assert (written["true"] == np.where(written["who"].str[1:].astype(int) % 2, "slow", "fast")).all()
    in_memory = predict(plan.folder, results, input=table[is_new], runner=runner)
    np.testing.assert_array_equal(in_memory.probabilities, found.probabilities)
