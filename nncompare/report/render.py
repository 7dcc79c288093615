"""From results to report.html and report.md: the Jinja environments and the files."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nncompare.data.files import write_atomic
from nncompare.exceptions import NNCompareError, ResultsError
from nncompare.layout import REPORT, RESULTS
from nncompare.report.blocks import COLOURS
from nncompare.report.context import build
from nncompare.report.embedded import encode, shown
from nncompare.results import Results

CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ud800-\udfff\ufeff]"
)
MARKDOWN = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])|^(?=[#+>=-])", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SPARE = re.compile(r"\s*([{};>]|,(?=\s)|:(?=\s))\s*")
BETWEEN = re.compile(r">\s*\n\s*<")
QUOTED = re.compile(r'="([\w.,%#-]+)"(?:(?=[ >])|(?P<end>/>))')
LITERAL = re.compile(r'("(?:\\.|[^"\\])*"|`[^`]*`|/(?! )(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])+/[a-z]*)')
SPARE_OF_SCRIPT = re.compile(r"\s*([{}()\[\];,=<>?:&|*])\s*")
AXIS = re.compile(r"<g class=y>.*?</g>|<svg class=x y=.*?</svg>")
SPARED = re.compile(
    r"</p>(?=<(?:p|ul|div|table|details|figure|fieldset|section|button)\b|</(?:section|div|article|header|figure)>)"
    r"|</li>(?=<li|</ul>)|</d[td]>(?=<d[td]|</d)"
)
POLICY = (
    "default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def render_html(results: Results) -> str:
    """Return the report as one HTML page that loads nothing and holds its results; equal results, equal text."""
    values = shown(results)
    report = build(Results.model_validate(values))
    style, script = _worn(_asset("report.css"), len(report.series)), _asset("report.js")
    page = (
        _html()
        .get_template("report.html.j2")
        .render(
            report=report,
            results=encode(values),
            style=style,
            script=script,
            policy=POLICY.format(style=_digest(style), script=_digest(script)),
        )
    )
    return f"{_shorten(page)}\n"


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


def write_report_again(results: Results, folder: Path) -> Path:
    """Write the reports of results that were read from ``folder``, where anybody may have edited them.

    Raises
    ------
    ResultsError
        No report can be made of them.
    """
    try:
        return write_report(results, folder)
    except NNCompareError:
        raise
    except Exception as error:
        raise contradiction(folder / RESULTS, error) from error


def contradiction(file: Path, error: Exception) -> ResultsError:
    """Return what to raise where a results.json can be read, but its records make no report."""
    return ResultsError(
        f"No report can be made of '{file}': {type(error).__name__}: {error}. "
        "Its records contradict each other, as after an edit by hand; restore the file or run again."
    )


def render_fragment(template: str, **values: Any) -> str:
    """Return a piece of HTML, such as the output of a notebook's cell; values are escaped, nothing is loaded."""
    return _html().get_template(template).render(**values)


def render_markdown_template(template: str, **values: Any) -> str:
    """Return a template of Markdown; every text is escaped, what is not text is printed as it is."""
    return _markdown().get_template(template).render(**values)


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


def _shorten(page: str) -> str:
    """Return the page without what HTML can spare: quotes, end tags, line ends between elements, repeated axes.

    Values are escaped, so that quotes and angle brackets are those of the templates alone. The style sheet before
    the body and the results and the script after it stay as they are.
    """
    start, end = page.index("<body>"), page.index('<template id="results">')
    body = SPARED.sub("", QUOTED.sub(_unquoted, BETWEEN.sub("><", page[start:end])))
    return page[:start] + _shared(body) + page[end:]


def _unquoted(found: re.Match[str]) -> str:
    """Return an attribute without its quotes; a slash behind it would become a part of its value."""
    return f"={found[1]}{' />' if found['end'] else ''}"


def _shared(page: str) -> str:
    """Return the page with each axis drawn once; charts with an equal one refer to it."""
    repeated = [axis for axis, times in Counter(AXIS.findall(page)).items() if times > 1]
    for number, axis in enumerate(repeated):
        name = f"axis{number}"
        first = axis.replace(" class", f" id={name} class", 1)
        before, _, after = page.partition(axis)
        page = before + first + after.replace(axis, f"<use class=axes href=#{name} />")
    return page


@cache
def _asset(name: str) -> Markup:
    """Return the style sheet or the script without indentation, comments and the spaces that CSS can spare."""
    source = _html().get_template(name).render()
    lines = [line.strip() for line in COMMENT.sub("", source).splitlines()]
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    text = SPARE.sub(r"\1", text).replace(";}", "}") if name.endswith(".css") else _spared_script(text)
    return Markup(text)  # noqa: S704 - a file of the package


def _worn(style: str, n_series: int) -> Markup:
    """Return the style sheet without the colours and the markers that no model of the page wears."""
    unworn = "".join(str(number) for number in range(n_series, COLOURS))
    if unworn:
        style = re.sub(rf"\.[nc][{unworn}](?:::before)?{{[^}}]*}}|--c[{unworn}]:#\w+;?", "", style)
    return Markup(style)  # noqa: S704 - a file of the package


def _spared_script(text: str) -> str:
    """Return a script without the spaces and line ends that it can spare; its literals stay as they are.

    That is safe for the package's own script, where every statement ends with a semicolon or a brace, and where a
    slash with a space behind it divides while one without begins a regular expression.
    """
    pieces = LITERAL.split(text)
    return "".join(p if k % 2 else SPARE_OF_SCRIPT.sub(r"\1", p) for k, p in enumerate(pieces))


def _digest(text: str) -> str:
    """Return the source expression that lets a browser run or apply exactly this included text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
