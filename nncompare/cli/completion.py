"""``nncompare completion``, and what a shell completes behind each option: names alone, no plugin is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from nncompare.cli.group import COMPLETE_VARIABLE, common_options
from nncompare.cli.options import OUT
from nncompare.cli.streams import say

__all__ = ["complete_datasets", "complete_models", "complete_plugins", "complete_runs", "print_completion"]

_OWN_DATA = {".csv", ".tsv", ".parquet", ".npz", ".npy"}
_BUNDLED = ("breast_cancer", "digits", "iris", "wine")  # as scikit-learn would say, which takes a second to import
_PLAIN = re.compile(r"[\w.+-]+")  # other names a shell would split or expand; it completes those by itself
_INSTALL = {
    "bash": "nncompare completion bash > ~/.local/share/bash-completion/completions/nncompare",
    "zsh": 'nncompare completion zsh > "${fpath[1]}/_nncompare"',
    "fish": "nncompare completion fish > ~/.config/fish/completions/nncompare.fish",
}

_HELP = """Print what makes the TAB key complete commands, options, models, data sets and runs in your SHELL.

\b
Examples:
  eval "$(nncompare completion bash)"     for this bash alone
  nncompare completion bash \\
    > ~/.local/share/bash-completion/completions/nncompare
  nncompare completion zsh > "${fpath[1]}/_nncompare"
  nncompare completion fish \\
    > ~/.config/fish/completions/nncompare.fish

Start a new shell afterwards. The first place needs the package bash-completion; without it, put the line with
eval into ~/.bashrc. bash has to be 4.4 or newer.
"""


@click.command("completion", short_help="Print a script for the TAB key.", help=_HELP)
@click.argument("shell", type=click.Choice(list(_INSTALL)))
@common_options
@click.pass_context
def print_completion(ctx: click.Context, shell: str) -> None:
    """Let click write the script, and say above it where it belongs."""
    complete = get_completion_class(shell)
    assert complete is not None  # noqa: S101 - click has all three
    script = complete(ctx.find_root().command, {}, "nncompare", COMPLETE_VARIABLE).source().strip()
    first, _, rest = script.partition("\n")
    note = f"# Install: {_INSTALL[shell]}"
    is_directive = first.startswith("#")  # of zsh, which looks for it in the first line
    say("\n".join([first, note, rest] if is_directive else [note, script]))


def complete_models(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the installed models; where none fits, the shell offers files, which may hold one."""
    from nncompare.registry import MODELS, discover

    return _matching(discover(MODELS).plugins, incomplete) or [_files(incomplete)]


def complete_datasets(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return data sets: installed ones, scikit-learn's, files in this folder; else the shell offers files."""
    from nncompare.registry import DATASETS, discover

    here = sorted(path.name for path in Path().iterdir() if path.suffix.lower() in _OWN_DATA)
    bundled = (f"sklearn:{name}" for name in _BUNDLED)
    names = [*discover(DATASETS).plugins, *bundled, *(name for name in here if _PLAIN.fullmatch(name))]
    return _matching(names, incomplete) or [_files(incomplete)]


def complete_plugins(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the installed models and data sets; where none fits, the shell offers files."""
    from nncompare.registry import DATASETS, MODELS, discover, installed

    source = installed()
    names = [name for group in (MODELS, DATASETS) for name in discover(group, source).plugins]
    return _matching(names, incomplete) or [_files(incomplete)]


def complete_runs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return ``latest`` and the ids of the runs, the newest first; else the shell offers folders."""
    from nncompare.runs import run_folders

    runs = [folder.name for folder in reversed(run_folders(Path(ctx.params.get("out") or OUT)))]
    return _matching(["latest", *runs], incomplete) or [CompletionItem(incomplete, type="dir")]


def _matching(names: Iterable[str], incomplete: str) -> list[CompletionItem[str]]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _files(incomplete: str) -> CompletionItem[str]:
    return CompletionItem(incomplete, type="file")
