"""The report: from results.json to HTML and Markdown."""

from nncompare.report.notebook import render_comparison
from nncompare.report.render import render_fragment, render_html, render_markdown, visible, write_report

__all__ = ["render_comparison", "render_fragment", "render_html", "render_markdown", "visible", "write_report"]
