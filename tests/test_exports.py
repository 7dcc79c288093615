"""A run as CSV, JSON, HTML and Markdown: the same numbers, and no cell that a spreadsheet computes."""

from __future__ import annotations

import csv
import io
import json

import pytest

from nncompare.csvcells import harmless
from nncompare.exports import EXPORTS, leaderboard_csv, trials_csv
from nncompare.leaderboard import COLUMNS, TRIAL_COLUMNS
from nncompare.results import Results

from . import report_fixtures as fixtures
from .test_report_html import HOSTILE, poison, small

TABLES = {"leaderboard-csv": COLUMNS, "trials-csv": TRIAL_COLUMNS}


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("+x", "'+x"),
        ("-x", "'-x"),
        ("\t=1", "'\t=1"),
        ("\n=1", "'\n=1"),
        ("＝1", "'＝1"),
        ("-1", "-1"),
        ("+1.5e-3", "+1.5e-3"),
        ("-1+1", "'-1+1"),
        ("cnn", "cnn"),
        ("", ""),
    ],
)
def test_csv_cells_are_no_formulas(text, cell):
    assert harmless(text) == cell


def test_leaderboard_csv_holds_the_numbers_of_the_records():
    results = fixtures.full()
    rows = read(leaderboard_csv(results))
    assert list(rows[0]) == list(COLUMNS)
    study = next(study for study in results.studies if study.test is not None)
    (row,) = [row for row in rows if (row["model"], row["dataset"]) == (study.model, study.dataset)]
    assert float(row["test_accuracy"]) == study.test.accuracy.mean
    assert json.loads(row["best_params"]) == study.best_params
    assert len(rows) == len(results.studies) + sum(len(data.references) for data in results.datasets)


def test_trials_csv_has_a_line_for_each_trial():
    results = fixtures.four_studies()
    rows = read(trials_csv(results))
    assert [int(row["number"]) for row in rows] == [t.number for s in results.studies for t in s.trials]
    assert {row["reason"] for row in rows if row["state"] == "failed"} == {"over the limit of 2,000 MB"}


@pytest.mark.parametrize("variant", fixtures.VARIANTS)
@pytest.mark.parametrize("form", EXPORTS)
def test_exports_of_every_variant_are_repeatable_and_end_a_line(form, variant):
    results = fixtures.VARIANTS[variant]()
    text = EXPORTS[form](results)
    assert text == EXPORTS[form](Results.from_json(results.to_json()))
    assert text.endswith("\n")


def test_export_as_json_is_read_again():
    results = fixtures.pictured()
    assert Results.from_json(EXPORTS["json"](results)) == results


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("form", TABLES)
def test_csv_keeps_hostile_text_in_its_cells(form, text):
    """Behind a name a formula is none, so here the names themselves are hostile."""
    benign = read(EXPORTS[form](small()))
    for record in (poison(small(), text), only(poison(small(), text), text)):
        written = EXPORTS[form](Results.model_validate(record))
        rows = read(written)
        assert len(rows) == len(benign)
        assert all(set(row) == set(TABLES[form]) for row in rows)
        assert [cell for row in rows for cell in row.values() if cell != harmless(cell)] == []
        assert "\x00" not in written
        assert "\x1b" not in written


def only(record: dict, text: str) -> dict:
    """Return records whose names and messages are the hostile text alone."""
    for study in record["studies"]:
        study["model"] = text
        study["failure"] = study["failure"] and {**study["failure"], "message": text}
        for trial in study["trials"]:
            trial["failure"] = trial["failure"] and {**trial["failure"], "message": text}
    return record
