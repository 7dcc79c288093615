"""``nncompare completion``, and what a shell completes behind each option: names alone, nothing is imported."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from nncompare.cli.configfile import configured_out
from nncompare.exceptions import NNCompareError

__all__ = ["complete_datasets", "complete_models", "complete_runs"]


def complete_models(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the installed models, and where none fits the files of the folder, which may hold one."""
    from nncompare.registry import MODELS, discover

    return _names(discover(MODELS).plugins, incomplete) or _files(incomplete)


def complete_datasets(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the installed data sets, and the files of the folder."""
    from nncompare.registry import DATASETS, discover

    return [*_names(discover(DATASETS).plugins, incomplete), *_files(incomplete)]


def complete_runs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return ``latest`` and the ids of the runs, the newest first, or the folders of the folder."""
    try:
        out = Path(ctx.params.get("out") or configured_out() or "reports")
        runs = sorted((path.parent.name for path in out.glob("*/results.json")), reverse=True)
    except (OSError, NNCompareError):
        runs = []
    return _names(["latest", *runs], incomplete) or [CompletionItem(incomplete, type="dir")]


def _names(names: object, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if str(name).startswith(incomplete)]  # type: ignore[attr-defined]


def _files(incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]
