"""The report: from results.json to HTML and Markdown."""

from nncompare.report.render import render_html, render_markdown, write_report

__all__ = ["render_html", "render_markdown", "write_report"]
