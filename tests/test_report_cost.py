"""What accuracy costs and which model wins at which budget: fronts, crossing points, and the words for them."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncompare.report import render_html
from nncompare.report.blocks import parts
from nncompare.report.budgets import Spent, Step, leaders, spent
from nncompare.report.budgets import answer as ahead
from nncompare.report.budgets import section as budgets
from nncompare.report.pareto import section as pareto
from nncompare.report.tradeoffs import COSTS, Point, answer, dominator, front
from nncompare.results import Curve, PairRecord, Results, TrialRecord

from . import report_fixtures as fixtures

TRAINING, _, PARAMETERS, MEMORY, _ = COSTS
POINTS = st.lists(
    st.builds(Point, st.sampled_from("abcdef"), st.integers(0, 9).map(float), st.integers(50, 70).map(float)),
    min_size=1, max_size=6, unique_by=lambda point: point.model,
)  # fmt: skip
NO_PAIRS: tuple[PairRecord, ...] = ()
CHANCE = (PairRecord(a="b", b="a", difference=0.006, low=-0.01, high=0.02, state="undecided", method="t"),)
SURE = (CHANCE[0].model_copy(update={"state": "better", "low": 0.001}),)


def models(**values: tuple[float, float]) -> list[Point]:
    return [Point(name, accuracy, cost) for name, (accuracy, cost) in values.items()]


@given(POINTS)
def test_front_holds_the_models_that_nobody_beats(points: list[Point]) -> None:
    kept = front(points)
    assert kept
    for point in points:
        beaten = any(
            (o.accuracy > point.accuracy and o.cost <= 1.05 * point.cost)
            or (o.accuracy >= point.accuracy and 1.05 * o.cost < point.cost)
            for o in points
        )
        assert (point in kept) == (not beaten)
        assert (dominator(point, points) is not None) == beaten
    assert [p.cost for p in kept] == sorted(p.cost for p in kept)


@pytest.mark.parametrize(
    ("points", "cost", "pairs", "words"),
    [
        (models(lstm=(0.98, 90.0), mlp=(0.68, 10.0)), TRAINING, NO_PAIRS,
         "lstm is the most accurate; mlp trains 9 times faster but loses 30.0 points."),
        (models(a=(0.98, 90.0), b=(0.974, 30.0)), TRAINING, CHANCE,
         "a is the most accurate; b trains 3 times faster but is 0.6 points behind, which may be chance."),
        (models(a=(0.98, 90.0), b=(0.974, 30.0)), TRAINING, SURE,
         "a is the most accurate; b trains 3 times faster but loses 0.6 points."),
        (models(a=(0.98, 10.0), b=(0.9, 30.0), c=(0.8, 20.0)), TRAINING, NO_PAIRS,
         "a is the most accurate and the cheapest. b and c are dominated by a: no more accurate, no cheaper."),
        (models(a=(0.98, 10.0), **dict.fromkeys("bcdefgh", (0.9, 30.0))), TRAINING, NO_PAIRS,
         "a is the most accurate and the cheapest. 7 models are dominated by a: no more accurate, no cheaper."),
        (models(a=(0.98, 100.0), b=(0.9, 10.0), c=(0.85, 50.0)), PARAMETERS, NO_PAIRS,
         "a is the most accurate; b has 10 times fewer parameters but loses 8.0 points. c is dominated by b: no "
         "more accurate, no cheaper."),
        (models(a=(0.98, 101.0), b=(0.9, 100.0)), MEMORY, NO_PAIRS,
         "a is the most accurate, and none is cheaper by 5 % or more. b is dominated by a: no more accurate, no "
         "cheaper."),
        (models(a=(0.98, 106.0), b=(0.9, 100.0)), MEMORY, NO_PAIRS,
         "a is the most accurate; b needs 1.1 times less memory but loses 8.0 points."),
        (models(a=(0.98, 30.0), b=(0.974, 90.0)), TRAINING, CHANCE,
         "a is the most accurate and the cheapest. b costs more than a and is not shown to be more accurate."),
        (models(a=(0.98, 90.0), b=(0.974, 91.0)), TRAINING, CHANCE,
         "a is the most accurate and the cheapest. b costs as much as a, and which is more accurate is not "
         "shown."),
        (models(a=(0.98, 30.0), b=(0.974, 90.0), c=(0.978, 40.0)), TRAINING, CHANCE,
         "a is the most accurate and the cheapest. b is dominated by c: no more accurate, no cheaper. c is "
         "dominated by a: no more accurate, no cheaper."),
        (models(a=(0.98, 30.0), b=(0.974, 90.0)), TRAINING, SURE,
         "a is the most accurate and the cheapest. b is dominated by a: no more accurate, no cheaper."),
        (models(a=(0.9, 5.0), b=(0.9, 5.0)), TRAINING, NO_PAIRS, "a is the most accurate and the cheapest."),
        (models(a=(0.9, 5.0), b=(0.8, 0.0)), TRAINING, NO_PAIRS,
         "a is the most accurate; b trains as fast but loses 10.0 points."),
        (models(a=(0.9, 5.0), b=(0.8, 4.0), c=(0.7, 3.0), d=(0.6, 2.0), e=(0.5, 1.0)), TRAINING, NO_PAIRS,
         "a is the most accurate; b trains 1.2 times faster but loses 10.0 points; c trains 1.7 times faster but "
         "loses 20.0 points; d trains 2 times faster but loses 30.0 points; 1 more on the line are cheaper and "
         "less accurate still."),
    ],
)  # fmt: skip
def test_words_for_what_accuracy_costs(
    points: list[Point], cost: object, pairs: tuple[PairRecord, ...], words: str
) -> None:
    assert answer(points, cost, pairs) == words  # type: ignore[arg-type]


def search(model: str, *steps: tuple[float, float]) -> Spent:
    return Spent(model, tuple(Step(at, k, loss, 1 - loss) for k, (at, loss) in enumerate(steps)), steps[-1][0] + 1)


def scored(model: str, *steps: tuple[float, float, float | None]) -> Spent:
    return Spent(model, tuple(Step(at, k, loss, right) for k, (at, loss, right) in enumerate(steps)), steps[-1][0])


@pytest.mark.parametrize(
    ("searches", "found", "words"),
    [
        ((search("mlp", (2, 0.5)), search("cnn", (40, 0.2))), [(2, "mlp"), (40, "cnn")],
         "by log loss up to 40.0 CPU s mlp is ahead, after that cnn."),
        ((search("mlp", (2, 0.1)), search("cnn", (40, 0.2))), [(2, "mlp")],
         "by log loss mlp is ahead at every budget."),
        ((search("a", (2, 0.5), (50, 0.1)), search("b", (10, 0.3)), search("c", (30, 0.2))),
         [(2, "a"), (10, "b"), (30, "c"), (50, "a")],
         "by log loss up to 10.0 CPU s a is ahead, then b up to 30.0 CPU s, then c up to 50.0 CPU s, after "
         "that a."),
        ((search("a", (2, 0.5)), search("b", (3, 0.5))), [(2, "a")], "by log loss a is ahead at every budget."),
        ((search("a", (1, 0.9), (3, 0.7), (5, 0.5)), search("b", (2, 0.8), (4, 0.6), (6, 0.4))),
         [(1, "a"), (2, "b"), (3, "a"), (4, "b"), (5, "a"), (6, "b")],
         "by log loss the lead changes 5 times: a is ahead first, from 1.0 CPU s, and b for good from 6.0 "
         "CPU s on."),
        ((search("a", (0.04, 0.5)), search("b", (0.26, 0.3))), [(0.04, "a"), (0.26, "b")],
         "by log loss up to 0.3 CPU s a is ahead, after that b."),
        ((scored("a", (1, 0.5, 0.7), (9, 0.1, 0.8)), scored("b", (4, 0.4, 0.9))),
         [(1, "a"), (4, "b"), (9, "a")],
         "by log loss up to 4.0 CPU s a is ahead, then b up to 9.0 CPU s, after that a. By the accuracy of the "
         "same trials up to 4.0 CPU s a is ahead, after that b."),
        ((scored("a", (1, 0.5, None)), scored("b", (4, 0.4, 0.1))), [(1, "a"), (4, "b")],
         "by log loss up to 4.0 CPU s a is ahead, after that b."),
    ],
)  # fmt: skip
def test_words_for_who_is_ahead_at_which_budget(
    searches: tuple[Spent, ...], found: list[tuple[float, str]], words: str
) -> None:
    assert leaders(searches) == found
    assert ahead(searches) == words


def trial(number: int, state: str, cost: float | None, loss: float | None = None) -> TrialRecord:
    return TrialRecord.model_validate(
        {"number": number, "state": state, "params": {}, "fit_cpu_s": cost, "valid_log_loss": loss}
    )


def test_pruned_and_failed_trials_cost_time_and_improve_nothing() -> None:
    made = [
        trial(1, "pruned", 2, 0.1),
        trial(0, "complete", 5, 0.5),
        trial(2, "failed", 3),
        trial(3, "complete", 4, 0.4),
    ]
    found = spent("a", [*made, trial(4, "complete", 1, 0.6), trial(5, "failed", None)])
    assert found is not None
    assert [(step.cpu_s, step.trial, step.log_loss) for step in found.steps] == [(5, 0, 0.5), (14, 3, 0.4)]
    assert (found.total_s, found.n_unknown) == (15, 1)


@pytest.mark.parametrize("trials", [[], [trial(0, "failed", 3)], [trial(0, "complete", None, 0.5)]])
def test_searches_without_a_result_or_a_cost_have_no_line(trials: list[TrialRecord]) -> None:
    assert spent("a", trials) is None


def changed(**update: object) -> Results:
    found = fixtures.four_studies()
    return found.model_copy(update={"studies": [study.model_copy(update=update) for study in found.studies]})


def costless() -> Results:
    found = fixtures.four_studies()
    studies = [
        study.model_copy(update={"trials": [t.model_copy(update={"fit_cpu_s": None}) for t in study.trials]})
        for study in found.studies
    ]
    return found.model_copy(update={"studies": studies})


def identical() -> Results:
    """Three models with the same scores, costs, trials and parameters."""
    found = fixtures.four_studies()
    same = next(study for study in found.studies if study.model == "cnn")
    same = same.model_copy(
        update={"trials": [same.trials[0].model_copy(update={"number": k}) for k in range(12)], "best_trial": 0}
    )
    others = [same.model_copy(update={"model": name}) for name in ("mlp", "cnn", "lstm")]
    return found.model_copy(update={"datasets": found.datasets[:1], "studies": others})


def single_trial() -> Results:
    found = fixtures.four_studies()
    studies = [s.model_copy(update={"trials": s.trials[:1], "best_trial": 0}) for s in found.studies]
    return found.model_copy(update={"studies": studies})


def pruned_only() -> Results:
    found = fixtures.four_studies()
    studies = [
        s.model_copy(
            update={"trials": [t.model_copy(update={"state": "pruned"}) for t in s.trials if t.curve.epoch]}
        )
        for s in found.studies
    ]
    return found.model_copy(update={"studies": studies})


NO_COST = {"fit_cpu_s": None, "latency_ms": None, "n_parameters": None, "size_bytes": None, "peak_memory_mb": None}


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (changed(**NO_COST), "no cost is known of two tested models."),
        (changed(fit_cpu_s=None), "Latency: "),
        (costless(), "of fewer than two models are the costs of all trials known."),
        (fixtures.one_model(), "one model was tested, so there is nothing to weigh."),
        (fixtures.all_failed(), "no model has test scores."),
        (fixtures.empty(), "no data set has two tested models with a known cost."),
        (identical(), "is the most accurate and the cheapest."),
        (single_trial(), "importance of the parameters is not shown: 1 trial is too few, it takes 10."),
        (pruned_only(), "no complete trial;"),
        (changed(importance={}), "No importance of the parameters was computed."),
        (changed(trials=[], best_trial=None), "no trial was started."),
    ],
)  # fmt: skip
def test_missing_data_of_every_sort_renders_and_says_so(results: Results, words: str) -> None:
    html = render_html(results)
    assert words in re.sub(r"<[^>]*>", "", html)
    assert render_html(results) == html


def test_each_cost_has_a_chart_and_the_first_has_the_trials() -> None:
    (group,) = (group for group in pareto(parts(fixtures.four_studies())).groups if group.choices)
    assert [choice.label for choice in group.choices] == ["training", "latency", "parameters", "memory", "size"]
    assert [bool(choice.chart.dots) for choice in group.choices] == [True, False, False, False, False]
    assert "by their accuracy on validation, not test" in group.choices[0].caption
    assert "see the words above" in group.choices[0].caption


def test_trials_on_a_part_of_the_rows_are_not_drawn_beside_refits_on_all() -> None:
    found = fixtures.four_studies()
    studies = [
        s.model_copy(update={"budget": s.budget.model_copy(update={"refit_data": "train"})})
        for s in found.studies
        if s.budget is not None
    ]
    (group,) = (g for g in pareto(parts(found.model_copy(update={"studies": studies}))).groups if g.choices)
    assert group.choices[0].chart.dots == ()
    assert "validation" not in group.choices[0].caption


def test_slices_take_the_scale_of_the_search_and_places_for_choices() -> None:
    study = fixtures.study("cnn", "mnist1d", fixtures.TEN).model_copy(
        update={
            "space": {
                "learning_rate": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
                "width": {"type": "categorical", "choices": [32, 64, 128]},
            }
        }
    )
    html = render_html(fixtures.results(fixtures.four_studies().datasets[:1], [study]))
    assert ">learning_rate, log scale</text>" in html
    by_width = html.partition("Log loss of cnn on mnist1d by width</title>")[2].partition("</svg></svg>")[0]
    assert re.findall(r"<text x=[^>]*>([^<]*)</text>", html.partition("by width</title>")[2])[:4] == [
        "32", "64", "128", "width",
    ]  # fmt: skip
    assert by_width
    assert "by pool</title>" not in html


def test_budget_leaves_out_a_model_without_costs_and_says_so() -> None:
    found = fixtures.four_studies()
    studies = [
        s.model_copy(
            update={"trials": [t.model_copy(update={"fit_cpu_s": None, "curve": Curve()}) for t in s.trials]}
        )
        if s.model == "mlp" and s.dataset == "mnist1d"
        else s
        for s in found.studies
    ]
    (group,) = (g for g in budgets(parts(found.model_copy(update={"studies": studies}))).groups if g.is_filled)
    assert group.notes == ("Not shown: mlp, without complete trials or their cost.",)


def test_budget_counts_the_failed_trials_that_told_no_time() -> None:
    found = fixtures.four_studies()
    studies = [
        s.model_copy(update={"trials": [*s.trials, *(trial(number, "failed", None) for number in (20, 21))]})
        if (s.model, s.dataset) == ("lstm", "mnist1d")
        else s
        for s in found.studies
    ]
    (group,) = (g for g in budgets(parts(found.model_copy(update={"studies": studies}))).groups if g.is_filled)
    assert group.notes == ("Without 2 failed trials of lstm whose time is unknown.",)


def test_budget_charts_name_the_models_at_the_ends_of_their_lines() -> None:
    (group,) = (g for g in budgets(parts(fixtures.four_studies())).groups if g.is_filled)
    for figure in group.figures:
        chart = figure.chart
        assert chart is not None
        assert {text.text for text in chart.texts} == {"mlp", "cnn", "lstm"}
        assert {text.x for text in chart.texts} == {mark.x for mark in chart.marks}
        heights = sorted(float(text.y) for text in chart.texts)
        assert all(b - a >= 15 for a, b in pairwise(heights))
