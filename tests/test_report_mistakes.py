"""The most confident mistakes in the report: what is said, what is folded, what is not there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from nncompare.report import render_html, render_markdown
from nncompare.report.blocks import parts
from nncompare.report.mistakes import section
from nncompare.results import ErrorOverlap, Results, StudyRecord

from . import report_fixtures as fixtures
from .test_report_html import HOSTILE, Page

WEIGHT = 10_000


def html_of(results: Results) -> str:
    html = render_html(results)
    return html[html.index("<section id=mistakes") : html.index("<section id=calibration")]


def with_studies(results: Results, *changes: dict[str, Any]) -> Results:
    """Return results whose first studies are changed."""
    studies: list[StudyRecord] = list(results.studies)
    for k, change in enumerate(changes):
        studies[k] = studies[k].model_copy(update=change)
    return results.model_copy(update={"studies": studies})


def alone_and_right(results: Results) -> Results:
    """Return results of one model that makes no mistake on the first data set."""
    found = with_studies(results, {"mistakes": []})
    return found.model_copy(update={"studies": [found.studies[0], *found.studies[3:]]})


def with_dataset(results: Results, **change: Any) -> Results:
    first, *others = results.datasets
    return results.model_copy(update={"datasets": [first.model_copy(update=change), *others]})


def test_mistakes_answer_names_the_surest_and_counts_those_of_every_model() -> None:
    assert section(parts(fixtures.texts())).answer == (
        "The surest mistake is one of mlp on imdb: “negative” taken for “positive” with probability 0.9991. "
        "On imdb, all 3 models miss 41 of 1,000 test samples."
    )


@pytest.mark.parametrize(("n_models", "words"), [(1, ""), (2, " On imdb, both models miss 41 of 1,000")])
def test_mistakes_are_shared_only_where_there_are_several_models(n_models: int, words: str) -> None:
    found = fixtures.texts()
    found = found.model_copy(update={"studies": found.studies[:n_models]})
    answer = section(parts(found)).answer
    assert (words in answer) if words else answer.endswith("with probability 0.9991.")


def test_mistakes_show_five_of_each_model_with_the_company_it_is_in() -> None:
    section_of = section(parts(fixtures.texts()))
    (group,) = section_of.filled
    assert [figure.series.name for figure in group.figures] == ["mlp", "cnn", "lstm"]
    table = group.figures[1].details[0]
    assert [row.cells[0].text for row in table.rows] == ["negative → positive", "positive → negative"] * 2 + [
        "negative → positive"
    ]
    assert [row.cells[0].detail for row in table.rows] == ["0.9991", "0.9868", "0.9745", "0.9622", "0.9499"]
    assert [row.cells[1].detail for row in table.rows][:3] == [
        "test row 4711; every model gets it wrong",
        "test row 4712; mlp gets it wrong too",
        "test row 4713; no other model gets it wrong",
    ]
    assert table.rows[0].cells[1].text == f"cnn number 0 {fixtures.REVIEW}"
    assert section_of.absent == ("digits: no mistakes are recorded.",)


def test_mistakes_of_one_model_are_in_no_company_and_may_have_no_words() -> None:
    bare = [m.model_copy(update={"words": None}) for m in fixtures.mistakes("mlp", ["mlp"])][:1]
    found = with_studies(fixtures.texts(), {"mistakes": bare})
    found = found.model_copy(update={"studies": found.studies[:1]})
    table = section(parts(found)).filled[0].figures[0].details[0]
    assert table.label == "The only mistake of mlp on imdb"
    assert [(cell.text, cell.detail) for cell in table.rows[0].cells] == [
        ("negative → positive", "0.9991"),
        ("neither words nor picture", "test row 4711"),
    ]


def test_mistakes_stand_folded_between_the_search_and_the_calibration() -> None:
    html = render_html(fixtures.texts())
    assert re.findall(r"<section id=(\w+)", html)[7:10] == ["budget", "mistakes", "calibration"]
    page = Page(html_of(fixtures.texts()))
    assert (page.elements["details"], page.elements["table"]) == (3, 4)
    assert page.elements["tr"] == (1 + 1) + 3 * (1 + 5)


@pytest.mark.parametrize(
    ("results", "why"),
    [
        (fixtures.full(), "no mistakes are recorded."),
        (fixtures.nothing_finished(), "no model has test scores."),
        (fixtures.empty(), "no model has test scores."),
        (alone_and_right(fixtures.texts()), "no test sample is predicted wrong."),
        (
            with_dataset(with_studies(fixtures.texts(), *[{"mistakes": []}] * 3), n_wrong_by_all=None),
            "no mistakes are recorded.",
        ),
    ],
)
def test_mistakes_that_are_not_there_take_one_line_that_says_why(results: Results, why: str) -> None:
    page = Page(html_of(results))
    assert [text for tag, text in page.texts if tag == "p"] == [f"There is nothing to show: {why}"]
    assert page.elements["table"] == 0


def test_mistakes_of_one_of_two_models_leave_the_other_its_card() -> None:
    figures = section(parts(with_studies(fixtures.texts(), {"mistakes": []}))).filled[0].figures
    assert figures[0].caption == "no test sample is predicted wrong."
    assert [len(figure.details) for figure in figures] == [0, 1, 1]


def test_mistakes_weigh_little() -> None:
    assert len(html_of(fixtures.texts()).encode()) < WEIGHT


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_mistakes_keep_hostile_words_out_of_the_markup(text: str) -> None:
    hostile = [m.model_copy(update={"words": f"{m.words} {text}"}) for m in fixtures.texts().studies[0].mistakes]
    found, benign = (
        Page(html_of(with_studies(fixtures.texts(), {"mistakes": hostile}))),
        Page(html_of(fixtures.texts())),
    )
    assert (found.elements, found.attributes) == (benign.elements, benign.attributes)


def test_mistakes_in_markdown_take_a_line_for_each_model() -> None:
    text = render_markdown(fixtures.texts()).partition("### Surest mistake")[2].partition("###")[0]
    said = "“negative” taken for “positive” with probability 0.9991 (test row 4711)"
    shared = "- On imdb, all 3 models miss 41 of 1,000 test samples."
    models = ("mlp", "cnn", "lstm")
    assert [line for line in text.splitlines() if line] == [*(f"- {m}: {said}" for m in models), shared]
    assert "Surest mistake" not in render_markdown(fixtures.full())


def test_mistakes_answer_says_what_both_miss_and_what_only_one_gets_right() -> None:
    answer = section(parts(fixtures.pictured())).answer
    assert answer.endswith(
        " On pictures, both models miss 12 of 1,000 test samples; 31 are right by cnn alone, 12 by lstm alone."
    )


@pytest.mark.parametrize(
    ("only_right", "words"),
    [
        ({"cnn": 0, "lstm": 0}, "miss 12 of 1,000 test samples."),
        ({"cnn": 1, "lstm": 0}, "; 1 is right by cnn alone."),
        ({"a": 1, "b": 4, "c": 2}, "; 4 are right by b alone, 2 by c alone, 1 by a alone."),
        ({"a": 1, "b": 4, "c": 2, "d": 1}, "; 4 are right by b alone, 2 by c alone, 1 by a alone and others."),
    ],
)
def test_mistakes_say_who_alone_is_right_of_three_models_at_most(only_right: dict[str, int], words: str) -> None:
    found = fixtures.pictured()
    data = found.datasets[0].model_copy(update={"overlap": ErrorOverlap(only_right=only_right)})
    assert section(parts(found.model_copy(update={"datasets": [data]}))).answer.endswith(words)


def test_mistakes_numbers_of_the_answer_stand_in_a_table() -> None:
    (group,) = section(parts(fixtures.pictured())).filled
    assert [[cell.text for cell in row.cells] for row in group.tables[0].rows] == [
        ["every model is wrong", "12", "1.2 %"],
        ["only cnn is right", "31", "3.1 %"],
        ["only lstm is right", "12", "1.2 %"],
    ]


def test_mistakes_of_images_are_seen_at_once_and_shared_ones_on_demand() -> None:
    html = html_of(fixtures.pictured())
    page = Page(html)
    assert page.elements["img"] == 5 + 5 + 5 + 6
    assert page.elements["details"] == 2
    folded = html.partition("Samples of pictures that only one model gets right</summary>")[2]
    assert folded.count("<img") == 6
    assert "1 by cnn; 0 by lstm" in folded
    assert all(value for name, value in page.values if name == "alt")


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_mistakes_from_files_are_named_by_these_whatever_they_are_called(name: str) -> None:
    found = fixtures.pictured().studies[0].mistakes
    named = [mistake.model_copy(update={"file": f"rose/{name}.png"}) for mistake in found]
    results = with_studies(fixtures.pictured(), {"mistakes": named})
    page, benign = Page(html_of(results)), Page(html_of(fixtures.pictured()))
    assert (page.elements, page.attributes) == (benign.elements, benign.attributes)
    assert html_of(results).count("rose/") == 5
    assert "(rose/" in render_markdown(results)


def test_mistakes_of_sequences_are_curves_within_their_box() -> None:
    html = html_of(fixtures.pictured("sequence"))
    curves = re.findall(r'<polyline points="([^"]*)"/>', html)
    assert len(curves) == 5 + 5 + 5 + 6
    values = [tuple(map(float, point.split(","))) for curve in curves for point in curve.split()]
    assert {x for x, _ in values} == set(range(len(curves[0].split())))
    assert (min(y for _, y in values), max(y for _, y in values)) == (4, 44)


def test_mistakes_of_rows_show_their_columns() -> None:
    assert "width = 1.5, colour = red, age = –" in html_of(fixtures.pictured("tabular"))


def test_mistakes_of_hidden_rows_are_counted_and_not_shown() -> None:
    html = html_of(fixtures.hidden())
    assert "rows of tables and of your own data are shown only where a run is told to (--show-rows)." in html
    assert "both models miss 12 of 1,000 test samples; 31 are right by cnn alone" in html
    assert "test row" not in html


@pytest.mark.parametrize("png", ["", "a b", "<b>", "data:x", '"', "A" * 5 + "===", "java script:"])
def test_mistakes_draw_no_image_that_is_no_base64(png: str) -> None:
    odd = [m.model_copy(update={"thumbnail": png}) for m in fixtures.pictured().studies[0].mistakes]
    html = html_of(with_studies(fixtures.pictured(models=("cnn",)), {"mistakes": odd}))
    assert "<img" not in html


def test_mistakes_with_pictures_weigh_less_than_100_kb() -> None:
    """Four data sets of this size stand below the 350 kB that the default run may have for images."""
    assert len(html_of(fixtures.pictured(models=("mlp", "cnn", "lstm"))).encode()) < 100_000
