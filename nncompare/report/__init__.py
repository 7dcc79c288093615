"""The report: from results.json to HTML and Markdown, and back from the HTML."""

from nncompare.report.embedded import results_in
from nncompare.report.model_card import Use, render_model_card
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
    "Use",
    "contradiction",
    "render_comparison",
    "render_fragment",
    "render_html",
    "render_markdown",
    "render_model_card",
    "results_in",
    "visible",
    "write_report",
    "write_report_again",
]
