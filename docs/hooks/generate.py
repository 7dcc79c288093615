"""Fills the pages of docs/ with what the program and the examples say, so that they can be read where they lie.

``python docs/hooks/generate.py`` writes the pages anew; with ``--check`` it names those that are stale. Text that
is made stands between ``<!-- written by docs/hooks/generate.py: NAME -->`` and ``<!-- end -->``; a block of code
whose title is a file of docs/examples holds that file.
"""

from __future__ import annotations

import html
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # where safe paths are set, Python leaves it out
import checks
import commands
import contract
import records

from nncompare.cli import main as command_line
from nncompare.diagnosis import KINDS
from nncompare.testing.catalog import DATASET_CHECKS, MODEL_CHECKS

DOCS = Path(__file__).resolve().parents[1]
_PLACE = re.compile(
    r"(?P<mark><!-- written by docs/hooks/generate.py: (?P<name>\w+) -->)\n.*?<!-- end -->", re.DOTALL
)
_EXAMPLE = re.compile(r'^(?P<fence>```[^`\n]*title="(?P<file>[\w.]+)"[^`\n]*)\n.*?^```$', re.DOTALL | re.MULTILINE)


def _records() -> Iterable[str]:
    meanings = tomllib.loads((DOCS / "reference" / "fields.toml").read_text(encoding="utf-8"))
    problems = list(records.mismatches(meanings))
    if problems:
        sys.exit(f"docs/reference/fields.toml and the records of nncompare differ: {'; '.join(problems)}.")
    return records.record_lines(meanings)


def _table_of_checks(kind: str, found: Iterable[checks.Check]) -> Iterable[str]:
    return ["| check | property |", "| --- | --- |", *checks.check_rows(kind, found)]


def _contract(*names: str) -> Iterable[str]:
    """Return the lines of some classes and functions below ``nncompare``."""
    for name in names:
        yield from contract.lines(f"nncompare.{name}")


_BASES = ("frameworks.keras.KerasPlugin", "frameworks.sklearn.SklearnPlugin", "frameworks.sklearn.SklearnModel")
_OF_MODELS = (
    *("plugin.ModelPlugin", "plugin.FittedModel", "plugin.ModelTags", "plugin.DataSpec", "plugin.Data"),
    *("plugin.FitContext", "plugin.EpochReport", "plugin.TrialPruned", "plugin.Trial", "plugin.Ragged"),
)
_OF_DATA_SETS = ("plugin.DatasetPlugin", "plugin.DatasetInfo", "plugin.Dataset", "plugin.Column", "plugin.SplitBy")


def _findings() -> Iterable[str]:
    rows = (f"| `{kind}` | {level} | {meaning} |" for kind, (level, meaning) in KINDS.items())
    return ["| kind | level | meaning |", "| --- | --- | --- |", *rows]


def _rows_of(name: str, table: str) -> list[dict[str, Any]]:
    found = tomllib.loads((DOCS / "reference" / name).read_text(encoding="utf-8"))
    return list(found[table])


def _bad_inputs() -> Iterable[str]:
    rows = (
        f"| {row['name']} | {_cell(row['sentence'])} | {row['code']} |"
        for row in _rows_of("bad-inputs.toml", "input")
    )
    return ["| what is wrong | what nncompare says | exit code |", "| --- | --- | ---: |", *rows]


def _faults() -> Iterable[str]:
    rows = (
        f"| {row['what']} | `{row['category']}` | {_cell(row['words'])} |"
        for row in _rows_of("faults.toml", "fault")
    )
    return ["| what the process does | category | words of the message |", "| --- | --- | --- |", *rows]


def _cell(text: str) -> str:
    """Return words as they are said, in a cell of a table."""
    return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>"


MAKERS: Mapping[str, Callable[[], Iterable[str]]] = {
    "bad_inputs": _bad_inputs,
    "checks_of_models": lambda: _table_of_checks("model", MODEL_CHECKS),
    "checks_of_data_sets": lambda: _table_of_checks("data-set", DATASET_CHECKS),
    "bases": lambda: _contract(*_BASES),
    "contract_of_data_sets": lambda: _contract(*_OF_DATA_SETS),
    "contract_of_models": lambda: _contract(*_OF_MODELS),
    "constants": contract.constant_lines,
    "commands": lambda: commands.command_lines(command_line, "nncompare"),
    "faults": _faults,
    "findings": _findings,
    "presets": commands.preset_lines,
    "loop": lambda: _contract("frameworks.training.train", "frameworks.training.Learner"),
    "records": _records,
}


def filled(markdown: str) -> str:
    """Return a page with its generated places and its examples as they should be."""
    return _EXAMPLE.sub(_example, _PLACE.sub(_place, markdown))


def _place(found: re.Match[str]) -> str:
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(MAKERS[found["name"]]()).strip())
    return f"{found['mark']}\n\n{text}\n\n<!-- end -->"


def _example(found: re.Match[str]) -> str:
    file = DOCS / "examples" / found["file"]
    return f"{found['fence']}\n{file.read_text(encoding='utf-8')}```" if file.is_file() else found[0]


def main(check: bool) -> int:
    """Write the pages that are stale, or name them; return the exit code."""
    stale = []
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        made = filled(text)
        if made != text:
            stale.append(page)
            if not check:
                page.write_text(made, encoding="utf-8")
    for page in stale:
        sys.stdout.write(f"{'Stale' if check else 'Written'}: {page.relative_to(DOCS.parent)}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
