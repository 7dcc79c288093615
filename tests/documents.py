"""The README and the pages of docs/ as a reader meets them: their code blocks and their mentions of commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, takewhile
from pathlib import Path

import click

from nncompare.cli import main

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted(page for page in DOCS.rglob("*.md") if page.parent.name != "adr")

_FENCE = re.compile(
    r"(?:^ *<!-- (?P<marker>[a-z ]+?)(?:: (?P<note>[^\n]*?))? -->\n)?"
    r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
_SNIPPET = re.compile(r'^--8<-- "(.+)"$', re.MULTILINE)
_PLACEHOLDER = re.compile(r"(?<![\w=.-])[A-Z][A-Z_]{2,}\b")


@dataclass(frozen=True)
class Block:
    """One block of code; ``marker`` and ``note`` are those of the comment before it, ``title`` names a file."""

    page: Path
    line: int
    language: str
    title: str
    marker: str
    note: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page from top to bottom, files that it includes filled in."""
    text = page.read_text(encoding="utf-8")
    return [_block(page, text, match) for match in _FENCE.finditer(text)]


def _block(page: Path, text: str, match: re.Match[str]) -> Block:
    indent = len(match["indent"])
    code = "".join(line[indent:] if line.strip() else line for line in match["code"].splitlines(keepends=True))
    language = re.match(r"\s*(?:\{\s*\.)?([a-z]*)", match["info"])
    title = re.search(r'title="([^"]+)"', match["info"])
    assert language is not None
    return Block(
        page=page,
        line=text.count("\n", 0, match.start("indent")) + 1,
        language=language[1],
        title=title[1] if title else "",
        marker=match["marker"] or "",
        note=match["note"] or "",
        code=_SNIPPET.sub(lambda found: (ROOT / found[1]).read_text(encoding="utf-8").rstrip("\n"), code),
    )


def inline_code(page: Path) -> list[str]:
    """Return what stands between backticks in the running text and the tables of a page."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"`([^`\n]+)`", text)


def commands(code: str) -> Iterator[list[str]]:
    """Yield the words of each call of nncompare in a shell block, comments and redirections left out."""
    for line in code.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        for is_end, words in groupby(lexer, key=lambda word: set(word) <= set(";|&")):
            call = list(takewhile(lambda word: not set(word) <= set("<>"), words))
            if not is_end and call[:1] == ["nncompare"]:
                yield call[1:]


def is_template(text: str) -> bool:
    """Return whether a mention has words in capitals that a reader has to replace."""
    return _PLACEHOLDER.search(text) is not None


def check_command(words: list[str]) -> None:
    """Refuse a call that the command line would refuse for a name, an option or a choice; files need not exist.

    Raises
    ------
    click.UsageError
        There is no such command or option, or a value is not one of its choices.
    """
    command: click.Command = main
    ctx = click.Context(main, info_name="nncompare")
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-"):
            break
        found = command.get_command(ctx, words[0])
        if found is None:
            raise click.UsageError(f"there is no command {words[0]}")
        command, words = found, words[1:]
        ctx = click.Context(command, parent=ctx, info_name=command.name)
    values, _rest, _order = command.make_parser(ctx).parse_args(args=list(words))
    for parameter in command.params:
        given = values.get(parameter.name or "")
        if isinstance(parameter.type, click.Choice | click.types._NumberRangeBase):
            for value in given if isinstance(given, list | tuple) else [given]:
                if isinstance(value, str):
                    parameter.type.convert(value, parameter, ctx)


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Yield each command that is not hidden with the words that reach it."""
    waiting: list[tuple[str, click.Command]] = [("nncompare", main)]
    while waiting:
        path, command = waiting.pop(0)
        yield path, command
        below = command.commands.values() if isinstance(command, click.Group) else ()
        waiting.extend((f"{path} {found.name}", found) for found in below if not found.hidden)


def every_option() -> Iterator[tuple[str, str]]:
    """Yield each option that is not hidden, by the words that reach its command."""
    for path, command in every_command():
        for parameter in command.get_params(click.Context(command)):
            if isinstance(parameter, click.Option) and not parameter.hidden:
                yield from ((path, name) for name in [*parameter.opts, *parameter.secondary_opts])
