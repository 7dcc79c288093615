"""From a class, a name or a path to what a child can import."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nncompare.exceptions import UsageError
from nncompare.naming import class_name, plugin_names
from nncompare.registry import MODELS, find, load_class

OWN = """from nncompare.plugin import ModelPlugin


class Mine(ModelPlugin):
    class Inner: ...
"""


@pytest.fixture
def importing(tmp_path, monkeypatch):
    """Return what writes a module, puts its folder on this interpreter's path alone and imports it."""

    def write_and_import(name, folder=tmp_path):
        file = folder.joinpath(*name.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(OWN)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return write_and_import


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ((), ()),
        (None, ()),
        ("mlp", ("mlp",)),
        (["mlp", "a.b:C"], ("mlp", "a.b:C")),
        (Path("own.csv"), ("own.csv",)),
        ([Path("own.csv"), "digits"], ("own.csv", "digits")),
    ],
)
def test_plugin_names_of_names_and_paths(given, names):
    assert plugin_names(given, "data set") == names


def test_plugin_names_of_a_path_alone_lacks_the_class():
    with pytest.raises(
        UsageError, match=r"'my_model\.py' names no class\. Add one, as text: 'my_model\.py:MyModel'"
    ):
        plugin_names(Path("my_model.py"), "model")


@pytest.mark.parametrize("given", [7, [object()], ["mlp", 7.5]])
def test_plugin_names_of_an_object_asks_for_the_name_of_its_class(given):
    with pytest.raises(
        UsageError, match=r"An object of type \w+ is not a name, and models run .*Pass the class's name"
    ):
        plugin_names(given, "model")


@pytest.mark.parametrize("given", [np.eye(2), pd.DataFrame({"a": [1.0]})])
def test_plugin_names_of_an_array_says_where_it_belongs(given):
    with pytest.raises(
        UsageError, match=r"The data set is an object of type \w+, which is no name\. Pass .* as X="
    ):
        plugin_names(given, "data set")


def test_class_name_of_an_installed_class():
    assert class_name(UsageError) == "nncompare.exceptions:UsageError"


def test_class_name_of_a_file_that_only_this_interpreter_finds(importing, tmp_path):
    name = class_name(importing("own_models_a").Mine)
    assert name == f"{tmp_path / 'own_models_a.py'}:Mine"
    assert load_class(find(name, MODELS).value).__name__ == "Mine"


def test_class_name_of_a_module_in_the_current_folder(importing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert class_name(importing("own_models_b").Mine) == "own_models_b:Mine"


def test_class_name_of_a_package_that_no_child_finds(importing, tmp_path, monkeypatch):
    module = importing("own_package_c.models", tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"'own_package_c\.models' of the class 'Mine' is not found by a fresh"):
        class_name(module.Mine)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert class_name(module.Mine) == "own_package_c.models:Mine"


def test_class_name_of_another_file_of_the_same_name(importing, tmp_path, monkeypatch):
    """A child would find the file in the current folder, which is not the one that the caller imported."""
    module = importing("own_models_d", tmp_path / "elsewhere")
    (tmp_path / "own_models_d.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    assert class_name(module.Mine) == f"{tmp_path / 'elsewhere' / 'own_models_d.py'}:Mine"


def test_class_name_in_main_is_refused_with_the_advice_to_use_a_file():
    cls = type("Mine", (), {"__module__": "__main__"})
    with pytest.raises(
        UsageError, match=r"'Mine' is defined in the notebook.*%%writefile my_model\.py.*'my_model\.py:Mine'"
    ):
        plugin_names([cls], "model")


def test_class_name_of_a_class_that_its_module_does_not_hold(importing):
    class Local: ...

    module = importing("own_models_e")
    replaced = module.Mine
    module.Mine = Local
    for cls in (Local, replaced):
        with pytest.raises(UsageError, match="is not found in its module"):
            class_name(cls)


def test_class_name_of_a_class_inside_another_is_refused(importing):
    with pytest.raises(UsageError, match="is not found in its module"):
        class_name(importing("own_models_f").Mine.Inner)
