"""The JSON Schema of the documentation accepts every results.json, and refuses what is none."""

from __future__ import annotations

import importlib.util
import json

import jsonschema
import pytest

from . import report_fixtures as fixtures
from .documents import DOCS, ROOT
from .report_default_run import default_run

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed: pip install '.[docs]'"
)
SAMPLE = ROOT / "reports" / "sample" / "results.json"


@pytest.fixture(scope="module")
def validator():
    spec = importlib.util.spec_from_file_location("docs_hook_records", DOCS / "hooks" / "records.py")
    records = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(records)
    schema = json.loads(json.dumps(records.schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def problems(validator, value):
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_schema_accepts_the_sample(validator):
    assert problems(validator, json.loads(SAMPLE.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("variant", fixtures.VARIANTS)
def test_schema_accepts_every_variant(validator, variant):
    assert problems(validator, json.loads(fixtures.VARIANTS[variant]().to_json())) == []


def test_schema_accepts_what_later_versions_add_and_earlier_ones_lack(validator):
    value = json.loads(default_run().to_json())
    value["studies"][0]["later"] = 1
    del value["datasets"][0]["overlap"], value["datasets"][0]["verdict"]["compared"]
    assert problems(validator, value) == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("schema_version",), 2),
        (("state",), "done"),
        (("seed",), "42"),
        (("datasets", 0, "verdict", "state"), "won"),
        (("studies", 0, "trials", 0, "number"), None),
        (("studies", 0, "test", "accuracy"), {"mean": 0.5}),
    ],
)
def test_schema_refuses_what_is_wrong(validator, path, wrong):
    value = json.loads(default_run().to_json())
    place = value
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = wrong
    assert problems(validator, value) != []


def test_schema_asks_for_what_every_run_has(validator):
    assert {"run_id", "state", "created_at", "seed", "preset"} <= set(validator.schema["required"])
    assert problems(validator, {}) != []
