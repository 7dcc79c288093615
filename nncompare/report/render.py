"""From results to report.html and report.md: the Jinja environments and the files."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from nncompare.data.files import write_atomic
from nncompare.layout import REPORT
from nncompare.report.context import build
from nncompare.results import Results

CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ud800-\udfff\ufeff]"
)
MARKDOWN = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])|^(?=[#+>=-])", re.MULTILINE)
POLICY = (
    "default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def render_html(results: Results) -> str:
    """Return the report as one HTML page that loads nothing; equal results give equal text."""
    environment = _html()
    policy = POLICY.format(style=_digest(environment, "report.css"), script=_digest(environment, "report.js"))
    return environment.get_template("report.html.j2").render(report=build(results), policy=policy) + "\n"


def render_markdown(results: Results) -> str:
    """Return verdicts, leaderboards and what did not run as Markdown, for a terminal or a pull request."""
    return _markdown().get_template("report.md.j2").render(report=build(results)) + "\n"


def write_report(results: Results, folder: Path) -> Path:
    """Write ``report.html`` and ``report.md`` into ``folder``, each as a whole or not at all.

    Returns
    -------
    Path
        The path of ``report.html``.
    """
    write_atomic(folder / "report.md", render_markdown(results).encode())
    write_atomic(folder / REPORT, render_html(results).encode())
    return folder / REPORT


def render_fragment(template: str, **values: Any) -> str:
    """Return a piece of HTML, such as the output of a notebook's cell; values are escaped, nothing is loaded."""
    return _html().get_template(template).render(**values)


def visible(value: Any) -> Any:
    """Return text whose control characters and direction marks can be seen; anything else as it is."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", value)


def markdown_text(value: Any) -> Any:
    """Return text on one line that Markdown and HTML take for nothing but text."""
    if not isinstance(value, str):
        return value
    line = " ".join(str(visible(value)).split())
    safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return MARKDOWN.sub(lambda found: f"\\{found.group()}", safe)


@cache
def _html() -> Environment:
    return Environment(
        loader=PackageLoader("nncompare.templates", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _markdown() -> Environment:
    """Return an environment that escapes for Markdown every value that a template prints."""
    return Environment(
        loader=PackageLoader("nncompare.templates", ""),
        autoescape=False,  # noqa: S701 - Markdown, not HTML: `finalize` escapes every value
        undefined=StrictUndefined,
        finalize=markdown_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _digest(environment: Environment, name: str) -> str:
    """Return the source expression that lets a browser run or apply exactly this included text."""
    text = environment.get_template(name).render()
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
