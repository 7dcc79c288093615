"""results.json: what is refused when it is read."""

import json

import pytest

from nncompare.exceptions import ResultsError
from nncompare.results import Results

SMALL = {"schema_version": 1, "run_id": "r", "state": "complete", "created_at": "x", "seed": 1, "preset": "quick"}


def test_results_ignore_fields_of_later_versions():
    assert Results.from_json(json.dumps({**SMALL, "novelty": 1})).run_id == "r"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (json.dumps({k: v for k, v in SMALL.items() if k != "schema_version"}), "it has no schema_version"),
        (json.dumps({**SMALL, "schema_version": 2}), "schema_version: Input should be 1"),
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
