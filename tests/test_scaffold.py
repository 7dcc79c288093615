"""The package of a new plugin: its names, its files, and that it is written whole or not at all."""

from __future__ import annotations

import ast
import keyword
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from nncompare.cli import main
from nncompare.exceptions import StorageError, UsageError
from nncompare.registry import MODELS, Installed, discover
from nncompare.scaffold.names import PluginNames, choose_names, refuse_taken
from nncompare.scaffold.package import FRAMEWORKS, model_source, render_package, write_package

GRU = PluginNames("gru", "nncompare-gru", "nncompare_gru", "Gru")


@pytest.mark.parametrize(
    ("typed", "plugin", "distribution", "module", "class_name"),
    [
        ("gru", "gru", "nncompare-gru", "nncompare_gru", "Gru"),
        ("attention-gru", "attention-gru", "nncompare-attention-gru", "nncompare_attention_gru", "AttentionGru"),
        ("My_Net.v2", "My_Net.v2", "nncompare-my-net-v2", "nncompare_my_net_v2", "MyNetV2"),
        ("Grünes Netz!", "grunes-netz", "nncompare-grunes-netz", "nncompare_grunes_netz", "GrunesNetz"),
        ("a--b", "a-b", "nncompare-a-b", "nncompare_a_b", "AB"),
        ("-gru-", "gru", "nncompare-gru", "nncompare_gru", "Gru"),
        ("../../gru", "gru", "nncompare-gru", "nncompare_gru", "Gru"),
        ("3d-cnn", "3d-cnn", "nncompare-3d-cnn", "nncompare_3d_cnn", "My3dCnn"),
        ("none", "none", "nncompare-none", "nncompare_none", "MyNone"),
        ("nncompare-gru", "nncompare-gru", "nncompare-gru", "nncompare_gru", "Gru"),
    ],
)
def test_names_follow_from_what_was_typed(typed, plugin, distribution, module, class_name):
    assert choose_names(typed) == PluginNames(plugin, distribution, module, class_name)


@given(st.text(max_size=80))
def test_names_are_possible_where_they_will_stand(typed):
    try:
        names = choose_names(typed)
    except UsageError:
        return
    point = metadata.EntryPoint(names.plugin, f"{names.module}.model:{names.class_name}", MODELS)
    assert list(discover(MODELS, Installed((point,))).plugins) == [names.plugin]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", names.distribution)  # PEP 503
    for name in (names.module, names.class_name):
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert name.isascii()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "cannot be the name of a plugin"),
        ("漢字", "cannot be the name of a plugin"),
        ("x" * 61, "has 61 characters; 60 are possible"),
        ("majority", "is the name of a reference"),
        ("plugins", "would make a module 'nncompare_plugins', which belongs to nncompare"),
    ],
)
def test_names_that_cannot_be_are_refused(typed, message):
    with pytest.raises(UsageError, match=message):
        choose_names(typed)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_names_of_the_class_are_none_that_the_code_uses(framework):
    source = model_source(framework)
    used = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.alias)}
    for name in used - {"annotations"}:
        assert choose_names(name, beside=source).class_name not in used
    assert choose_names("model", beside=source).class_name == ("Model" if framework == "sklearn" else "MyModel")


def test_names_of_installed_plugins_are_taken():
    with pytest.raises(UsageError, match=r"^A model 'mlp' is installed already, from nncompare \d"):
        refuse_taken(choose_names("mlp"))
    with pytest.raises(UsageError, match=r"^A data set 'digits' is installed already, from nncompare \d"):
        refuse_taken(choose_names("digits"))
    with pytest.raises(UsageError, match=r"^'all' stands for all plugins"):
        choose_names("all")
    refuse_taken(choose_names("one-that-nobody-has"))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_package_is_complete_and_speaks_of_its_own_names_only(framework):
    files = render_package(choose_names("attention-gru"), framework)
    assert set(files) == {
        ".github/workflows/check.yml",
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "src/nncompare_attention_gru/__init__.py",
        "src/nncompare_attention_gru/model.py",
        "src/nncompare_attention_gru/py.typed",
        "tests/test_model.py",
    }
    text = "".join(files.values())
    assert not re.search(r"MyModel|\{%|\{#|Undefined", text)
    assert "{{" not in text.replace("${{ matrix.python-version }}", "")
    for path, code in files.items():
        if path.endswith(".py"):
            compile(code, path, "exec")
    project = tomllib.loads(files["pyproject.toml"])
    assert project["project"]["entry-points"] == {
        "nncompare.models": {"attention-gru": "nncompare_attention_gru.model:AttentionGru"}
    }
    assert "class AttentionGru(" in files["src/nncompare_attention_gru/model.py"]


def test_package_has_a_ci_file_that_installs_tests_checks_and_runs():
    yaml = pytest.importorskip("yaml")
    (job,) = yaml.safe_load(render_package(GRU, "none")[".github/workflows/check.yml"])["jobs"].values()
    assert job["strategy"]["matrix"]["python-version"] == ["3.11", "3.13"]
    assert job["steps"][1]["with"]["python-version"] == "${{ matrix.python-version }}"
    steps = [step["run"].split()[:3] for step in job["steps"] if "run" in step]
    assert steps == [
        ["pip", "install", "-e"],
        ["pytest"],
        ["nncompare", "check-plugin", "gru"],
        ["nncompare", "run", "-m"],
    ]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_package_requires_what_its_model_imports(framework):
    files = render_package(GRU, framework)
    tree = ast.parse(files["src/nncompare_gru/model.py"])
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    distributions = {"sklearn": "scikit-learn"}
    roots = {name.partition(".")[0] for name in names}
    foreign = {distributions.get(root, root) for root in roots if root not in sys.stdlib_module_names}
    required = tomllib.loads(files["pyproject.toml"])["project"]["dependencies"]
    assert {requirement.partition(">")[0] for requirement in required} == foreign
    assert all(re.fullmatch(r"[\w-]+>=\d+(\.\d+)*", requirement) for requirement in required)


def test_write_package_makes_the_folder_and_its_parents(tmp_path):
    write_package({"a.txt": "1", "b/c/d.txt": "2"}, tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder" / "b" / "c" / "d.txt").read_text() == "2"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["folder"]


def test_write_package_into_the_empty_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_package({"a.txt": "1", "b/c.txt": "2"}, Path())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b"]
    assert Path("a.txt").is_file()  # the working folder is still the one of that name


@pytest.mark.parametrize("occupant", ["file", "folder", "dangling link"])
def test_write_package_replaces_nothing(tmp_path, occupant):
    target = tmp_path / "gru"
    if occupant == "file":
        target.write_text("mine")
    elif occupant == "folder":
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    else:
        target.symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=r"gru' is not (a folder|empty)"):
        write_package({"a.txt": "1"}, target)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("exists", [False, True])
def test_write_package_that_fails_leaves_nothing(tmp_path, monkeypatch, exists):
    target = tmp_path / "gru"
    if exists:
        target.mkdir()
    write, calls = Path.write_text, []

    def full_disk(self, text, **options):
        calls.append(self)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return write(self, text, **options)

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(StorageError, match=r"gru'\. OSError: No space left"):
        write_package(render_package(GRU, "none"), target)
    assert list(tmp_path.rglob("*")) == ([target] if exists else [])


def test_write_package_moves_back_what_it_had_moved(tmp_path, monkeypatch):
    target = tmp_path / "gru"
    target.mkdir()
    rename, calls = Path.rename, []

    def interrupted(self, to):
        calls.append(self)
        if len(calls) == 3:
            raise PermissionError(13, "Permission denied")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(StorageError):
        write_package(render_package(GRU, "none"), target)
    assert list(tmp_path.rglob("*")) == [target]


def new_plugin(*arguments):
    return CliRunner().invoke(main, ["new-plugin", *arguments])


def test_new_plugin_prints_what_comes_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = new_plugin("attention-gru", "--framework", "sklearn")
    assert done.exit_code == 0
    assert done.stdout.startswith("Wrote nncompare-attention-gru: 8 files.\n")
    assert done.stdout.splitlines()[-5:] == [
        "  pip install -e nncompare-attention-gru",
        "  nncompare check-plugin attention-gru",
        "  nncompare run -m attention-gru -m mlp -d digits --preset quick",
        "",
        "digits is the data set of the model's tags: once you change them, name the new one.",
    ]
    model = tmp_path / "nncompare-attention-gru" / "src" / "nncompare_attention_gru" / "model.py"
    assert "class AttentionGru(SklearnPlugin)" in model.read_text()


def test_new_plugin_says_which_name_it_made_and_quotes_the_folder(tmp_path):
    folder = tmp_path / "a folder"
    done = new_plugin("My net", "--output", str(folder))
    assert "The model is called 'my-net'." in done.stdout
    assert f"pip install -e '{folder}'" in done.stdout
    assert "class MyNet(KerasPlugin)" in (folder / "src" / "nncompare_my_net" / "model.py").read_text()


def test_new_plugin_refuses_with_one_line_and_code_2(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nncompare-gru").mkdir()
    (tmp_path / "nncompare-gru" / "mine.txt").touch()
    for arguments, message in ((["gru"], "is not empty"), (["digits"], "installed already"), (["!"], "cannot be")):
        done = new_plugin(*arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert message in done.stderr
