"""Whole plugins in processes of their own: those that are right, and three with a fault of Keras's kind."""

from pathlib import Path

import pytest

from nncompare.registry import MODELS, find
from nncompare.testing.catalog import DATASET_CHECKS, MODEL_CHECKS
from nncompare.testing.isolated import check_isolated, find_plugin

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"
KERAS = Path(__file__).parent / "plugins" / "mutants_keras.py"
KERAS_ALONE = "check_initial_weights_follow_the_seed"
DENSE_FLOATS_ALONE = "check_far_samples_have_probabilities"

PATIENT_S = 600.0
"""For each check: no time is tested here, and other work may run beside."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def failed(report):
    return {result.name: result.message for result in report.results if not result.ok}


@pytest.mark.parametrize("name", ["mlp", "cnn", "lstm"])
def test_built_in_model_passes_every_check(name):
    report = check_isolated(find_plugin(name), timeout_s=PATIENT_S)
    assert failed(report) == {}
    assert [result.name for result in report.results] == [check.__name__ for check in MODEL_CHECKS]
    others = {"mlp": {KERAS_ALONE}, "cnn": {DENSE_FLOATS_ALONE}, "lstm": set()}
    excused = {"check_takes_unseen_words", *others[name]}
    assert {result.name for result in report.results if result.status != "passed"} == excused


@pytest.mark.parametrize("name", ["digits", "mnist1d", "mnist", "imdb"])
def test_built_in_data_set_passes_every_check(name, data_dir):
    report = check_isolated(find_plugin(name), timeout_s=PATIENT_S)
    assert failed(report) == {}
    assert [result.name for result in report.results] == [check.__name__ for check in DATASET_CHECKS]
    excused = {result.name for result in report.results if result.status != "passed"}
    others = {
        "imdb": {"check_parts_are_disjoint", "check_pictures_are_scaled"},
        "mnist1d": {"check_pictures_are_scaled"},
    }
    assert excused == others.get(name, set())


@pytest.mark.parametrize("value", ["tanh.py:Tanh", "dense.py:Dense", "bag.py:Bag"])
def test_example_of_the_documentation_passes_every_check(value):
    report = check_isolated(find(f"{EXAMPLES / value}", MODELS), timeout_s=PATIENT_S)
    assert failed(report) == {}
    assert sum(result.status == "passed" for result in report.results) >= len(MODEL_CHECKS) - 2


@pytest.mark.parametrize(
    ("value", "need"), [("mydata.py:MyData", "measurements.csv"), ("mytexts.py:MyTexts", "reviews.tsv")]
)
def test_example_of_a_data_set_passes_every_check(value, need, tmp_path):
    file = tmp_path / value.partition(":")[0]
    file.write_text((EXAMPLES / file.name).read_text())
    rows = [f"{k}.5,{2 * k},{k % 3}" for k in range(600)]
    texts = [f"{k % 2}\tfilm number n{k} was {'fine' if k % 2 else 'dull'}" for k in range(600)]
    lines = ["width,height,class", *rows] if need.endswith(".csv") else texts
    (tmp_path / need).write_text("\n".join(lines))
    assert failed(check_isolated(find(f"{file}:{value.rpartition(':')[2]}", MODELS))) == {}


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("UsesTheBatch", {"check_one_row_equals_its_row_in_a_batch"}),
        ("IsNoisyWhilePredicting", {"check_predictions_repeat"}),
        ("ForgetsToRegister", {"check_trains"}),
    ],
)
def test_kit_finds_the_fault_of_a_keras_plugin_and_no_other(name, faults):
    assert failed(check_isolated(find(f"{KERAS}:{name}", MODELS), timeout_s=PATIENT_S)).keys() == faults
