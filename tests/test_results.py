"""results.json: what is refused when it is read."""

import json
import re

import pytest

from nncompare.exceptions import ResultsError, VersionError
from nncompare.results import Results

SMALL = {"schema_version": 1, "run_id": "r", "state": "complete", "created_at": "x", "seed": 1, "preset": "quick"}


def test_results_ignore_fields_of_later_versions():
    assert Results.from_json(json.dumps({**SMALL, "novelty": 1})).run_id == "r"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (json.dumps({k: v for k, v in SMALL.items() if k != "schema_version"}), "it has no schema_version"),
        (json.dumps({k: v for k, v in SMALL.items() if k != "seed"}), "seed: Field required"),
        (json.dumps(SMALL)[:-5], "Invalid JSON"),
        (json.dumps(SMALL).replace('"seed": 1', '"seed": 1, "duration_s": NaN'), "results.json is not"),
    ],
)
def test_results_that_cannot_be_read_name_the_place(text, words):
    with pytest.raises(ResultsError, match="is not a results file of nncompare") as caught:
        Results.from_json(text)
    assert words in str(caught.value)


def test_results_never_hold_what_json_does_not_have():
    with pytest.raises(ValueError, match="finite"):
        Results(**{**SMALL, "duration_s": float("nan")})


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (2, "was written by a newer nncompare: it is of schema version 2, and this one reads version 1. Upgrade"),
        (0, "is of schema version 0, and this nncompare reads version 1. Restore it from a copy."),
        ("one", "is of no schema version that can be read"),
    ],
)
def test_results_of_another_schema_version_say_which_and_what_to_do(version, words):
    with pytest.raises(VersionError, match=re.escape(words)):
        Results.from_json(json.dumps({**SMALL, "schema_version": version}))
