"""``nncompare report``: renders a run again, or in another form, from its results.json alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncompare.cli.completion import complete_runs
from nncompare.cli.group import common_options
from nncompare.cli.options import out_option
from nncompare.cli.streams import say
from nncompare.columns import one_line
from nncompare.exceptions import UsageError
from nncompare.layout import REPORT, RESULTS
from nncompare.runs import find_run

if TYPE_CHECKING:
    from nncompare.results import Results

FORMATS = ("html", "md", "json", "leaderboard-csv", "trials-csv")
_BY_SUFFIX = {".html": "html", ".htm": "html", ".md": "md", ".json": "json"}
_STDOUT = "-"
_REPORTS = {REPORT, "report.md"}

_HELP = """Write report.html and report.md of RUN again: an id, a run directory, or "latest".

With --format, one of these is printed on standard output instead, or written into a file with --output: the
report as "html" or "md", the results as "json", or a table as "leaderboard-csv" (a line per model) or "trials-csv"
(a line per trial).

\b
Examples:
  nncompare report latest
  nncompare report latest --format md
  nncompare report latest --format leaderboard-csv --output board.csv
"""


@click.command("report", short_help="Write the report of a run again, or in another form.", help=_HELP)
@click.argument("run", shell_complete=complete_runs)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="FORMAT",
    help=f"Print this instead of writing the report: {', '.join(FORMATS)}.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    metavar="FILE",
    help='Write it into FILE, whose suffix says the format where none is given; "-" is standard output.',
)
@out_option()
@common_options
def rebuild_report(run: str, form: str | None, output: Path | None, out: Path) -> None:
    """Find, read, write, print the path or the text."""
    folder = find_run(run, out)
    _say_what_was_cleaned(folder)
    wanted = form or (_format_of(output) if output is not None else None)
    if wanted is None:
        _write_reports(folder)
        return
    to_file = output if output is not None and str(output) != _STDOUT else None
    if to_file is not None:
        _refuse_own_file(to_file, folder)
    text = _text(folder, wanted)
    if to_file is None:
        say(text.removesuffix("\n"))
        return
    from nncompare.data.files import write_atomic

    write_atomic(to_file, text)
    say(str(to_file))


def _say_what_was_cleaned(folder: Path) -> None:
    """Tell on standard error what the run directory lacks on purpose: the report does not need it."""
    from nncompare.cleaned import cleaned_sentence

    said = cleaned_sentence(folder)
    if said:
        click.echo(f"note: {one_line(said)}", err=True)


def _format_of(output: Path) -> str:
    """Return the format that a file's suffix says."""
    found = _BY_SUFFIX.get(output.suffix.lower())
    if found is None:
        choices = ", ".join(FORMATS)
        raise UsageError(f"'{output}' does not say what to write. Add --format with one of: {choices}.")
    return found


def _refuse_own_file(output: Path, folder: Path) -> None:
    """Keep the files of the run, which other commands read."""
    is_own = output.exists() and output.resolve().is_relative_to(folder.resolve())
    if is_own and output.name not in _REPORTS:
        raise UsageError(f"'{output}' is a file of the run, which would be lost. Choose another name.")


def _write_reports(folder: Path) -> None:
    """Write both reports into the run directory."""
    from nncompare.report import write_report_again

    write_report_again(_load(folder), folder)
    say(str(folder / REPORT))


def _text(folder: Path, form: str) -> str:
    """Return the run in one of the formats."""
    from nncompare.exports import EXPORTS
    from nncompare.report import contradiction

    results = _load(folder)
    try:
        return EXPORTS[form](results)
    except Exception as error:
        raise contradiction(folder / RESULTS, error) from error


def _load(folder: Path) -> Results:
    from nncompare.comparison import load_results

    return load_results(folder / RESULTS)
