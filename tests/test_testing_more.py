"""The checks of Keras models and of parameters, against plugins that are right and plugins that are wrong."""

import copy
import json
import pickle

import pytest

from nncompare.testing import check_plugin
from nncompare.testing.reading import ReadParams

from .plugins import mutants, mutants_more, right_alone


def failures(cls, checks=mutants_more.CHECKS):
    results = check_plugin(cls, checks=checks, on_fail="return")
    assert {r.status for r in results if not r.ok} <= {"failed"}
    return {r.name: r.message for r in results if not r.ok}


@pytest.mark.parametrize("cls", mutants_more.RIGHT, ids=lambda cls: cls.__name__)
def test_checks_find_nothing_in_what_is_right(cls):
    assert failures(cls) == {}


@pytest.mark.parametrize("cls", mutants_more.FAULTS, ids=lambda cls: cls.__name__)
def test_checks_find_the_fault_and_no_other(cls):
    found = failures(cls)
    assert found.keys() == mutants_more.FAULTS[cls]
    for message in found.values():
        assert message.endswith(".")
        assert ".." not in message


def test_check_of_initial_weights_names_build():
    message = failures(mutants_more.SeedsInBuild)["check_initial_weights_follow_the_seed"]
    assert message.startswith("build() gives models under seeds 1 and 2 the same initial weights")
    assert "keras.utils.set_random_seed()" in message


def test_check_of_initial_weights_is_for_keras_plugins():
    (result,) = check_plugin(mutants.Softmax, checks=["check_initial_weights_follow_the_seed"])
    assert (result.status, result.message) == ("skipped", "It is a check of Keras plugins.")


def test_check_of_parameters_names_the_one_that_changes_nothing():
    assert failures(mutants_more.IgnoresUnits)["check_every_parameter_matters"] == (
        "'units' is searched and changes nothing: models with the values 16, 32 predict the same. "
        "Use params['units'], or take it out of suggest_params()."
    )


def test_check_of_parameters_says_of_which_that_are_read_nothing_was_seen():
    (result,) = check_plugin(right_alone.LargeBatches, checks=["check_every_parameter_matters"])
    assert (result.status, result.builds_on) == ("skipped", None)
    assert result.message == "fit() reads 'batch_size', which made no difference on 160 rows; on more it may."


@pytest.mark.parametrize(
    ("read", "names"),
    [
        (lambda params: params["a"], {"a"}),
        (lambda params: params.get("a"), {"a"}),
        (lambda params: params.pop("a"), {"a"}),
        (lambda params: params.get("z"), {"z"}),
        (lambda params: "a" in params, {"a"}),
        (lambda params: {**params}, {"a", "b"}),
        (lambda params: dict(**params), {"a", "b"}),
        (dict, {"a", "b"}),
        (lambda params: params | {"c": 1}, {"a", "b"}),
        (lambda params: {"c": 1} | params, {"a", "b"}),
        (lambda params: params.items(), {"a", "b"}),
        (copy.copy, {"a", "b"}),
        (copy.deepcopy, {"a", "b"}),
        (lambda params: json.loads(json.dumps(params)), {"a", "b"}),
        (lambda params: pickle.loads(pickle.dumps(params)), {"a", "b"}),
        (len, set()),
    ],
)
def test_params_take_down_what_is_read(read, names):
    found = set()
    params = ReadParams({"a": 1, "b": 2}, found)
    assert isinstance(params, dict)
    value = read(params)
    assert found == names
    if isinstance(value, dict):
        assert type(value) is dict
        assert {"a": 1, "b": 2}.items() <= value.items()
