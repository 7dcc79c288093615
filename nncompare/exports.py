"""A run in other forms than its folder: one text for each format, made from results.json alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nncompare.csvcells import harmless
from nncompare.leaderboard import leaderboard, trials
from nncompare.report import render_html, render_markdown, visible
from nncompare.results import Results

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXPORTS", "leaderboard_csv", "trials_csv"]


def leaderboard_csv(results: Results) -> str:
    """Return a line per study and reference, the columns of :func:`nncompare.leaderboard.leaderboard`.

    Parameters are JSON. What is not known is empty. Text that a spreadsheet would take for a formula has a ``'``
    in front, and control characters are written out as their escapes.
    """
    return _csv(leaderboard(results))


def trials_csv(results: Results) -> str:
    """Return a line per trial, the columns of :func:`nncompare.leaderboard.trials`, as :func:`leaderboard_csv`."""
    return _csv(trials(results))


EXPORTS: Mapping[str, Callable[[Results], str]] = {
    "html": render_html,
    "md": render_markdown,
    "json": Results.to_json,
    "leaderboard-csv": leaderboard_csv,
    "trials-csv": trials_csv,
}


def _csv(table: pd.DataFrame) -> str:
    texts = {name: table[name].map(_cell) for name in table.columns if table[name].dtype == object}
    return str(table.assign(**texts).to_csv(index=False, lineterminator="\n"))


def _cell(value: Any) -> Any:
    """Return text as a harmless cell, and a mapping as JSON."""
    if isinstance(value, Mapping):
        value = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return harmless(visible(value)) if isinstance(value, str) else value
