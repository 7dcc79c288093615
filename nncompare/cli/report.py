"""``nncompare report``: renders the report of a run again, from its results.json alone."""

from __future__ import annotations

from pathlib import Path

import click

from nncompare.cli.completion import complete_runs
from nncompare.cli.group import common_options
from nncompare.cli.options import out_option
from nncompare.cli.streams import say
from nncompare.exceptions import NNCompareError, ResultsError
from nncompare.layout import REPORT, RESULTS
from nncompare.runs import find_run

_HELP = """Write report.html and report.md of RUN again: an id, a run directory, or "latest".

\b
Example:
  nncompare report latest
"""


@click.command("report", short_help="Write the report of a run again.", help=_HELP)
@click.argument("run", shell_complete=complete_runs)
@out_option()
@common_options
def rebuild_report(run: str, out: Path) -> None:
    """Find, read, write, print the path."""
    folder = find_run(run, out)
    from nncompare.comparison import load_results
    from nncompare.report import write_report

    results = load_results(folder / RESULTS)
    try:
        write_report(results, folder)
    except NNCompareError:
        raise
    except Exception as error:  # what a hand-edited file holds can break any part of the report
        raise ResultsError(
            f"No report can be made of '{folder / RESULTS}': {type(error).__name__}: {error}. "
            "Its records contradict each other, as after an edit by hand; restore the file or run again."
        ) from error
    say(str(folder / REPORT))
