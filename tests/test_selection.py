"""Which plugins are switched off, by whom they are named, and that a limit ends with its command."""

import os

import pytest

from nncompare.exceptions import UsageError
from nncompare.selection import DISABLE_VARIABLE, ONLY_VARIABLE, Selection, limit_plugins


def test_selection_from_an_empty_environment_leaves_nothing_out(monkeypatch):
    monkeypatch.delenv(DISABLE_VARIABLE, raising=False)
    monkeypatch.setenv(ONLY_VARIABLE, " , ")
    selection = Selection.from_environment()
    assert selection == Selection()
    assert selection.why_not("net", "shop") is None


def test_selection_reads_names_between_commas(monkeypatch):
    monkeypatch.setenv(DISABLE_VARIABLE, "net, my-shop,")
    monkeypatch.setenv(ONLY_VARIABLE, "good")
    assert Selection.from_environment() == Selection(("net", "my-shop"), ("good",))


@pytest.mark.parametrize("word", ["net", "My.Shop", "my_shop", "all"])
def test_selection_disabled_names_a_plugin_or_its_distribution(word):
    selection = Selection(disabled=(word,))
    assert f"names '{word}'" in selection.why_not("net", "my-shop")
    assert (selection.why_not("other", "rival") is None) == (word != "all")


def test_selection_all_means_those_of_others_and_a_name_means_any():
    assert Selection(disabled=("all",)).why_not("mlp", "nncompare") is None
    assert Selection(disabled=("all", "mlp")).why_not("mlp", "nncompare") is not None


def test_selection_only_keeps_the_named_and_those_of_nncompare():
    selection = Selection(only=("net", "my-shop"))
    assert selection.why_not("net", "anyone") is None
    assert selection.why_not("other", "My_Shop") is None
    assert selection.why_not("mlp", "nncompare") is None
    assert selection.why_not("other", "rival") == (
        "Only net, my-shop may be used, says --only-plugins or NNCOMPARE_ONLY_PLUGINS."
    )


def test_selection_disabled_wins_over_only():
    assert Selection(disabled=("shop",), only=("net",)).why_not("net", "shop") is not None


def test_selection_check_refuses_what_is_not_known():
    Selection(disabled=("gone",), only=("net", "SHOP")).check([("net", "shop")])
    with pytest.raises(UsageError, match="'ent', which is neither"):
        Selection(only=("net", "ent")).check([("net", "shop")])


@pytest.mark.parametrize("before", [None, "old"])
def test_limit_plugins_ends_with_its_command(monkeypatch, before):
    monkeypatch.delenv(ONLY_VARIABLE, raising=False)
    if before is not None:
        monkeypatch.setenv(ONLY_VARIABLE, before)
    restore = limit_plugins(["a", "b"])
    assert Selection.from_environment().only == ("a", "b")
    restore()
    assert os.environ.get(ONLY_VARIABLE) == before
