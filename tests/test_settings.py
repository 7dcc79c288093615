"""What a user can ask of a run, and the sentences for what cannot be meant."""

from pathlib import Path

import numpy as np
import pytest

from nncompare.exceptions import UsageError
from nncompare.settings import PRESETS, RunConfig, default_jobs
from nncompare.tablecolumns import column_of


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"preset": "fast"}, "No preset is called 'fast'. Choose from quick, standard, thorough."),
        ({"n_trials": 0}, "n_trials is 0; a whole number of at least 1 is expected."),
        ({"max_epochs": 2.5}, "max_epochs is 2.5; a whole number of at least 1 is expected."),
        ({"n_refits": True}, "n_refits is True; a whole number of at least 1 is expected."),
        ({"jobs": -1}, "jobs is -1; a whole number of at least 1 is expected."),
        ({"jobs": "2"}, "jobs is '2'; a whole number of at least 1 is expected."),
        ({"seed": -1}, "seed is -1; a whole number of at least 0 is expected."),
        ({"trial_timeout_s": float("inf")}, "trial_timeout_s is inf; a number above 0 is expected."),
        ({"trial_memory_mb": 0}, "trial_memory_mb is 0; a number above 0 is expected."),
        ({"trial_timeout_s": None}, "trial_timeout_s is None; a number above 0 is expected."),
        ({"timeout_s": True}, "timeout_s is True; a number above 0 is expected."),
        ({"timeout_s": "20m"}, "timeout_s is '20m'; a number above 0 is expected."),
        ({"threads": None}, "threads is None; a whole number of at least 1 is expected."),
        (
            {"pins": ["a"]},
            "pins is ['a']; parameters by model are expected, as in pins={'cnn': {'batch_norm': True}}.",
        ),
        (
            {"pins": {"cnn": 3}},
            "pins has 'cnn': 3; parameters by name are expected, as in pins={'cnn': {'batch_norm': True}}.",
        ),
        ({"out": None}, "out is None; the path of a folder is expected."),
        ({"view": "foo"}, "No view is called 'foo'. Choose from tabular, image, sequence, tokens."),
        ({"strict": "yes"}, "strict is 'yes'; True or False is expected."),
        ({"target": 3}, "target is 3; a text is expected."),
        (
            {"target": {"wine": 3}},
            "target has 'wine': 3; columns by data set are expected, as in target={'wine': 'class'}.",
        ),
        ({"group": ["a"]}, "group is ['a']; a text is expected."),
        ({"storage": 3}, "storage is int; a text is expected."),
    ],
)
def test_config_refuses_what_cannot_be_meant(settings, sentence):
    with pytest.raises(UsageError) as caught:
        RunConfig(**settings)
    assert str(caught.value) == sentence


def test_config_takes_numbers_of_numpy_and_keeps_those_of_python():
    config = RunConfig(
        n_trials=np.int64(2),
        seed=np.uint8(7),
        timeout_s=np.float32(1.5),
        pins={"mlp": {"layers": np.int32(2), "rate": np.float32(0.5), "norm": True, "kind": "relu"}},
    )
    kept = (config.n_trials, config.seed, config.timeout_s, *config.pins["mlp"].values())
    assert kept == (2, 7, 1.5, 2, 0.5, True, "relu")
    assert [type(value) for value in kept] == [int, int, float, int, float, bool, str]


@pytest.mark.parametrize(
    ("columns", "names", "column"),
    [
        (None, ("wine",), None),
        ("class", ("wine",), "class"),
        ({"wine": "grower", "*": "class"}, ("wine", "wine.csv"), "grower"),
        ({"wine.csv": "grower", "*": "class"}, ("wine", "wine.csv"), "grower"),
        ({"wine": "grower", "*": "class"}, ("cars", "cars.csv"), "class"),
        ({"wine": "grower"}, ("cars", "cars.csv"), None),
    ],
)
def test_column_of_a_table_is_its_own_or_that_of_all_others(columns, names, column):
    assert column_of(columns, names) == column


def test_config_takes_a_folder_as_text():
    assert RunConfig(out="elsewhere").out == Path("elsewhere")


@pytest.mark.parametrize(
    ("preset", "dataset", "epochs"),
    [
        ("standard", "digits", 80),
        ("standard", "mnist1d", 40),
        ("standard", "mnist", 5),
        ("standard", "imdb", 5),
        ("standard", "anything", 40),
        ("quick", "digits", 20),
        ("quick", "imdb", 3),
        ("thorough", "mnist1d", 80),
    ],
)
def test_preset_epochs_are_those_of_the_protocol(preset, dataset, epochs):
    assert PRESETS[preset].max_epochs(dataset) == epochs


def test_preset_trials_and_refits_are_those_of_the_protocol():
    assert {name: (p.n_trials, p.n_refits) for name, p in PRESETS.items()} == {
        "quick": (5, 1),
        "standard": (20, 3),
        "thorough": (100, 5),
    }


def test_default_jobs_is_at_least_one():
    assert default_jobs() >= 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"out": "dir\udce9"}, r"out: 'dir\xe9' is not UTF-8, so results.json cannot name it. Rename it."),
        (
            {"datasets": ("caf\udce9.csv",)},
            r"datasets: 'caf\xe9.csv' is not UTF-8, so results.json",
        ),
        ({"target": "\udce9"}, r"target: '\xe9' is not UTF-8, so results.json cannot name it. Rename it."),
        ({"models": ("\udce9.py:A",)}, r"models: '\xe9.py:A' is not UTF-8, so results.json cannot name it."),
    ],
)
def test_settings_that_no_text_can_hold_are_refused_before_anything_is_made(settings, sentence):
    with pytest.raises(UsageError) as caught:
        RunConfig(**settings)
    assert str(caught.value).startswith(sentence)


def test_settings_name_the_folder_above_that_is_not_utf8(tmp_path, monkeypatch):
    (tmp_path / "caf\udce9").mkdir()
    monkeypatch.chdir(tmp_path / "caf\udce9")
    with pytest.raises(UsageError, match=r"^out: 'reports' \(or a folder above it\) is not UTF-8"):
        RunConfig()
    assert RunConfig(out=tmp_path, datasets=("digits",)).datasets == ("digits",)
