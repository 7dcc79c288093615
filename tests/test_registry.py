"""The registry, against entry points made by hand and against those of this environment."""

import subprocess
import sys
import textwrap
from importlib import metadata
from types import SimpleNamespace

import pytest

from nncompare import registry
from nncompare.exceptions import PluginError, UsageError
from nncompare.registry import (
    DATASETS,
    MODELS,
    Installed,
    PluginProblem,
    PluginRef,
    discover,
    find,
    load_class,
)
from nncompare.selection import Selection


def entry_point(name, value="shop.models:Net", *, dist="shop", version="1.0", group=MODELS):
    point = metadata.EntryPoint(name=name, value=value, group=group)
    owner = SimpleNamespace(metadata={"Name": dist, "Version": version}) if dist else None
    vars(point).update(dist=owner)
    return point


def catalog(*points, group=MODELS, **selection):
    return discover(group, Installed(points), Selection(**selection))


def test_discover_names_the_owner():
    found = catalog(entry_point("net"))
    assert found.plugins == {"net": PluginRef("net", MODELS, "shop.models:Net", "shop", "1.0")}
    assert found.problems == []
    assert found.plugins["net"].owner == "shop 1.0"


def test_discover_sorts_by_name_and_keeps_groups_apart():
    points = [entry_point("b"), entry_point("a"), entry_point("digits", group=DATASETS)]
    assert list(catalog(*points).plugins) == ["a", "b"]
    assert list(catalog(*points, group=DATASETS).plugins) == ["digits"]


def test_discover_two_owners_are_both_named_and_refused():
    found = catalog(entry_point("net"), entry_point("net", dist="rival", version="2.0"), entry_point("other"))
    assert list(found.plugins) == ["other"]
    (problem,) = found.problems
    assert problem.name == "net"
    assert problem.owner == "rival 2.0 and shop 1.0"
    assert problem.reason == "2 distributions own 'net': rival 2.0 and shop 1.0. Uninstall all but one."


def test_discover_same_distribution_twice_counts_once_and_the_first_wins():
    found = catalog(entry_point("net", dist="My.Shop", version="1.1"), entry_point("net", dist="my_shop"))
    assert found.plugins["net"].version == "1.1"
    assert found.problems == []


def test_discover_same_distribution_twice_is_told_once_whatever_is_said_of_it():
    points = [entry_point(name, value) for name, value in [("net", "a:Net"), ("bad", "")] for _ in range(2)]
    found = discover(MODELS, Installed(points, []), Selection(disabled=("net",)))
    assert [ref.name for ref, _ in found.disabled] == ["net"]
    assert [problem.name for problem in found.problems] == ["bad"]


@pytest.mark.parametrize("value", ["", "shop.models", "shop.models:", ":Net", "shop/models.py:Net", "a b:Net"])
def test_discover_malformed_entry_point_is_a_problem_of_its_owner(value):
    found = catalog(entry_point("net", value), entry_point("good"))
    assert list(found.plugins) == ["good"]
    (problem,) = found.problems
    assert (problem.name, problem.owner) == ("net", "shop 1.0")
    assert f"'{value}'" in problem.reason


def test_discover_accepts_extras_and_spaces():
    assert list(catalog(entry_point("net", "shop.models : Net [gpu]")).plugins) == ["net"]


def test_discover_without_distribution_says_unknown():
    assert catalog(entry_point("net", dist=None)).plugins["net"].owner == "(unknown)"


def test_installed_damaged_distribution_hides_no_other(tmp_path, monkeypatch):
    info = tmp_path / "damaged-3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: damaged\nVersion: 3.0\n")
    (info / "entry_points.txt").write_text("[nncompare.models]\nnet\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = discover(MODELS)
    assert {"cnn", "lstm", "mlp"} <= set(found.plugins)
    assert [(p.name, p.owner) for p in found.problems] == [("damaged", "damaged 3.0")]


def test_discover_finds_the_built_in_plugins_by_the_same_door():
    source = registry.installed()
    models, datasets = discover(MODELS, source), discover(DATASETS, source)
    assert {"cnn", "lstm", "mlp"} <= set(models.plugins)
    assert {"digits", "mnist1d"} <= set(datasets.plugins)
    assert models.plugins["mlp"].distribution == "nncompare"


def test_discover_imports_no_plugin_module():
    code = "import sys; from nncompare.registry import *; discover(MODELS); discover(DATASETS)\n"
    code += "print([m for m in sys.modules if m.startswith('nncompare_plugins')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_find_unknown_name_suggests_the_nearest():
    known = catalog(entry_point("mlp"), entry_point("cnn"), entry_point("lstm"))
    with pytest.raises(UsageError) as caught:
        find("lsmt", MODELS, known)
    expected = "No model plugin is called 'lsmt'. Did you mean 'lstm'? Installed: cnn, lstm, mlp."
    assert str(caught.value) == expected


def test_find_unknown_name_without_a_near_one_and_without_any():
    with pytest.raises(UsageError, match=r"^No model plugin is called 'zzz'\. Installed: mlp\.$"):
        find("zzz", MODELS, catalog(entry_point("mlp")))
    with pytest.raises(UsageError, match=r"^No data set plugin is called 'zzz'\. None is installed\.$"):
        find("zzz", DATASETS, catalog())


def test_find_name_in_conflict_gives_the_reason():
    known = catalog(entry_point("net"), entry_point("net", dist="rival"))
    with pytest.raises(UsageError, match=r"'net' of rival 1\.0 and shop 1\.0 is refused: 2 distributions own"):
        find("net", MODELS, known)


def test_find_module_and_class_need_no_entry_point():
    ref = find("shop.models:Net", MODELS)
    assert ref == PluginRef("Net", MODELS, "shop.models:Net", "(local)", "")
    assert ref.owner == "(local)"
    assert registry.display_name("shop.models:Net") == ref.name


def test_find_file_and_class_becomes_absolute(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text("class Net: ...\n")
    monkeypatch.chdir(tmp_path)
    assert find("net.py:Net", MODELS).value == f"{tmp_path / 'net.py'}:Net"


def test_find_module_of_the_current_folder_becomes_its_file(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("class Net: ...\n")
    (tmp_path / "json.py").write_text("class Net: ...\n")
    (tmp_path / "package_here").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    assert find("only_here:Net", MODELS).value == f"{tmp_path / 'only_here.py'}:Net"
    assert find("json:Net", MODELS).value == "json:Net"  # what is installed goes first
    assert find("package_here.net:Net", MODELS).value == "package_here.net:Net"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.py:Net", "There is no file 'absent.py'"),
        ("shop models:Net", "is neither"),
        ("shop.models:", "is neither"),
        ("shop.models:Outer.Net", "cannot be the name of a class"),
    ],
)
def test_find_local_name_that_cannot_be_right(name, message):
    with pytest.raises(UsageError, match=message):
        find(name, MODELS)


def test_find_missing_file_is_not_near_to_another_because_of_their_folder(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "conv.py").touch()
    monkeypatch.chdir(tmp_path)
    for typed in ("models/lstm.py", "models/a.py"):
        with pytest.raises(UsageError, match=rf"There is no file '{typed}'.* names\.$"):
            find(f"{typed}:Net", MODELS)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("shop_of_names.modles.net", r"; the nearest is 'shop_of_names\.models\.net'"),
        ("shop_of_names.models.nte", r"; the nearest is 'shop_of_names\.models\.net'"),
        ("shop_of_nmes.models.net", r"; the nearest is 'shop_of_names\.models\.net'"),
        ("shop_of_names.models.conv", r"No module named 'shop_of_names\.models\.conv'"),
        ("shop_of_names.models.eager", r"No module named 'ne' \(eager\.py:1\)"),
    ],
)
def test_load_class_of_a_missing_module_suggests_the_nearest(tmp_path, monkeypatch, typed, hint):
    folder = tmp_path / "shop_of_names" / "models"
    folder.mkdir(parents=True)
    (folder / "net.py").write_text("class Net: ...\n", encoding="utf-8")
    (folder / "eager.py").write_text("import ne\n", encoding="utf-8")
    (folder / "__init__.py").touch()
    (folder.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("shop_of_names")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(PluginError, match=rf"cannot be imported: ModuleNotFoundError: .*{hint}$"):
        load_class(f"{typed}:Net")


def test_find_missing_file_suggests_the_nearest(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.py").touch()
    (tmp_path / "models" / "net.txt").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        find("models/nte.py:Net", MODELS)
    expected = "There is no file 'models/nte.py', which the model 'models/nte.py:Net' names. "
    assert str(caught.value) == f"{expected}Did you mean 'models/net.py'?"


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """A folder of plugin files; what importing them changes is undone."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / name).write_text(textwrap.dedent(text))
        return tmp_path / name

    return write


def test_load_class_from_an_installed_module():
    assert load_class("nncompare.registry:PluginRef [extra]") is PluginRef


def test_load_class_from_a_file_with_a_neighbour_and_dataclasses(scratch):
    scratch("layers_beside.py", "WIDTH = 7\n")
    path = scratch(
        "net.py",
        """
        from __future__ import annotations
        from dataclasses import dataclass
        from layers_beside import WIDTH

        @dataclass
        class Net:
            width: int = WIDTH
        """,
    )
    assert load_class(f"{path}:Net")().width == 7


def test_load_class_from_a_module_in_the_current_folder(scratch):
    scratch("only_here.py", "class Net: ...\n")
    assert load_class("only_here:Net").__name__ == "Net"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import absent_package\n", "ModuleNotFoundError: No module named 'absent_package'"),
        ("raise RuntimeError('out of luck')\n", "RuntimeError: out of luck"),
        ("class Other: ...\n", "has no class 'Net'.$"),
        ("from ast import Set\nclass NET2: ...\n", r"has no class 'Net'. Did you mean 'NET2'\?$"),
        ("Net = 3\n", "is not a class but an object of type int"),
    ],
)
def test_load_class_failures_name_the_plugin_and_the_cause(scratch, text, message):
    path = scratch("net.py", text)
    with pytest.raises(PluginError, match=message) as caught:
        load_class(f"{path}:Net")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["../../evil", "/tmp/abs", "a b", "a--b", "-a", "é", "a/b", ".hidden", ""])
def test_discover_refuses_names_that_cannot_name_a_folder(name):
    found = catalog(entry_point(name), entry_point("good-1.0_x"))
    assert list(found.plugins) == ["good-1.0_x"]
    (problem,) = found.problems
    assert problem.owner == "shop 1.0"
    assert "letters, digits" in problem.reason


@pytest.mark.parametrize("name", ["majority", "logistic_regression", "reference"])
def test_discover_refuses_the_names_of_references(name):
    found = catalog(entry_point(name))
    assert found.plugins == {}
    assert found.problems[0].reason == f"Its name '{name}' is that of a reference. Ask its author."


def test_find_refuses_a_local_class_called_like_a_reference():
    with pytest.raises(UsageError, match="has the name of a reference"):
        find("shop.models:majority", MODELS)


def test_discover_leaves_out_what_is_switched_off_and_says_so():
    found = catalog(entry_point("net"), entry_point("other", dist="other"), disabled=("shop",))
    assert list(found.plugins) == ["other"]
    ((ref, reason),) = found.disabled
    assert (ref.name, ref.owner) == ("net", "shop 1.0")
    assert reason == "NNCOMPARE_DISABLE_PLUGINS names 'shop'. Take it out to use the plugin."
    with pytest.raises(UsageError, match=r"^The model plugin 'net' of shop 1\.0 is switched off: NNCOMPARE_DIS"):
        find("net", MODELS, found)


def test_discover_switched_off_owner_ends_a_conflict():
    points = [entry_point("net"), entry_point("net", dist="rival")]
    for selection in ({"disabled": ("rival",)}, {"only": ("shop",)}):
        found = catalog(*points, **selection)
        assert found.plugins["net"].distribution == "shop"
        assert found.problems == []
        assert [ref.distribution for ref, _ in found.disabled] == ["rival"]
    assert find("net", MODELS, found).distribution == "shop"


def test_discover_switched_off_distribution_that_is_damaged_is_no_problem():
    damaged = Installed((), (PluginProblem("my.shop", "my.shop 1.0", "cannot be read", is_plugin=False),))
    assert discover(MODELS, damaged, Selection(disabled=("My_Shop",))).problems == []
    assert len(discover(MODELS, damaged, Selection(disabled=("shop",))).problems) == 1
    assert len(discover(MODELS, damaged, Selection(only=("my-shop",))).problems) == 1


def test_discover_limit_may_name_a_plugin_of_the_other_group():
    points = [entry_point("net"), entry_point("sounds", dist="ear", group=DATASETS)]
    assert list(catalog(*points, only=("sounds",)).plugins) == []
    assert list(catalog(*points, only=("sounds",), group=DATASETS).plugins) == ["sounds"]


def test_discover_limit_to_what_is_not_installed_is_refused():
    with pytest.raises(UsageError) as caught:
        catalog(entry_point("net"), only=("nett",))
    assert str(caught.value) == (
        "--only-plugins names 'nett', which is neither a plugin nor a distribution with one. "
        "Did you mean 'net'? Installed: net, shop."
    )


def test_discover_reads_the_environment(monkeypatch):
    monkeypatch.setenv("NNCOMPARE_DISABLE_PLUGINS", "mlp")
    assert "mlp" not in discover(MODELS).plugins
    assert [ref.name for ref, _ in discover(MODELS).disabled] == ["mlp"]
