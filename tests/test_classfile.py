"""The class of a plugin is looked for in its file, which is parsed and never imported."""

import pytest

from nncompare.classfile import check_class, check_names_class, classes_of
from nncompare.exceptions import UsageError
from nncompare.registry import MODELS, find

NET = """
raise SystemExit("this file was imported")
import os as system
from collections import OrderedDict
class Tanh: ...
class Relu:
    class Inner: ...
if True:
    class Maybe: ...
Alias = Tanh
"""


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    return tmp_path / "net.py"


def test_classes_of_a_file_are_those_at_its_top(net):
    assert classes_of(net) == ["Tanh", "Relu"]
    net.write_text("class (", encoding="utf-8")
    assert classes_of(net) == []


def test_file_without_a_class_is_offered_what_is_a_plugin_and_all_where_that_cannot_be_told(net):
    def offered(text):
        net.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError) as caught:
            check_names_class("net.py")
        return str(caught.value).partition("Add it: ")[2]

    layers = "class Attention(keras.layers.Layer): ...\n"
    assert offered(f"{layers}class Gru(frameworks.keras.KerasPlugin): ...\nclass Wide(Gru): ...\n") == (
        "'net.py:Gru', 'net.py:Wide'."
    )
    assert offered(f"{layers}class Gru(Mine): ...\n") == "'net.py:Attention', 'net.py:Gru'."


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("net.py", "'net.py' names no class. Add it: 'net.py:Tanh', 'net.py:Relu'."),
        (
            "ner.py",
            "There is no file 'ner.py', and no class is named: 'path/to/file.py:Class' is expected. "
            "Did you mean 'net.py'?",
        ),
        ("away.py", "There is no file 'away.py', and no class is named: 'path/to/file.py:Class' is expected."),
    ],
)
def test_file_without_a_class_is_told_which_there_are(net, name, sentence):
    with pytest.raises(UsageError) as caught:
        check_names_class(name)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", ["mlp", "net.py:Tanh", "package.module:Class", "wine.csv"])
def test_what_names_a_class_or_no_file_passes(net, name):
    check_names_class(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Tahn", "'net.py' has no class 'Tahn'. Did you mean 'Tanh'?"),
        ("Xylophone", "'net.py' has no class 'Xylophone'. It has 'Tanh', 'Relu'."),
    ],
)
def test_class_that_is_not_in_its_file_is_refused(net, name, sentence):
    with pytest.raises(UsageError) as caught:
        check_class(find(f"net.py:{name}", MODELS))
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", ["Tanh", "Relu", "Maybe", "Alias", "OrderedDict", "system"])
def test_name_that_its_file_may_hold_passes(net, name):
    check_class(find(f"net.py:{name}", MODELS))


@pytest.mark.parametrize(
    "text", ["from os import *", "globals()['Tahn'] = int", "def __getattr__(n): ...", "class ("]
)
def test_file_that_makes_names_while_it_runs_is_left_to_the_child(net, text):
    net.write_text(text, encoding="utf-8")
    check_class(find("net.py:Tahn", MODELS))
