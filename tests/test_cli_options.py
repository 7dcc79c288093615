"""What a user may type after ``--set`` and where a number above 0 is asked for."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncompare.cli.options import columns_by_dataset, parse_pins, positive_number, unique
from nncompare.exceptions import UsageError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gru", "gru"),
        ('"gru"', "gru"),
        ("3", 3),
        ("1e-3", 0.001),
        ("true", True),
        ("null", None),
        ("[1, 2]", [1, 2]),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_pins_value_is_json_or_text(text, value):
    (found,) = parse_pins([f"lstm.cell={text}"])["lstm"].values()
    assert found == value
    assert type(found) is type(value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_pins_any_json_value_round_trips(value):
    import json

    assert parse_pins([f"m.p={json.dumps(value)}"]) == {"m": {"p": value}}


def test_pins_are_grouped_by_model():
    pins = parse_pins(["a.x=1", "b.x=2", "a.y=3"])
    assert pins == {"a": {"x": 1, "y": 3}, "b": {"x": 2}}


def test_pins_model_name_may_hold_a_dot():
    assert parse_pins(["my.net.units=3"]) == {"my.net": {"units": 3}}


@pytest.mark.parametrize(
    ("values", "columns"),
    [
        ((), None),
        (("class",), "class"),
        (("a=b",), "a=b"),
        (("wine=grower",), {"wine": "grower"}),
        (("wine.csv=grower", "cars=kind"), {"wine": "grower", "cars": "kind"}),
        (("class", "my-cars.tsv=a=b"), {"*": "class", "my-cars": "a=b"}),
        (("my cars.tsv=kind",), {"my-cars": "kind"}),
    ],
)
def test_columns_are_of_all_tables_or_of_a_data_set_that_is_named(values, columns):
    datasets = ["there/wine.csv", "cars.parquet", "my cars.tsv", "my-cars.tsv", "digits"]
    assert columns_by_dataset("target", values, datasets) == columns


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            ("a", "b"),
            "--target names two columns of all tables: 'a' and 'b'. Keep one, or say which data set has it",
        ),
        (("wine=a", "wine.csv=b"), "--target names two columns of 'wine': 'a' and 'b'. Keep one"),
        (
            ("a", "vine=b"),
            "--target names two columns of all tables: 'a' and 'vine=b'. No file is called 'vine'",
        ),
    ],
)
def test_two_columns_of_one_table_are_refused(values, sentence):
    with pytest.raises(UsageError) as caught:
        columns_by_dataset("target", values, ["wine.csv"])
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("setting", ["lstm.cell", "cell=gru", ".cell=gru", "lstm.=gru", "", "="])
def test_pins_of_another_form_are_refused(setting):
    with pytest.raises(UsageError, match=r"is not of the form MODEL\.PARAM=VALUE"):
        parse_pins([setting])


def test_pins_given_twice_are_refused():
    with pytest.raises(UsageError, match=r"'lstm\.cell' twice"):
        parse_pins(["lstm.cell=gru", "lstm.cell=lstm"])


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_positive_number_refuses(value):
    with pytest.raises(click.BadParameter, match="is not a number above 0"):
        positive_number(None, None, value)


@pytest.mark.parametrize("value", [None, 0.5, 3600.0])
def test_positive_number_accepts(value):
    assert positive_number(None, None, value) == value


def test_unique_keeps_the_order_and_refuses_the_empty():
    assert unique(None, None, ("b", "a", "b")) == ("b", "a")
    with pytest.raises(click.BadParameter, match="empty"):
        unique(None, None, ("a", " "))
