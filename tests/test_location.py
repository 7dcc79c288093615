"""The line of an error in its author's code, whoever raised it there."""

import json
import sys
from pathlib import Path

import pytest

from nncompare.exceptions import PluginError
from nncompare.location import line_of
from nncompare.registry import load_class


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package whose module reads what is beside it; the second line of ``below.py`` is what the tests write."""
    folder = tmp_path / "shop_of_lines"
    (folder / "deep").mkdir(parents=True)
    (folder / "__init__.py").write_text("from shop_of_lines.deep import below\n", encoding="utf-8")
    (folder / "deep" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def write(line):
        (folder / "deep" / "below.py").write_text(f"import json\n{line}\n", encoding="utf-8")
        with pytest.raises(PluginError) as caught:
            load_class("shop_of_lines:Net")
        return str(caught.value)

    yield write
    for name in [name for name in sys.modules if name.startswith("shop_of_lines")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("undefined", "NameError: name 'undefined' is not defined (below.py:2)"),
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library' (below.py:2)"),
        ("json.loads('{')", "(below.py:2)"),
        ("class Net(", "SyntaxError: '(' was never closed (below.py:2)"),
        ("eval('1 +')", "SyntaxError: invalid syntax (below.py:2)"),
    ],
)
def test_line_is_the_deepest_of_the_package_and_none_of_a_library(package, line, end):
    assert package(line).endswith(end)


def test_line_of_a_module_beside_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "beside_of_lines.py").write_text("\n\n1 / 0\n", encoding="utf-8")
    (tmp_path / "net.py").write_text("import beside_of_lines\n", encoding="utf-8")
    with pytest.raises(PluginError, match=r"ZeroDivisionError: division by zero \(beside_of_lines.py:3\)$"):
        load_class(f"{tmp_path / 'net.py'}:Net")


def test_line_of_what_nobody_wrote_is_empty():
    with pytest.raises(PluginError, match=r"No module named 'gone_of_lines'$"):
        load_class("gone_of_lines:Net")
    assert line_of(ValueError("never raised")) == ""


def test_line_in_an_installed_module_is_not_that_of_its_neighbours(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "neighbour_of_lines.py").write_text("1 / 0\n", encoding="utf-8")
    (installed / "net.py").write_text("import neighbour_of_lines\n", encoding="utf-8")
    with pytest.raises(PluginError, match=r"\(net.py:1\)$"):
        load_class(f"{installed / 'net.py'}:Net")


def test_line_of_a_library_is_that_of_its_caller():
    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads("{")
    assert line_of(caught.value).startswith(f"{Path(__file__).name}:")
