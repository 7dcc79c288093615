"""The end of a run on a terminal: nothing is wider than it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from nncompare.cli.summary import plan_lines, result_lines
from nncompare.estimate import Estimate
from nncompare.results import Check, Failure, Owner

from . import report_fixtures as fixtures


@pytest.mark.parametrize("width", [50, 80])
def test_summary_lines_fit_the_terminal(width, tmp_path):
    lines = result_lines(fixtures.full(), tmp_path / "report.html", width)
    assert max(map(len, lines[:-1])) <= width
    assert "0.9510 to 0.9630" in "\n".join(lines)


def test_summary_in_a_pipe_keeps_a_sentence_on_one_line(tmp_path):
    results = fixtures.full()
    lines = result_lines(results, tmp_path / "report.html")
    assert f"mnist1d: {results.datasets[0].verdict.text}" in lines


@pytest.mark.parametrize(("n_datasets", "lines"), [(2, 0), (5, 1)])
def test_summary_gives_mean_ranks_where_there_are_any(n_datasets, lines, tmp_path):
    results = fixtures.across(n_datasets)
    said = [line for line in result_lines(results, tmp_path / "report.html") if "ean ranks" in line]
    assert said == [results.ranks.text] * lines


def test_summary_of_a_plan_shows_each_estimate_and_why_one_is_missing():
    studies = [
        SimpleNamespace(
            model=model, dataset="mnist1d", view="sequence", n_trials=20, max_epochs=40, n_refits=3,
            n_finals=3 if model == "cnn" else 0, search_samples=3200, failure=None,
        )
        for model in ("cnn", "mlp")
    ]  # fmt: skip
    plan = SimpleNamespace(datasets=[], studies=studies, jobs=2, folder=Path("reports/r"))
    found = Estimate(
        seconds=None, studies={("cnn", "mnist1d"): 95.0}, reasons={("mlp", "mnist1d"): "It\nbroke."}, jobs=2
    )
    lines = plan_lines(plan, found)
    assert lines[2].endswith("FINALS  REFITS  SEARCHED ON  ESTIMATE")
    assert [line[lines[2].index("FINALS") :].split()[0] for line in lines[3:5]] == ["3", "-"]
    assert lines[3].endswith("3200     100 s")
    assert lines[4].endswith("3200   unknown")
    assert lines[5:8] == ["", "Not estimated:", "  mlp on mnist1d: It broke."]
    whole = plan_lines(plan, Estimate(seconds=120.0, jobs=2, studies=found.studies))
    assert whole[6].startswith("The run takes about 2 min, likely 80 s to 3 min,")
    assert "ESTIMATE" not in plan_lines(plan)[2]
    assert whole[-1] == "Trials at a time: 2. The results would be in a new folder of reports."


def test_summary_sets_the_time_that_was_estimated_against_the_truth(tmp_path):
    results = fixtures.full().model_copy(update={"duration_s": 1260.0, "estimate_s": 1100.0})
    assert "Took 21 min after loading and estimating; estimated 18 min." in result_lines(
        results, tmp_path / "report.html"
    )
    without = results.model_copy(update={"estimate_s": None})
    assert not [line for line in result_lines(without, tmp_path / "report.html") if "stimated" in line]


@pytest.mark.parametrize(("seconds", "shown"), [(0.0, "<0.1"), (0.04, "<0.1"), (0.26, "0.3"), (12.0, "12.0")])
def test_summary_of_a_very_fast_model_says_less_and_not_nothing(tmp_path, seconds, shown):
    results = fixtures.one_model()
    studies = [study.model_copy(update={"fit_cpu_s": seconds}) for study in results.studies]
    lines = result_lines(results.model_copy(update={"studies": studies}), tmp_path / "report.html")
    header = next(line for line in lines if line.startswith("MODEL"))
    row = next(line for line in lines if line.startswith(f"{studies[0].model} "))
    assert row[: header.index("CPU S") + len("CPU S")].split()[-1] == shown


@pytest.mark.parametrize(
    ("category", "distribution", "command", "told"),
    [
        ("plugin", "nncompare", [], "`nncompare check-plugin mlp` tells more."),
        (
            "plugin",
            "(local)",
            ["nncompare", "run", "-m", "my own.py:mlp"],
            "check-plugin 'my own.py:mlp'` tells more.",
        ),
        ("plugin", "(local)", [], "no class."),
        ("timeout", "nncompare", [], "no class."),
    ],
    ids=["installed", "file", "unknown-file", "no-fault-of-the-plugin"],
)
def test_summary_names_the_command_that_tells_more_of_a_plugin_that_failed(
    tmp_path, category, distribution, command, told
):
    results = fixtures.one_model()
    update = {
        "model": "mlp",
        "status": "failed",
        "failure": Failure(category=category, message="PluginError: no class."),
        "plugin": Owner(distribution=distribution, version="1"),
    }
    studies = [study.model_copy(update=update) for study in results.studies]
    failed = results.model_copy(update={"studies": studies, "command": command})
    lines = result_lines(failed, tmp_path / "report.html")
    [line] = [line for line in lines if "no class" in line]
    assert line.endswith(told)


def test_summary_warns_below_the_verdict_of_a_run_too_short_to_trust(tmp_path):
    results = fixtures.one_model()
    [dataset] = results.datasets
    codes = [
        ("few_trials", "few"),
        ("still_learning", "mlp learns."),
        ("still_learning", "cnn learns."),
        ("x", "no"),
    ]
    checks = [Check(code=code, level="warning", text=text) for code, text in codes]
    verdict = dataset.verdict.model_copy(update={"checks": checks})
    short = results.model_copy(update={"datasets": [dataset.model_copy(update={"verdict": verdict})]})
    lines = result_lines(short, tmp_path / "report.html")
    assert lines[1:4] == [
        "  Warning: few",
        "  Warning: mlp learns. So it is with 1 more; see the report.",
        "",
    ]
