"""Which code a saved model needs, and that other code is not run in its place."""

import importlib
import sys
from importlib import metadata
from pathlib import Path

import pytest

from nncompare.exceptions import ResultsError
from nncompare.execution.provenance import Code, check_code, code_of, find_origin, origin_here, version_note
from nncompare.registry import MODELS, discover, load_class

PLUGIN = "import beside\n\n\nclass Net:\n    '''Uses what lies beside it.'''\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of modules, on this process's path as a child has it; what was imported is forgotten afterwards."""
    (tmp_path / "beside.py").write_text("VALUE = 1\n")
    (tmp_path / "unused.py").write_text("VALUE = 1\n")
    (tmp_path / "net.py").write_text(PLUGIN)
    (tmp_path / "family" / "inner").mkdir(parents=True)
    (tmp_path / "family" / "__init__.py").write_text("")
    (tmp_path / "family" / "part.py").write_text("VALUE = 1\n")
    (tmp_path / "family" / "inner" / "__init__.py").write_text("")
    (tmp_path / "family" / "inner" / "net.py").write_text("from family import part\n\n\nclass Net: ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


FORMS = {
    "file": ("{home}/net.py:Net", {"net.py", "beside.py"}),
    "module": ("net:Net", {"net.py", "beside.py"}),
    "package": ("family.inner.net:Net", {"family/__init__.py", "family/part.py", "family/inner/__init__.py",
                                         "family/inner/net.py"}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_code_of_the_users_own_is_known_by_digests(home, form):
    plugin, files = FORMS[form]
    plugin = plugin.format(home=home)
    load_class(plugin)
    code = code_of(plugin)
    assert (set(code.sha256), code.distribution) == (files, "")
    for find in (find_origin, origin_here):
        check_code(plugin, code, find)


@pytest.mark.parametrize(
    ("form", "file"),
    [("file", "net.py"), ("file", "beside.py"), ("module", "beside.py"), ("package", "family/part.py")],
)
@pytest.mark.parametrize("find", [find_origin, origin_here])
def test_code_that_was_changed_or_is_gone_is_refused(home, form, file, find):
    plugin = FORMS[form][0].format(home=home)
    load_class(plugin)
    code = code_of(plugin)
    (home / file).write_text(f"{(home / file).read_text()}# changed\n")
    with pytest.raises(
        ResultsError, match=rf"{file}' was changed after the model was saved.* Give the old file back"
    ):
        check_code(plugin, code, find)
    if form != "file" or file != "net.py":
        (home / file).unlink()
        with pytest.raises(ResultsError, match=rf"{file}' (is gone|was changed)"):
            check_code(plugin, code, find)


def test_code_that_was_not_imported_may_change(home):
    load_class("net:Net")
    code = code_of("net:Net")
    (home / "unused.py").write_text("VALUE = 2\n")
    check_code("net:Net", code, origin_here)


def test_code_is_checked_without_importing_it(home):
    load_class("net:Net")
    code = code_of("net:Net")
    for name in ("net", "beside"):
        del sys.modules[name]
    check_code("net:Net", code, origin_here)
    assert not {"net", "beside"} & set(sys.modules)


def test_code_of_an_installed_plugin_is_known_by_its_distribution():
    ref = discover(MODELS).plugins["mlp"]
    code = code_of(ref.value)
    assert code == Code(distribution=ref.distribution, version=ref.version)
    assert version_note(code) == ""
    older = code.model_copy(update={"version": "0.0.1"})
    assert version_note(older) == (
        f"The model was saved with {ref.distribution} 0.0.1, and {ref.version} is installed now."
    )


def test_code_of_an_installed_module_without_an_entry_point_is_known_by_its_distribution():
    importlib.import_module("click")
    assert code_of("click:Command") == Code(distribution="click", version=metadata.version("click"))


def test_code_of_earlier_versions_and_of_what_is_gone_is_left_to_others(home):
    check_code("net:Net", None, origin_here)
    check_code("absent_module:Net", Code(sha256={"absent_module.py": "0"}), origin_here)
    assert version_note(None) == ""
    assert version_note(Code(distribution="absent-distribution", version="1")) == ""


def test_origin_is_that_of_a_fresh_interpreter_in_this_folder(home):
    assert find_origin("net") == home / "net.py"
    assert find_origin("absent_module") is None
    (home / "spaced").mkdir()
    assert find_origin("spaced") == home / "spaced"
    assert Path(find_origin("nncompare")).name == "__init__.py"
