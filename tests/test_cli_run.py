"""``nncompare run``: options become a RunConfig, results become lines and an exit code."""

import json
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner

from nncompare.cli import main
from nncompare.data.records import Finding
from nncompare.estimate import Estimate
from nncompare.results import (
    Calibration,
    DatasetRecord,
    Failure,
    Interval,
    ReferenceRecord,
    Results,
    StudyRecord,
    TestScores,
    VerdictRecord,
)
from nncompare.settings import RunConfig

NO_NETWORK = Failure(category="data", message="mnist could not be fetched: no network")
CORRUPT = Failure(category="data", message="mnist is damaged")
BROKEN = Failure(category="plugin", message="cnn is broken")


def interval(mean):
    return Interval(mean=mean, low=mean - 0.01, high=mean + 0.01)


def scores(mean):
    names = ["accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "log_loss", "brier", "ece"]
    return TestScores(
        **{name: interval(mean) for name in names},
        per_class=[],
        confusion_matrix=[],
        calibration=Calibration(ece=0.0),
    )


def study(model, status="complete", mean=None, failure=None, dataset="mnist1d"):
    test = None if mean is None else scores(mean)
    return StudyRecord(
        model=model,
        dataset=dataset,
        status=status,
        failure=failure,
        test=test,
        fit_cpu_s=12.34,
        n_parameters=12345,
    )


def results(*studies, state="complete"):
    dataset = DatasetRecord(
        name="mnist1d",
        kind="sequence",
        n_train=1,
        n_valid=1,
        n_test=1,
        class_names=["a", "b"],
        fingerprint="f",
        references=[ReferenceRecord(name="majority", test_accuracy=interval(0.1))],
        verdict=VerdictRecord(state="better", winner="cnn", text="cnn is better than mlp."),
    )
    return Results(
        run_id="r",
        state=state,
        created_at="now",
        seed=1,
        preset="quick",
        datasets=[dataset],
        studies=list(studies),
    )


def planned(model, failure=None, broken=False):
    return SimpleNamespace(
        model=model, dataset="mnist1d", view="sequence", n_trials=5, max_epochs=10, n_refits=1,
        n_finalists=1, n_finals=0, search_samples=3200, refit_samples=4000, failure=failure, broken=broken,
    )  # fmt: skip


class Interrupted(KeyboardInterrupt):
    def __init__(self, signum, found):
        super().__init__()
        self.signum, self.results, self.report = signum, found, "report.html"


class Library:
    """Stands in for the planner and the comparison; remembers what it was asked."""

    def __init__(self):
        self.config = None
        self.studies = [planned("cnn"), planned("mlp")]
        self.results = results(study("mlp", mean=0.6), study("cnn", mean=0.95))
        self.code = 0
        self.estimated = False
        self.error = None

    def make_plan(self, config, runner, listener):
        self.config = config
        folder = Path(config.out, "run-1")
        dataset = SimpleNamespace(
            name="mnist1d",
            n_train=3200,
            n_valid=800,
            n_test=1000,
            failure=None,
            fingerprint="0123456789abcdef",
            findings=(Finding(code="imbalance", level="ok", text="No class is twice as frequent as another."),),
        )
        return SimpleNamespace(folder=folder, jobs=2, datasets=[dataset], studies=self.studies)

    def estimate_plan(self, plan, runner, listener=None):
        self.estimated = True
        return Estimate(seconds=90.0, studies={("cnn", "mnist1d"): 60.0})

    def run(self, plan, runner, listener, *, estimate=None):
        if self.error is not None:
            raise self.error
        return self.results

    def exit_code(self, found, strict):
        assert found is self.results
        return self.code


@pytest.fixture
def library(monkeypatch):
    fake = Library()
    planning, comparison = ModuleType("nncompare.planning"), ModuleType("nncompare.comparison")
    runner, estimate = ModuleType("nncompare.execution.runner"), ModuleType("nncompare.estimate")
    runner.LocalRunner = nullcontext
    planning.make_plan = fake.make_plan
    estimate.estimate_plan = fake.estimate_plan
    comparison.run, comparison.exit_code, comparison.Interrupted = fake.run, fake.exit_code, Interrupted
    for module in (planning, comparison, runner, estimate):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return fake


def run(*arguments):
    return CliRunner().invoke(main, ["run", *arguments])


def test_run_all_takes_the_defaults(library):
    assert run("--all").exit_code == 0
    assert library.config == RunConfig(command=("nncompare", "run", "--all"))


def test_run_every_option_reaches_the_config(library):
    text = (
        "-m cnn -m mlp -d digits --preset quick --trials 7 --epochs 9 --seeds 2 --jobs 1 --threads 3 --seed 5 "
        "--set cnn.kernel=3 --out elsewhere --strict --trial-timeout 1.5 --trial-memory 500 --target class "
        "--encoding latin-1 --time day --view tabular --timeout 20m --storage sqlite:///a.db"
    )
    arguments = text.split()
    assert run(*arguments).exit_code == 0
    assert library.config == RunConfig(
        models=("cnn", "mlp"),
        datasets=("digits",),
        preset="quick",
        n_trials=7,
        max_epochs=9,
        n_refits=2,
        jobs=1,
        threads=3,
        seed=5,
        pins={"cnn": {"kernel": 3}},
        out=Path("elsewhere"),
        strict=True,
        trial_timeout_s=1.5,
        trial_memory_mb=500.0,
        target="class",
        encoding="latin-1",
        time="day",
        view="tabular",
        timeout_s=1200.0,
        storage="sqlite:///a.db",
        command=("nncompare", "run", *arguments),
    )


def test_run_columns_of_several_tables_reach_the_config(library):
    text = "-d cars.csv -d old/wine.tsv --target cars=kind --target wine.tsv=grower --group who --group wine=farm"
    assert run(*text.split()).exit_code == 0
    assert library.config.target == {"cars": "kind", "wine": "grower"}
    assert library.config.group == {"*": "who", "wine": "farm"}


def test_run_prints_verdict_leaderboard_and_report(library):
    done = run("--all", "--out", "there")
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "mnist1d: cnn is better than mlp.",
        "",
        "MODEL       ACCURACY  95 % INTERVAL     MACRO F1  CPU S  PARAMETERS",
        "cnn           0.9500  0.9400 to 0.9600    0.9500   12.3      12,345",
        "mlp           0.6000  0.5900 to 0.6100    0.6000   12.3      12,345",
        "(majority)    0.1000  0.0900 to 0.1100",
        "",
        "Report: there/run-1/report.html",
    ]


def test_run_says_what_has_no_result_and_what_the_exit_code_means(library):
    library.results = results(study("mlp", mean=0.6), study("cnn", "failed", failure=BROKEN))
    library.code = 3
    done = run("--all")
    assert done.exit_code == 3
    assert (
        "Without a result:\n  cnn on mnist1d: failed: cnn is broken. `nncompare check-plugin cnn` tells more.\n"
        in done.stdout
    )
    assert done.stderr == ("Exit code 3: at least one model has no result on a data set, or a plugin is broken.\n")


def test_run_quiet_prints_the_path_only(library):
    done = run("--all", "--quiet")
    assert (done.stdout, done.stderr) == ("reports/run-1/report.html\n", "")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_run_interrupted_says_what_was_kept(library, signum, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trials = Path("reports/run-1/trials/mlp--mnist1d")
    trials.mkdir(parents=True)
    for number in range(2):  # results.json may have fewer, while a run is extended
        (trials / f"{number:04d}.record.json").touch()
    found = results(study("mlp", mean=0.6), study("cnn", "interrupted"), state="interrupted")
    library.error = Interrupted(signum, found)
    done = run("--all")
    assert done.exit_code == code
    kept, advice = done.stderr.removesuffix("\n").split(". Go on with: ")
    assert kept == "Interrupted. Kept: 1 of 2 studies complete, 2 finished trials"
    assert advice == "nncompare resume reports/run-1"
    assert "Report: reports/run-1/report.html" in done.stdout


def test_run_interrupted_quotes_the_folder_for_the_shell(library):
    library.error = Interrupted(signal.SIGINT, results(study("mlp", "interrupted"), state="interrupted"))
    assert run("--all", "--out", "my runs").stderr.endswith("Go on with: nncompare resume 'my runs/run-1'\n")


@pytest.mark.parametrize(
    ("failure", "broken", "options", "code"),
    [
        (None, False, (), 0),
        (NO_NETWORK, False, (), 0),
        (NO_NETWORK, False, ("--strict",), 3),
        (BROKEN, True, (), 3),
        (CORRUPT, True, (), 3),
    ],
)
def test_run_dry_run_prints_the_plan_and_ends_like_the_run(library, failure, broken, options, code):
    library.studies = [planned("mlp"), planned("cnn", failure, broken)]
    library.error = AssertionError("it ran")
    done = run("--all", "--dry-run", *options)
    assert done.exit_code == code
    assert "mlp    mnist1d   sequence       5      10       -       1         3200" in done.stdout
    assert "mnist1d    3200         800  1000  0123456789ab\n" in done.stdout
    assert ("Will not run:" in done.stdout) == (failure is not None)
    assert failure is None or failure.message in done.stdout


def test_run_names_without_an_option_are_told_which(library):
    done = run("mlp", "digits")
    assert done.exit_code == 2
    assert done.stderr.endswith(" Name models with -m, data sets with -d.\n")


def test_run_names_joined_by_a_comma_are_told_to_repeat_the_option(library):
    done = run("-m", "mlp,cnn")
    assert done.exit_code == 2
    assert "'mlp,cnn' has a comma; repeat -m for several names." in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--preset", "quick")])
def test_run_without_a_choice_shows_three_commands_and_exits_2(library, arguments):
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: ")
    assert done.stderr.count("\n  nncompare run ") == 3
    assert "--trial-memory" not in done.stderr
    assert done.stderr.endswith("Say what to compare: --all, -m MODEL or -d DATASET.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--all", "-m", "cnn"], "--all runs every model"),
        (["-m", "cnn", "--trials", "0"], "'--trials': 0 is not in the range x>=1."),
        (["-m", "cnn", "--epochs", "x"], "'--epochs': 'x' is not a valid integer range."),
        (["-m", "cnn", "--seeds", "0"], "'--seeds': 0 is not in the range x>=1."),
        (["-m", "cnn", "--jobs", "0"], "'--jobs': 0 is not in the range x>=1."),
        (["-m", "cnn", "--threads", "-1"], "'--threads': -1 is not in the range x>=1."),
        (["-m", "cnn", "--seed", "-1"], "'--seed': -1 is not in the range 0<=x<=4294967295."),
        (["-m", "cnn", "--preset", "slow"], "'slow' is not one of 'quick', 'standard', 'thorough'."),
        (["-m", "cnn", "--set", "cnn.kernel"], "is not of the form MODEL.PARAM=VALUE"),
        (["-m", "cnn", "--trial-timeout", "nan"], "'nan' is no time above 0; write seconds"),
        (["-m", "cnn", "--timeout", "0"], "'0' is no time above 0; write seconds"),
        (["-m", "cnn", "--encoding", "klingon"], "No encoding is called 'klingon'."),
        (["-m", "cnn", "--view", "audio"], "'audio' is not one of 'tabular', 'image', 'sequence', 'tokens'."),
        (["-m", "cnn", "--trial-memory", "0"], "0 is not a number above 0."),
        (["-m", ""], "a name is empty."),
        (["-m", "cnn", "--out", __file__], "is a file."),
    ],
)
def test_run_bad_option_is_one_sentence_and_exit_2(library, arguments, sentence):
    done = run(*arguments)
    assert (done.exit_code, done.stdout, library.config) == (2, "", None)
    assert sentence in done.stderr.splitlines()[-1]


def test_run_exit_code_reaches_the_shell():
    code = "from nncompare.cli import main; main(['run', '--preset', 'quick'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")


def test_run_returned_exit_code_reaches_the_shell():
    code = (
        "from nncompare.cli import main, run as _; import nncompare.cli.run as r; "
        "r._run = lambda *_: 143; main(['run', '--all'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (143, "")


def test_run_json_is_one_object_and_words_go_to_stderr(library):
    library.results = results(study("mlp", mean=0.6), study("cnn", "failed", failure=BROKEN))
    library.code = 3
    done = run("--all", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["exit_code"], found["state"], found["run_id"]) == (3, 3, "complete", "r")
    assert (found["report"], found["results"]) == ("reports/run-1/report.html", "reports/run-1/results.json")
    (dataset,) = found["datasets"]
    assert dataset["verdict"] == {
        "state": "better", "winner": "cnn", "tied": [], "text": "cnn is better than mlp."
    }  # fmt: skip
    assert [row["model"] for row in dataset["leaderboard"]] == ["mlp"]
    assert dataset["leaderboard"][0]["accuracy"] == {"mean": 0.6, "low": 0.59, "high": 0.61}
    assert [row["model"] for row in dataset["references"]] == ["majority"]
    assert found["missing"] == [
        {"model": "cnn", "dataset": "mnist1d", "status": "failed", "failure": BROKEN.model_dump()}
    ]
    assert found["ranks"] is None
    assert "mnist1d: cnn is better than mlp." in done.stderr
    assert "Exit code 3: " in done.stderr


def test_run_json_and_quiet_is_json_alone(library):
    done = run("--all", "--json", "--quiet")
    assert (json.loads(done.stdout)["exit_code"], done.stderr) == (0, "")


def test_run_json_of_an_interrupted_run_has_its_exit_code(library):
    library.error = Interrupted(signal.SIGINT, results(study("mlp", mean=0.6), state="interrupted"))
    done = run("--all", "--json")
    assert (done.exit_code, json.loads(done.stdout)["exit_code"]) == (130, 130)


def test_run_dry_run_json_is_the_plan(library):
    library.studies = [planned("cnn"), planned("mlp", NO_NETWORK)]
    done = run("--all", "--dry-run", "--json")
    found = json.loads(done.stdout)
    assert (found["dry_run"], found["exit_code"], found["estimate_s"], found["jobs"]) == (True, 0, 90.0, 2)
    assert found["datasets"][0]["fingerprint"] == "0123456789abcdef"
    assert [check["code"] for check in found["datasets"][0]["data_checks"]] == ["imbalance"]
    assert [(s["model"], s["estimate_s"], s["n_trials"]) for s in found["studies"]] == [
        ("cnn", 60.0, 5),
        ("mlp", None, 5),
    ]
    assert found["studies"][1]["failure"] == NO_NETWORK.model_dump()


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_run_no_estimate_trains_nothing_beforehand(library, options):
    assert run("--all", "--no-estimate", *options).exit_code == 0
    assert not library.estimated
    assert run("--all", *options).exit_code == 0
    assert library.estimated


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90.0), ("90s", 90.0), ("20m", 1200.0), ("1.5h", 5400.0), ("2 H", 7200.0), ("1d", 86_400)],
)
def test_run_times_have_units(library, text, seconds):
    assert run("--all", "--timeout", text, "--trial-timeout", text).exit_code == 0
    assert (library.config.timeout_s, library.config.trial_timeout_s) == (seconds, seconds)


@pytest.mark.parametrize(
    ("works", "words"), [(True, ""), (False, "Open the report yourself: reports/run-1/report.html\n")]
)
def test_run_open_shows_the_report_or_says_where_it_is(library, monkeypatch, works, words):
    shown = []
    monkeypatch.setattr("webbrowser.open", lambda url: shown.append(url) or works)
    done = run("--all", "--open")
    assert done.exit_code == 0
    assert shown == [Path("reports/run-1/report.html").resolve().as_uri()]
    assert done.stderr.endswith(words)


def test_run_storage_from_the_environment_is_not_shown(library):
    url = "postgresql://ann:s3cret@host/db"
    done = CliRunner().invoke(main, ["run", "--all"], env={"NNCOMPARE_STORAGE": url})
    assert library.config.storage == url
    assert "s3cret" not in done.output + repr(library.config)


def test_run_table_whose_name_has_a_comma_is_a_data_set(library, tmp_path):
    table = tmp_path / "a,b.csv"
    table.touch()
    assert run("-d", str(table)).exit_code == 0
    assert library.config.datasets == (str(table),)
