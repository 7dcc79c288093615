"""The Python door: what is refused before anything runs, what a Comparison tells, and real runs from scripts."""

import re
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from sklearn.datasets import load_wine

import nncompare
from nncompare import Comparison, compare, load
from nncompare.comparison import load_results
from nncompare.events import Notice, RunFinished, TrialFinished
from nncompare.exceptions import DataError, ResultsError, StorageError, UsageError
from nncompare.progress.listeners import Listeners
from nncompare.report import render_html
from nncompare.results import Results

from . import report_fixtures as fixtures
from .children import FAULTS, fault

SMALL = {"n_trials": 2, "max_epochs": 3, "n_refits": 1, "jobs": 1, "estimate": False}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_trails": 3}, "compare() has no setting 'n_trails'. Did you mean n_trials?"),
        ({"trials": 3}, "Did you mean n_trials?"),
        ({"epochs": 3}, "Did you mean max_epochs?"),
        ({"seeds": 3}, "Did you mean n_refits?"),
        ({"datasets": ["digits"]}, "Did you mean dataset?"),
        ({"model": "mlp"}, "Did you mean models?"),
        ({"colour": "red"}, "There are deterministic, encoding, group, image_size, jobs, max_epochs,"),
        ({"command": ("x",)}, "compare() has no setting 'command'."),
        ({"strict": True}, "compare() has no setting 'strict', which is for the exit code of a command."),
        ({"pins": ["a"]}, "pins is ['a']; parameters by model are expected"),
        ({"encoding": "latin-1", "dataset": "digits"}, "--encoding is for a table (in Python: encoding=)"),
        ({"n_trials": 0}, "n_trials is 0; a whole number of at least 1 is expected."),
        ({"progress": "loud"}, "progress is 'loud'; True, False or 'quiet' is expected."),
        ({"X": [[1.0]], "y": [1], "dataset": "digits"}, "Both dataset and X and y are given."),
        ({"X": [[1.0]]}, "X came without y, the class of each row."),
        ({"X": [[1.0]], "target": "kind"}, "compare(X=table.drop(columns='kind'), y=table['kind'])"),
        ({"y": [1]}, "y came without X, the samples."),
        ({"X": [[1.0]], "y": [1], "X_test": [[1.0]]}, "X_test and y_test belong together."),
        ({"X": [[1.0]], "y": [1], "target": "kind"}, "target names a column of a file; with X,"),
        ({"models": type("Mine", (), {"__module__": "__main__"})}, "%%writefile"),
    ],
)
def test_compare_refuses_before_anything_runs(tmp_path, settings, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        compare(**{"models": ["mlp"], "out": tmp_path / "out"} | settings)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("nothing", [{}, {"models": []}, {"models": None, "dataset": ()}, {"name": "wine"}])
def test_compare_of_nothing_is_refused_and_starts_no_long_run(tmp_path, nothing):
    with pytest.raises(UsageError, match=r"Say what to compare: X= and y=, .* compare\(models='all'\)\."):
        compare(**nothing, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "what", [{"models": "all"}, {"models": ["all"]}, {"dataset": "digits"}, {"X": [], "y": []}]
)
def test_compare_takes_all_models_where_that_is_said_or_data_are_named(tmp_path, monkeypatch, what):
    class PlannedError(Exception):
        """The plan was asked for."""

    def plan(config, *_):
        raise PlannedError(config.models, config.datasets)

    monkeypatch.setattr("nncompare.api.make_plan", plan)
    monkeypatch.setattr("nncompare.api.own_arrays", lambda *_: ())
    monkeypatch.setattr("nncompare.api.store_dataset", lambda *_: Stored)
    with pytest.raises(PlannedError) as planned:
        compare(**what, out=tmp_path / "out", progress=False)
    assert planned.value.args[0] == ()


class Stored:
    """Stands for arrays in the cache."""

    folder = "stored"


def test_compare_refuses_all_beside_other_models(tmp_path):
    with pytest.raises(UsageError, match="models holds 'all', which is every model, beside other names"):
        compare(["mlp", "all"], "digits", out=tmp_path / "out")


def comparison(results: Results, folder) -> Comparison:
    return Comparison(results, folder)


def test_comparison_verdict_of_one_data_set_is_its_sentence(tmp_path):
    results = fixtures.one_model()
    done = comparison(results, tmp_path)
    assert done.verdict == results.datasets[0].verdict.text
    assert done.verdicts == {results.datasets[0].name: results.datasets[0].verdict}


def test_comparison_verdict_of_several_is_a_line_each(tmp_path):
    results = fixtures.full()
    lines = comparison(results, tmp_path).verdict.splitlines()
    assert lines == [f"{dataset.name}: {dataset.verdict.text}" for dataset in results.datasets]
    assert len(lines) > 1


def test_comparison_verdict_is_found_by_the_name_that_was_given(tmp_path):
    results = fixtures.one_model()
    dataset = results.datasets[0].model_copy(update={"name": "my-wine"})
    verdicts = comparison(results.model_copy(update={"datasets": [dataset]}), tmp_path).verdicts
    assert verdicts["my wine"] is verdicts["my-wine"] is dataset.verdict
    assert list(verdicts) == ["my-wine"]
    with pytest.raises(KeyError, match="'your wine': the run has my-wine"):
        verdicts["your wine"]


def test_comparison_prints_verdicts_and_small_tables(tmp_path):
    results = fixtures.full()
    text = str(comparison(results, tmp_path))
    first = results.datasets[0]
    assert text.startswith(f"{first.name}: {first.verdict.text}\n\nMODEL ")
    assert text.endswith(f"\n\nReport: {tmp_path / 'report.html'}")
    scored = {study.model for study in results.studies if study.test is not None}
    assert scored
    assert [model for model in scored if not re.search(rf"^{re.escape(model)} +0\.\d{{4}} ", text, re.M)] == []
    one = fixtures.one_model()
    assert str(comparison(one, tmp_path)).startswith(one.datasets[0].verdict.text)
    several = str(comparison(fixtures.across(5), tmp_path)).split("\n\n")
    assert several[-2].startswith("Mean ranks over 5 data sets, 1 being the most accurate: cnn 1.50, ")


def test_leaderboard_on_a_narrow_terminal_shows_model_and_accuracy(tmp_path):
    import pandas as pd

    with pd.option_context("display.width", 80, "display.max_columns", 0, "display.expand_frame_repr", True):
        head = str(comparison(fixtures.full(), tmp_path).leaderboard).splitlines()[0]
    assert head.split()[:2] == ["model", "test_accuracy"]
    with pd.option_context("display.width", 80, "display.max_columns", 8, "display.expand_frame_repr", False):
        head = str(comparison(fixtures.full(), tmp_path).leaderboard).splitlines()[0]
    assert head.split()[:4] == ["model", "test_accuracy", "accuracy_low", "accuracy_high"]
    assert "reason" not in head


def test_comparison_shows_itself_in_words(tmp_path):
    shown = repr(comparison(fixtures.one_model(), tmp_path))
    assert shown.startswith("<Comparison ")
    assert shown.endswith(f"{tmp_path}/report.html>")


def test_comparison_tables_hold_what_the_results_hold(tmp_path):
    done = comparison(fixtures.full(), tmp_path)
    assert done.leaderboard.test_accuracy.max() == max(
        s.test.accuracy.mean for s in done.results.studies if s.test
    )
    assert len(done.trials) == sum(len(study.trials) for study in done.results.studies)


@pytest.mark.parametrize("variant", fixtures.VARIANTS)
def test_comparison_html_of_every_variant_is_balanced_and_plain(tmp_path, variant):
    html = comparison(fixtures.VARIANTS[variant](), tmp_path)._repr_html_()
    for element in ("div", "table", "tr", "th", "td", "p", "thead", "tbody"):
        assert len(re.findall(rf"<{element}\b", html)) == html.count(f"</{element}>")
    assert not re.search(r"<script|<style|<link|<img|\son\w+=|color|#[0-9a-fA-F]{3}\b|https?:", html)
    assert f"<code>{tmp_path}/report.html</code>" in html


def test_comparison_html_shows_sentence_scores_and_interval(tmp_path):
    results = fixtures.full()
    html = comparison(results, tmp_path)._repr_html_()
    accuracy = next(study.test.accuracy for study in results.studies if study.test)
    assert f"<td>{accuracy.mean:.4f}</td><td>{accuracy.low:.4f} to {accuracy.high:.4f}</td>" in html


@pytest.mark.parametrize(("n_datasets", "shown"), [(4, False), (5, True)])
def test_comparison_html_tells_mean_ranks_of_five_data_sets(tmp_path, n_datasets, shown):
    results = fixtures.across(n_datasets)
    assert (f"<p>{results.ranks.text}</p>" in comparison(results, tmp_path)._repr_html_()) == shown


def test_comparison_html_escapes_what_plugins_say(tmp_path):
    results = fixtures.one_model()
    evil = "<script>alert(1)</script>"
    study = results.studies[0].model_copy(update={"model": evil})
    verdict = results.datasets[0].verdict.model_copy(update={"text": f"Use {evil}"})
    data = results.datasets[0].model_copy(update={"verdict": verdict})
    shown = comparison(results.model_copy(update={"studies": [study], "datasets": [data]}), tmp_path)._repr_html_()
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 2


def test_comparison_html_says_that_a_run_was_interrupted(tmp_path):
    results = fixtures.one_model().model_copy(update={"state": "interrupted"})
    assert "This run was interrupted" in comparison(results, tmp_path)._repr_html_()


def test_comparison_report_is_made_where_it_is_missing(tmp_path):
    done = comparison(fixtures.one_model(), tmp_path)
    assert done.report() == tmp_path / "report.html"
    assert done.report().read_text() == render_html(done.results)


def test_comparison_report_goes_to_a_file_or_into_a_folder(tmp_path):
    done = comparison(fixtures.one_model(), tmp_path)
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "own.html").write_text("old")
    assert done.report(folder) == folder / "report.html"
    assert done.report(str(folder / "own.html")) == folder / "own.html"
    assert (folder / "own.html").read_bytes() == (folder / "report.html").read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["own.html", "report.html"]


def test_comparison_report_never_replaces_a_folder(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(UsageError, match="is a folder, and a report is one file"):
        comparison(fixtures.one_model(), tmp_path).report(tmp_path)


def test_comparison_report_into_nowhere_is_one_sentence(tmp_path):
    with pytest.raises(StorageError, match="Check that its folder exists"):
        comparison(fixtures.one_model(), tmp_path).report(tmp_path / "nowhere" / "a.html")


@pytest.fixture
def old_run(tmp_path):
    """Return the folder of a run that some other process has left below tmp_path."""
    folder = tmp_path / "20260101-120000-quick"
    folder.mkdir()
    (folder / "results.json").write_text(fixtures.full().to_json())
    return folder


@pytest.mark.parametrize("by", ["path", "text", "file", "id", "latest"])
def test_load_a_run_by_path_id_or_age(old_run, by):
    run = {"path": old_run, "text": str(old_run), "file": old_run / "results.json", "id": old_run.name}.get(by, by)
    done = load(run, out=old_run.parent)
    assert (done.results, done.folder) == (fixtures.full(), old_run)
    assert done.report() == old_run / "report.html"
    assert done.verdict == comparison(fixtures.full(), old_run).verdict


def test_load_a_run_from_the_current_folder_is_found_from_anywhere(old_run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert load("latest", out=".").folder.is_absolute()


def test_load_refuses_what_is_no_run(old_run):
    with pytest.raises(UsageError, match=f"There is no run 'latst'.*The newest are {old_run.name}"):
        load("latst", out=old_run.parent)
    (old_run / "results.json").write_text("{}")
    with pytest.raises(ResultsError, match="is not a results file of nncompare"):
        load(old_run)


def test_listeners_one_that_fails_costs_the_others_nothing():
    heard, seen = [], []

    def broken(event):
        seen.append(event)
        raise ValueError("a bug of the caller")

    both = Listeners(broken, heard.append)
    for text in ("first", "second"):
        both(Notice(text))
    assert len(seen) == 1
    assert [event.text for event in heard] == [
        "A listener failed and hears no more of the run: ValueError: a bug of the caller",
        "first",
        "second",
    ]
    assert heard[0].level == "warning"


def test_listeners_all_of_them_may_fail():
    def broken(event):
        raise BrokenPipeError(event)

    both = Listeners(broken, broken, lambda event: broken(event))
    both(Notice("nobody is left"))
    both(Notice("nobody hears this"))


def test_listeners_receive_one_event_at_a_time():
    inside, clashes = [], []

    def listen(event):
        inside.append(event)
        clashes.append(len(inside) > 1)
        inside.remove(event)

    both = Listeners(listen)
    threads = [threading.Thread(target=lambda: [both(Notice(str(i))) for i in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clashes == [False] * 800


@pytest.mark.slow
def test_compare_goes_on_without_a_listener_that_fails(tmp_path, capsys):
    heard = []

    def fail_at_a_trial(event):
        heard.append(event)
        assert not isinstance(event, TrialFinished), "a bug of the caller"

    done = compare(fault("Nearest"), "digits", listener=fail_at_a_trial, out=tmp_path, **SMALL)
    assert (done.results.state, done.results.notes) == ("complete", [])
    assert isinstance(heard[-1], TrialFinished)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Warning: A listener failed and hears no more of the run: AssertionError: a bug of the caller" in err
    assert "Nearest on digits: refit 1 of 1" in err
    assert "\x1b" not in err


@pytest.mark.slow
@pytest.mark.parametrize("progress", [False, "quiet"])
def test_compare_quiet_in_another_thread_tells_its_listener_all(tmp_path, capsys, progress):
    done, heard = [], []

    def work():
        done.append(
            compare(fault("Nearest"), "digits", progress=progress, listener=heard.append, out=tmp_path, **SMALL)
        )

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert capsys.readouterr().err == ""
    assert isinstance(heard[-1], RunFinished)
    assert load_results(done[0].folder) == done[0].results
    assert nncompare.compare is compare


def wine():
    """Return the wines with a category, a gap and named classes."""
    X, y = load_wine(return_X_y=True, as_frame=True)
    X["grower"] = np.where(y == 0, "north", "south")
    X.loc[3, "alcohol"] = np.nan
    return X, y.map({0: "a", 1: "b", 2: "c"}).rename("kind")


@pytest.mark.slow
def test_compare_a_data_frame_and_predict_with_it(tmp_path, capsys):
    X, y = wine()
    budget = SMALL | {"max_epochs": 20}
    done = compare("mlp", X=X, y=y, name="wine", out=tmp_path, **budget)
    assert (
        "wine: 178 rows: 13 numeric and 1 categorical column, 1 missing value; 3 classes"
        in capsys.readouterr().err
    )
    assert [dataset.name for dataset in done.results.datasets] == ["wine"]
    assert done.predict().accuracy == done.results.studies[0].refits[0].test_accuracy
    shuffled = X.iloc[::-1, ::-1]
    found = done.predict(shuffled)
    assert len(found) == len(X)
    assert np.mean(np.array(found.names) == y[shuffled.index].to_numpy()) > 0.8
    X.assign(kind=y).to_csv(tmp_path / "wine.csv", index=False)
    from_file = done.predict(tmp_path / "wine.csv", output=tmp_path / "found.csv")
    np.testing.assert_allclose(from_file.probabilities[::-1], found.probabilities, rtol=1e-5)
    assert len((tmp_path / "found.csv").read_text().splitlines()) == len(X) + 1


@pytest.mark.slow
def test_compare_a_file_is_as_good_as_its_table(tmp_path):
    X, y = wine()
    X.assign(kind=y).to_csv(tmp_path / "wine.csv", index=False)
    quiet = SMALL | {"progress": False, "out": tmp_path}
    file = compare("mlp", tmp_path / "wine.csv", target="kind", **quiet)
    table = compare("mlp", X=X, y=y, name="wine", **quiet)
    assert file.results.datasets[0].fingerprint == table.results.datasets[0].fingerprint
    assert file.results.studies[0].test == table.results.studies[0].test


@pytest.mark.slow
def test_compare_two_files_with_columns_of_their_own_and_go_on(tmp_path):
    X, y = wine()
    files = [tmp_path / "wine.csv", tmp_path / "cars.csv"]
    X.assign(grower=y).to_csv(files[0], index=False)
    X.iloc[:, :3].assign(kind=y, grower=0.5).to_csv(files[1], index=False)
    target = {"cars": "kind", "*": "grower"}
    done = compare("mlp", files, target=target, out=tmp_path / "runs", **SMALL)
    assert [(study.dataset, study.status) for study in done.results.studies] == [
        ("wine", "complete"), ("cars", "complete")
    ]  # fmt: skip
    assert done.results.ranks.text == "No mean ranks: they need two models with results, and only mlp has."
    assert done.results.ranks.text in done.report().read_text("utf-8")
    more = nncompare.resume(done.folder, n_trials=len(done.results.studies[0].trials) + 1, progress=False)
    assert [dataset.fingerprint for dataset in more.results.datasets] == [
        dataset.fingerprint for dataset in done.results.datasets
    ]
    assert {study.status for study in more.results.studies} == {"complete"}


@pytest.mark.slow
def test_compare_lists_of_numbers_with_a_test_part(tmp_path):
    X, y = [[0.0, 1.0], [1.0, 0.0]] * 30, ["no", "yes"] * 30
    done = compare("mlp", X=X, y=y, X_test=X[:20], y_test=y[:20], out=tmp_path, **SMALL)
    assert (done.results.datasets[0].n_test, done.results.datasets[0].class_names) == (20, ["no", "yes"])
    assert len(done.predict([[1, 0], [0, 1]]).names) == 2


def test_compare_arrays_that_do_not_agree_leave_nothing(tmp_path):
    with pytest.raises(DataError, match="it has 2 rows and y has 1"):
        compare("mlp", X=[[1.0], [2.0]], y=["a"], out=tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


SCRIPT = """
import my_models
import nncompare

budget = {"n_trials": 1, "max_epochs": 2, "n_refits": 1, "jobs": 1, "estimate": False}
done = nncompare.compare([my_models.Nearest], "digits", **budget)
print(done.results.studies[0].status, done.folder.is_absolute())
"""


@pytest.mark.slow
def test_compare_a_class_of_a_script_beside_it_from_another_folder(tmp_path, monkeypatch):
    """The script has no guard, and its folder is on the path of its own interpreter only."""
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)  # with it, no script finds what lies beside it
    folder = tmp_path / "scripts"
    folder.mkdir()
    shutil.copy(FAULTS, folder / "my_models.py")
    (folder / "main.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, folder / "main.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "complete True\n", done.stderr
