"""Scales, positions and the two forest plots."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncompare.points import points
from nncompare.report.blocks import Part, Series, parts, tint
from nncompare.report.charts import Plane, across, number, simplified, specks, trace
from nncompare.report.forest import close_up, forest
from nncompare.report.formats import count, interval, milliseconds, seconds, size
from nncompare.report.scales import Scale, linear, losses, tick_label, whole
from nncompare.results import Interval

from . import report_fixtures as fixtures

FINITE = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 6))
POSITIVE = st.floats(1e-6, 1e6, allow_nan=False)


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_linear_scale_holds_all_values_and_its_ticks(values: list[float]) -> None:
    scale = linear(values)
    assert scale.low < min(values) <= max(values) < scale.high
    ticks = scale.ticks()
    assert list(ticks) == sorted(set(ticks))
    room = 1e-6 * (scale.high - scale.low)
    assert all(scale.low - room <= tick <= scale.high + room for tick in ticks)
    assert 1 <= len(ticks) <= 6


@given(st.lists(POSITIVE, min_size=1, max_size=20))
def test_loss_scale_is_monotone_and_has_ticks_inside(values: list[float]) -> None:
    scale = losses(values)
    found = [scale.at(value) for value in sorted(values)]
    assert found == sorted(found)
    assert all(0 <= at <= 1 for at in found)
    assert len(scale.ticks()) >= 2
    assert scale.log == (max(values) / min(values) >= 20)


def test_loss_scale_of_zeros_is_linear_from_zero() -> None:
    assert losses([0.0, 0.0]) == Scale(0.0, 1.0)


def test_scale_puts_values_outside_on_its_edge() -> None:
    assert (whole(10).at(-3), whole(10).at(5), whole(10).at(99)) == (0.0, 0.5, 1.0)
    assert Scale(0.1, 10, log=True).at(1.0) == pytest.approx(0.5)


def test_linear_scale_never_leaves_its_bounds() -> None:
    assert linear([0.99, 1.0], bounds=(0.0, 1.0)).high == 1.0


@pytest.mark.parametrize(("value", "text"), [(0.04, "0"), (-0.04, "0"), (12.34, "12.3"), (150.0, "150")])
def test_number_is_rounded_to_a_tenth(value: float, text: str) -> None:
    assert number(value) == text


def test_plane_draws_a_staircase_that_holds_until_the_next_point() -> None:
    plane = Plane(Scale(0, 10), Scale(0, 1), 100)
    assert plane.steps([(0, 1.0), (5, 0.5), (10, 0.5)]) == "M0 0l500 0 0 200 500 0"
    assert plane.point(5, 0.25) == ("50%", "75")


@given(st.lists(st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)), min_size=1, max_size=30))
def test_paths_lead_back_to_their_points(points: list[tuple[int, int]]) -> None:
    found, x, y = [], 0, 0
    for dx, dy in re.findall(r"[Mm](-?\d+) ?(-?\d+)z", specks(points)):
        x, y = x + int(dx), y + int(dy)
        found.append((x, y))
    assert found == points
    start, _, moves = trace(points).removesuffix("z").partition("l")
    at = [tuple(map(int, re.findall(r"-?\d+", start)))]
    steps = iter(map(int, re.findall(r"-?\d+", moves)))
    at += [(dx, dy) for dx, dy in zip(steps, steps, strict=True)]
    xs, ys = list(accumulate(dx for dx, _ in at)), list(accumulate(dy for _, dy in at))
    assert list(zip(xs, ys, strict=True)) == [p for k, p in enumerate(points) if not k or p != points[k - 1]]


@given(st.lists(st.integers(-500, 500), min_size=3, max_size=40))
def test_simplified_line_stays_near_every_point(heights: list[int]) -> None:
    points = [(10 * k, y) for k, y in enumerate(heights)]
    kept = simplified(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    for (x0, y0), (x1, y1) in pairwise(kept):
        assert all(abs(y0 + (y1 - y0) * (x - x0) / (x1 - x0) - y) <= 1.5 for x, y in points if x0 <= x <= x1)


def test_counted_scale_has_no_half_ticks() -> None:
    assert [whole(last).ticks() for last in (1, 2, 3)] == [(0, 1), (0, 1, 2), (0, 1, 2, 3)]
    assert all(tick.is_integer() for last in range(1, 200) for tick in whole(last).ticks())


def test_tick_label_has_a_true_minus() -> None:
    assert (tick_label(-0.5), across(0.5)) == ("−0.5", "50%")
    assert [tick_label(v) for v in (1e-5, 5000.0, 20_000.0, 2.5e6)] == ["1e−5", "5000", "20k", "2.5M"]


@given(st.integers(0, 63), st.integers(0, 63))
def test_series_differ_in_colour_or_marker(one: int, other: int) -> None:
    first, second = Series("a", one), Series("b", other)
    assert ((first.colour, first.shape) == (second.colour, second.shape)) == (one == other)


def test_tint_spans_ten_classes_and_survives_one_value() -> None:
    assert (tint(0.1, 0.1, 0.9), tint(0.9, 0.1, 0.9), tint(0.5, 0.5, 0.5)) == (0, 9, 5)


def test_forest_places_the_interval_around_the_mean_and_a_dot_for_each_seed() -> None:
    chart = forest(parts(fixtures.one_model())[0])
    assert chart is not None
    [line] = [line for line in chart.lines if line.kind == "solid"]
    start, width = (int(n) for n in re.findall(r"\d+", line.path)[::2])
    mean = 10 * float(chart.marks[-1].x.rstrip("%"))
    assert start < mean < start + width
    assert [dots.path.count("z") for dots in chart.dots] == [1]
    assert [(dots.table, dots.rows) for dots in chart.dots] == [(1, (0,))]
    assert [text.text for text in chart.texts if "off this scale" in text.text] == [
        "← majority (off this scale)",
        "← logistic_regression (off this scale)",
    ]


def test_forest_is_enlarged_only_where_a_distant_model_crushes_the_best() -> None:
    mnist1d, digits = parts(fixtures.four_studies())
    enlarged = close_up(mnist1d)
    assert enlarged is not None
    assert [text.text for text in enlarged.texts if text.strong] == ["cnn", "lstm"]
    assert close_up(digits) is None


def test_forest_is_enlarged_beside_a_distant_model_whose_interval_is_wide() -> None:
    part = leaders_and_a_vague_third()
    enlarged = close_up(part)
    assert enlarged is not None
    assert [text.text for text in enlarged.texts if text.strong] == ["cnn", "lstm"]


def leaders_and_a_vague_third() -> Part:
    """Two models less than a point apart, and a third far behind with an interval five times as wide."""
    part = parts(fixtures.four_studies())[0]
    wide = {
        "cnn": Interval(mean=0.9847, low=0.9785, high=0.9909),
        "lstm": Interval(mean=0.9777, low=0.9698, high=0.9855),
        "mlp": Interval(mean=0.6227, low=0.5812, high=0.6641),
    }
    entries = [
        replace(
            entry, study=entry.study.model_copy(update={"test": test.model_copy(update={"accuracy": wide[name]})})
        )
        for entry, test in part.tested
        if (name := entry.study.model) in wide
    ]
    return replace(part, entries=tuple(entries))


def test_forest_strikes_no_words_with_the_lines_of_references() -> None:
    part = leaders_and_a_vague_third()
    chart = forest(part)
    assert chart is not None
    guides = [line.path for line in chart.lines if line.kind == "guide"]
    assert guides
    words = [float(text.y) for text in chart.texts] + [chart.grid_height + 15]
    for path in guides:
        bands = [(int(top) / 4, int(end) / 4) for top, end in re.findall(r"M\d+ (\d+)V(\d+)", path)]
        assert len(bands) == len(part.entries) + 1
        assert not [(y, band) for y in words for band in bands if band[0] < y + 3 and y - 10 < band[1]]


def test_forest_of_a_data_set_without_scores_is_none() -> None:
    assert forest(parts(fixtures.nothing_finished())[0]) is None


def test_parts_put_the_most_accurate_first_and_those_without_scores_last() -> None:
    part = parts(fixtures.full())[0]
    assert [entry.study.model for entry in part.entries] == ["cnn", "lstm", "mlp"]
    assert {entry.series.name: entry.series.index for entry in part.entries} == {"mlp": 0, "cnn": 1, "lstm": 2}


def test_formats_say_what_a_reader_expects() -> None:
    assert [seconds(v) for v in (None, 0.414, 66.04, 431.2, 4000, 20_000)] == [
        "–", "0.41 s", "66.0 s", "431 s", "67 min", "5.6 h",
    ]  # fmt: skip
    assert [size(v) for v in (512, 42_900, 5_020_000)] == ["512 B", "42.9 kB", "5.02 MB"]
    assert [size(v) for v in (999_499, 999_500, 999.4e6, 999.5e6, 1.3e9, 4.2e12)] == [
        "999 kB", "1 MB", "999 MB", "1 GB", "1.3 GB", "4,200 GB",
    ]  # fmt: skip
    assert [milliseconds(v) for v in (None, 0.0941, 999.4, 999.5, 1500)] == [
        "–", "0.0941 ms", "999 ms", "1.00 s", "1.50 s",
    ]  # fmt: skip
    assert [count(v) for v in (None, 12345, 96.6667, 3.0)] == ["–", "12,345", "96.7", "3"]
    assert (points(0.0058, signed=True), interval(Interval(mean=0.5, low=0.25, high=0.75))) == (
        "+0.6",
        "0.2500 to 0.7500",
    )
    assert [points(value) for value in (-0.302, 0.302, -0.0004, 0.0)] == ["−30.2", "30.2", "0.0", "0.0"]
    assert [points(value, signed=True) for value in (0.0058, -0.302, -0.0004)] == ["+0.6", "−30.2", "+0.0"]
