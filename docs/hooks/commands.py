"""The reference of the command line as Markdown, made from the commands themselves; generate.py writes it."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterator

import click

from nncompare.settings import PRESETS, Preset

_DATASETS = ("digits", "mnist1d", "mnist", "imdb", "other data")


def preset_lines() -> Iterator[str]:
    """Yield a table of what each preset gives to a study."""
    yield "| preset | trials | finals | refits | " + " | ".join(f"epochs: {name}" for name in _DATASETS) + " |"
    yield "| --- " * 1 + "| ---: " * (3 + len(_DATASETS)) + "|"
    for name, preset in PRESETS.items():
        finals = preset.n_finalists if preset.n_finalists > 1 else "none"
        yield f"| `{name}` | {preset.n_trials} | {finals} | {preset.n_refits} | {_epochs(preset)} |"


def _epochs(preset: Preset) -> str:
    return " | ".join(str(preset.max_epochs(name)) for name in _DATASETS)


def command_lines(command: click.Command, path: str, parent: click.Context | None = None) -> Iterator[str]:
    """Yield Markdown for a command and all below it, hidden ones excepted.

    Parameters
    ----------
    command : click.Command
    path : str
        What is typed to reach it, such as ``nncompare data info``; the heading, whose anchor has hyphens.
    parent : click.Context, optional
    """
    ctx = click.Context(command, parent, path.rpartition(" ")[2], **command.context_settings)
    level = "##" if parent is None or parent.parent is None else "###"
    yield f"{level} {path}\n"
    yield f"```text\n{path} {' '.join(command.collect_usage_pieces(ctx))}\n```\n"
    yield from _description(command)
    yield from _options(command, ctx)
    if isinstance(command, click.Group):
        below = [(name, command.get_command(ctx, name)) for name in command.list_commands(ctx)]
        for name, found in below:
            if found is not None and not found.hidden:
                yield from command_lines(found, f"{path} {name}", ctx)


def _description(command: click.Command) -> Iterator[str]:
    """Yield the paragraphs of a help text; blocks that must not be wrapped are examples and come as code."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        if not paragraph.startswith("\b"):
            yield f"{_text(paragraph)}\n"
            continue
        title, *lines = paragraph.removeprefix("\b").strip("\n").splitlines()
        if title.endswith(":"):
            yield f"**{title}**\n"
        else:
            lines = [title, *lines]
        yield "```text\n" + inspect.cleandoc("\n" + "\n".join(lines)) + "\n```\n"


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    """Yield a table of the options as ``--help`` names and explains them."""
    rows = [
        record
        for parameter in command.get_params(ctx)
        if (record := parameter.get_help_record(ctx)) is not None
        and (isinstance(parameter, click.Option) or record[1])
    ]
    if rows:
        yield "| option | meaning |\n| --- | --- |"
        for names, meaning in rows:
            yield f"| {_code(names)} | {_words(meaning)} |"
        yield ""


def _code(names: str) -> str:
    """Return the names of an option as code, and behind them what it takes, where choices may break."""
    return ", ".join(_name(*part.strip().partition(" ")) for part in re.split(r", | / ", names))


def _name(option: str, _space: str, takes: str) -> str:
    shown = html.escape(takes).replace("|", "&#124;<wbr>")
    return f'<code class="option">{html.escape(option)}</code>' + (f" <var>{shown}</var>" if takes else "")


def _words(meaning: str) -> str:
    """Return the explanation of an option with its range in words."""
    meaning = re.sub(r"(\d+)<=x<=(\d+)", r"\1 to \2", meaning)
    return _text(re.sub(r"x>=(\d+)", r"at least \1", meaning))


def _text(text: str) -> str:
    """Return words of the program so that no character of them means anything in Markdown."""
    joined = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", joined)
