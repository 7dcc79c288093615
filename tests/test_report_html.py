"""The HTML report: complete, escaped, self-contained and repeatable."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from nncompare.report import render_html, render_markdown
from nncompare.report.blocks import parts
from nncompare.report.glance import glance
from nncompare.results import CheckLevel, ErrorOverlap, Results, SharedSample

from . import report_fixtures as fixtures
from .report_default_run import default_run

VOID = {"meta", "link", "br", "img", "hr", "input"}


# Which open elements the start or the end of another one ends, where HTML lets one omit the end tag.
CELLS = ("p", "td", "th", "tr", "thead", "tbody")
AFTER_P = ("p", "ul", "div", "table", "details", "figure", "fieldset", "section", "button")
IMPLIED = {
    "td": ("p", "td", "th"), "th": ("p", "td", "th"), "tr": ("p", "td", "th", "tr"),
    "tbody": ("td", "th", "tr", "thead"),
    "li": ("li",), "dt": ("dt", "dd"), "dd": ("dt", "dd"), **dict.fromkeys(AFTER_P, ("p",)),
}  # fmt: skip
IMPLIED_AT_END = {
    "table": CELLS, "ul": ("li",), "div": ("p", "dd"), "section": ("p",), "article": ("p",), "header": ("p",),
    "figure": ("p",), "dl": ("dd",),
}  # fmt: skip


class Page(HTMLParser):
    """Counts elements and attributes, and keeps the text of each element name."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.values: list[tuple[str, str]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes.update(name for name, _ in attrs)
        self.values += [(name, value or "") for name, value in attrs]
        self._end_implied(IMPLIED.get(tag, ()))
        if tag not in VOID:
            self.open.append(tag)

    def _end_implied(self, tags: tuple[str, ...]) -> None:
        """End open elements whose end tag HTML lets one omit here."""
        while self.open and self.open[-1] in tags:
            self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._end_implied(IMPLIED_AT_END.get(tag, ()))
        assert tag in VOID or self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def text_of(self, tag: str) -> str:
        return " ".join(text for where, text in self.texts if where == tag)


@pytest.mark.parametrize("variant", fixtures.VARIANTS)
def test_html_renders_every_variant_with_balanced_elements(variant: str) -> None:
    results = fixtures.VARIANTS[variant]()
    page = Page(render_html(results))
    assert page.open == []
    assert page.elements["style"] == page.elements["script"] == page.elements["h1"] == 1
    assert page.elements["section"] == page.elements["h2"] == 13 + (len(results.datasets) > 1)


@pytest.mark.parametrize("variant", fixtures.VARIANTS)
def test_html_twice_is_byte_identical(variant: str) -> None:
    first = fixtures.VARIANTS[variant]()
    again = Results.from_json(first.to_json())
    assert render_html(first) == render_html(again)


def test_html_policy_names_the_hash_of_the_style_and_the_script() -> None:
    html = render_html(fixtures.full())
    policy = re.search(r'Policy" content="([^"]*)"', html)
    assert policy is not None
    said = policy.group(1).replace("&#39;", "'").replace("&#43;", "+")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text.group(1).encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in said
    assert said.startswith("default-src 'none'; ")


@pytest.mark.parametrize("variant", fixtures.VARIANTS)
def test_html_loads_nothing_and_has_no_inline_style_or_handler(variant: str) -> None:
    page = Page(render_html(fixtures.VARIANTS[variant]()))
    assert "style" not in page.attributes
    assert not [name for name in page.attributes if name.startswith("on")]
    links = [value for name, value in page.values if name in {"href", "xlink:href", "action"}]
    assert links
    assert all(value.startswith("#") for value in links)
    images = [value for name, value in page.values if name == "src"]
    assert bool(images) == (variant == "pictures")
    assert all(value.startswith("data:image/png;base64,") for value in images)


def test_html_links_lead_to_elements_that_exist() -> None:
    page = Page(render_html(fixtures.full()))
    names = [value for name, value in page.values if name == "id"]
    assert len(names) == len(set(names))
    assert {value[1:] for name, value in page.values if name == "href"} <= set(names)


def test_html_of_the_default_run_weighs_at_most_500_kb_with_pictures_and_150_kb_without() -> None:
    results = default_run()
    whole, bare = render_html(results), render_html(without_pictures(results))
    assert (whole.count("<img"), whole.count("<polyline")) == (10, 15 + 11)
    assert "<img" not in bare
    assert "<polyline" not in bare
    assert len(whole.encode()) <= 500_000
    assert len(bare.encode()) <= 150_000


def without_pictures(results: Results) -> Results:
    """Return results without images and curves of samples."""
    none: dict[str, Any] = {"thumbnail": None, "series": []}
    studies = [
        study.model_copy(update={"mistakes": [mistake.model_copy(update=none) for mistake in study.mistakes]})
        for study in results.studies
    ]
    datasets = []
    for dataset in results.datasets:
        overlap = dataset.overlap
        if overlap is not None:
            wrong, right = (
                [s.model_copy(update=none) for s in found]
                for found in (overlap.wrong_by_all, overlap.right_by_one)
            )
            overlap = overlap.model_copy(update={"wrong_by_all": wrong, "right_by_one": right})
        datasets.append(dataset.model_copy(update={"overlap": overlap}))
    return results.model_copy(update={"studies": studies, "datasets": datasets})


def test_html_of_many_models_trials_and_classes_weighs_less_than_2_5_mb() -> None:
    names = [f"class {k}" for k in range(100)]
    studies = [fixtures.study(f"model{k}", "large", names, level=0.5 + k / 50, n_trials=200) for k in range(20)]
    found = fixtures.results([fixtures.dataset("large", names, fixtures.single_verdict())], studies)
    assert len(render_html(found).encode()) < 2_500_000


@pytest.mark.parametrize("variant", ["full", "one_model", "no_curves"])
def test_html_shows_every_number_of_a_verdict_in_a_table(variant: str) -> None:
    results = fixtures.VARIANTS[variant]()
    html = render_html(results)
    page = Page(html[html.index("<section id=verdict>") : html.index("<section id=leaderboard>")])
    cells = f"{page.text_of('td')} {page.text_of('p')}"
    shown = set(re.findall(r"\d+(?:\.\d+)?", cells))
    for dataset in results.datasets:
        text = dataset.verdict.text.replace(dataset.name, "").replace("95 % CI", "")
        for number in re.findall(r"\d+(?:\.\d+)?", text):
            assert number in shown, f"{number} of {text!r} stands in no table"


def test_html_shows_of_a_long_curve_a_sample_with_the_best_and_the_last_epoch() -> None:
    (study,) = (s for s in default_run().studies if s.dataset == "digits")
    (trial,) = (t for t in study.trials if t.number == study.best_trial)
    last, step = trial.curve.epoch[-1], -(-len(trial.curve.epoch) // 6)
    assert step > 2
    section = render_html(default_run()).partition("<section id=curves>")[2].partition("<h3>digits</h3>")[2]
    assert f"trial {trial.number}, best epoch {trial.best_epoch} of {last}" in section
    label = f"<summary>Numbers, 1 epoch in {step}, the best and the last</summary>"
    table = section.partition(label)[2].partition("</table>")[0]
    shown = [int(epoch) for epoch in re.findall(r"<tr><th>(\d+)<td>", table)]
    assert shown == sorted({*range(1, last, step), trial.best_epoch or 0, last})


def test_html_names_on_a_phone_each_value_of_the_glance_as_its_column_does() -> None:
    html = render_html(default_run())
    table = glance(parts(default_run()))
    assert table is not None
    names = re.findall(r'\.glance td:nth-child\((\d+)\)::before\{content:"([^"]*):"\}', html)
    assert [(int(k), name) for k, name in names] == [
        (k, column.label.replace(", ", " in ")) for k, column in enumerate(table.columns, start=1) if k > 2
    ]


def test_html_aligns_every_column_of_text() -> None:
    for variant in ("full", "texts", "all_failed"):
        html = render_html(fixtures.VARIANTS[variant]())
        numbers = set(re.findall(r"\bt(\d+)\b", " ".join(re.findall(r'<table class="?([^">]*)', html))))
        assert numbers
        assert [n for n in sorted(numbers) if f".t{n} tr>:nth-child({n})" not in html] == []


def test_html_gives_every_requested_pair_a_row() -> None:
    html = render_html(fixtures.full())
    table = html.split("Every requested pair of model and data set</caption>")[1].split("</table>")[0]
    rows = re.findall(r"<tr[^>]*><th>(.*?)<td>(.*?)<td", table.partition("<tbody>")[2])
    assert rows == [(study.model, study.dataset) for study in fixtures.full().studies]


def test_html_puts_problems_before_other_checks() -> None:
    html = render_html(fixtures.full())
    levels = re.findall(r"<li class=(\w+)><i>", html)[:5]
    order = list(get_args(CheckLevel))
    assert levels == ["problem", "warning", "info", "ok", "ok"]
    assert set(levels) <= set(order)


def test_html_shows_intervals_with_the_accuracy_of_models_and_references() -> None:
    html = render_html(fixtures.full())
    for dataset in fixtures.full().datasets:
        for reference in dataset.references:
            interval = reference.test_accuracy
            assert f"{interval.mean:.4f}<p>{interval.low:.4f} to {interval.high:.4f}<" in html
    for study in fixtures.full().studies:
        if study.test is not None:
            interval = study.test.accuracy
            assert f"{interval.mean:.4f}<p>{interval.low:.4f} to {interval.high:.4f}<" in html


def test_html_with_more_than_20_classes_lists_confusions_instead_of_a_matrix() -> None:
    html = render_html(fixtures.many_classes())
    assert 'class="matrix' not in html
    assert "class=matrix" not in html
    assert "Most frequent confusions of cnn on wide" in html
    assert 'class="matrix' in render_html(fixtures.full())


def test_html_gives_a_model_one_colour_and_one_marker_everywhere() -> None:
    html = render_html(fixtures.full())
    keys = [
        (marker, colour or marker, name)
        for marker, colour, name in re.findall(r'<b class="?n(\d)(?: c(\d))?"?>(\w+)</b>', html)
    ]
    marks = {name: {(m, c) for m, c, n in keys if n == name} for _, _, name in keys}
    assert all(len(found) == 1 for found in marks.values())
    assert len({colour for _, colour, _ in keys}) == len({marker for marker, _, _ in keys}) == 3
    drawn = re.findall(r"<use class=c(\d) href=#m(\d)", html)
    assert {(marker, colour) for colour, marker in drawn} == {pair for found in marks.values() for pair in found}


HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "</title><script>alert(1)</script>",
    "</desc></svg><img src=x>",
    "<svg/onload=alert`1`>",
    "<use href='data:x'/>",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)",
    '" style="color:red',
    "` onclick=`alert(1)",
    '"',
    "'",
    "`",
    "&",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "&amp;lt;",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{% endraw %}{{ 1 }}",
    "{# note #}",
    "${7*7}",
    "#{7*7}",
    "<%= 7 %>",
    "{{ policy }}",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/x.js",
    "https://evil.example/",
    "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc=x>",
    "<object data=x>",
    "<embed src=x>",
    "<base href=//x>",
    "<meta http-equiv=refresh content=0>",
    "<link rel=stylesheet href=//x>",
    "<form action=//x><input>",
    "<math><mi>",
    "<!-- -->",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[x]]>",
    "<?xml version='1.0'?>",
    "</details></section>",
    "</table><td>",
    "a\x00b",
    "a\x1b[31mred",
    "a\x07\x08\x7fb",
    "a\nb\rc\td",
    "\u202egnp.exe\u202c",
    "\u200f\u2067x\u2069",
    "\ufeffx",
    "x" * 5000,
    "=cmd|'/c calc'!A1",
    "| a | b |\n|---|",
    "**bold** _it_ `code` [x](javascript:alert(1))",
    "\u2028\u2029",
    "\u061c",
    "a\u200bb\u200cc\u200dd",
    "\u2060\u2064",
]


def poison(record: Any, poisoned: str, fixed: bool = False) -> Any:
    """Return the record with the string added to every string, keys included; literals and versions stay."""
    if isinstance(record, BaseModel):
        fields = type(record).model_fields
        return {
            name: poison(getattr(record, name), poisoned, get_origin(fields[name].annotation) is Literal)
            for name in fields
        }
    if isinstance(record, dict):
        return {f"{key}{poisoned}": poison(value, poisoned) for key, value in record.items()}
    if isinstance(record, list):
        return [poison(item, poisoned) for item in record]
    return f"{record}{poisoned}" if isinstance(record, str) and not fixed else record


def small() -> Results:
    """Return results that fill every field of the report once."""
    model = fixtures.study("cnn", "d", ["a", "b"], n_trials=15, epochs=2, seeds=1)
    other = fixtures.study("mlp", "d", ["a", "b"], n_trials=2, epochs=2, seeds=1)
    seen = {"words": "a text", "series": [0.5, 1.5, 1.0], "row": {"width": 1.5, "colour": "red"}}
    # What is added to a picture in base64 leaves none; so there is none in what is compared either.
    mistakes = [one.model_copy(update={**seen, "thumbnail": "?"}) for one in fixtures.mistakes("cnn", ["cnn"])]
    overlap = ErrorOverlap(
        only_right={"cnn": 4, "mlp": 2},
        wrong_by_all=[SharedSample(id=1, true="a", predicted={"cnn": "b", "mlp": "c"}, **seen)],
        right_by_one=[SharedSample(id=2, true="a", predicted={"cnn": "a", "mlp": "b"}, right="cnn", **seen)],
    )
    data = fixtures.dataset("d", ["a", "b"], fixtures.clear_verdict()).model_copy(
        update={"overlap": overlap, "n_wrong_by_all": 3}
    )
    lost = fixtures.dataset("m", ["a", "b"], fixtures.no_verdict(), references=False)
    model = model.model_copy(update={"mistakes": mistakes})
    return fixtures.results([data, lost], [model, other, fixtures.not_run("lstm", "m")])


BENIGN = Page(render_html(small()))
BENIGN_MARKDOWN = render_markdown(small())


def test_html_hostile_strings_are_at_least_60() -> None:
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_html_keeps_hostile_text_out_of_the_markup(text: str) -> None:
    poisoned = Results.model_validate(poison(small(), text))
    html = render_html(poisoned)
    page = Page(html)
    assert page.elements == BENIGN.elements
    assert page.attributes == BENIGN.attributes
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]", html)


def test_html_shows_template_syntax_as_it_was_written() -> None:
    html = render_html(Results.model_validate(poison(small(), "{{ 7 * 7 }}")))
    assert "cnn{{ 7 * 7 }}" in html
    assert "cnn49" not in html


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_markdown_keeps_hostile_text_out_of_the_markup(text: str) -> None:
    poisoned = render_markdown(Results.model_validate(poison(small(), text)))
    assert poisoned.count("\n") == BENIGN_MARKDOWN.count("\n")
    bars = r"(?<!\\)(?:\\\\)*\|"
    assert len(re.findall(bars, poisoned)) == len(re.findall(bars, BENIGN_MARKDOWN))
    assert not re.search("[<>]", poisoned)
