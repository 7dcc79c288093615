"""Whose data a report is made of, and under which terms: in the page, in Markdown, and from the plugin on."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from nncompare.assembly import dataset_record
from nncompare.data.splits import validation_split
from nncompare.data.store import store_dataset
from nncompare.plan import PlannedDataset
from nncompare.registry import load_class
from nncompare.report import render_html, render_markdown
from nncompare.results import Failure, Results

from . import report_fixtures as fixtures
from .children import dataset
from .report_default_run import default_run

TERMS = ("CC BY-SA 3.0", "Nobody, N. (2020). Waves & Shores. https://doi.org/10.0000/waves_1")


def with_terms() -> Results:
    """Return a run of four data sets, each with terms of its own."""
    results = fixtures.full()
    told = [
        d.model_copy(update={"licence": f"{TERMS[0]} {d.name}", "citation": f"{TERMS[1]} {d.name}"})
        for d in results.datasets
    ]
    return results.model_copy(update={"datasets": told})


def test_provenance_in_the_page_gives_the_terms_of_each_data_set() -> None:
    page = render_html(with_terms()).partition("<section id=provenance>")[2]
    for name in ("mnist1d", "digits", "mnist", "imdb"):
        table = page.partition(f"<caption>Data set {name}</caption>")[2].partition("</table>")[0]
        rows = {row.partition("<")[0]: row for row in table.split("<tr><th>")[1:]}
        assert text_of(rows["licence"]) == f"{TERMS[0]} {name}"
        assert text_of(rows["citation"]) == f"{TERMS[1]} {name}"


def text_of(row: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", row.partition("<td")[2].partition(">")[2])).strip()


def test_provenance_in_markdown_gives_the_terms_of_each_data_set() -> None:
    text = render_markdown(with_terms())
    for name in ("mnist1d", "digits", "mnist", "imdb"):
        lines = text.partition(f"### Data set {name}\n")[2].partition("\n##")[0].splitlines()
        assert f"- licence: {TERMS[0]} {name}" in lines
        (citation,) = (line for line in lines if line.startswith("- citation: "))
        assert unescape(citation.removeprefix("- citation: ").replace("\\", "")) == f"{TERMS[1]} {name}"


def test_provenance_gives_the_most_epochs_where_the_preset_sets_them() -> None:
    label = "<tr><th>most epochs of a training<td>"
    results = default_run()
    assert f"{label}8 on mnist, 40 on mnist1d, 5 on imdb, 80 on digits<" in render_html(results)
    asked = results.model_copy(update={"settings": results.settings.model_copy(update={"max_epochs": 7})})
    assert f"{label}7<" in render_html(asked)
    assert "most epochs" not in render_html(results.model_copy(update={"studies": []}))


def test_provenance_says_nothing_of_a_data_set_that_was_not_loaded() -> None:
    results = fixtures.full()
    absent = {"fingerprint": "", "failure": Failure(category="data", message="No network.")}
    results = results.model_copy(
        update={"datasets": [d.model_copy(update=absent if d.name == "imdb" else {}) for d in results.datasets]}
    )
    for text in (render_html(results), render_markdown(results)):
        assert "Data set mnist1d" in text
        assert "Data set imdb" not in text


def test_provenance_terms_come_from_the_plugin(tmp_path: Path) -> None:
    plugin = load_class(dataset("Remote"))
    stored = store_dataset(plugin.info, plugin().load(None), tmp_path)
    planned = PlannedDataset(name="Remote", stored=stored, split=validation_split(stored.y_train(), 0))
    record = dataset_record(planned, [], [], {})
    assert (record.licence, record.citation) == (plugin.info.licence, plugin.info.citation)
    assert record.citation


@pytest.mark.parametrize(("level", "codes"), [("warning", ["duplicates"]), ("info", [])])
def test_verdict_repeats_no_finding_of_equal_rows_that_is_no_warning(
    tmp_path: Path, level: str, codes: list[str]
) -> None:
    plugin = load_class(dataset("Remote"))
    stored = store_dataset(plugin.info, plugin().load(None), tmp_path)
    found = (replace(stored.findings[0], code="duplicates", level=level),)
    planned = PlannedDataset(
        name="Remote",
        stored=replace(stored, duplicates=3, findings=found),
        split=validation_split(stored.y_train(), 0),
    )
    checks = dataset_record(planned, [], [], {}).verdict.checks
    assert [check.code for check in checks if check.code == "duplicates"] == codes


def test_provenance_sets_the_estimate_against_the_truth() -> None:
    label = "<tr><th>estimated duration<td>"
    results = default_run().model_copy(update={"state": "complete", "duration_s": 1200.0, "estimate_s": 900.0})
    assert f"{label}900 s, 0.75 times what it took<" in render_html(results)
    assert f"{label}900 s<" in render_html(results.model_copy(update={"state": "interrupted"}))
    assert label not in render_html(results.model_copy(update={"estimate_s": None}))
