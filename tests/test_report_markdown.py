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
    assert "| logistic_regression (reference) | 0.3200 (0.3000 to 0.3400) |" in text
    assert "| cnn | mnist | not run | data: Data set 'mnist' could not be fetched: no network. |" in text


def test_markdown_tables_have_as_many_cells_in_each_row() -> None:
    lines = render_markdown(fixtures.full()).splitlines()
    tables = "\n".join(line if line.startswith("|") else "" for line in lines).split("\n\n")
    for table in filter(None, (table.strip() for table in tables)):
        assert len({line.count("|") for line in table.splitlines()}) == 1


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
