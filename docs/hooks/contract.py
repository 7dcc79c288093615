"""The plugin contract as Markdown, made from the docstrings of its classes; generate.py writes it."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from nncompare import plugin

_MEANINGS = {
    "API_VERSION": "the version of the contract",
    "PAD": "the id behind the end of a text, where texts of one batch differ in length",
    "START": "the id that starts a text",
    "UNKNOWN": "the id of a word that is not known",
    "FIRST_WORD": "the id of the most frequent word",
    "JSON": "a type: what JSON can say",
    "Params": "a type: one configuration, by name of the parameter",
}
_SECTION = re.compile(r"^(Parameters|Returns|Raises|Attributes|Examples)\n-+\n", re.MULTILINE)
_ROLE = re.compile(r":(class|func|meth|mod|attr):`~?([\w.]+)`")


def constant_lines() -> Iterator[str]:
    """Yield a table with each public name of the contract that is no class.

    Raises
    ------
    SystemExit
        The names that are explained here are not those of the contract.
    """
    public = {name for name in plugin.__all__ if not inspect.isclass(getattr(plugin, name))}
    public |= {name for name in _MEANINGS if name in plugin.__all__}
    if public != set(_MEANINGS):
        raise SystemExit(f"docs/hooks/contract.py explains other names than {sorted(public)}.")
    yield "| name | value | meaning |\n| --- | --- | --- |"
    for name, meaning in _MEANINGS.items():
        value = getattr(plugin, name)
        shown = f"`{value}`" if isinstance(value, int) else ""
        yield f'| <code id="nncompare.plugin.{name}-value">{name}</code> | {shown} | {meaning} |'


def lines(path: str) -> Iterator[str]:
    """Yield a heading, the docstring and, of a class, all public methods that it defines itself.

    Parameters
    ----------
    path : str
        Full name by which it is imported; the anchor of its heading.
    """
    module, _, name = path.rpartition(".")
    yield f'<a id="{path}"></a>\n\n### {name}\n'
    yield f"`from {module} import {name}`\n"
    found = _definition(module, name)
    if isinstance(found, ast.FunctionDef):
        yield from _function_lines(found)
        return
    yield from _documented(found)
    for member in found.body:
        if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
            yield from _property_lines(member) if "property" in _decorators(member) else _function_lines(member)


def _definition(module: str, name: str) -> ast.ClassDef | ast.FunctionDef:
    """Find a definition in the source, which is not run: a framework would take seconds to import."""
    spec = importlib.util.find_spec(module)
    tree = ast.parse(Path(str(spec and spec.origin)).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            return _definition(str(node.module), name)
    raise SystemExit(f"{module} has no {name}, which docs/hooks/generate.py shows.")


def _decorators(node: ast.FunctionDef) -> list[str]:
    return [ast.unparse(each) for each in node.decorator_list]


def _property_lines(node: ast.FunctionDef) -> Iterator[str]:
    kind = f": {ast.unparse(node.returns)}" if node.returns else ""
    yield f"**`{node.name}{kind}`**, a property: {_words(ast.get_docstring(node) or '')}\n"


def _function_lines(node: ast.FunctionDef) -> Iterator[str]:
    """Yield the signature and the docstring of a function or method."""
    node.args.args = [each for each in node.args.args if each.arg not in ("self", "cls")]
    arguments = re.sub(r"(?<=[\w\]])=(?=\S)", " = ", ast.unparse(node.args))
    kind = ", a `classmethod`" if "classmethod" in _decorators(node) else ""
    yield f"**`{node.name}({arguments}) -> {ast.unparse(node.returns) if node.returns else None}`**{kind}\n"
    yield from _documented(node)


def _documented(node: ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    """Yield a docstring: its text, tables of what has a name and a type, and the errors."""
    text, *sections = _SECTION.split(ast.get_docstring(node) or "")
    yield from (f"{_words(paragraph)}\n" for paragraph in text.strip().split("\n\n"))
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        if title == "Examples":
            continue
        if title in ("Parameters", "Attributes"):
            yield f"| {title[:-1].lower()} | type | meaning |\n| --- | --- | --- |"
            yield from (f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in _entries(body))
        else:
            yield from (
                f"- {title}{f' {kind}' if kind else ''} `{name}`{f': {meaning}' if meaning else ''}"
                for name, kind, meaning in _entries(body)
            )
        yield ""


def _entries(body: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, type and meaning of each entry of a section."""
    for entry in re.split(r"\n(?=\S)", body.strip()):
        head, _, lines = entry.partition("\n")
        name, _, kind = head.partition(" : ")
        yield name, _words(kind), _words(lines)


def _words(text: str) -> str:
    """Return the words of a docstring on one line, as Markdown that can stand in a table."""
    parts = re.split(r"(`[^`]+`)", re.sub(r"``([^`]+)``", r"`\1`", _ROLE.sub(_named, " ".join(text.split()))))
    parts[::2] = [re.sub(r"([*|])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def _named(found: re.Match[str]) -> str:
    """Return what a role names as its readers import it, and of a class or function the last of the name."""
    return f"`{found[2] if found[1] == 'mod' else re.sub(r'^(?:[a-z_]+[.])+', '', found[2])}`"
