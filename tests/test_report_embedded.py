"""The results inside the page: what is taken out renders to the same bytes, and no number of the page changes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nncompare.exceptions import ResultsError
from nncompare.report import render, render_html, results_in
from nncompare.report.embedded import HOLDER, encode, pack, shortest, shown, unpack
from nncompare.results import Results

from . import report_fixtures as fixtures
from .report_default_run import default_run
from .test_report_html import HOSTILE, poison, small

VARIANTS = {**fixtures.VARIANTS, "default_run": default_run}
# Whole numbers have lost their points before they are packed.
FRACTIONS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: round(v, 4)).filter(lambda v: not v.is_integer())
NUMBERS = st.one_of(st.integers(-(10**6), 10**6), FRACTIONS, st.booleans())
VALUES = st.recursive(
    st.one_of(st.none(), NUMBERS, st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.text(max_size=2) | st.sampled_from(["7", "0", "12"]), inner, max_size=3),
        st.lists(st.fixed_dictionaries({"a": inner, "b": inner, "__proto__": inner, "0": inner}), max_size=4),
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("variant", VARIANTS)
def test_results_inside_a_page_render_to_the_same_bytes(variant: str) -> None:
    html = render_html(VARIANTS[variant]())
    found = results_in(html)
    assert render_html(found) == html
    assert render_html(Results.from_json(found.to_json())) == html


@pytest.mark.parametrize("text", [HOSTILE[0], HOSTILE[29], HOSTILE[-1]])
def test_results_inside_a_page_keep_hostile_names_as_they_are(text: str) -> None:
    poisoned = Results.model_validate(poison(small(), text))
    found = results_in(render_html(poisoned))
    assert [study.model for study in found.studies] == [study.model for study in poisoned.studies]
    assert found.run_id == poisoned.run_id


def test_results_inside_a_page_lack_what_is_not_shown_and_hold_the_rest() -> None:
    results = fixtures.full()
    found = results_in(render_html(results))
    assert [d.verdict.text for d in found.datasets] == [d.verdict.text for d in results.datasets]
    for kept, study in zip(found.studies, results.studies, strict=True):
        assert [(t.number, t.state, t.failure) for t in kept.trials] == [
            (t.number, t.state, t.failure) for t in study.trials
        ]
        rates = [(t.params.get("learning_rate"), t.params.get("width")) for t in study.trials]
        assert [(t.params.get("learning_rate"), t.params.get("width")) for t in kept.trials] == [
            (pytest.approx(rate, rel=1e-3), width) for rate, width in rates
        ]
        assert {t.number for t in kept.trials if t.curve.epoch} <= {study.best_trial}
        assert all(not refit.per_class for refit in kept.refits)


@pytest.mark.parametrize("variant", VARIANTS)
def test_shortening_changes_no_word_and_no_number_of_the_page(
    variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = render_html(VARIANTS[variant]())
    monkeypatch.setattr(render, "shown", lambda results: results.model_dump(mode="json"))
    assert words(short) == words(render_html(VARIANTS[variant]()))


def words(html: str) -> str:
    """Return the text of a page without the results inside it, and how many lines its charts have."""
    body = HOLDER.sub("", html)
    return f"{body.count('<path')} {re.sub('<[^>]*>', '|', body)}"


@pytest.mark.parametrize("variant", VARIANTS)
def test_results_are_shortened_once_and_for_all(variant: str) -> None:
    once = shown(VARIANTS[variant]())
    again = shown(Results.model_validate(once))
    assert again == once
    assert encode(again) == encode(once)


@given(st.floats(-1e9, 1e9, allow_nan=False))
@example(0.9145049)
@example(0.9500004999)
def test_shorter_numbers_read_the_same(value: float) -> None:
    short = shortest(value)
    for form in (".4f", ".2f", ".1f", ".0f", ".4g", ".3g"):
        assert format(short, form) == format(value, form)
    assert f"{100 * short:.1f}" == f"{100 * value:.1f}"
    assert shortest(short) == short


@given(VALUES)
def test_packed_values_are_given_back(value: Any) -> None:
    packed = json.loads(json.dumps(pack(value)))
    assert json.dumps(unpack(packed)) == json.dumps(value)


def test_packing_turns_trials_into_columns() -> None:
    trials = [{"n": k, "loss": round(0.5 - k / 1000, 4), "same": k} for k in range(50)]
    columns = [[1, 0, 0, *[1] * 49], [1, 3, 500, *[-1] * 49], 0]
    assert pack(trials) == [0, ["n", "loss", "same"], columns]


def test_packing_keeps_the_order_of_names_that_are_whole_numbers() -> None:
    assert pack({"7": 1, "0": 2, "pixel": [3]}) == [3, ["7", 1], ["0", 2], ["pixel", [2, 3]]]
    assert pack([{"7": 1, "0": 1, "3": 2, "pixel": 1}] * 2)[1] == ["7", "0", "3", "pixel"]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>nothing</p>", "no element 'results'"),
        ('<template id="results">AAAA</template>', "are damaged"),
    ],
)
def test_a_page_without_readable_results_is_refused_in_words(html: str, words: str) -> None:
    with pytest.raises(ResultsError, match=words):
        results_in(html)
