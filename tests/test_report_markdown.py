"""The Markdown report: the same words, in brief, and the files of a run directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from nncompare.exceptions import StorageError
from nncompare.report import render_html, render_markdown, write_report
from nncompare.report.render import markdown_text

from . import report_fixtures as fixtures


@pytest.mark.parametrize("variant", fixtures.VARIANTS)
def test_markdown_renders_every_variant_the_same_twice(variant: str) -> None:
    results = fixtures.VARIANTS[variant]()
    assert render_markdown(results) == render_markdown(results)


def test_markdown_holds_verdicts_leaderboards_and_what_did_not_run() -> None:
    results = fixtures.full()
    text = render_markdown(results)
    assert all(dataset.verdict.text in text for dataset in results.datasets)
    assert "| cnn | 0.9570 (0.9510 to 0.9630) |" in text
    assert "| logistic\\_regression" not in text
    reference = "logistic_regression (reference; trained on 4,000 rows; lbfgs, 100 iterations)"
    assert f"| {reference} | 0.3200 (0.3000 to 0.3400) |" in text
    assert "| cnn | mnist | not run | data: Data set 'mnist' could not be fetched: no network. |" in text


def test_markdown_tables_have_as_many_cells_in_each_row() -> None:
    lines = render_markdown(fixtures.full()).splitlines()
    tables = "\n".join(line if line.startswith("|") else "" for line in lines).split("\n\n")
    for table in filter(None, (table.strip() for table in tables)):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_markdown_holds_classes_confusions_and_searches_of_each_data_set() -> None:
    text = render_markdown(fixtures.full())
    board = text.partition("## mnist1d")[2].partition("\n## ")[0]
    assert "| Class | cnn | lstm | mlp | Support |" in board
    assert "| 9 | 0.9416 (0.9116 to 0.9716) | 0.9495 (0.9195 to 0.9795) |" in board
    confusions = board.partition("### Most frequent confusions")[2].partition("###")[0]
    assert confusions.count("true “2” called “7” 2 (2.0 %)") == 1
    assert [line.count("called “") for line in confusions.splitlines() if line.startswith("- ")] == [5, 5, 5]
    assert "- mlp: best at trial 1 (numbered 0 to 19); 15 complete, 4 pruned, 1 failed; validation log" in board
    assert "refits with the seeds 1000, 1001, 1002" in board
    assert "- cnn: ECE 0.0286 (95 % CI 0.0226 to 0.0346); 0.0300 for the refits pooled" in board


def test_markdown_holds_the_provenance() -> None:
    text = render_markdown(fixtures.full()).partition("## How was this made")[2]
    for line in (
        "- command: nncompare run --all",
        "- seed: 42",
        "- trials at a time: 1",
        "- threads per trial: 1",
        "- versions optuna: 5.0.0",
        f"- fingerprint of the data: {'9f2c' * 16}",
        "- cnn: nncompare, 0.1.0, nncompare_plugins/models.py",
    ):
        assert f"{line}\n" in text


@pytest.mark.parametrize("variant", fixtures.VARIANTS)
def test_markdown_has_no_two_empty_lines_in_a_row(variant: str) -> None:
    assert "\n\n\n" not in render_markdown(fixtures.VARIANTS[variant]())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", r"a\|b"),
        ("a\nb", "a b"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("logistic_regression", "logistic_regression"),
        ("_x_", r"\_x\_"),
        ("# title", r"\# title"),
        ("a\u202eb", "a\\\\u202eb"),
    ],
)
def test_markdown_text_is_nothing_but_text(text: str, expected: str) -> None:
    assert markdown_text(text) == expected


def test_write_report_writes_both_files_and_returns_the_page(tmp_path: Path) -> None:
    results = fixtures.one_model()
    path = write_report(results, tmp_path)
    assert path == tmp_path / "report.html"
    assert path.read_text("utf-8") == render_html(results)
    assert (tmp_path / "report.md").read_text("utf-8") == render_markdown(results)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.md"]


def test_write_report_into_a_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"report\.md"):
        write_report(fixtures.empty(), tmp_path / "missing")


def test_markdown_holds_no_words_about_the_page_and_explains_its_columns() -> None:
    text = render_markdown(fixtures.full())
    assert "button" not in text
    assert "Without scripts" not in text
    assert "Trials: complete / pruned / failed." in text
    assert "the button saves them" in render_html(fixtures.full())


def test_markdown_names_the_only_refit_in_the_singular() -> None:
    results = fixtures.full()
    studies = [study.model_copy(update={"refits": study.refits[:1]}) for study in results.studies]
    text = render_markdown(results.model_copy(update={"studies": studies}))
    assert "one refit with the seed 1000" in text
    assert "refits with the seeds" not in text
