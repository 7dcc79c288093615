"""The report's models x data sets: each cell says in words what is there, ranks stand where they may."""

from __future__ import annotations

import re

import pytest

from nncompare.report import render_html, render_markdown, results_in
from nncompare.report.across import section
from nncompare.report.blocks import Table, parts
from nncompare.results import Failure, Results, VerdictRecord

from . import report_fixtures as fixtures


def table_of(results: Results) -> Table:
    found = section(results, parts(results))
    assert found is not None
    (table,) = found.tables
    return table


def cells(results: Results) -> dict[str, dict[str, str]]:
    """Return what the table says, by model and data set: the score and its mark, or why there is none."""
    table = table_of(results)
    columns = [column.label for column in table.columns[1:]]
    return {
        row.cells[0].text: {
            column: " ".join(filter(None, (cell.text, cell.mark)))
            for column, cell in zip(columns, row.cells[1:], strict=True)
        }
        for row in table.rows
    }


def on(results: Results, dataset: str) -> list[str]:
    return [row[dataset] for model, row in cells(results).items() if model in fixtures.LEVELS]


def with_verdict(results: Results, dataset: str, verdict: VerdictRecord) -> Results:
    datasets = [
        one.model_copy(update={"verdict": verdict}) if one.name == dataset else one for one in results.datasets
    ]
    return results.model_copy(update={"datasets": datasets})


def test_one_data_set_has_no_such_section() -> None:
    results = fixtures.across(1)
    assert section(results, parts(results)) is None
    assert "id=across" not in render_html(results)
    assert "do on each data set" not in render_markdown(results)


@pytest.mark.parametrize("n_datasets", [2, 4, 5])
def test_ranks_stand_in_the_table_from_five_data_sets_on(n_datasets: int) -> None:
    results = fixtures.across(n_datasets)
    labels = [column.label for column in table_of(results).columns]
    assert labels == ["Model", *["Mean rank"] * (n_datasets == 5), *list(fixtures.ACROSS)[:n_datasets]]
    html = render_html(results)
    assert ("a convenience sample" in html) == (n_datasets == 5)
    assert (f"and there are {n_datasets}." in html) == (n_datasets < 5)


def test_ranked_models_come_by_their_mean_rank_and_references_last_without_one() -> None:
    found = cells(fixtures.across(5))
    assert [(model, row["Mean rank"]) for model, row in found.items()] == [
        ("cnn", "1.50"),
        ("lstm", "1.90"),
        ("mlp", "2.60"),
        ("majority", "not ranked"),
        ("logistic_regression", "not ranked"),
    ]


def test_unranked_models_keep_the_order_of_the_run() -> None:
    assert list(cells(fixtures.across(2)))[:3] == ["mlp", "cnn", "lstm"]


def test_cell_is_the_accuracy_in_per_cent_with_its_interval() -> None:
    (cnn,) = (row for row in table_of(fixtures.across(2)).rows if row.cells[0].text == "cnn")
    assert (cnn.cells[2].text, cnn.cells[2].detail) == ("93.0", "92.4 to 93.6")


def test_first_of_each_data_set_is_marked_in_the_words_of_its_verdict() -> None:
    results = fixtures.across(5)
    assert on(results, "digits") == ["98.0 practically equal", "98.0 practically equal", "95.0"]
    assert on(results, "wine") == ["93.0 undecided", "91.0", "95.0 undecided"]
    assert on(results, "shapes") == ["95.7 undecided", "95.1 undecided", "65.5"]
    assert on(results, "letters") == ["93.0 clear winner", "90.0", "88.0"]
    tinted = [["*" if cell.tint else "." for cell in row.cells[2:]] for row in table_of(results).rows[:3]]
    assert ["".join(row) for row in tinted] == ["**.**", "*.*.*", ".*..."]


@pytest.mark.parametrize(
    ("verdict", "mark"),
    [
        (VerdictRecord(state="undecided", tied=["cnn"], text="t", compared=["cnn", "mlp"]), "first, undecided"),
        (
            VerdictRecord(state="better", winner="cnn", text="t", compared=["cnn", "mlp"], single_seed=True),
            "ahead, single seed",
        ),
        (VerdictRecord(state="single", text="t", compared=["cnn"]), "only one model finished"),
        (VerdictRecord(state="none", text="t"), ""),
    ],
)
def test_mark_says_no_more_than_the_badge_of_the_verdict(verdict: VerdictRecord, mark: str) -> None:
    results = with_verdict(fixtures.across(2), "wine", verdict)
    assert cells(results)["cnn"]["wine"] == f"93.0 {mark}".strip()


def test_cells_without_a_score_say_why_in_words() -> None:
    found = cells(fixtures.gaps())
    assert {model: found[model]["patients"] for model in fixtures.LEVELS} == {
        "mlp": "failed",
        "cnn": "does not apply",
        "lstm": "no study",
    }
    lost = cells(fixtures.full())
    assert (lost["cnn"]["mnist"], lost["lstm"]["imdb"], lost["mlp"]["mnist"]) == ("not run", "not run", "no study")
    assert (lost["majority"]["mnist"], lost["majority"]["digits"]) == ("none", "10.0")


def test_score_of_lucky_seeds_or_of_an_interrupted_study_says_so() -> None:
    results = fixtures.across(2)
    failure = Failure(category="killed", message="gone")
    first, *others = results.studies[0].refits
    refits = [first.model_copy(update={"failure": failure}), *others]
    studies = [
        results.studies[0].model_copy(update={"refits": refits}),
        results.studies[1].model_copy(update={"status": "interrupted"}),
        *results.studies[2:],
    ]
    found = cells(results.model_copy(update={"studies": studies}))
    assert found["mlp"]["digits"] == "95.0 1 of 3 refits failed"
    assert found["cnn"]["digits"] == "98.0 practically equal; interrupted"


def test_reference_that_failed_says_so() -> None:
    results = fixtures.across(2)
    failure = Failure(category="data", message="too large")
    broken = results.datasets[0].references[1].model_copy(update={"failure": failure, "test_accuracy": None})
    data = results.datasets[0].model_copy(update={"references": [results.datasets[0].references[0], broken]})
    found = cells(results.model_copy(update={"datasets": [data, results.datasets[1]]}))
    assert found["logistic_regression"] == {"digits": "failed", "wine": "32.0"}


def test_every_cell_names_its_data_set_for_a_narrow_screen() -> None:
    html = render_html(fixtures.across(5))
    table = html.partition('<table class="across')[2].partition("</table>")[0]
    rows = [re.findall(r'data-of="?([^">]*)', row) for row in table.split("<tr")[2:]]
    assert rows == [["Mean rank", *fixtures.ACROSS]] * 5
    assert ".across td::before{content:attr(data-of)" in html


def test_results_of_earlier_versions_get_their_ranks_when_they_are_drawn() -> None:
    results = fixtures.across(5)
    old = results.model_copy(update={"ranks": None})
    assert table_of(old) == table_of(results)


def test_ranks_inside_the_page_are_those_of_the_results() -> None:
    results = fixtures.across(5)
    assert results_in(render_html(results)).ranks == results.ranks


def test_markdown_has_the_same_table_and_words() -> None:
    text = render_markdown(fixtures.gaps())
    part = text.partition("## How do the models do on each data set?")[2].partition("\n## ")[0]
    assert "Mean ranks over 5 data sets" in part
    assert "| 98.0 (97.4 to 98.6), practically equal |" in part
    assert "| mlp | 2.60 |" in part
    assert "| does not apply |" in part
    assert "a convenience sample" in part
