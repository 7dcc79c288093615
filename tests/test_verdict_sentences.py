"""The verdict in words: a truth table of score sets with the sentence of each, and where its numbers stand."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from nncompare import sentence
from nncompare.report import render_html, render_markdown, verdicts
from nncompare.report.blocks import parts
from nncompare.report.render import markdown_text
from nncompare.report.verdicts import cards
from nncompare.sentence import MAX_WORDS

from .verdict_cases import CASES, DATASET, LONG, results_of

EXPECTED = {
    "clear": (
        "Use cnn on mnist1d: it is better than mlp by 35.0 points (95 % CI 33.8 to 36.2). cnn trains 23 times "
        "as long as mlp (70.4 against 3.1 CPU s)."
    ),
    "clear of three": (
        "Use lstm on mnist1d: it is better than cnn by 5.0 points (95 % CI 4.4 to 5.6). lstm is also better "
        "than mlp. cnn trains 7 times as long as lstm (70.4 against 9.8 CPU s)."
    ),
    "equal": (
        "cnn and lstm are practically equal on mnist1d: they differ by 0.0 points (95 % CI −0.1 to 0.1). Cost "
        "may decide: cnn trains 7 times as long as lstm (70.4 against 9.8 CPU s)."
    ),
    "undecided": (
        "Undecided on mnist1d: cnn leads lstm by 1.0 points (95 % CI −6.5 to 8.5), which may be chance; more "
        "refits or test items could decide it. They train about as fast (10.0 against 10.5 CPU s)."
    ),
    "better and inside the margin": (
        "Use cnn on mnist1d: it is better than lstm by 0.2 points (95 % CI 0.1 to 0.3), though that is too "
        "little to matter in practice. cnn trains 7 times as long as lstm (70.4 against 9.8 CPU s)."
    ),
    "tie on few items": (
        "Undecided on mnist1d: cnn and lstm score the same, but may differ by −11.6 to 11.6 points (95 % CI); "
        "more refits or test items could decide it. cnn trains 7 times as long as lstm (70.4 against 9.8 CPU "
        "s)."
    ),
    "single seed": (
        "Use cnn on mnist1d: it is better than lstm by 5.0 points (95 % CI 4.6 to 5.4). Single seed: "
        "differences may be noise. cnn trains 7 times as long as lstm (70.4 against 9.8 CPU s)."
    ),
    "single model": (
        "Only cnn was run on mnist1d: its accuracy is 90.0 % (95 % CI 88.0 to 92.0). It is better than "
        "logistic regression by 60.0 points (95 % CI 57.7 to 62.3)."
    ),
    "single model, others failed": (
        "Only cnn finished on mnist1d: its accuracy is 90.0 % (95 % CI 88.0 to 92.0). It is better than "
        "logistic regression by 60.0 points (95 % CI 57.7 to 62.3)."
    ),
    "no model": ("No model finished on mnist1d, so there is nothing to compare."),
    "other data sets": ("Use cnn on mnist1d: it is better than mlp by 10.0 points (95 % CI 9.4 to 10.6)."),
    "worse than a reference": (
        "lstm is better than mlp on mnist1d by 5.0 points (95 % CI 4.5 to 5.5). But lstm is worse than "
        "logistic regression. lstm trains longer than mlp (0.8 against less than 0.1 CPU s)."
    ),
    "better, not shown to beat a reference": (
        "lstm is better than mlp on mnist1d by 5.0 points (95 % CI 4.5 to 5.5). But lstm is not shown to beat "
        "logistic regression."
    ),
    "single model worse than a reference": (
        "Only lstm was run on mnist1d: its accuracy is 85.0 % (95 % CI 84.3 to 85.7). But lstm is worse than "
        "logistic regression."
    ),
    "majority class only": (
        "cnn and mlp are practically equal on mnist1d: they differ by 0.0 points (95 % CI −0.1 to 0.1). But "
        "cnn is not shown to beat always naming the most frequent class."
    ),
    "undecided on the second, better than the third": (
        "Undecided on mnist1d: a leads b by 0.1 points (95 % CI −1.5 to 1.7), which may be chance; more "
        "refits or test items could decide it. a is better than c."
    ),
    "ring": (
        "Undecided on mnist1d: c leads a by 0.2 points (95 % CI −0.5 to 0.9), which may be chance; more "
        "refits or test items could decide it. Nor is b shown to be worse."
    ),
    "tiny test set": (
        "Use cnn on mnist1d: it is better than mlp by 40.0 points (95 % CI 16.5 to 63.5). cnn trains 23 times "
        "as long as mlp (70.4 against 3.1 CPU s)."
    ),
    "two level, both better than a third": (
        "cnn and lstm are practically equal on mnist1d: they differ by 0.0 points (95 % CI −0.1 to 0.1). Both "
        "are better than mlp. Cost may decide: cnn trains 7 times as long as lstm (70.4 against 9.8 CPU s)."
    ),
    "some refits failed": (
        "Undecided on mnist1d: cnn leads, but 1 of its 3 refits failed, so its lead may be the luck of the rest."
    ),
    "no spread over seeds": (
        "Use cnn on mnist1d: it is better than mlp by 1.0 points (95 % CI 0.4 to 1.6). cnn trains 23 times as "
        "long as mlp (70.4 against 3.1 CPU s)."
    ),
    "no spread and too few items differ": (
        "Undecided on mnist1d: cnn leads mlp by 0.4 points (95 % CI 0.0 to 0.8), which may be chance; more "
        "refits or test items could decide it. cnn trains 23 times as long as mlp (70.4 against 3.1 CPU s)."
    ),
    "twenty models": (
        "Use model_0 on mnist1d: it is better than model_1 by 2.0 points (95 % CI 1.5 to 2.5). model_0 is "
        "also better than model_2, model_3, model_4 and others."
    ),
    "long name": (
        f"Use {LONG} on mnist1d: it is better than mlp by 35.0 points (95 % CI 33.8 to 36.2). {LONG} trains 23 "
        "times as long as mlp (70.4 against 3.1 CPU s)."
    ),
    "markup": (
        "Use <b>bold</b>&| on mnist1d: it is better than mlp by 35.0 points (95 % CI 33.8 to 36.2). "
        "<b>bold</b>&| trains 23 times as long as mlp (70.4 against 3.1 CPU s)."
    ),
}

SHORT = {
    "clear": ("clear winner", "On mnist1d use cnn."),
    "clear of three": ("clear winner", "On mnist1d use lstm."),
    "equal": ("practically equal", "On mnist1d cnn and lstm are practically equal."),
    "undecided": ("undecided", "On mnist1d it is undecided between cnn and lstm."),
    "better and inside the margin": ("better, but barely", "On mnist1d cnn is better, but too little to matter."),
    "tie on few items": ("undecided", "On mnist1d it is undecided between cnn and lstm."),
    "single seed": ("ahead, single seed", "On mnist1d cnn is ahead (single seed)."),
    "single model": ("one model", "On mnist1d only cnn was run, and it beats logistic regression."),
    "single model, others failed": (
        "only one model finished",
        "On mnist1d only cnn finished, and it beats logistic regression.",
    ),
    "no model": ("no result", "On mnist1d there is no result."),
    "other data sets": ("clear winner", "On mnist1d use cnn; on digits only lstm was run."),
    "worse than a reference": (
        "below logistic regression",
        "On mnist1d lstm is worse than logistic regression: use that.",
    ),
    "better, not shown to beat a reference": (
        "not shown to beat logistic regression",
        "On mnist1d lstm is not shown to beat logistic regression.",
    ),
    "single model worse than a reference": (
        "below logistic regression",
        "On mnist1d only lstm was run, and it is worse than logistic regression: use that.",
    ),
    "majority class only": (
        "practically equal",
        "On mnist1d cnn and mlp are practically equal, but cnn is not shown to beat always naming the most "
        "frequent class.",
    ),
    "undecided on the second, better than the third": ("undecided", "On mnist1d it is undecided between a and b."),
    "ring": ("undecided", "On mnist1d it is undecided between c, a and b."),
    "tiny test set": ("clear winner", "On mnist1d use cnn."),
    "two level, both better than a third": ("practically equal", "On mnist1d cnn and lstm are practically equal."),
    "some refits failed": ("undecided", "On mnist1d it is undecided."),
    "no spread over seeds": ("clear winner", "On mnist1d use cnn."),
    "no spread and too few items differ": ("undecided", "On mnist1d it is undecided between cnn and mlp."),
    "twenty models": ("clear winner", "On mnist1d use model_0."),
    "long name": ("clear winner", f"On mnist1d use {LONG}."),
    "markup": ("clear winner", "On mnist1d use <b>bold</b>&|."),
}


class Cells(HTMLParser):
    """The text of the cells of all tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in {"td", "th", "tr"}:  # end tags that HTML lets one omit are omitted
            self.in_cell = tag != "tr"

    def handle_endtag(self, tag: str) -> None:
        if tag in {"table", "thead", "tbody"}:
            self.in_cell = False

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.texts.append(data)


def numbers(text: str) -> list[str]:
    """Return the numbers of a text with true minus signs made plain, and without the signs of gains."""
    plain = re.sub(r"95 % CI", "", text).replace("−", "-")
    return [number.lstrip("+") for number in re.findall(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?![\w])", plain)]


def paragraph(html: str, name: str) -> str:
    """Return the text of the first paragraph of a class, which holds no elements."""
    return unescape(re.search(rf'<p class="?{name}"?>([^<]*)<', html)[1]).strip()


def without_names(text: str, names: list[str]) -> str:
    for name in sorted([*names, DATASET], key=len, reverse=True):
        text = text.replace(name, "")
    return text


@pytest.fixture(params=CASES)
def case(request):
    return request.param


def test_sentences_are_those_that_were_agreed(case):
    verdict = results_of(CASES[case]).datasets[0].verdict
    assert verdict.text == EXPECTED[case]
    assert len(verdict.text.split()) <= MAX_WORDS


def test_sentences_cover_all_that_may_happen():
    assert set(EXPECTED) == set(CASES)
    assert len(CASES) >= 20
    states = {results_of(case).datasets[0].verdict.state for case in CASES.values()}
    assert states == {"better", "equal", "undecided", "single", "none"}


def test_sentences_have_every_number_in_a_table_of_the_same_card(case):
    """In the form of the sentence: points and per cent with one decimal, CPU seconds with one."""
    results = results_of(CASES[case])
    html = render_html(results)
    start, end = (re.search(rf'<section id="?{name}\b', html).start() for name in ("verdict", "leaderboard"))
    card = html[start:end]
    names = [study.model for study in results.studies]
    shown = {number for text in Cells(card).texts for number in numbers(without_names(text, names))}
    said = numbers(without_names(results.datasets[0].verdict.text, names))
    assert [number for number in said if number not in shown] == []
    assert bool(said) == (case != "no model")


def test_sentences_of_failed_refits_have_their_counts_beside_the_model():
    """By chance 1 and 3 stand in other tables too."""
    (card,) = cards(parts(results_of(CASES["some refits failed"])))
    table = next(table for table in card.details if table.label == f"Models on {DATASET}")
    places = [[column.label for column in table.columns].index(name) for name in ("Refits", "Refits failed")]
    assert [[row.cells[place].text for place in places] for row in table.rows] == [["3", "1"], ["3", "0"]]


def test_sentences_stand_whole_in_both_reports(case):
    results = results_of(CASES[case])
    text = results.datasets[0].verdict.text
    assert paragraph(render_html(results), "sentence") == text
    assert markdown_text(text) in render_markdown(results)


def test_sentences_agree_with_badge_short_answer_and_chart(case):
    results = results_of(CASES[case])
    verdict, html = results.datasets[0].verdict, render_html(results)
    answer = paragraph(html, "answer")
    article = html.partition("<article")[2].partition("</article>")[0]
    badge = paragraph(article, "badge")
    assert (badge, answer) == SHORT[case]
    assert (badge == "clear winner") == (cards(parts(results))[0].state == "better")
    lost = re.search(r"But \S+ (is (?:worse than|not shown to beat) .+?)\.", verdict.text)
    slight = "too little to matter" in verdict.text
    assert (badge == "clear winner") == answer.startswith(f"On {DATASET} use {verdict.winner}")
    assert (badge == "clear winner") == (
        verdict.state == "better" and lost is None and not slight and "Single seed" not in verdict.text
    )
    assert verdict.text.startswith("Use ") == (verdict.state == "better" and lost is None)
    assert slight == ("too little to matter" in answer)
    assert (lost[1] in answer) if lost else not re.search("worse than|not shown to beat", answer)
    assert ("use that" in answer) == (lost is not None and lost[1] == "is worse than logistic regression")
    drawn = re.findall(r'<text class="?strong"?[^>]*>(.*?)</text>', article)
    short = [name.replace("&", "&amp;").replace("<", "&lt;")[:5] for name in verdict.compared]
    assert [name[:5] for name in drawn[: len(short)]] == short  # behind them, the close-up of the best


def test_sentences_and_tables_agree_on_what_is_too_short_for_a_ratio():
    assert verdicts.SHORTEST_S == sentence.SHORTEST_S
