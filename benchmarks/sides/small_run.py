"""A run of many small trials: a plugin on a table of 60 rows, one trial at a time, one refit."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from nncompare import compare


def compare_on_a_small_table(plugin: str, n_trials: int, **options: Any) -> None:
    """Search with a plugin named by file and class; ``options`` are those of ``nncompare.compare``."""
    with tempfile.TemporaryDirectory() as name:
        table = Path(name) / "table.csv"
        table.write_text("\n".join(["x,y,kind", *(f"{i % 7},{i % 5}.5,{'ab'[i % 2]}" for i in range(60))]) + "\n")
        compare(
            [plugin],
            [str(table)],
            target="kind",
            out=Path(name) / "out",
            n_trials=n_trials,
            n_refits=1,
            jobs=1,
            estimate=False,
            progress=False,
            **options,
        )
