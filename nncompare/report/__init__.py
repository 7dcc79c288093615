"""The report: from results.json to HTML and Markdown, and back from the HTML."""

from nncompare.report.embedded import results_in
from nncompare.report.notebook import render_comparison
from nncompare.report.render import (
    contradiction,
    render_fragment,
    render_html,
    render_markdown,
    visible,
    write_report,
    write_report_again,
)

__all__ = [
    "contradiction",
    "render_comparison",
    "render_fragment",
    "render_html",
    "render_markdown",
    "results_in",
    "visible",
    "write_report",
    "write_report_again",
]
